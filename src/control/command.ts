/** Changes of the command, each with what has to be remembered of it. */
import type { Instant } from '../reading.ts'
import type { Bound } from './limits.ts'
import { withCommand } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'

const PAUSE_MEMORY_MS = 1_800_000
const MOST_KP = 4
/** The limiter of a meter that reports changes bears a load for long: its pauses need not grow. */
const MOST_KP_LIMITER = 1
/** Standby of a vehicle that does not charge. */
const RESTING_MA = 1000
/** The command at another value, with its place in the memory of commands. */
export function setCommand(
  state: ControlState,
  ma: number,
  by: string,
  now: Instant,
): ControlState {
  if (ma === state.cmdMa) return { ...state, boundBy: by }
  return {
    ...state,
    cmdMa: ma,
    changedAt: now,
    boundBy: by,
    excessSince: null,
    commands: withCommand(state.commands, now, ma),
  }
}

export function lift(state: ControlState, toMa: number, bound: Bound, now: Instant): ControlState {
  return {
    ...setCommand(state, toMa, bound.id, now),
    mode: { type: 'charging' },
    raise: {
      at: now,
      fromMa: state.cmdMa,
      toMa,
      fromRest: state.cmdMa === 0 || isResting(state),
      capMa: bound.ma,
      lineMa: state.frame?.lineMa ?? [],
      followed: false,
    },
  }
}

/** To 0, with a wait that doubles when pauses follow each other. */
export function pause(
  parameters: ControlParameters,
  state: ControlState,
  by: string,
  now: Instant,
): ControlState {
  const again = state.pausedAt !== null && now - state.pausedAt < PAUSE_MEMORY_MS
  const most = parameters.reportsChanges ? MOST_KP_LIMITER : MOST_KP
  const kp = again ? Math.min(state.kp + 1, most) : 0
  const waitMs = Math.min(parameters.resume0Ms * 2 ** kp, parameters.resumeMaxMs)
  return {
    ...setCommand(state, 0, by, now),
    mode: { type: 'paused', since: now, waitMs, by },
    kp,
    pausedAt: now,
    overdrawMa: 0,
  }
}

/** To 0 with the shortest wait: what forced it does not come and go like a load. */
export function stop(
  parameters: ControlParameters,
  state: ControlState,
  by: string,
  now: Instant,
): ControlState {
  return {
    ...setCommand(state, 0, by, now),
    mode: { type: 'paused', since: now, waitMs: parameters.resume0Ms, by },
    overdrawMa: 0,
  }
}

/** The charge point's newest report shows next to nothing. */
function isResting(state: ControlState): boolean {
  const draw = state.telemetry.at(-1)?.ma ?? null
  return draw !== null && Math.max(...draw) < RESTING_MA
}
