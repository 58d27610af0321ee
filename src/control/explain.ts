/** Why the command is what it is: the smallest bound, its code, and one sentence with the number that matters. */
import type { Instant } from '../reading.ts'
import { amperes } from './amperes.ts'
import {
  baseOf,
  holdMs,
  houseBounds,
  ratingBound,
  resumeWindowMs,
  windowBound,
} from './capacity.ts'
import { externalMa } from './charger.ts'
import { deadBandMa, leastRaise } from './dead-band.ts'
import { type Bound, lineLimit, smallest } from './limits.ts'
import type { DecisionCode } from './model.ts'
import type { ControlParameters } from './parameters.ts'
import { isMismatched } from './plausibility.ts'
import { sentence } from './sentences.ts'
import { freshness } from './staleness.ts'
import type { ControlState } from './state.ts'

/** What the core thinks at one instant, whether or not there is something to command. */
export interface Explanation {
  readonly chargePoint: string
  /** A per phase, as commanded. */
  readonly limitA: number
  readonly code: DecisionCode
  /** Id of the smallest bound. */
  readonly limitedBy: string
  readonly text: string
  /** A for each line: limit − margin − house without the vehicle; `null` = not known. */
  readonly headroomA: readonly (number | null)[]
  /** Age of the oldest value used, s; `null` before the first. */
  readonly readingAgeS: number | null
  /** When a waiting or a ride ends by itself; `null` where only a reading can change something. */
  readonly nextChangeAt: Instant | null
  /** The house on each line without the vehicle, A. */
  readonly baseA: readonly (number | null)[]
  /** Levels of the back-off for raises and for resuming. */
  readonly backOff: number
  readonly pauseBackOff: number
}

/** Says why, from parameters and state alone. */
export function explain(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): Explanation {
  const { ageMs } = freshness(parameters, state, now)
  const bound = binding(parameters, state, now)
  const nextChangeAt = nextChange(parameters, state, bound.code)
  const base = lines(parameters, line => state.view?.baseMa[line] ?? null)
  const headroom = headroomMa(parameters, state)
  return {
    chargePoint: parameters.chargePoint,
    limitA: amperes(state.cmdMa),
    code: bound.code,
    limitedBy: bound.id,
    text: sentence(bound.code, {
      bound,
      guessed: state.view?.guessed === true,
      freeMa: freeMa(parameters, state),
      needMa: parameters.minMa + parameters.resumeMarginMa,
      cmdMa: state.cmdMa,
      minMa: parameters.minMa,
      windowS: Math.round(windowMs(parameters, state) / 1000),
      ageS: Math.round((ageMs ?? now - state.since) / 1000),
      heard: ageMs !== null,
      mismatched: isMismatched(state.undershoot),
      riding: state.mode.type === 'riding',
      waitS: nextChangeAt === null ? 0 : Math.max(0, Math.ceil((nextChangeAt - now) / 1000)),
      good: state.good,
      offered: state.charger?.offeredA ?? null,
    }),
    headroomA: headroom.map(toAmperes),
    readingAgeS: ageMs === null ? null : ageMs / 1000,
    nextChangeAt,
    baseA: base.map(toAmperes),
    backOff: state.k,
    pauseBackOff: state.kp,
  }
}

