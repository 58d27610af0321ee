/** A recording as a source: the same bytes at the same pace, or faster. */
import { pauseUntil } from './backoff.ts'
import type { Chunk } from './capture-file.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** What is played, and how. */
export interface ReplayOptions {
  readonly id: string
  readonly chunks: Iterable<Chunk>
  /** How many times faster than recorded; 1 = as recorded, `Infinity` = without waiting. */
  readonly speed?: number
  readonly clock: Clock
}

/** Plays the chunks once and ends. Each is stamped with the instant of its delivery. */
export function replaySource(options: ReplayOptions): Source {
  const { id, chunks, speed = 1, clock } = options
  return {
    id,
    async run(
      sink: Sink,
      report: (event: SourceEvent) => void,
      signal: AbortSignal,
    ): Promise<void> {
      const start = clock.now()
      for (const { atMs, bytes } of chunks) {
        await pauseUntil(start + atMs / speed, clock, signal)
        if (signal.aborted) return
        sink(bytes, clock.now())
      }
      report({ level: 'info', code: 'source_ended', detail: 'the recording is over' })
    },
  }
}
