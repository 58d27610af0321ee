/**
 * The control law. Lowering is immediate, raising waits.
 *
 * A cut takes effect with the reading that asks for it. A raise needs the whole window of the last T0 to two minutes
 * to be free of the load that forced the cut, and the window doubles while cuts keep coming, so that ovens and hobs
 * that cycle do not drag the vehicle along. Between minimum and limit there is the ride: at the minimum the main
 * device may carry a little more than its rating for ever, so a short peak need not end in a pause.
 */
import type { Instant } from '../reading.ts'
import { floorToStep } from './amperes.ts'
import {
  baseOf,
  holdMs,
  houseBounds,
  isOverloaded,
  ratingBound,
  resumeWindowMs,
  siteLimits,
  windowBound,
} from './capacity.ts'
import { externalMa } from './charger.ts'
import { lift, pause, setCommand, stop } from './command.ts'
import { rideLeftMs } from './countdown.ts'
import { leastRaise } from './dead-band.ts'
import { type Bound, smallest } from './limits.ts'
import { backOff, followedMa, forget, remember } from './memory.ts'
import { isMetered } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { mayWait } from './patience.ts'
import { survivableMa } from './reserve.ts'
import { lineCadence } from './staleness.ts'
import type { ControlState, Frame } from './state.ts'

/** Cuts smaller than this are not worth one. */
const CUT_SLACK_MA = 50
/** A rise of power is put on every line, which is too much on most of them. */
const FAST_SLACK_MA = 500
/** Cuts from this size on count for the back-off. */
const BACK_OFF_MA = 500
/** Without a meter in the charge point: rest between two cuts, unless the lines rose by more than this. */
const SECOND_CUT_MS = 6000
const SECOND_CUT_RISE_MA = 300
const PERSISTS_MS = 3000
/** Of a limiter's long band, and in one go. */
const LIMITER_SHARE = 0.2
const LONGEST_RIDE_MS = 1_800_000
/** After a ride whose time was up the next load that long is paused for at once: one change instead of two. */
const RODE_OUT_MS = 1_800_000
/** What contactor and vehicle are spared. */
const MOST_STARTS = 12
const STARTS_WITHIN_MS = 3_600_000

/** Lowers the command at once to what the view leaves, to the minimum while that can be ridden out, else to a pause. */
export function cut(
  parameters: ControlParameters,
  state: ControlState,
  view: Frame | null,
  now: Instant,
): ControlState {
  const rating = ratingBound(parameters, state)
  const bounds = houseBounds(parameters, state, baseOf(state, view?.baseMa))
  const [first, ...rest] = bounds
  const house = first === undefined ? null : smallest([first, ...rest])
  const overload = isOverloaded(parameters, state, view)
  const overloadSince = overload ? (state.overloadSince ?? now) : null
  const waits = house !== null && house.ma < state.cmdMa - CUT_SLACK_MA
  const excessSince = waits ? (state.excessSince ?? now) : null
  const seen = { ...state, overloadSince, excessSince }
  if (seen.cmdMa === 0) return wouldHaveRidden(parameters, seen, house, now)

  const tooMuch = bounds.some(({ line, ma }) => {
    const guessed = view?.guessed === true && line < parameters.fuseMa.length
    return ma < seen.cmdMa - (guessed ? FAST_SLACK_MA : CUT_SLACK_MA)
  })
  if (!tooMuch && rating.ma >= seen.cmdMa)
    return seen.mode.type === 'riding' && house !== null && view?.guessed !== true
      ? { ...seen, mode: { type: 'charging' } }
      : seen
  if (!tooMuch || house === null) return lower(parameters, seen, rating, rating, now)

  if (rating.ma >= seen.cmdMa && mayWait(parameters, seen, view, bounds, now)) return seen
  const metered = isMetered(parameters, seen, now)
  if (!metered && rating.ma >= seen.cmdMa && isStillFalling(seen, view, now))
    return { ...seen, excessSince: null }
  const counted =
    overload || house.ma < seen.cmdMa - BACK_OFF_MA ? backOff(parameters, seen, now) : seen
  const persists =
    !metered &&
    overloadSince !== null &&
    now - overloadSince >= parameters.responseMs + lineCadence(parameters, seen) + PERSISTS_MS
  const tight = house.ma < rating.ma ? house : rating
  const target = persists ? Math.min(tight.ma, parameters.minMa) : tight.ma
  const marked = { ...counted, cut: { at: now, lineMa: view?.lineMa ?? [] } }
  if (target >= parameters.minMa)
    return remember(
      parameters,
      lower(parameters, marked, { ...tight, ma: target }, rating, now),
      now,
    )
  if (rating.ma < parameters.minMa) return lower(parameters, marked, rating, rating, now)
  return rideOrPause(parameters, marked, view, house.id, now)
}

/** Ends a ride whose time is up. */
export function endRide(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { mode } = state
  if (mode.type !== 'riding' || now - mode.since < mode.forMs) return state
  return { ...pause(parameters, state, state.boundBy, now), rodeOutAt: now }
}

