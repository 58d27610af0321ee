/** The only place that asks what time it is. Everything else is told. */
import { uptime } from 'node:os'
import type { Instant } from '../reading.ts'
import type { Clock, Timers } from './ports.ts'

/** The clocks of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
}

/** Timers that run on `clock`; a task due in the past runs in the next turn. */
export function systemTimers(clock: Clock = systemClock): Timers {
  return {
    schedule(at: Instant, task: () => void): () => void {
      const timer = setTimeout(task, Math.max(0, Math.ceil(at - clock.now())))
      return () => clearTimeout(timer)
    },
  }
}

/** Milliseconds since the machine started, suspended time included, so that another process can compare. */
export function hostUptimeMs(): number {
  return Math.round(uptime() * 1000)
}
