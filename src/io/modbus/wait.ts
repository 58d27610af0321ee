/** Waiting on the clock that was handed in, so that tests walk through minutes. */
import type { Clock, Timers } from '../ports.ts'

/** What waiting needs. */
export interface Time {
  readonly clock: Clock
  readonly timers: Timers
}

/** Waits; resolves early, and without error, when the signal aborts. */
export function sleep(ms: number, { clock, timers }: Time, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const end = () => {
      cancel()
      signal.removeEventListener('abort', end)
      resolve()
    }
    const cancel = timers.schedule(clock.now() + ms, end)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** Resolves when the signal aborts; `forget` takes the wait back. */
export function untilAborted(signal: AbortSignal): { aborted: Promise<void>; forget: () => void } {
  let forget = () => {}
  const aborted = new Promise<void>(resolve => {
    const end = () => resolve()
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
    forget = () => signal.removeEventListener('abort', end)
  })
  return { aborted, forget }
}
