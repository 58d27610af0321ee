/**
 * Running maximum over the last minutes, as plain data: only values that no later one has reached are kept, so the
 * first entry young enough is the maximum of its window.
 */
import type { Instant } from '../reading.ts'

/** Oldest first, values strictly falling. */
export type Window = readonly (readonly [at: Instant, ma: number])[]

/** Takes a value and forgets what lies further back than `keepMs`. Copies. */
export function remember(window: Window, at: Instant, ma: number, keepMs: number): Window {
  const kept = window.filter(entry => entry[1] > ma && entry[0] >= at - keepMs)
  kept.push([at, ma])
  return kept
}

/** Largest value not older than `since` (that instant included); `null` when there is none. */
export function maximumSince(window: Window, since: Instant): number | null {
  for (const [at, ma] of window) if (at >= since) return ma
  return null
}
