/**
 * From a reading to the current of each line.
 *
 * | sent                                | line current                                             |
 * |-------------------------------------|----------------------------------------------------------|
 * | current, power of the phase         | magnitude; negative while the phase exports (see below)  |
 * | current alone                       | magnitude, taken as import                               |
 * | powers of the phase alone           | apparent power / U, without reactive power P / 0.95 U    |
 * | three wires, L2 not measured        | computed ({@link secondLine})                            |
 * | nothing                             | not known                                                |
 *
 * In nets without neutral the sign of a current belongs to the measuring element and says nothing about export.
 */

import type { FieldName, Instant, Reading, Values } from '../reading.ts'
import { netPowerW, netReactivePowerVar } from '../reading.ts'
import { milliamperes } from './amperes.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'
import { secondLine } from './three-wire.ts'

/** Line currents of one reading. Arrays have one entry for each line of the installation. */
export interface LineReading {
  /** `null` = not known. */
  readonly lineMa: readonly (number | null)[]
  /** The same for cuts: a computed current that stands out is believed when it comes twice. */
  readonly cutMa: readonly (number | null)[]
  /** Computed from the other lines. */
  readonly computed: readonly boolean[]
  /** What a watt on one line is divided by: phase voltage, in three-wire nets line to line. */
  readonly voltageV: readonly number[]
  readonly threeWire: boolean
  /** Net power of the connection, positive = import. */
  readonly powerW: number | null
  readonly secondLine: ControlState['secondLine']
}

/** A field as a finite number; `null` where it is absent, not available or nonsense. */
export function field(values: Values, name: FieldName): number | null {
  const value = values[name]
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

/** Watts that one ampere of charging takes, from the voltages at hand. */
export function wattsPerAmpere(
  parameters: ControlParameters,
  voltageV: readonly number[],
  threeWire: boolean,
): number {
  const mean = voltageV.reduce((a, b) => a + b, 0) / voltageV.length
  if (parameters.phases === 1) return mean
  return threeWire ? Math.sqrt(3) * mean : 3 * mean
}

/** Reads the lines. Fields that are absent, `null` or not finite are not known. */
export function readLines(
  parameters: ControlParameters,
  memory: ControlState['secondLine'],
  reading: Reading,
  at: Instant,
): LineReading {
  const { values } = reading
  const threeWire = isThreeWire(parameters, reading)
  const lines = parameters.fuseMa.map((_, line) => line)
  const voltageV = lines.map(line =>
    threeWire
      ? lineToLine(values, parameters.voltageV)
      : (field(values, PHASE_VOLTAGE[line]!) ?? parameters.voltageV),
  )
  const lineMa = lines.map(line =>
    threeWire
      ? magnitude(field(values, CURRENT[line]!))
      : phaseMa(values, line, voltageV[line]!, lines.length === 1, parameters.reportsChanges),
  )
  const read = {
    lineMa,
    cutMa: lineMa,
    computed: lines.map(() => false),
    voltageV,
    threeWire,
    powerW: finite(netPowerW(values)),
    secondLine: memory,
  }
  if (!threeWire || lines.length === 1 || lineMa[1] !== null) return read
  const second = secondLine(memory, values, voltageV[0]!, parameters.phaseOrder, at)
  if (second === null) return read
  return {
    ...read,
    lineMa: [lineMa[0]!, second.ma, lineMa[2]!],
    cutMa: [lineMa[0]!, second.cutMa, lineMa[2]!],
    computed: [false, second.computed, false],
    secondLine: second.memory,
  }
}

const CURRENT: readonly FieldName[] = ['currentL1A', 'currentL2A', 'currentL3A']
const PHASE_VOLTAGE: readonly FieldName[] = ['voltageL1V', 'voltageL2V', 'voltageL3V']
const LINE_VOLTAGE: readonly FieldName[] = ['voltageL1L2V', 'voltageL2L3V', 'voltageL1L3V']

/** Assumed where reactive power is not sent. */
const POWER_FACTOR = 0.95

function isThreeWire(parameters: ControlParameters, reading: Reading): boolean {
  if (parameters.grid !== 'auto') return parameters.grid === 'IT'
  const grid = reading.meter?.grid
  if (grid !== undefined && grid !== null) return grid === 'IT'
  return LINE_VOLTAGE.some(name => field(reading.values, name) !== null)
}

function lineToLine(values: Values, nominalV: number): number {
  const known = LINE_VOLTAGE.map(name => field(values, name)).filter(v => v !== null && v > 0)
  return known.length === 0 ? nominalV : known.reduce<number>((a, b) => a + b!, 0) / known.length
}

function phaseMa(
  values: Values,
  line: number,
  voltageV: number,
  only: boolean,
  reportsChanges: boolean,
): number | null {
  const p = only ? finite(netPowerW(values)) : phaseNet(values, line, 'activePower', 'W')
  const q = only
    ? finite(netReactivePowerVar(values))
    : phaseNet(values, line, 'reactivePower', 'Var')
  const sent = magnitude(field(values, CURRENT[line]!))
  if (sent !== null) return p !== null && p < 0 ? exportMa(sent, (-p * 1000) / voltageV) : sent
  // The total of a single-phase connection is that of its phase, but where currents come too it is the business of the
  // power-only rules.
  if (p === null || (only && !reportsChanges)) return null
  const active = p / voltageV
  if (p < 0) return milliamperes(active)
  return milliamperes(q === null ? active / POWER_FACTOR : Math.hypot(active, q / voltageV))
}

/**
 * A phase that exports has room beyond its limit, but only the active part of its current gives way to a load; the
 * reactive part stays.
 */
function exportMa(ma: number, activeMa: number): number {
  const active = Math.min(ma, activeMa)
  return Math.round(Math.sqrt(ma * ma - active * active) - active)
}

function phaseNet(
  values: Values,
  line: number,
  quantity: 'activePower' | 'reactivePower',
  unit: 'W' | 'Var',
): number | null {
  const name = (direction: 'Import' | 'Export') =>
    `${quantity}${direction}L${line + 1}${unit}` as FieldName
  const imported = field(values, name('Import'))
  return imported === null ? null : imported - (field(values, name('Export')) ?? 0)
}

function magnitude(value: number | null): number | null {
  return value === null ? null : milliamperes(Math.abs(value))
}

function finite(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null
}
