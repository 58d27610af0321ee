/**
 * The meter's clock against the monotonic one, from the time stamps of messages: their median over the last eight, so
 * that one late or wrong message moves nothing. A gateway's clock and a meter's differ by tens of seconds.
 */
import type { Instant } from '../../src/reading.ts'

const KEPT = 8
/** A time stamp this far from the others is a fault of a clock. */
const FAULT_MS = 86_400_000

/** Holds the newest differences. */
export class MeterClock {
  private readonly offsets: number[] = []

  /** Takes the time stamp of a message that was just sent, Unix seconds. */
  hear(messageS: number, at: Instant): void {
    this.offsets.push(messageS * 1000 - at)
    if (this.offsets.length > KEPT) this.offsets.shift()
  }

  /** What the meter's clock shows at an instant, epoch ms; `undefined` before the first message. */
  at(instant: Instant): number | undefined {
    if (this.offsets.length === 0) return undefined
    const sorted = [...this.offsets].sort((a, b) => a - b)
    return sorted[Math.floor(sorted.length / 2)]! + instant
  }

  /** The instant at which the clock shows a time; `undefined` where that cannot be told of this time. */
  instantOf(epochMs: number, now: Instant): Instant | undefined {
    const shown = this.at(now)
    if (shown === undefined || Math.abs(epochMs - shown) > FAULT_MS) return undefined
    return now + (epochMs - shown)
  }
}
