/**
 * Several decoders on the same bytes until one of them proves to be the right one: how the transport of a port is told
 * by its content. Each reads everything that arrives; the first that understands a frame goes on alone, and nothing of
 * the others is ever seen. While none has, silence is the moment to say what became of the bytes so far: the verdict
 * of the one that came furthest counts.
 */
import type { Decoder, DecoderEvent } from '../src/decoder.ts'
import type { DecodeErrorCode } from '../src/errors.ts'
import type { Instant } from '../src/reading.ts'

/** One who takes part. Of equals the first counts. */
export interface Runner {
  readonly decoder: Decoder
  /**
   * True where a checksum tells frames from other bytes. Without one a frame is believed only if it is the first thing
   * after silence and its contents are in order: two bytes that look like its header stand in many a list.
   */
  readonly isChecked: boolean
  /** False where only silence delimits telegrams: such a decoder speaks for one of them and leaves the race open. */
  readonly mayWin: boolean
}

/** Events kept while nothing is decided; a line that gives more carries nothing that anybody here understands. */
const MOST_EVENTS = 200

export class DecoderRace implements Decoder {
  private readonly runners: readonly Runner[]
  private readonly said: DecoderEvent[][]
  private winner: Decoder | undefined

  constructor(runners: readonly Runner[]) {
    this.runners = runners
    this.said = runners.map(() => [])
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    return this.winner?.push(chunk, at) ?? this.all(decoder => decoder.push(chunk, at))
  }

  wake(now: Instant): readonly DecoderEvent[] {
    return this.winner?.wake(now) ?? this.all(decoder => decoder.wake(now))
  }

  get wakeAt(): Instant | undefined {
    if (this.winner !== undefined) return this.winner.wakeAt
    let first: Instant | undefined
    for (const { decoder } of this.runners) {
      const { wakeAt } = decoder
      if (wakeAt !== undefined && (first === undefined || wakeAt < first)) first = wakeAt
    }
    return first
  }

  get heldBytes(): number {
    if (this.winner !== undefined) return this.winner.heldBytes
    // The same bytes, each for its own purpose.
    return Math.max(...this.runners.map(({ decoder }) => decoder.heldBytes))
  }

  private all(step: (decoder: Decoder) => readonly DecoderEvent[]): readonly DecoderEvent[] {
    const { runners, said } = this
    let winner = -1
    let earliest = Number.POSITIVE_INFINITY
    for (const [i, runner] of runners.entries()) {
      const events = said[i]!
      events.push(...step(runner.decoder))
      const end = runner.mayWin ? endOfFirstFrame(events, runner) : undefined
      if (end === undefined || end >= earliest) continue
      // Not the first in the table but in the input: where the chunk was cut must not matter.
      earliest = end
      winner = i
    }
    if (winner >= 0) {
      this.winner = runners[winner]!.decoder
      return said[winner]!
    }
    if (said.every(events => events.length === 0)) return NOTHING
    const isQuiet = this.wakeAt === undefined
    return isQuiet || said.some(events => events.length > MOST_EVENTS) ? this.furthest() : NOTHING
  }

  /** What the one says that came furthest; the others are forgotten. */
  private furthest(): readonly DecoderEvent[] {
    let best: readonly DecoderEvent[] = NOTHING
    let most = -1
    for (const [i, runner] of this.runners.entries()) {
      const events = this.said[i]!
      const progress = Math.max(-1, ...events.map((event, k) => progressOf(event, k, runner)))
      this.said[i] = []
      if (progress <= most) continue
      most = progress
      best = events
    }
    return best
  }
}

const NOTHING: readonly DecoderEvent[] = []

/** How far a telegram came, by the layer that gave it up. */
const PROGRESS: Readonly<Partial<Record<DecodeErrorCode, number>>> = {
  LINK_BAD_FORMAT: 0,
  LINK_BAD_CHECKSUM: 1,
  APDU_UNKNOWN: 1,
  LINK_INCOMPLETE: 2,
  LINK_OVERFLOW: 2,
}
/** Of a telegram whose frame was good. */
const FRAMED = 3
const UNDERSTOOD = 4

/** Progress that the event at `index` of what a runner said shows. */
function progressOf(event: DecoderEvent, index: number, { isChecked }: Runner): number {
  const code = event.type === 'rejected' ? event.error.code : undefined
  if (isChecked) return code === undefined ? UNDERSTOOD : (PROGRESS[code] ?? FRAMED)
  if (index > 0 && event.type !== 'reading') return 0
  if (code === undefined) return UNDERSTOOD
  if (code.startsWith('LINK_') || code === 'APDU_UNKNOWN') return 0
  return code.startsWith('DATA_') ? 2 : FRAMED
}

/** Where in the input the first frame ends that was good, `undefined` if there is none. */
function endOfFirstFrame(events: readonly DecoderEvent[], runner: Runner): number | undefined {
  for (const [i, event] of events.entries()) {
    // A counter comes with the telegram behind it.
    if (event.type === 'counter' || progressOf(event, i, runner) < FRAMED) continue
    return 'offset' in event ? event.offset + event.length : 0
  }
  return undefined
}
