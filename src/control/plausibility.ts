/**
 * Readings that cannot be true, although their checksum was right. Such a reading is ignored: it neither cuts nor
 * counts as heard, so the age of the last good one goes on.
 */
import { FIELD_NAMES, type Instant, type Values } from '../reading.ts'
import { greatest, least } from './amperes.ts'
import { field, type LineReading } from './lines.ts'
import type { OwnShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { lineCadence } from './staleness.ts'
import type { ControlState } from './state.ts'

/** Phase voltages: ordinary, or of a four-wire meter on a net without neutral. Line voltages: the first alone. */
const VOLTAGE_RANGES = [
  [180, 265],
  [110, 155],
] as const
const FUSE_FACTOR = 3
const FROZEN_CADENCES = 6
const FROZEN_SETTLED_MS = 10_000
/** A vehicle that moved this much must show in a live meter. */
const FROZEN_MOVE_MA = 2000
const UNDERSHOOT_MA = 1000
const UNDERSHOOT_FRAMES = 3

const VOLTAGES = FIELD_NAMES.filter(name => name.startsWith('voltage'))

/** Why the values are impossible, `null` when they may be true. */
export function implausible(
  parameters: ControlParameters,
  values: Values,
  lines: LineReading,
  energy: ControlState['energy'],
  at: Instant,
): string | null {
  for (const name of VOLTAGES) {
    const volts = field(values, name)
    const ranges = name.length === 'voltageL1V'.length ? VOLTAGE_RANGES : [VOLTAGE_RANGES[0]]
    if (volts !== null && !ranges.some(([low, high]) => volts >= low && volts <= high))
      return `${name} is ${volts} V`
  }
  for (const [line, ma] of lines.lineMa.entries())
    if (ma !== null && ma > FUSE_FACTOR * parameters.fuseMa[line]!)
      return `L${line + 1} carries ${ma / 1000} A`
  if (lines.powerW !== null && Math.abs(lines.powerW) > mostPower(parameters, values, lines))
    return `power ${lines.powerW} W does not fit the currents`
  return registerFault(parameters, values, energy, at)
}

/** Remembers the register, also of a rejected reading: a changed meter costs one reading, not all. */
export function newestEnergy(
  values: Values,
  energy: ControlState['energy'],
  at: Instant,
): ControlState['energy'] {
  const wh = field(values, 'activeEnergyImportWh')
  return wh === null ? energy : { at, wh }
}

/** What the currents sent can carry, W; three wires are metered by two elements. */
function mostPower(parameters: ControlParameters, values: Values, lines: LineReading): number {
  const roomA = parameters.truncates ? parameters.resolutionMa / 1000 : 0
  const ownA = (name: 'currentL1A' | 'currentL2A' | 'currentL3A') => {
    const current = field(values, name)
    return current === null ? null : Math.abs(current) + roomA
  }
  const all = (['currentL1A', 'currentL2A', 'currentL3A'] as const)
    .slice(0, parameters.fuseMa.length)
    .map(ownA)
  const elements = lines.threeWire && all.length === 3 ? [all[0]!, 0, all[2]!] : all
  if (elements.some(current => current === null)) {
    const fuses = parameters.fuseMa.reduce((sum, ma, line) => sum + ma * lines.voltageV[line]!, 0)
    return (FUSE_FACTOR * fuses) / 1000
  }
  const apparent = elements.reduce<number>((sum, a, line) => sum + a! * lines.voltageV[line]!, 0)
  return 1.1 * apparent + 100
}

/** A register that falls, or rises faster than the fuses let it. */
function registerFault(
  parameters: ControlParameters,
  values: Values,
  energy: ControlState['energy'],
  at: Instant,
): string | null {
  const wh = field(values, 'activeEnergyImportWh')
  if (wh === null || energy === null) return null
  const risen = wh - energy.wh
  if (risen < 0) return `the energy register fell by ${-risen} Wh`
  const fuseW = parameters.fuseMa.reduce((sum, ma) => sum + (ma / 1000) * parameters.voltageV, 0)
  // Registers come in whole kWh at worst.
  const most = 1000 + 1.2 * 2 * fuseW * ((at - energy.at) / 3_600_000)
  return risen > most ? `the energy register rose by ${risen} Wh` : null
}

/** Identical telegrams in a row, and how far the vehicle moved meanwhile. */
export function repetition(
  state: ControlState,
  lines: LineReading,
  share: OwnShare,
  at: Instant,
): NonNullable<ControlState['repeated']> {
  const values = [...lines.lineMa, lines.powerW]
  const before = state.repeated
  const same = before?.values.every((value, index) => value === values[index]) === true
  if (!same || before === null) return { since: at, values, leastMa: null, mostMa: null }
  // The end of an older movement may be reported after the meter showed it.
  if (at - before.since < FROZEN_SETTLED_MS) return before
  const own = greatest(share.nearestMa)
  return {
    ...before,
    leastMa: least([before.leastMa, own]),
    mostMa: greatest([before.mostMa, own]),
  }
}

/** The source repeats itself although the vehicle moved. */
export function isFrozen(
  parameters: ControlParameters,
  state: ControlState,
  repeated: NonNullable<ControlState['repeated']>,
  at: Instant,
): boolean {
  return (
    at - repeated.since >= FROZEN_CADENCES * lineCadence(parameters, state) &&
    (repeated.mostMa ?? 0) - (repeated.leastMa ?? 0) >= FROZEN_MOVE_MA
  )
}

/**
 * Frames in a row in which every line carries less than the vehicle: the wrong meter. With production behind the meter
 * that is ordinary, so a connection that ever exported is not judged.
 */
export function undershoot(state: ControlState, lines: LineReading, share: OwnShare): number {
  if (state.exported || !share.metered) return 0
  const own = Math.max(...share.leastMa)
  const known = lines.lineMa.filter(ma => ma !== null)
  const less = known.length > 0 && known.every(ma => ma < own - UNDERSHOOT_MA)
  return less ? state.undershoot + 1 : 0
}

/** The meter's lines and the charge point's do not belong together. */
export function isMismatched(frames: number): boolean {
  return frames >= UNDERSHOOT_FRAMES
}
