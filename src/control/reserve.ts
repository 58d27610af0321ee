/** Room for the largest step of the house that has to be expected, where the main device is small. */
import type { Instant } from '../reading.ts'
import { largestStepMa } from './heat.ts'
import { isLoaded } from './own-lines.ts'
import type { ControlParameters } from './parameters.ts'
import { carriedMa } from './protection.ts'
import { cadence, lineCadence } from './staleness.ts'
import type { ControlState } from './state.ts'
import { maximumSince } from './window.ts'

/** Devices up to this rating open within the time a slow meter needs to tell. */
const RESERVE_UP_TO_MA = 20_000
/** Up to this one a kettle and a compressor at once are enough, whatever the last hour has shown. */
const SMALL_MA = 16_000
const USUAL_STEP_MA = 11_000
/** A faster meter tells in time. */
const RESERVE_FROM_MS = 5000
const RESERVE_BASE_MS = 300_000

/**
 * The most after which a step of the house as large as the largest of the last hour does not trip the main device
 * before a cut has arrived. Small devices react faster than a slow meter; with 25 A and more it does not matter.
 */
export function survivableMa(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): number {
  const { stepReserve, tripCurves, minMa, responseMs } = parameters
  if (stepReserve === false || parameters.reportsChanges) return Number.POSITIVE_INFINITY
  const cadenceMs = lineCadence(parameters, state)
  const most = parameters.fuseMa.map((fuseMa, line) => {
    const isFast =
      fuseMa > RESERVE_UP_TO_MA || cadenceMs < RESERVE_FROM_MS || hasPowerBetween(parameters, state)
    const baseMa = maximumSince(state.history[line] ?? [], now - RESERVE_BASE_MS)
    if (!isLoaded(parameters, state, line) || baseMa === null || (stepReserve === 'auto' && isFast))
      return Number.POSITIVE_INFINITY
    const stepMa = Math.max(largestStepMa(state, line, now), fuseMa <= SMALL_MA ? USUAL_STEP_MA : 0)
    return carriedMa(tripCurves[line] ?? [], 2 * (cadenceMs + responseMs)) - stepMa - baseMa
  })
  return Math.max(minMa, ...[Math.min(...most)])
}

/** Power comes at least twice as often as currents, so cuts need not wait for these. */
function hasPowerBetween(parameters: ControlParameters, state: ControlState): boolean {
  const between = cadence(state.power, parameters.powerCadenceMs)
  return !state.powerOnly && 2 * between <= lineCadence(parameters, state)
}
