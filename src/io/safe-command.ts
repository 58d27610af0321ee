/** The command an output leaves behind when the agent lets go of it. */
import type { LimitCommand } from '../control/model.ts'

/**
 * The configured safe value, valid as long as the last command was: after that whoever reads it must use its own.
 * `failsafeA` in A, 0 = pause.
 */
export function safeCommand(last: LimitCommand, failsafeA: number): LimitCommand {
  return {
    ...last,
    seq: last.seq + 1,
    limitA: failsafeA,
    code: 'STALE_FAILSAFE',
    limitedBy: 'stale',
    text:
      failsafeA === 0
        ? 'Charging paused: the agent has stopped'
        : `Charging at ${failsafeA} A: the agent has stopped`,
    headroomA: last.headroomA.map(() => null),
    readingAgeS: null,
  }
}
