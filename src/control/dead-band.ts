/** Changes that are not worth making: cars follow whole amperes, meters show whole steps, pilots and contactors wear. */
import type { Instant } from '../reading.ts'
import { isMetered } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'

/** Raises that cars following whole amperes can notice. */
const RAISE_METERED_MA = 500
const RAISE_COARSE_MA = 1100
const DEAD_BAND_MA = 500
/** Above this current half an ampere is next to nothing. */
const LARGE_MA = 20_000
const LARGE_DEAD_BAND_MA = 1000

/** Differences of the command that are not worth a change, mA; one step of a coarse meter proves nothing. */
export function deadBandMa(parameters: ControlParameters, cmdMa: number): number {
  if (parameters.deadBandMa !== null) return parameters.deadBandMa
  const own = cmdMa > LARGE_MA ? LARGE_DEAD_BAND_MA : DEAD_BAND_MA
  return Math.max(own, parameters.resolutionMa)
}

/** How much a raise must bring at least. */
export function leastRaise(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): number {
  if (parameters.dbUpMa !== null) return parameters.dbUpMa
  const fine = parameters.stepMa < 1000 && isMetered(parameters, state, now)
  return Math.max(fine ? RAISE_METERED_MA : RAISE_COARSE_MA, deadBandMa(parameters, state.cmdMa))
}
