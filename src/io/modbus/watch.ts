/**
 * Compares what a box was told with what it says is in force. Three things can be wrong: it never takes the command
 * over (`limit_not_applied`), or somebody changes it afterwards (`contention`), downwards or upwards. A lower value of
 * somebody else is never fought: it caps our own for a while, longer each time it comes back. Pure; amperes.
 */
import type { Instant } from '../../reading.ts'
import type { SourceEvent } from '../ports.ts'
import type { LimitRegisters } from './profile.ts'

/** What the comparison remembers. */
export interface Watch {
  readonly toldA: number | null
  /** Since when it should be in force. */
  readonly since: Instant
  /** What the box made of it, once it has: the same, or its own rounding of it. */
  readonly takenA: number | null
  readonly isReported: boolean
  /** More than it was told has been in force for so long that it has to be brought down in another way. */
  readonly isDisobeyed: boolean
  /** Somebody else's lower value, which ours must not exceed until then. */
  readonly cap: { readonly amperes: number; readonly until: Instant } | null
  readonly capMs: number
}

/** What follows from a look at the box. */
export interface Comparison {
  readonly watch: Watch
  readonly events: readonly SourceEvent[]
  /** The command has to be written again at once: more is in force than it allows. */
  readonly rewrite: boolean
}

/** How long a box may take to do as it was told, ms (control core, 5.2). */
const VERIFY_MS = 10_000
/** A box that still has not by then is not going to, ms. */
const DISOBEYED_MS = 30_000
/** A box that counts in whole amperes stays below its command by less than this, A. */
const ROUNDING_A = 1
/** Offers above the command by less are the box's own rounding, A. */
const ABOVE_A = 0.3
const FIRST_CAP_MS = 60_000
const LONGEST_CAP_MS = 900_000

export const NEW_WATCH: Watch = {
  toldA: null,
  since: 0,
  takenA: null,
  isReported: false,
  isDisobeyed: false,
  cap: null,
  capMs: FIRST_CAP_MS,
}

/** A command has reached the box. */
export function told(watch: Watch, amperes: number, now: Instant): Watch {
  if (amperes === watch.toldA) return watch
  return { ...watch, toldA: amperes, since: now, takenA: null }
}

/** Everything about the box is open again: it was away. Somebody else's value is not forgotten by that. */
export function away(watch: Watch): Watch {
  return { ...NEW_WATCH, cap: watch.cap, capMs: watch.capMs, isReported: watch.isReported }
}

/** The limit with somebody else's lower value respected. */
export function capped({ cap }: Watch, limitA: number, now: Instant): number {
  return cap !== null && now < cap.until ? Math.min(limitA, cap.amperes) : limitA
}

/** Compares with what is in force. `meaning` says whether that is our own register or the pilot. */
export function compare(
  watch: Watch,
  inForceA: number | null,
  { step, readback }: Pick<LimitRegisters, 'step' | 'readback'>,
  now: Instant,
): Comparison {
  const { toldA, takenA } = watch
  if (toldA === null || inForceA === null) return { watch, events: [], rewrite: false }
  const isOurs = readback?.meaning === 'limit'
  const tolerance = isOurs ? step / 2 + 0.05 : Math.max(step, ABOVE_A)
  const isAbove = inForceA > toldA + tolerance
  const wasTaken = takenA !== null
  if (wasTaken && isAbove) return raisedByOther(watch, toldA, inForceA, now)
  if (wasTaken && isOurs && inForceA < takenA - tolerance)
    return loweredByOther(watch, takenA, inForceA, now)
  // The pilot may stay below for the box's own reasons; the register that was written may only round.
  const isTaken = !isAbove && (!isOurs || inForceA > toldA - ROUNDING_A)
  if (isTaken)
    return {
      watch: { ...watch, takenA: inForceA, isReported: false, isDisobeyed: false },
      events: [],
      rewrite: false,
    }
  return notTaken(watch, toldA, inForceA, now)
}

function raisedByOther(watch: Watch, toldA: number, inForceA: number, now: Instant): Comparison {
  const detail = `it went from ${amperes(toldA)} to ${amperes(inForceA)} without having been told: another program commands it, or it restarted; the command is repeated`
  return {
    watch: { ...watch, takenA: null, since: now },
    events: [{ level: 'warn', code: 'contention', detail }],
    rewrite: true,
  }
}

function loweredByOther(watch: Watch, takenA: number, inForceA: number, now: Instant): Comparison {
  const { capMs } = watch
  const detail = `it went from ${amperes(takenA)} to ${amperes(inForceA)} without having been told: another program commands it, or its own fail-safe does; the lower value is kept for ${capMs / 1000} s`
  return {
    watch: {
      ...watch,
      takenA: inForceA,
      cap: { amperes: inForceA, until: now + capMs },
      capMs: Math.min(2 * capMs, LONGEST_CAP_MS),
    },
    events: [{ level: 'warn', code: 'contention', detail }],
    rewrite: false,
  }
}

function notTaken(watch: Watch, toldA: number, inForceA: number, now: Instant): Comparison {
  const lastsMs = now - watch.since
  const isLate = lastsMs >= VERIFY_MS
  const isAbove = inForceA > toldA
  const detail = `${amperes(inForceA)} is in force, told was ${amperes(toldA)}: check that no other program and no setting of the box overrules it`
  const event: SourceEvent = {
    level: isAbove ? 'error' : 'warn',
    code: 'limit_not_applied',
    detail,
  }
  return {
    watch: {
      ...watch,
      isReported: watch.isReported || isLate,
      isDisobeyed: isAbove && lastsMs >= DISOBEYED_MS,
    },
    events: isLate && !watch.isReported ? [event] : [],
    rewrite: false,
  }
}

function amperes(value: number): string {
  return value === 0 ? 'a pause' : `${Math.round(value * 100) / 100} A`
}
