/** From electrical truth to the fields of a reading, with the resolution of a meter. */
import type { Instant, Reading, Values } from '../../reading.ts'
import type { ElectricalState } from '../norway/electrical.ts'
import type { MeterSetting } from './meter.ts'

/** Id of readings that no decoder made. */
export const SIMULATED = 'simulated'

type Fields = { -readonly [Name in keyof Values]: Values[Name] }

const plus = (value: number): number => Math.max(0, Math.round(value))

/** The reading of one sample that arrives at `at`. On three wires line 2 is not sent, as real meters do not. */
export function readingOf(
  { model, wiring }: MeterSetting,
  state: ElectricalState,
  at: Instant,
): Reading {
  const { currentsA, voltagesV, activeW, reactiveVar } = state
  const [p1, p2, p3] = activeW
  const [p, q] = [p1 + p2 + p3, reactiveVar[0] + reactiveVar[1] + reactiveVar[2]]
  const amperes = (line: 0 | 1 | 2): number => {
    const steps = currentsA[line] / model.resolutionA
    const whole = model.truncates ? Math.floor(steps + 1e-6) : Math.round(steps)
    return Math.round(whole * model.resolutionA * 1e6) / 1e6
  }
  const values: Fields = {
    activePowerImportW: plus(p),
    activePowerExportW: plus(-p),
    currentL1A: amperes(0),
  }
  if (wiring === '3P3W') {
    values.reactivePowerImportVar = plus(q)
    values.reactivePowerExportVar = plus(-q)
    if (model.measuresL2) values.currentL2A = amperes(1)
    values.currentL3A = amperes(2)
    values.voltageL1L2V = voltagesV[0]
    values.voltageL1L3V = voltagesV[1]
    values.voltageL2L3V = voltagesV[2]
  } else {
    values.voltageL1V = voltagesV[0]
  }
  if (wiring === '3P4W') {
    values.currentL2A = amperes(1)
    values.currentL3A = amperes(2)
    values.voltageL2V = voltagesV[1]
    values.voltageL3V = voltagesV[2]
    if (model.phasePowers) {
      values.activePowerImportL1W = plus(p1)
      values.activePowerExportL1W = plus(-p1)
      values.activePowerImportL2W = plus(p2)
      values.activePowerExportL2W = plus(-p2)
      values.activePowerImportL3W = plus(p3)
      values.activePowerExportL3W = plus(-p3)
    }
  }
  return {
    decoder: SIMULATED,
    receivedAt: at,
    integrity: 'checksum',
    meter: { id: '1', grid: wiring === '3P3W' ? 'IT' : wiring === '1P' ? null : 'TN' },
    values,
    registers: [],
  }
}
