/**
 * Limits that change with the time of day. A lower value applies from 20 s before its time (telegram, vehicle, clocks),
 * a higher one from 30 s after it: the smallest value in force at any moment of that span counts. Where the meter
 * switches its limiter by its own clock without a signal it is 60 s on both sides. While the clock is not known, the
 * smallest of all values counts.
 */
import type { Instant } from '../reading.ts'
import type { Limit } from './model.ts'
import type { ControlState } from './state.ts'
import { wallNow } from './wall.ts'

const BEFORE_MS = 20_000
const AFTER_MS = 30_000

type Amounts = Pick<Limit, 'perPhaseA' | 'totalW'>

/** Limits as they count now: expired ones gone or at their fail-safe value, schedules resolved. */
export function inForce(
  state: Pick<ControlState, 'limits' | 'wall'>,
  now: Instant,
): readonly Limit[] {
  const plain = state.limits.every(({ windows, expires }) => windows === undefined && expires > now)
  if (plain) return state.limits
  const wallMs = wallNow(state, now)
  return state.limits.flatMap(limit => {
    const { windows, onExpiry, perPhaseA, totalW, ...rest } = limit
    if (limit.expires <= now) return onExpiry === undefined ? [] : [{ ...rest, ...onExpiry }]
    if (windows === undefined) return [limit]
    return [{ ...rest, ...smallestOf(amountsAt(limit, wallMs)) }]
  })
}

/** Every value that is in force at some moment around `wallMs`. */
function amountsAt(limit: Limit, wallMs: number | null): readonly Amounts[] {
  const { windows = [], guardS } = limit
  if (wallMs === null) return [limit, ...windows]
  const from = wallMs - (guardS?.after ?? AFTER_MS / 1000) * 1000
  const to = wallMs + (guardS?.before ?? BEFORE_MS / 1000) * 1000
  const touched = windows.filter(window => window.fromMs <= to && window.untilMs >= from)
  // Outside the windows the limit's own value counts, also in part of the span.
  const covered = windows.some(window => window.fromMs <= from && window.untilMs >= to)
  return covered ? touched : [limit, ...touched]
}

function smallestOf(all: readonly Amounts[]): Amounts {
  const watts = all.flatMap(({ totalW }) => (totalW === undefined ? [] : [totalW]))
  const amperes = all.flatMap(({ perPhaseA }) => (perPhaseA === undefined ? [] : [perPhaseA]))
  const least = (line: 0 | 1 | 2) => Math.min(...amperes.map(a => a[line]))
  return {
    ...(watts.length === 0 ? {} : { totalW: Math.min(...watts) }),
    ...(amperes.length === 0 ? {} : { perPhaseA: [least(0), least(1), least(2)] as const }),
  }
}