/** The smallest of everything that holds the command down; on a tie what is listed first. */
export function binding(parameters: ControlParameters, state: ControlState, now: Instant): Bound {
  const { mode, cmdMa } = state
  const { level } = freshness(parameters, state, now)
  const at = (id: string, code: DecisionCode, ma = cmdMa): Bound => ({ id, code, ma })
  if (state.above?.alarm === true) return at('charger', 'CHARGER_IGNORES')
  if (mode.type === 'starting') return at('stale', 'INIT')
  if (level === 'failsafe' || level === 'minimum') {
    if (isMismatched(state.undershoot)) return at('stale', 'MAPPING_UNKNOWN')
    return at('stale', level === 'failsafe' ? 'STALE_FAILSAFE' : 'STALE_MIN')
  }
  if (state.good < 2) return at('stale', 'STALE_FREEZE')

  const rating = ratingBound(parameters, state)
  if (cmdMa === 0) {
    const house = windowBound(parameters, state, now - resumeWindowMs(parameters, state))
    const least = house === null ? rating : smallest([rating, house])
    if (least.ma >= parameters.minMa) return at(state.boundBy, 'PAUSED_NO_CAPACITY', least.ma)
    return rating.ma < parameters.minMa && rating.ma <= least.ma
      ? rating
      : at(least.id, 'PAUSED_NO_CAPACITY', least.ma)
  }
  if (mode.type === 'riding') return at(state.boundBy, 'RIDE_THROUGH')
  if (state.excessSince !== null) return waitedOut(parameters, state, rating)
  const house = windowBound(parameters, state, now - holdMs(parameters, state))
  const seen = state.view?.guessed === true ? viewBound(parameters, state) : null
  const external = externalMa(state, now)
  const bounds: [Bound, ...Bound[]] = [rating]
  if (house !== null) bounds.push(house)
  if (seen !== null) bounds.push(seen)
  if (external !== null) bounds.push(at('external', 'LIMIT_EXTERNAL', external))
  const tightest = smallest(bounds)
  const doubtful = state.mapping.alarm && tightest.code.startsWith('LIMIT_FUSE')
  const least: Bound = doubtful ? { ...tightest, code: 'MAPPING_UNKNOWN' } : tightest
  if (least.ma < cmdMa + leastRaise(parameters, state, now) && tightest !== rating) return least
  if (tightest === rating && rating.ma < cmdMa + parameters.stepMa) return rating
  if (level === 'frozen') return at('stale', 'STALE_FREEZE')
  return at(state.boundBy, 'HOLD_AFTER_CUT')
}

/** For each line what charging may use there, mA. */
function headroomMa(parameters: ControlParameters, state: ControlState): (number | null)[] {
  const { view } = state
  return lines(parameters, line => {
    const limit = lineLimit(parameters, state.inForce, line)
    const base = view?.baseMa[line] ?? null
    const more = view?.computed[line] === true ? parameters.computedLineMa : 0
    return base === null ? null : limit.ma - parameters.marginMa - more - base
  })
}

/** What the tightest line leaves by the newest telegram; `null` before the first. */
function viewBound(parameters: ControlParameters, state: ControlState): Bound | null {
  const [first, ...rest] = houseBounds(parameters, state, baseOf(state, state.view?.baseMa))
  return first === undefined ? null : smallest([first, ...rest])
}

/** Too small a difference to be cut at all. */
function isSmall(parameters: ControlParameters, state: ControlState): boolean {
  const ma = viewBound(parameters, state)?.ma ?? 0
  return state.cmdMa - ma <= deadBandMa(parameters, state.cmdMa)
}

/** The command is more than the lines leave, which the main device carries. */
function waitedOut(parameters: ControlParameters, state: ControlState, rating: Bound): Bound {
  return { ...(viewBound(parameters, state) ?? rating), code: 'RIDE_THROUGH' }
}

/** The same, mA; never below 0, because nobody can use less than nothing. */
function freeMa(parameters: ControlParameters, state: ControlState): number {
  return Math.max(0, viewBound(parameters, state)?.ma ?? 0)
}

/** How far back headroom counts for what is allowed next, ms. */
function windowMs(parameters: ControlParameters, state: ControlState): number {
  return state.cmdMa === 0 ? resumeWindowMs(parameters, state) : holdMs(parameters, state)
}

function nextChange(
  parameters: ControlParameters,
  state: ControlState,
  code: DecisionCode,
): Instant | null {
  const { mode } = state
  if (code === 'PAUSED_NO_CAPACITY' && mode.type === 'paused') return mode.since + mode.waitMs
  if (code === 'RIDE_THROUGH' && mode.type === 'riding') return mode.since + mode.forMs
  if (code === 'RIDE_THROUGH' && state.excessSince !== null)
    return isSmall(parameters, state) ? null : state.excessSince + parameters.pulseMs
  return code === 'HOLD_AFTER_CUT' ? state.holdUntil : null
}

function lines(
  parameters: ControlParameters,
  of: (line: number) => number | null,
): (number | null)[] {
  return parameters.fuseMa.map((_, line) => of(line))
}

function toAmperes(ma: number | null): number | null {
  return ma === null ? null : amperes(ma)
}
