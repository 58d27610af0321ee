/** From the command to the number a box is told: rounded down, never between 0 and its minimum, never out of date. */
import type { LimitCommand } from '../control/model.ts'
import type { Instant } from '../reading.ts'
import type { Capability } from './capability.ts'

/** What the number depends on. */
export type CurrentRange = Pick<Capability, 'minA' | 'maxA' | 'stepA'>

/** Takes away what floating-point division leaves below a whole number of steps. */
const NOISE = 1e-6

/**
 * What a box with this range may be told for a limit, A: the next lower step, at most its maximum; 0 where that is
 * below its minimum, because a pilot between 0 and the minimum does not exist.
 */
export function boxAmperes(limitA: number, { minA, maxA, stepA }: CurrentRange): number {
  const most = Math.min(limitA, maxA)
  const steps = Math.floor(most / stepA + NOISE)
  // Steps below 1 A are tenths or hundredths: dividing by the whole number keeps 13.2 from becoming 13.200000000000001.
  const amperes = stepA < 1 ? steps / Math.round(1 / stepA) : steps * stepA
  return amperes + NOISE < minA ? 0 : amperes
}

/**
 * The limit to act on now, A: that of the command, but never above the fail-safe current once its validity is over.
 */
export function limitInForce(command: LimitCommand, failsafeA: number, now: Instant): number {
  const isOver = now - command.at > command.validForS * 1000
  return isOver ? Math.min(command.limitA, failsafeA) : command.limitA
}

/** What is left behind on an orderly stop. */
export type StopAction = 'failsafe' | 'pause' | 'leave'

/** The limit to leave behind, A; `undefined` = whatever is in force stays until it expires. */
export function stopLimit(action: StopAction, failsafeA: number): number | undefined {
  if (action === 'leave') return undefined
  return action === 'pause' ? 0 : failsafeA
}
