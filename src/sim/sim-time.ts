/** The time of the simulated world, tied to a monotonic clock. */
import type { Clock } from '../io/ports.ts'
import type { Instant } from '../reading.ts'

/** Two ways between an instant of the clock and epoch ms of the simulated world. */
export interface SimulatedTime {
  /** How many simulated ms pass in one real ms. */
  readonly speed: number
  now(): number
  instantOf(epochMs: number): Instant
}

/** Time that stands at `startMs` now and runs `speed` times as fast as `clock`. */
export function simulatedTime(clock: Clock, startMs: number, speed = 1): SimulatedTime {
  const origin = clock.now()
  return {
    speed,
    now: () => startMs + (clock.now() - origin) * speed,
    instantOf: epochMs => origin + (epochMs - startMs) / speed,
  }
}
