/**
 * Several decoders on one line until the bytes have shown whose they are.
 *
 * Every candidate gets every byte. The first reading decides at once, so nothing is delayed; a telegram that was good
 * on its link but could not be read (no key, unknown list) decides when the line falls silent. Until then what the
 * candidates reject is held back, and told as the one that came nearest to a frame saw it. The winner stays until so
 * many bytes in a row gave it no frame that the line must carry something else by now.
 */
import type { Decoder, DecoderEvent } from '../src/decoder.ts'
import type { Instant } from '../src/reading.ts'

/** Silence after which an open race tells what it saw. */
const IDLE_MS = 400
/** No telegram is longer. */
const LONGEST = 16_384
/** Bytes without a frame after which an open race tells what it saw, and a race that was won is opened again. */
const GIVE_UP_BYTES = 2 * LONGEST

/** One who takes part. */
export interface Contestant {
  readonly decoder: Decoder
  /**
   * No checksum tells its frames from other bytes, so only a reading proves it: what it rejects shows how far it got,
   * and never that it is the right one.
   */
  readonly isGuess?: boolean
}

interface Candidate extends Contestant {
  /** Input offset of the first byte it was given. */
  readonly base: number
  /** What it found and was not told yet. */
  events: DecoderEvent[]
}

/** Last accepted invocation counters by their id. */
type Counters = Readonly<Record<string, number>>

/**
 * `create` gives the candidates, preferred ones first. It is called again where a race is opened anew, with the
 * counters accepted so far: who floods the line must not make an old telegram new.
 */
export class RacingDecoder implements Decoder {
  private readonly create: (counters: Counters) => readonly Contestant[]
  private readonly counters: { [id: string]: number }
  private candidates: Candidate[] = []
  /** Its only candidate is the winner. */
  private isDecided = false
  private received = 0
  /** Input offset behind the last good frame, or behind what was told since. */
  private quietSince = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY

  constructor(create: (counters: Counters) => readonly Contestant[], counters: Counters = {}) {
    this.create = create
    this.counters = { ...counters }
    this.open()
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    this.received += chunk.length
    this.lastByteAt = at
    for (const candidate of this.candidates) this.note(candidate, candidate.decoder.push(chunk, at))
    const events = this.decide()
    if (this.received - this.quietSince < GIVE_UP_BYTES) return events
    this.quietSince = this.received
    if (!this.isDecided) return this.tell(this.received - LONGEST)
    this.open()
    return events
  }

  /** A candidate that waits for the rest of a telegram comes first; then what an open race has to tell. */
  get wakeAt(): Instant | undefined {
    const pending = this.candidates.flatMap(({ decoder }) => decoder.wakeAt ?? [])
    if (pending.length > 0) return Math.min(...pending)
    const isSilent = this.candidates.every(({ events }) => events.length === 0)
    return isSilent ? undefined : this.lastByteAt + IDLE_MS
  }

  wake(now: Instant): readonly DecoderEvent[] {
    for (const candidate of this.candidates) this.note(candidate, candidate.decoder.wake(now))
    const events = this.decide()
    const isPending = this.candidates.some(({ decoder }) => decoder.wakeAt !== undefined)
    if (this.isDecided || isPending || now < this.lastByteAt + IDLE_MS) return events
    return this.tell(this.received)
  }

  get heldBytes(): number {
    return Math.max(...this.candidates.map(({ decoder }) => decoder.heldBytes))
  }

  private open(): void {
    const others = this.create({ ...this.counters }).map(one => ({
      ...one,
      base: this.received,
      events: [],
    }))
    this.candidates = [...this.candidates, ...others]
    this.isDecided = false
  }

  private note({ base, events }: Candidate, found: readonly DecoderEvent[]): void {
    for (const event of found)
      events.push('offset' in event && base > 0 ? { ...event, offset: event.offset + base } : event)
  }

  /** Everything of the winner, once there is one. */
  private decide(): readonly DecoderEvent[] {
    const winner = this.isDecided ? this.candidates[0] : this.proven()
    if (winner === undefined) return []
    this.win(winner)
    const { events } = winner
    winner.events = []
    if (events.some(event => isGood(event, winner))) this.quietSince = this.received
    for (const event of events)
      if (event.type === 'counter') this.counters[event.counter.id] = event.counter.value
    return events
  }

  /** The candidate whose proof comes first in the input: where the chunk was cut must not matter. */
  private proven(): Candidate | undefined {
    let first: Candidate | undefined
    let earliest = Number.POSITIVE_INFINITY
    for (const candidate of this.candidates) {
      const proof = candidate.events.find(proves)
      const at = proof === undefined ? earliest : 'offset' in proof ? proof.offset : 0
      if (at >= earliest) continue
      earliest = at
      first = candidate
    }
    return first
  }

  private win(winner: Candidate): void {
    this.isDecided = true
    this.candidates = [winner]
  }

  /** What the candidate that came nearest to a frame saw of the input before `end`. */
  private tell(end: number): readonly DecoderEvent[] {
    const nearest = this.candidates.reduce((a, b) => (merit(b) > merit(a) ? b : a))
    const isBefore = (event: DecoderEvent) =>
      !('offset' in event) || event.offset + event.length <= end
    const told = nearest.events.filter(isBefore)
    if (told.some(event => isGood(event, nearest))) this.win(nearest)
    for (const candidate of this.candidates)
      candidate.events = candidate.events.filter(event => !isBefore(event))
    return told
  }
}

/** No other line carries such a thing. A counter comes with the telegram behind it. */
function proves({ type }: DecoderEvent): boolean {
  return type !== 'rejected' && type !== 'counter'
}

/** A frame was right, whatever became of what it carried. */
function isGood(event: DecoderEvent, { isGuess }: Contestant): boolean {
  if (event.type !== 'rejected') return true
  return !isGuess && !event.error.code.startsWith('LINK_')
}

/** How near a candidate came to a frame: good ones, bytes of damaged ones, bytes of none. */
function merit({ events, isGuess }: Candidate): number {
  if (isGuess) return guessMerit(events)
  let sum = 0
  for (const event of events) {
    if (event.type !== 'rejected') continue
    if (!event.error.code.startsWith('LINK_')) sum += 1e9
    else if (event.error.code !== 'LINK_BAD_FORMAT') sum += 1000 + event.length
  }
  return sum
}

/** What is found first after silence counts: a protected telegram whose lengths are right, or the beginning of a list. */
function guessMerit([first]: readonly DecoderEvent[]): number {
  if (first?.type !== 'rejected' || /^(LINK|APDU)_/.test(first.error.code)) return 0
  return first.error.code.startsWith('DATA_') ? 500 : 1e6
}
