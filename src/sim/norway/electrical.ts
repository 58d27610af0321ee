/** From electrical truth to the numbers a meter of a certain make puts into its lists. */
import {
  type Measurement,
  measureFourWires,
  measureThreeWires,
  type Triple,
  total,
} from '../phasor.ts'
import type { HanProfile, HanValues, Wiring } from './telegram.ts'

/** Energy registers, Wh and varh, never negative. */
export interface EnergyRegisters {
  readonly activeImportWh: number
  readonly activeExportWh: number
  readonly reactiveImportVarh: number
  readonly reactiveExportVarh: number
}

/** Registers of a meter just installed. */
export const NO_ENERGY: EnergyRegisters = {
  activeImportWh: 0,
  activeExportWh: 0,
  reactiveImportVarh: 0,
  reactiveExportVarh: 0,
}

/** Everything a meter can measure at one instant. */
export interface ElectricalState extends Measurement {
  /** RMS, V: phases to neutral, or on three wires U12, U13, U23; with one phase only the first counts. */
  readonly voltagesV: Triple
  readonly energy: EnergyRegisters
}

/**
 * State of loads given as power: per phase, or on three wires per pair 1-2, 2-3, 3-1. Powers in W and var, positive for
 * import and inductive.
 */
export function electricalState(
  wiring: Wiring,
  voltagesV: Triple,
  activeW: Triple,
  reactiveVar: Triple,
  energy: EnergyRegisters = NO_ENERGY,
): ElectricalState {
  const measure = wiring === '3P3W' ? measureThreeWires : measureFourWires
  return { ...measure(voltagesV, activeW, reactiveVar), voltagesV, energy }
}

const positive = (value: number): number => Math.max(value, 0)
const sumOf = (values: Triple, part: (value: number) => number): number =>
  part(values[0]) + part(values[1]) + part(values[2])

/** The numbers by OBIS groups, with the signs and sums of the profile's maker; more than any one list takes. */
export function hanValues(profile: HanProfile, state: ElectricalState): HanValues {
  const { activeW: p, reactiveVar: q } = total(state)
  const bySign = profile.reactive === 'by-sign'
  const sign = (i: number): number => (profile.signedCurrents && state.activeW[i]! < 0 ? -1 : 1)
  const phases = [0, 1, 2].flatMap((i): [string, number][] => [
    [`${20 * i + 31}.7.0`, sign(i) * state.currentsA[i]!],
    [`${20 * i + 32}.7.0`, state.voltagesV[i]!],
    [`${20 * i + 21}.7.0`, positive(state.activeW[i]!)],
    [`${20 * i + 22}.7.0`, positive(-state.activeW[i]!)],
    [`${20 * i + 23}.7.0`, positive(state.reactiveVar[i]!)],
    [`${20 * i + 24}.7.0`, positive(-state.reactiveVar[i]!)],
  ])
  return {
    '1.7.0': positive(p),
    '2.7.0': positive(-p),
    '3.7.0': bySign ? sumOf(state.reactiveVar, positive) : positive(q),
    '4.7.0': bySign ? sumOf(state.reactiveVar, value => positive(-value)) : positive(-q),
    '1.8.0': state.energy.activeImportWh,
    '2.8.0': state.energy.activeExportWh,
    '3.8.0': state.energy.reactiveImportVarh,
    '4.8.0': state.energy.reactiveExportVarh,
    ...Object.fromEntries(phases),
  }
}
