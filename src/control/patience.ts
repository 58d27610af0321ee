/**
 * When a cut may wait. A main device carries more than its rating for a while, up to its never-trip current for ever:
 * a command that is a little too high, or too high for a moment, need not be cut, as long as nothing can trip even if
 * the next telegrams are lost. Limits without such a device behind them (power, contract, a user's own) never wait.
 *
 * | the line with the vehicle at the command | waits                                                        |
 * |------------------------------------------|--------------------------------------------------------------|
 * | below the never-trip current             | for ever within the dead band, else `pulseS`                 |
 * | above it                                 | 3 s, if the damage until the readings count as lost is small |
 */
import type { Instant } from '../reading.ts'
import { baseOf, type HouseBound, siteLimits } from './capacity.ts'
import { deadBandMa } from './dead-band.ts'
import type { ControlParameters } from './parameters.ts'
import { damaged } from './protection.ts'
import { lineCadence } from './staleness.ts'
import type { ControlState, Frame } from './state.ts'

/** Of a limiter's long band. */
const LIMITER_SHARE = 0.1
const BRIEF_MS = 3000
/** Of what trips. */
const BRIEF_DAMAGE = 0.2

/** Nothing waits while the meter counts down, or once much of the long band is spent. */
function mayWaitForLimiter({ countdown, limiterDamage }: ControlState): boolean {
  return (countdown === null || countdown.isOver) && limiterDamage < LIMITER_SHARE
}

/** Whether the command may stay although the lines leave less. `bounds` are those of the view. */
export function mayWait(
  parameters: ControlParameters,
  state: ControlState,
  view: Frame | null,
  bounds: readonly HouseBound[],
  now: Instant,
): boolean {
  if (view === null || view.guessed || state.mode.type === 'riding') return false
  const { cmdMa, excessSince } = state
  const cadenceMs = lineCadence(parameters, state)
  const ride = baseOf(state, view.rideBaseMa)
  const waitedMs = excessSince === null ? 0 : now - excessSince
  const hiddenMa = parameters.truncates ? parameters.resolutionMa : 0
  const limits = siteLimits(parameters, state)
  return bounds.every(({ line, ma }) => {
    const deficitMa = cmdMa - ma
    if (deficitMa <= 0) return true
    const limit = limits.find(site => site.line === line)?.limit
    const base = ride(line)
    if (limit === undefined || base === null || limit.neverTripMa <= limit.ma) return false
    const carriedMa = base + cmdMa + hiddenMa
    if (line === parameters.fuseMa.length && !mayWaitForLimiter(state)) return false
    if (carriedMa <= limit.neverTripMa)
      return deficitMa <= deadBandMa(parameters, cmdMa) || waitedMs < parameters.pulseMs
    if (parameters.pulseMs === 0 || waitedMs + cadenceMs > BRIEF_MS) return false
    const lostMs = Math.max(3 * cadenceMs + 5000, 20_000) + parameters.responseMs
    const curve = parameters.tripCurves[line] ?? []
    return damaged(state.damage[line] ?? 0, curve, carriedMa, lostMs) <= BRIEF_DAMAGE
  })
}
