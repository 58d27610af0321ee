/** How long to wait before trying again, and waiting that ends when it is no longer wanted. */

import { setTimeout as wait } from 'node:timers/promises'
import type { Instant } from '../reading.ts'
import type { Clock } from './ports.ts'

/** Limits of the delay, ms. */
export interface BackoffLimits {
  readonly minMs: number
  readonly maxMs: number
}

/** One second at first, never more than half a minute. */
export const DEFAULT_BACKOFF: BackoffLimits = { minMs: 1000, maxMs: 30_000 }

/** Delays that double, each drawn from the upper half of its range so that many agents do not return at once. */
export class Backoff {
  private readonly limits: BackoffLimits
  private readonly random: () => number
  private attempt = 0

  constructor(limits: BackoffLimits = DEFAULT_BACKOFF, random: () => number = Math.random) {
    this.limits = limits
    this.random = random
  }

  /** The next delay, ms, from `minMs` to `maxMs`. */
  next(): number {
    const { minMs, maxMs } = this.limits
    const ceiling = Math.min(maxMs, minMs * 2 ** (this.attempt + 1))
    if (ceiling < maxMs) this.attempt += 1
    return Math.max(minMs, ceiling / 2 + (this.random() * ceiling) / 2)
  }

  /** It worked: the next delay is the shortest again. */
  reset(): void {
    this.attempt = 0
  }
}

/** Waits; resolves early, and without error, when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal })
  } catch (error) {
    // The signal aborted: whoever waits looks at it.
    if (!signal.aborted) throw error
  }
}

/** Waits until the clock has reached `at`, never less: timers cut fractions off and fire a little early. */
export async function pauseUntil(at: Instant, clock: Clock, signal: AbortSignal): Promise<void> {
  for (let ms = at - clock.now(); ms > 0 && !signal.aborted; ms = at - clock.now())
    await pause(Math.ceil(ms), signal)
}
