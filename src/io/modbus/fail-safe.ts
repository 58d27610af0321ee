/**
 * What the box does when nobody speaks to it any more, compared with what the configuration says. Pure; amperes and
 * seconds.
 */
import type { SourceEvent } from '../ports.ts'
import type { ChargerProfile } from './profile.ts'

/** The box's own fail-safe as it was read. `null` = it does not tell. */
export interface FoundFailSafe {
  /** 0 = off. */
  readonly timeoutS: number | null
  readonly amperes: number | null
}

/** What the configuration wants of it. */
export interface WantedFailSafe {
  /** 0 = pause. */
  readonly amperes: number
  readonly timeoutS: number
  /** The box is set to it where it differs. */
  readonly manage: boolean
}

/** Values to set, as far as they differ and the box lets them be set. */
export interface FailSafeChanges {
  readonly timeoutS?: number
  readonly amperes?: number
}

/** The values the box can have that come nearest, never a higher current than wanted where it has a lower one. */
export function nearest({ failsafe }: ChargerProfile, wanted: WantedFailSafe): FoundFailSafe {
  if (failsafe === null) return { timeoutS: null, amperes: null }
  const { timeout, current } = failsafe
  const timeoutS = Math.min(timeout.most, Math.max(timeout.least, Math.round(wanted.timeoutS)))
  if (wanted.amperes >= current.least)
    return { timeoutS, amperes: Math.min(wanted.amperes, current.most) }
  return { timeoutS, amperes: current.zeroAllowed ? 0 : current.least }
}

/** What has to be written. A box that does not tell is written to each time it is connected to. */
export function changesOf(
  profile: ChargerProfile,
  found: FoundFailSafe,
  wanted: WantedFailSafe,
): FailSafeChanges {
  const { failsafe } = profile
  if (!wanted.manage || failsafe === null) return {}
  const goal = nearest(profile, wanted)
  const differs = (a: number | null, b: number | null) =>
    a === null || b === null || Math.abs(a - b) > 0.05
  const { timeout, current } = failsafe
  return {
    ...(timeout.write !== undefined &&
      differs(found.timeoutS, goal.timeoutS) && { timeoutS: goal.timeoutS! }),
    ...(current.write !== undefined &&
      differs(found.amperes, goal.amperes) && { amperes: goal.amperes! }),
  }
}

/** What a person should know of the fail-safe that is in force. */
export function failSafeEvents(
  profile: ChargerProfile,
  found: FoundFailSafe,
  wanted: WantedFailSafe,
): readonly SourceEvent[] {
  const { failsafe } = profile
  if (failsafe === null) return []
  const remedy =
    failsafe.current.write === undefined && failsafe.timeout.write === undefined
      ? 'set it at the box'
      : 'set it at the box, or let `failsafe: {manage: true}` set it'
  const { timeoutS, amperes } = found
  const events: (SourceEvent | false)[] = [
    timeoutS === 0 && {
      level: 'warn',
      code: 'dead_man_off',
      detail: `the box's time-out is off, its last current stays for ever when the agent dies: ${remedy}`,
    },
    timeoutS !== null &&
      timeoutS > 2 * wanted.timeoutS && {
        level: 'warn',
        code: 'failsafe_mismatch',
        detail: `the box waits ${timeoutS} s before it falls back, wanted are ${wanted.timeoutS} s: ${remedy}`,
      },
    amperes !== null &&
      amperes > wanted.amperes + 0.05 && {
        level: 'warn',
        code: 'failsafe_mismatch',
        detail: `the box falls back to ${amperes} A, the configuration says ${wanted.amperes} A: ${remedy}`,
      },
  ]
  return events.filter(event => event !== false)
}

/** The warning for a box that has no fail-safe at all. */
export function noDeadMan({ title }: ChargerProfile): SourceEvent {
  const detail = `${title} keeps its last current for ever when the agent dies: let \`ampacity output-safe\` run when the agent ends (ExecStopPost), and set the hard limit in the box to what the house carries without load management`
  return { level: 'warn', code: 'dead_man_none', detail }
}

/** What happens to the box when it is left, as the end of a sentence. */
export function whenLeft(profile: ChargerProfile, { timeoutS }: FoundFailSafe): string {
  if (profile.deadMan === 'none' || timeoutS === 0) return 'it keeps its last current'
  const after = timeoutS === null ? 'after the time set at the box' : `within ${timeoutS} s`
  return `it falls to its own safe current ${after}`
}
