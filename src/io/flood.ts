/** How many messages a gateway may send. A meter speaks a few times a minute; whoever sends hundreds is broken or not one. */
import type { Instant } from '../reading.ts'

/** Bounds of one source. */
export interface FloodLimits {
  /** Messages at once after a rest. */
  readonly burst: number
  /** Messages a second in the long run. */
  readonly perSecond: number
}

/** Room for a burst of events, and for everything a reconnection brings. */
export const DEFAULT_FLOOD: FloodLimits = { burst: 200, perSecond: 20 }

/** Longest message that is taken from a socket, bytes; what decoders look at is less. */
export const LONGEST_WIRE_MESSAGE = 1_048_576

/** Counts messages. */
export class FloodGauge {
  private readonly limits: FloodLimits
  private left: number
  private at: Instant | undefined

  constructor(limits: FloodLimits = DEFAULT_FLOOD) {
    this.limits = limits
    this.left = limits.burst
  }

  /** Takes one message; false when it is one too many. */
  admits(at: Instant): boolean {
    const { burst, perSecond } = this.limits
    const sinceS = (at - (this.at ?? at)) / 1000
    this.left = Math.min(burst, this.left + sinceS * perSecond)
    this.at = at
    if (this.left < 1) return false
    this.left -= 1
    return true
  }
}
