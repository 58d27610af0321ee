/**
 * Reads the frames of {@link LocalFrameForm} out of a byte stream, answers them, and tells repeats from news.
 *
 * LEN and the check delimit frames, never a pause: host adapters deliver in blocks, so that the 10 ms between
 * characters (T_IC) say nothing here. A candidate needs a known command with a length it can have; one whose check is
 * wrong is searched again from one byte behind its STX. Silence only ends what is incomplete.
 */
import { hex } from '../../bytes/hex.ts'
import { DecodeError } from '../../errors.ts'
import type { Instant } from '../../reading.ts'
import type { LinkEvent, ModemDialect } from './dialect.ts'
import {
  encodeRequest,
  FIRST,
  HEADER,
  isFromModem,
  type LocalFrameForm,
  TRAILER,
} from './local-frame.ts'

/** Longest frame: 256 bytes of data. */
const LONGEST = HEADER + 256 + TRAILER
const CAPACITY = 2 * LONGEST
/** Longer than the packet interval of USB adapters, far below the second within which a modem gives up. */
const IDLE_MS = 100

const ACK = Uint8Array.of(FIRST.ack)
const NAK = Uint8Array.of(FIRST.nak)

/** `reject`: the byte at the scan position belongs to nothing. */
type Verdict = 'wait' | 'accepted' | 'reject'

/** What the first candidate of a run announced: decides the run's code. */
interface Fate {
  readonly expectedEnd: number
  readonly detail: string
}

export class LocalLink implements ModemDialect {
  private readonly form: LocalFrameForm
  private readonly buffer = new Uint8Array(CAPACITY)
  /** Bytes in the buffer. */
  private end = 0
  /** Scan position: everything before it is accounted for. */
  private at = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  /** Input offset of the open run of rejected bytes, -1 if none. */
  private runStart = -1
  private fate: Fate | undefined
  /** LEN, command, data and check of the last frame that was accepted; a repeat equal to it is no news. */
  private previous = new Uint8Array(0)
  private events: LinkEvent[] = []

  constructor(form: LocalFrameForm) {
    this.form = form
  }

  get heldBytes(): number {
    return this.end - this.at
  }

  get wakeAt(): Instant | undefined {
    return this.isPending ? this.lastByteAt + IDLE_MS : undefined
  }

