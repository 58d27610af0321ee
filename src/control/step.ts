/**
 * The control core as one pure function: state and event in, state and commands out. The order of the calls is the
 * order of safety: what was heard, then everything that lowers, then what raises, then what is said.
 */
import type { Instant } from '../reading.ts'
import { accept } from './accept.ts'
import { amperes } from './amperes.ts'
import { ratingBound, vehicleWattsPerAmpere } from './capacity.ts'
import { virtualReading } from './changes.ts'
import { hearCharger } from './charger.ts'
import { setCommand, stop } from './command.ts'
import { forbidsRaise, hearCountdown, judgeCountdown, obeyCountdown } from './countdown.ts'
import { expectEcho, forgetMissed, judgeEcho } from './echo.ts'
import { type Explanation, explain } from './explain.ts'
import { tickGoals, wish, withGoal } from './goals/goal.ts'
import { limiterDamage } from './heat.ts'
import { cut, endRide, raise } from './law.ts'
import { granted, limiterLimit } from './limiter.ts'
import { withLimit } from './limits.ts'
import { decay, follow } from './memory.ts'
import { withMeterLimits } from './meter-limits.ts'
import type { ControlEvent, Limit, LimitCommand } from './model.ts'
import type { ControlParameters } from './parameters.ts'
import { inForce } from './schedule.ts'
import { limitsOfSignal } from './signal.ts'
import { freshness } from './staleness.ts'
import type { ControlState, Frame } from './state.ts'
import { withWall } from './wall.ts'

export type { Explanation } from './explain.ts'
export { type ControlState, initialState } from './state.ts'

/** Result of one event. */
export interface Step {
  readonly state: ControlState
  /** Empty when nothing is to be said; otherwise the newest command. */
  readonly commands: readonly LimitCommand[]
  /** Always present: which limit binds, and why. */
  readonly explanation: Explanation
}

/** The charge point may be heard of a little later than the core begins. */
const FIRST_COMMAND_MS = 5000

/** Pure: the same state, event and instant give the same step. Knows no meter, wallbox or clock. */
export function step(
  parameters: ControlParameters,
  state: ControlState,
  event: ControlEvent,
  now: Instant,
): Step {
  const known = withLimits(parameters, state, now)
  const heard = hear(parameters, known, event, now)

  // Lowering is immediate.
  let next = heard.state
  if (heard.cuts || differ(known.inForce, state.inForce))
    next = cut(parameters, next, heard.view, now)
  next = endRide(parameters, next, now)
  next = obeyCountdown(parameters, next, now)
  next = obeyAge(parameters, next, now)

  // Raising waits, and only a trusted reading of all lines can begin it.
  const isFresh = next.good >= 2 && freshness(parameters, next, now).level === 'fresh'
  if (heard.raises && isFresh && !forbidsRaise(next, now))
    next = raise(parameters, started(next), now)
  return say(parameters, state, next, event, heard.reassert, now)
}

interface Heard {
  readonly state: ControlState
  readonly view: Frame | null
  readonly cuts: boolean
  readonly raises: boolean
  readonly reassert: boolean
}

function hear(
  parameters: ControlParameters,
  state: ControlState,
  event: ControlEvent,
  now: Instant,
): Heard {
  const nothing = { view: state.view, cuts: false, raises: false, reassert: false }
  switch (event.type) {
    case 'reading': {
      const { mayRaise, reading } = event
      const limits = withMeterLimits(state.limits, reading, {
        limiter: parameters.thresholds,
        mayRaise,
      })
      const bounded =
        limits === state.limits ? state : withLimits(parameters, { ...state, limits }, now)
      const accepted = accept(parameters, withMeterClock(bounded, reading), reading, mayRaise, now)
      const { kind, view } = accepted
      const known = view === null ? accepted.state : follow(parameters, accepted.state, view, now)
      const faded = kind === 'frame' ? decay(parameters, known, now) : known
      const isReport = event.mayRaise && known.total !== state.total
      return {
        ...nothing,
        state: isReport ? judgeCountdown(faded, now) : faded,
        view,
        cuts: accepted.state.rejected.count === state.rejected.count || bounded !== state,
        raises: accepted.raises,
      }
    }
    case 'charger': {
      const told = hearCharger(parameters, state, event.charger, now)
      // A charge found running is taken over only as far as the lines are known to allow.
      const isRunning = told.state.cmdMa > state.cmdMa
      const cuts = isRunning || ratingBound(parameters, told.state).ma < told.state.cmdMa
      const expecting = expectEcho(parameters, told.state, now)
      return { ...nothing, state: expecting, cuts, reassert: told.reassert }
    }
    case 'limit':
      return {
        ...nothing,
        state: withLimits(
          parameters,
          { ...state, limits: withLimit(state.limits, event.limit) },
          now,
        ),
        cuts: true,
      }
    case 'goal': {
      const goals = withGoal(state.goals, event.goal)
      return { ...nothing, state: withWish(parameters, { ...state, goals }, now), cuts: true }
    }
    case 'signal': {
      const { signal } = event
      const timed = withMeterClock(state, signal)
      const told =
        parameters.limiter === null
          ? { ...timed, limits: limitsOfSignal(signal).reduce(withLimit, state.limits) }
          : { ...timed, granted: granted(parameters, timed, signal, now) }
      const counting = hearCountdown(parameters, told, signal, now)
      return { ...nothing, state: withLimits(parameters, counting, now), cuts: true }
    }
    case 'tick': {
      const wall = withWall(state.wall, event.wallMs, now)
      const ticked = withLimits(parameters, wall === state.wall ? state : { ...state, wall }, now)
      const told = withWish(parameters, ticked, now)
      const lower = (told.wish?.ma ?? Number.POSITIVE_INFINITY) < told.cmdMa
      const changed = lower || differ(told.inForce, state.inForce)
      if (!parameters.reportsChanges) return { ...nothing, state: told, cuts: changed }
      const sinceMs = now - (state.tickAt ?? now)
      const heated = {
        ...told,
        tickAt: now,
        limiterDamage: limiterDamage(parameters, told, sinceMs),
      }
      const judged = judgeEcho(parameters, forgetMissed(heated, now), now)
      const made = virtualReading(parameters, judged, now)
      return made === null
        ? { ...nothing, state: judged, cuts: changed }
        : {
            ...nothing,
            state: made,
            view: made.view,
            cuts: true,
            raises: made.echo.due === null && !made.echo.isDoubted,
          }
    }
  }
}

