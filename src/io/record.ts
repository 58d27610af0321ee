/** Records what a source delivers, in bursts between silences, with the instant of each. */
import { finished } from 'node:stream/promises'
import { InterByteTimeoutParser } from '@serialport/parser-inter-byte-timeout'
import type { Instant } from '../reading.ts'
import { captureChunkLine } from './capture-file.ts'
import type { Clock, Source, SourceEvent } from './ports.ts'

/** What is recorded, and where it goes. */
export interface RecordOptions {
  readonly source: Source
  readonly clock: Clock
  /** Takes one line of the recording at a time; a throw ends the recording. */
  readonly write: (line: string) => void
  readonly report: (event: SourceEvent) => void
  /**
   * Silence that ends a burst, ms. Longer than the gaps that USB adapters leave inside a telegram, shorter than the
   * pauses between telegrams. The borders mean nothing to a decoder.
   */
  readonly silenceMs?: number
  /** The source hands over whole messages: each is a burst of its own. */
  readonly isMessages?: boolean
}

/** What was recorded. */
export interface Recorded {
  readonly bytes: number
  readonly bursts: number
}

const SILENCE_MS = 60

/**
 * Runs the source until the signal aborts or its input ends, writing a line for each burst. `at_ms` counts from the
 * call and is that of the burst's last byte.
 */
export async function recordBursts(options: RecordOptions, signal: AbortSignal): Promise<Recorded> {
  const { source, clock, write, report, silenceMs = SILENCE_MS } = options
  const start = clock.now()
  let lastByteAt: Instant = start
  let bytes = 0
  let bursts = 0
  // Object mode on the readable side: packets stay packets.
  const parser = new InterByteTimeoutParser({ interval: silenceMs, readableObjectMode: true })
  const stop = new AbortController()
  const onAbort = () => stop.abort()
  if (signal.aborted) stop.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  let failure: { readonly error: unknown } | undefined
  const take = (burst: Uint8Array) => {
    try {
      write(captureChunkLine({ atMs: Math.round(lastByteAt - start), bytes: burst }))
      bytes += burst.length
      bursts += 1
    } catch (error) {
      failure ??= { error }
      stop.abort()
    }
  }
  parser.on('data', take)
  const sink = (chunk: Uint8Array, at: Instant) => {
    lastByteAt = at
    if (options.isMessages === true) take(chunk)
    else parser.write(Buffer.from(chunk))
  }
  try {
    await source.run(sink, report, stop.signal)
  } finally {
    signal.removeEventListener('abort', onAbort)
    parser.end()
    await finished(parser)
  }
  if (failure !== undefined) throw failure.error
  return { bytes, bursts }
}