  push(chunk: Uint8Array, at: Instant): readonly LinkEvent[] {
    this.lastByteAt = at
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(chunk.length - taken, CAPACITY - this.end)
      this.buffer.set(chunk.subarray(taken, taken + count), this.end)
      this.end += count
      taken += count
      this.scan(false)
      this.compact()
    }
    return this.take()
  }

  wake(now: Instant): readonly LinkEvent[] {
    if (!this.isPending || now < this.lastByteAt + IDLE_MS) return []
    this.scan(true)
    this.endRun()
    this.compact()
    return this.take()
  }

  encode(command: number, data: Uint8Array): Uint8Array {
    return encodeRequest(this.form, command, data)
  }

  private get isPending(): boolean {
    return this.runStart >= 0 || this.end > this.at
  }

  private take(): readonly LinkEvent[] {
    const { events } = this
    this.events = []
    return events
  }

  private scan(final: boolean): void {
    while (this.at < this.end) {
      const verdict = this.judge(final)
      if (verdict === 'wait') return
      if (verdict === 'accepted') continue
      if (this.runStart < 0) this.runStart = this.base + this.at
      this.at++
    }
  }

  private judge(final: boolean): Verdict {
    const first = this.buffer[this.at]!
    if (first === FIRST.stx || first === FIRST.repeat) return this.frame(final)
    // Inside damaged bytes single ones mean nothing: they may be data of what was damaged.
    if (this.runStart >= 0) return 'reject'
    if (first === FIRST.ack || first === FIRST.nak) {
      this.emit({ type: first === FIRST.ack ? 'ack' : 'nak', ...this.span(1) }, 1)
      return 'accepted'
    }
    return first === FIRST.status ? this.status(final) : 'reject'
  }

  private status(final: boolean): Verdict {
    const { statusBytes, busyMask } = this.form
    if (this.at + statusBytes >= this.end) {
      if (!final) return 'wait'
      this.fail(this.at + 1 + statusBytes, 'a status message')
      return 'reject'
    }
    const value = this.buffer[this.at + 1]!
    const length = 1 + statusBytes
    const busy = (value & busyMask) !== 0
    this.emit({ type: 'status', value, busy, ...this.span(length) }, length)
    return 'accepted'
  }

  private frame(final: boolean): Verdict {
    const { buffer, at, end, form } = this
    if (at + HEADER > end) return final ? 'reject' : 'wait'
    const command = buffer[at + 2]!
    const row = form.commands[command]
    const size = buffer[at + 1]! + form.beyondLength
    if (row === undefined || size < row.least || size > row.most) return 'reject'
    const check = at + HEADER + size
    if (check + TRAILER > end) {
      if (!final) return 'wait'
      this.fail(check + TRAILER, row.name)
      return 'reject'
    }
    const sent = buffer[check]! | (buffer[check + 1]! << 8)
    const computed = form.check(buffer, at + 1, check)
    if (sent !== computed) {
      if (isFromModem(row)) this.refuse()
      this.fail(check + TRAILER, `${row.name}: check ${hex(sent)} sent, ${hex(computed)} computed`)
      return 'reject'
    }
    this.accept(command, isFromModem(row), check + TRAILER - at)
    return 'accepted'
  }

  private accept(command: number, wantsAnswer: boolean, length: number): void {
    const { buffer, at, form } = this
    this.endRun()
    const span = this.span(length)
    const isRepeat = buffer[at] === FIRST.repeat && this.isPrevious(at + 1, at + length)
    const data = buffer.slice(at + HEADER, at + length - TRAILER)
    if (wantsAnswer) this.events.push({ type: 'send', bytes: ACK })
    if (isRepeat) {
      this.emit({ type: 'repeat', ...span }, length)
      return
    }
    this.previous = buffer.slice(at + 1, at + length)
    const sdu = form.sdu(command, data)
    this.emit(
      sdu === undefined
        ? { type: 'frame', command, data, ...span }
        : { type: 'sdu', command, sdu, ...span },
      length,
    )
  }

  private isPrevious(start: number, end: number): boolean {
    const { previous, buffer } = this
    if (previous.length !== end - start) return false
    for (let i = 0; i < previous.length; i++) if (previous[i] !== buffer[start + i]) return false
    return true
  }

  /** Asks for a damaged frame again, once a run; what then comes with STX 03 is news even if it equals the one before. */
  private refuse(): void {
    if (this.fate !== undefined) return
    this.events.push({ type: 'send', bytes: NAK })
    this.previous = new Uint8Array(0)
  }

  private fail(expectedEnd: number, detail: string): void {
    this.fate ??= { expectedEnd: this.base + expectedEnd, detail }
  }

  private span(length: number): { offset: number; length: number } {
    return { offset: this.base + this.at, length }
  }

  private emit(event: LinkEvent, length: number): void {
    this.events.push(event)
    this.at += length
  }

  /** Hands over the open run of rejected bytes, which ends at the scan position. */
  private endRun(): void {
    if (this.runStart >= 0) {
      const offset = this.runStart
      const runEnd = this.base + this.at
      this.events.push({
        type: 'garbage',
        error: runFault(this.fate, runEnd),
        offset,
        length: runEnd - offset,
      })
    }
    this.runStart = -1
    this.fate = undefined
  }

  private compact(): void {
    if (this.at === 0) return
    this.buffer.copyWithin(0, this.at, this.end)
    this.base += this.at
    this.end -= this.at
    this.at = 0
  }
}

/** A frame that should reach beyond the run lost bytes; one that ends inside it was damaged. */
function runFault(fate: Fate | undefined, runEnd: number): DecodeError {
  if (fate === undefined)
    return new DecodeError('LINK_BAD_FORMAT', 0, 'no modem frame starts in these bytes')
  const missing = fate.expectedEnd - runEnd
  return missing > 0
    ? new DecodeError('LINK_INCOMPLETE', 0, `${missing} bytes are missing: ${fate.detail}`)
    : new DecodeError('LINK_BAD_CHECKSUM', 0, fate.detail)
}