/** The newest time the meter's clock showed. */
function withMeterClock(
  state: ControlState,
  { meterClockMs, receivedAt }: { readonly meterClockMs?: number; readonly receivedAt: Instant },
): ControlState {
  return meterClockMs === undefined
    ? state
    : { ...state, meterClock: { at: receivedAt, ms: meterClockMs } }
}

/** Limits as they count at this instant, that of the meter's limiter last. */
function withLimits(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const others = inForce(state, now)
  const limiter = limiterLimit(parameters, state, now)
  const last = state.inForce.at(-1)
  // Made anew each time: the one that counts already stays while it says the same.
  const kept = last?.id === limiter?.id && last?.totalW === limiter?.totalW ? last : limiter
  const counting = kept === null || kept === undefined ? others : [...others, kept]
  if (isSame(counting, state.inForce)) return state
  const isOver = ({ expires, onExpiry }: Limit) => expires <= now && onExpiry === undefined
  return state.limits.some(isOver)
    ? { ...state, limits: state.limits.filter(limit => !isOver(limit)), inForce: counting }
    : { ...state, inForce: counting }
}

function isSame(a: readonly Limit[], b: readonly Limit[]): boolean {
  return a === b || (a.length === b.length && a.every((limit, index) => limit === b[index]))
}

/** What the goals wish at this instant. */
function withWish(parameters: ControlParameters, state: ControlState, now: Instant): ControlState {
  if (state.goals.goal === null && parameters.peak === null) return state
  const perAmpere = vehicleWattsPerAmpere(parameters, state)
  const goals = tickGoals(parameters, state, perAmpere, now)
  return { ...state, goals, wish: wish(parameters, { ...state, goals }, perAmpere, now) }
}

/** By value: a restored state has copies. */
function differ(a: readonly Limit[], b: readonly Limit[]): boolean {
  return a !== b && JSON.stringify(a) !== JSON.stringify(b)
}

/** What old readings no longer permit. */
function obeyAge(parameters: ControlParameters, state: ControlState, now: Instant): ControlState {
  const { level } = freshness(parameters, state, now)
  if (level === 'fresh' || level === 'frozen') return state
  const most =
    level === 'minimum' ? parameters.minMa : Math.min(parameters.failsafeMa, parameters.minMa)
  const forgotten = state.good === 0 ? state : { ...state, good: 0 }
  if (state.cmdMa <= most) return forgotten
  return most === 0
    ? stop(parameters, forgotten, 'stale', now)
    : setCommand(forgotten, most, 'stale', now)
}

/** Two readings have come: what was held since the start is a charge like any other. */
function started(state: ControlState): ControlState {
  return state.mode.type === 'starting' && state.cmdMa > 0
    ? { ...state, mode: { type: 'charging' } }
    : state
}

function say(
  parameters: ControlParameters,
  before: ControlState,
  after: ControlState,
  event: ControlEvent,
  reassert: boolean,
  now: Instant,
): Step {
  const explanation = explain(parameters, after, now)
  const due =
    after.issuedAt === null
      ? event.type === 'reading' ||
        event.type === 'charger' ||
        now - after.since >= FIRST_COMMAND_MS
      : now - after.issuedAt >= parameters.resendMs
  if (after.cmdMa === before.cmdMa && !due && !reassert)
    return { state: after, commands: [], explanation }
  const { chargePoint, code, limitedBy, text, headroomA, readingAgeS } = explanation
  const command: LimitCommand = {
    seq: after.seq,
    chargePoint,
    limitA: amperes(after.cmdMa),
    phases: parameters.phases,
    code,
    limitedBy,
    text,
    headroomA,
    validForS: parameters.validForS,
    readingAgeS,
    at: now,
  }
  return {
    state: { ...after, seq: after.seq + 1, issuedAt: now },
    commands: [command],
    explanation,
  }
}