/** Raises the command, or begins to charge, where everything that has to wait has waited. */
export function raise(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const spaced = state.changedAt === null || now - state.changedAt >= parameters.minIntervalMs
  if (state.cmdMa === 0) return spaced ? resume(parameters, state, now) : state

  const bound = windowBound(parameters, state, now - holdMs(parameters, state))
  if (bound === null) return state
  const remembered = forget(parameters, state, bound.ma, now)
  const allowed = Math.min(
    bound.ma,
    remembered.failed?.ma ?? Infinity,
    followedMa(parameters, remembered, now),
    externalMa(remembered, now) === null ? Infinity : remembered.cmdMa,
    survivableMa(parameters, remembered, now),
  )
  const waited = remembered.holdUntil === null || now >= remembered.holdUntil
  if (!waited || !spaced || allowed <= remembered.cmdMa + leastRaise(parameters, remembered, now))
    return remembered
  const rating = ratingBound(parameters, remembered)
  const target = floorToStep(Math.min(allowed, rating.ma), parameters.stepMa)
  if (target <= remembered.cmdMa) return remembered
  return lift(remembered, target, bound, now)
}

function resume(parameters: ControlParameters, state: ControlState, now: Instant): ControlState {
  const { mode } = state
  if (mode.type === 'paused' && now - mode.since < mode.waitMs) return state
  if (state.above?.alarm === true) return state
  const starts = state.starts.filter(at => now - at < STARTS_WITHIN_MS)
  if (starts.length >= MOST_STARTS) return state
  const bound = windowBound(parameters, state, now - resumeWindowMs(parameters, state))
  if (bound === null) return state
  const rating = ratingBound(parameters, state)
  const most = Math.min(bound.ma, rating.ma, survivableMa(parameters, state, now))
  const target = floorToStep(most, parameters.stepMa)
  if (bound.ma < parameters.minMa + parameters.resumeMarginMa || target < parameters.minMa)
    return { ...state, mode: waiting(state, bound.id, now), boundBy: bound.id }
  return { ...lift(state, target, bound, now), starts: [...starts, now] }
}

/** After the start there is no pause to wait for, only room. */
function waiting(state: ControlState, by: string, now: Instant): ControlState['mode'] {
  return state.mode.type === 'starting' ? { type: 'paused', since: now, waitMs: 0, by } : state.mode
}

function lower(
  parameters: ControlParameters,
  state: ControlState,
  bound: Bound,
  rating: Bound,
  now: Instant,
): ControlState {
  const target = floorToStep(Math.min(bound.ma, rating.ma), parameters.stepMa)
  if (target < parameters.minMa) return stop(parameters, state, bound.id, now)
  return { ...setCommand(state, target, bound.id, now), mode: { type: 'charging' } }
}

function rideOrPause(
  parameters: ControlParameters,
  state: ControlState,
  view: Frame | null,
  by: string,
  now: Instant,
): ControlState {
  const since = state.mode.type === 'riding' ? state.mode.since : now
  const forMs = rideMs(parameters, state, by, now)
  const ride = baseOf(state, view?.rideBaseMa)
  const carried = siteLimits(parameters, state).every(({ line, limit }) => {
    const base = ride(line)
    return base === null || base + parameters.minMa <= limit.neverTripMa
  })
  if (!carried || now - since >= forMs) return pause(parameters, state, by, now)
  const rodeOut = state.rodeOutAt !== null && now - state.rodeOutAt < RODE_OUT_MS
  if (rodeOut && state.mode.type !== 'riding') return pause(parameters, state, by, now)
  return { ...setCommand(state, parameters.minMa, by, now), mode: { type: 'riding', since, forMs } }
}

/** Paused at once for a load that a ride would have outlasted: the next one is ridden out again. */
function wouldHaveRidden(
  parameters: ControlParameters,
  state: ControlState,
  house: Bound | null,
  now: Instant,
): ControlState {
  const { mode, rodeOutAt } = state
  const isOver = house !== null && house.ma >= parameters.minMa
  if (rodeOutAt === null || mode.type !== 'paused' || mode.since === rodeOutAt || !isOver)
    return state
  return now - mode.since < parameters.rideMaxMs ? { ...state, rodeOutAt: null } : state
}

/** How long a ride may last: a meter's limiter gives a part of its long band, and what it counts down. */
function rideMs(
  parameters: ControlParameters,
  state: ControlState,
  by: string,
  now: Instant,
): number {
  const limits = state.inForce.some(({ id, totalW }) => id === by && totalW !== undefined)
  if (!parameters.reportsChanges || !limits) return parameters.rideMaxMs
  if (parameters.rideMaxMs === 0) return 0
  const leftMs = (LIMITER_SHARE - state.limiterDamage) * parameters.limiterBandMs
  const countedMs = rideLeftMs(state, now) ?? LONGEST_RIDE_MS
  return Math.max(0, Math.min(LONGEST_RIDE_MS, leftMs, countedMs))
}

/** After a cut the vehicle is still coming down: what is too much now was cut already. */
function isStillFalling(state: ControlState, view: Frame | null, now: Instant): boolean {
  const { cut: last } = state
  if (last === null || view === null || now - last.at >= SECOND_CUT_MS) return false
  return !view.lineMa.some((ma, line) => {
    const before = last.lineMa[line] ?? null
    return ma !== null && before !== null && ma - before > SECOND_CUT_RISE_MA
  })
}
