/** When a box needs a sign of life. Pure. */
import type { Instant } from '../../reading.ts'
import type { FoundFailSafe } from './fail-safe.ts'
import type { ChargerProfile, LimitRegisters } from './profile.ts'

/** When the box was last given what could keep it alive. */
export interface LastSigns {
  readonly answerAt: Instant
  readonly limitAt: Instant
  readonly tokenAt: Instant
}

const LONGEST_MS = 30_000
const SHORTEST_MS = 500

/** Longest time between two signs of life, ms; `null` where there is nothing to keep alive. */
export function lifePeriodMs(
  { keepalive }: ChargerProfile,
  { timeoutS }: FoundFailSafe,
): number | null {
  if (keepalive.kind === 'none' || timeoutS === 0) return null
  if (keepalive.kind === 'token' && keepalive.value === 'timeout' && timeoutS === null) return null
  const { everyS, fraction } = keepalive
  const ms = (timeoutS === null ? everyS : timeoutS * fraction) * 1000
  return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, ms))
}

/** Without a sign of life for this long the box may be at its own fail-safe, ms. */
export function fallsAfterMs(profile: ChargerProfile, found: FoundFailSafe): number {
  const { timeoutS } = found
  return timeoutS === null ? 2 * (lifePeriodMs(profile, found) ?? 0) : timeoutS * 1000
}

/** A sign of life is due. */
export function isLifeSignDue(
  profile: ChargerProfile,
  found: FoundFailSafe,
  last: LastSigns,
  now: Instant,
): boolean {
  const periodMs = lifePeriodMs(profile, found)
  if (periodMs === null) return false
  switch (profile.keepalive.kind) {
    case 'none':
      return false
    case 'any':
      return now - last.answerAt >= periodMs
    case 'rewrite':
      return now - last.limitAt >= periodMs
    case 'token':
      return now - last.tokenAt >= periodMs
  }
}

/** The limit may be written now: a lower one always, the same one only where that wears nothing out. */
export function isWriteDue(
  { storage, minWriteIntervalS }: LimitRegisters,
  written: { readonly amperes: number; readonly at: Instant } | undefined,
  amperes: number,
  now: Instant,
): boolean {
  if (written === undefined || amperes < written.amperes) return true
  if (storage === 'flash' && amperes === written.amperes) return false
  return now - written.at >= minWriteIntervalS * 1000
}
