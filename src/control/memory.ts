/** What the law learns from its own cuts and raises: to wait longer, and not to try again what just failed. */
import type { Instant } from '../reading.ts'
import { holdMs, MOST_K } from './capacity.ts'
import { isLoaded } from './own-lines.ts'
import { isMetered } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { lineCadence } from './staleness.ts'
import type { ControlState, Frame, Raise } from './state.ts'

const FAILED_AGAIN_MS = 60_000
/** A failed raise may be tried again when this much more is free than then. */
const FAILED_MORE_MA = 1000
/** Within this the meter must show a raise; after a pause cars take longer. */
const FOLLOW_MS = 15_000
const FOLLOW_RESUMED_MS = 45_000
/** Fades the back-off. Called with each accepted reading. */
export function decay(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { k, backOffAt } = state
  if (k === 0 || backOffAt === null || now - backOffAt <= parameters.kDecayMs) return state
  return { ...state, k: k - 1, backOffAt: now }
}

/** A cut that counts: raises wait, longer each time. */
export function backOff(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { backOffAt } = state
  const apart = backOffAt === null || now - backOffAt > 2 * lineCadence(parameters, state)
  const again = backOffAt !== null && now - backOffAt < parameters.kDecayMs
  const counted = apart
    ? { ...state, k: again ? Math.min(state.k + 1, MOST_K) : state.k, backOffAt: now }
    : state
  return { ...counted, holdUntil: now + holdMs(parameters, counted) }
}

/** Remembers a raise that did not last, so that it is not made again and again. */
export function remember(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { raise, failed, cmdMa } = state
  // A probe would be taken for a raise that failed.
  if (parameters.reportsChanges) return state
  const shortMs = parameters.responseMs + parameters.settleMs + 2 * lineCadence(parameters, state)
  if (raise !== null && now - raise.at <= shortMs)
    return { ...state, failed: { ma: cmdMa, capMa: raise.capMa, at: now } }
  if (failed !== null && now - failed.at <= FAILED_AGAIN_MS)
    return { ...state, failed: { ...failed, ma: Math.min(failed.ma, cmdMa) } }
  return state
}

export function forget(
  parameters: ControlParameters,
  state: ControlState,
  freeMa: number,
  now: Instant,
): ControlState {
  const { failed } = state
  if (failed === null) return state
  const over = now - failed.at > parameters.failMemMs || freeMa > failed.capMa + FAILED_MORE_MA
  return over ? { ...state, failed: null } : state
}

/** Notes whether the meter showed the last raise. */
export function follow(
  parameters: ControlParameters,
  state: ControlState,
  view: Frame,
  now: Instant,
): ControlState {
  const { raise } = state
  if (raise === null || raise.followed || now - raise.at > followMs(raise)) return state
  const half = (raise.toMa - raise.fromMa) / 2
  const followed = view.lineMa.some((ma, line) => {
    const before = raise.lineMa[line] ?? null
    return (
      isLoaded(parameters, state, line) && ma !== null && before !== null && ma - before >= half
    )
  })
  return followed ? { ...state, raise: { ...raise, followed } } : state
}

/** Without a meter in the charge point a raise counts only when the house meter showed the one before. */
export function followedMa(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): number {
  const { raise } = state
  if (raise === null || raise.followed || isMetered(parameters, state, now)) return Infinity
  if (now - raise.at <= followMs(raise)) return state.cmdMa
  return now - raise.at <= parameters.failMemMs ? raise.toMa : Infinity
}

function followMs(raise: Raise): number {
  return raise.fromRest ? FOLLOW_RESUMED_MS : FOLLOW_MS
}
