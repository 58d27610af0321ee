/**
 * The seconds a meter counts down before it disconnects. They replace every model of the limiter. At first the current
 * is cut to what fits, as for any overload; if that does not end it, the minimum and then a pause follow while there is
 * still time for both. Nothing is raised for five minutes, nor before a reading shows that the overload is over.
 *
 * | left       | permitted       |
 * |------------|-----------------|
 * | under 60 s | the minimum     |
 * | under 30 s | nothing         |
 */
import type { AvailablePower, Instant } from '../reading.ts'
import { pause, setCommand } from './command.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'

const MINIMUM_BELOW_MS = 60_000
const PAUSE_BELOW_MS = 30_000
const NO_RAISE_MS = 300_000
/** A meter that leaves more time than this counts by its long band. */
const SHORT_MS = 180_000

/** A countdown that was told. */
export interface Countdown {
  readonly heardAt: Instant
  readonly tripAt: Instant
  /** A reading has shown no more than the available power since. */
  readonly isOver: boolean
}

/** Takes a signal that counts down. */
export function hearCountdown(
  parameters: ControlParameters,
  state: ControlState,
  signal: AvailablePower,
  now: Instant,
): ControlState {
  if (signal.tripInS === undefined) return state
  const latest = signal.receivedAt + signal.tripInS * 1000
  const tripAt = Math.min(signal.tripAt ?? latest, latest)
  const holdUntil = Math.max(state.holdUntil ?? 0, now + NO_RAISE_MS)
  const leftMs = tripAt - now
  const spent = leftMs > SHORT_MS ? 1 - leftMs / parameters.limiterBandMs : 0
  return {
    ...state,
    countdown: { heardAt: now, tripAt, isOver: false },
    holdUntil,
    limiterDamage: Math.max(state.limiterDamage, spent),
  }
}

/** Takes a report of the whole connection's power: no more than the limiter bears for ever ends the overload. */
export function judgeCountdown(state: ControlState, now: Instant): ControlState {
  const { countdown, total, inForce } = state
  if (countdown === null || countdown.isOver || total === null) return state
  const watts = inForce.flatMap(({ totalW, scope }) =>
    totalW === undefined || scope === 'chargePoint' ? [] : [totalW],
  )
  const drawnW = (total.ma / 1000) * total.wattsPerAmpere
  const isOver = watts.length === 0 ? now > countdown.tripAt : drawnW <= Math.min(...watts) + 1
  return isOver ? { ...state, countdown: { ...countdown, isOver } } : state
}

/** What the time that is left still permits. */
export function obeyCountdown(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const leftMs = leftOf(state, now)
  if (leftMs === null || leftMs >= MINIMUM_BELOW_MS) return state
  if (leftMs < PAUSE_BELOW_MS)
    return state.cmdMa === 0 ? state : pause(parameters, state, 'available_power', now)
  return state.cmdMa > parameters.minMa
    ? setCommand(state, parameters.minMa, 'available_power', now)
    : state
}

/** Whether a raise is out of the question. */
export function forbidsRaise({ countdown }: ControlState, now: Instant): boolean {
  return countdown !== null && (!countdown.isOver || now - countdown.heardAt < NO_RAISE_MS)
}

/** How long charging may go on at the minimum during an overload, ms; `null` where nothing counts down. */
export function rideLeftMs(state: ControlState, now: Instant): number | null {
  const leftMs = leftOf(state, now)
  return leftMs === null ? null : Math.max(0, leftMs - PAUSE_BELOW_MS)
}

function leftOf({ countdown }: ControlState, now: Instant): number | null {
  return countdown === null || countdown.isOver ? null : countdown.tripAt - now
}
