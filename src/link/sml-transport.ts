/**
 * Deframer for the SML transport protocol, version 1 (BSI TR-03109-1, annex IVb), as meters push it.
 *
 * | offset  | size | field                                                                         |
 * |---------|------|-------------------------------------------------------------------------------|
 * | 0       | 4    | escape 1B 1B 1B 1B                                                            |
 * | 4       | 4    | start of version 1: 01 01 01 01                                               |
 * | 8       | n    | SML messages one after another; four octets 1B are sent twice                 |
 * | 8+n     | p    | fill 00, so that all up to here is a multiple of four                         |
 * | 8+n+p   | 4    | escape 1B 1B 1B 1B                                                            |
 * | 12+n+p  | 2    | end 1A, number of fill octets p, 0 to 3                                       |
 * | 14+n+p  | 2    | CRC-16/X-25 over all octets before it as they were sent, low octet first      |
 *
 * Read from left to right, four octets 1B in a frame are an escape, and the four octets behind it say of what: a
 * doubled escape goes on, a start drops the frame that is open, an end closes it, anything else is damage. Octets get
 * lost on optical heads, so nothing is taken to stand on a multiple of four, and a frame that fails is searched again
 * from one octet behind its start: damage may make a start look like the second half of a doubled escape. No timer
 * delimits a frame; silence only ends what is incomplete.
 */
import { crc16x25 } from '../bytes/crc16.ts'
import { hex, toHex } from '../bytes/hex.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import type { Link } from './information.ts'
import { ESCAPE, ESCAPE_LENGTH, findEscape, isRepeated, START, undouble } from './sml-escape.ts'

/** Longest frame accepted, escapes included; the longest known has 504 octets. */
const MAX_FRAME = 4096
/** A frame may be pending in front of as much again. */
const CAPACITY = 2 * MAX_FRAME
/** Escape and what it escapes: the frame's start, and its end. */
const MARK = 2 * ESCAPE_LENGTH
const END = 0x1a
const MAX_FILL = 3
/** Meters send every one to four seconds and need half a second for a frame. */
const IDLE_MS = 2000

/** The messages of one frame. Valid only during the call that hands it over. */
export interface SmlFrame {
  /** Buffer that holds the messages at `start..end`, escapes undone and fill taken off. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** The frame's checksum is right. */
  readonly isIntact: boolean
  /** Span in the input. */
  readonly offset: number
  readonly length: number
}

/** Receives what the deframer finds, in the order of the bytes. */
export interface SmlSink {
  /** A frame whose checksum is right, or one that {@link salvages} says is of use. */
  frame(frame: SmlFrame, at: Instant): void
  /** Asked about each frame that has an end and a wrong checksum; without it none is of use. */
  salvages?(frame: SmlFrame): boolean
  /** An unbroken run of bytes that gave no frame. */
  rejected(error: DecodeError, offset: number, length: number, at: Instant): void
}

/** What became of the first candidate of a run: decides the run's code. */
interface Fate {
  readonly code: DecodeErrorCode
  readonly detail: string
}

type Verdict = 'wait' | 'accepted' | Fate

export class SmlTransport implements Link {
  private readonly sink: SmlSink
  private readonly buffer = new Uint8Array(CAPACITY)
  /** Messages of a frame with doubled escapes. */
  private plain = new Uint8Array(0)
  /** Bytes in the buffer. */
  private end = 0
  /** Scan position: everything before it is accounted for. */
  private at = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  /** A frame starts at the scan position, and its escapes before `next` are read. */
  private isOpen = false
  private next = 0
  private doubled = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  /** Input offset of the open run of rejected bytes, -1 if none. */
  private runStart = -1
  private fate: Fate | undefined

  constructor(sink: SmlSink) {
    this.sink = sink
  }

  /** Bytes that may still become part of a frame. */
  get heldBytes(): number {
    return this.end - this.at
  }

  /** When silence would end what is pending; `undefined` while nothing is. */
  get wakeAt(): Instant | undefined {
    return this.pending ? this.lastByteAt + IDLE_MS : undefined
  }

  /** Takes bytes cut anywhere; copies them. `at` is when the last of them arrived. */
  push(chunk: Uint8Array, at: Instant): void {
    this.lastByteAt = at
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(chunk.length - taken, CAPACITY - this.end)
      this.buffer.set(
        count === chunk.length ? chunk : chunk.subarray(taken, taken + count),
        this.end,
      )
      this.end += count
      taken += count
      this.scan(false)
      this.compact()
    }
  }

  /** Ends what silence until `now` shows to be incomplete; `Infinity` ends the input. */
  wake(now: Instant): void {
    if (!this.pending || now < this.lastByteAt + IDLE_MS) return
    this.scan(true)
    this.endRun(this.base + this.at)
    this.compact()
  }

  private get pending(): boolean {
    return this.runStart >= 0 || this.end > this.at
  }

  private scan(final: boolean): void {
    while (this.at < this.end) {
      if (!this.isOpen && !this.findStart(final)) return
      const verdict = this.findEnd()
      if (verdict === 'accepted') continue
      if (verdict === 'wait' && !final) return
      this.fate ??=
        verdict === 'wait' ? incomplete(`${this.heldBytes} bytes of a frame, no end`) : verdict
      // Resume one byte behind the start: a good frame may stand inside the damaged one.
      this.skipTo(this.at + 1)
    }
  }

  /** Moves the scan position to the next start of a frame, or to what may become one. */
  private findStart(final: boolean): boolean {
    const { buffer, end } = this
    for (let from = this.at; ; ) {
      const found = findEscape(buffer, from, end)
      if (found < 0) break
      let behind = found + ESCAPE_LENGTH
      while (behind < end && buffer[behind] === ESCAPE) behind++
      const known = Math.min(end - behind, ESCAPE_LENGTH)
      from = behind
      if (!isRepeated(START, buffer, behind, known)) continue
      this.skipTo(behind - ESCAPE_LENGTH)
      if (known === ESCAPE_LENGTH) {
        this.isOpen = true
        this.next = behind + ESCAPE_LENGTH
        this.doubled = 0
        return true
      }
      if (!final) return false
      this.fate ??= incomplete('the start of a frame is cut')
      break
    }
    let rest = end
    if (!final) while (rest > this.at && buffer[rest - 1] === ESCAPE) rest--
    this.skipTo(rest)
    return false
  }

  /** Reads the escapes of the frame at the scan position up to its end. */
  private findEnd(): Verdict {
    const { buffer, at } = this
    // What follows the longest frame says nothing of this one.
    const end = Math.min(this.end, at + MAX_FRAME)
    for (;;) {
      const found = findEscape(buffer, this.next, end)
      const behind = found + ESCAPE_LENGTH
      if (found < 0 || behind + ESCAPE_LENGTH > end) {
        // The last three octets may begin an escape.
        this.next = found < 0 ? Math.max(this.next, end - ESCAPE_LENGTH + 1) : found
        return end - at < MAX_FRAME ? 'wait' : incomplete(`no end within ${MAX_FRAME} bytes`)
      }
      if (buffer[behind] === END && buffer[behind + 1]! <= MAX_FILL) return this.close(found)
      if (isRepeated(START, buffer, behind, ESCAPE_LENGTH))
        return incomplete(`a new frame begins after ${found - at} bytes of this one`)
      if (!isRepeated(ESCAPE, buffer, behind, ESCAPE_LENGTH))
        return damage(
          `an escape of ${toHex(buffer, behind, behind + ESCAPE_LENGTH)} does not exist`,
        )
      this.doubled++
      this.next = behind + ESCAPE_LENGTH
    }
  }

  /** Checks the frame at the scan position, whose end begins at `found`, and hands it over. */
  private close(found: number): Verdict {
    const { buffer, at, base, sink } = this
    const behind = found + MARK
    const fill = buffer[behind - 3]!
    if (fill > found - at - MARK) return damage(`${fill} fill bytes announced, less are there`)
    const sent = buffer[behind - 2]! | (buffer[behind - 1]! << 8)
    const computed = crc16x25(buffer, at, behind - 2)
    const frame: SmlFrame = {
      ...this.messages(at + MARK, found - fill),
      isIntact: sent === computed,
      offset: base + at,
      length: behind - at,
    }
    if (!frame.isIntact && sink.salvages?.(frame) !== true)
      return damage(
        `frame checksum ${hex(sent)} sent, ${hex(computed)} computed over ${behind - 2 - at} bytes`,
      )
    this.endRun(base + at)
    this.at = behind
    this.isOpen = false
    sink.frame(frame, this.lastByteAt)
    return 'accepted'
  }

  /** Where the messages stand that the frame holds at `start..end` of the buffer. */
  private messages(start: number, end: number): Pick<SmlFrame, 'bytes' | 'start' | 'end'> {
    if (this.doubled === 0) return { bytes: this.buffer, start, end }
    if (this.plain.length === 0) this.plain = new Uint8Array(MAX_FRAME)
    return { bytes: this.plain, start: 0, end: undouble(this.buffer, start, end, this.plain) }
  }

  /** Accounts for the bytes before `index`; a run begins with the first that is no fill. */
  private skipTo(index: number): void {
    for (let i = this.at; i < index && this.runStart < 0; i++)
      if (!isFill(this.buffer[i]!)) this.runStart = this.base + i
    this.at = index
    this.isOpen = false
  }

  /** Hands over the open run of rejected bytes, which ends before `offset`. */
  private endRun(offset: number): void {
    if (this.runStart >= 0) {
      const { code, detail } = this.fate ?? NO_FRAME
      this.sink.rejected(
        new DecodeError(code, 0, detail),
        this.runStart,
        offset - this.runStart,
        this.lastByteAt,
      )
    }
    this.runStart = -1
    this.fate = undefined
  }

  private compact(): void {
    if (this.at === 0) return
    this.buffer.copyWithin(0, this.at, this.end)
    this.base += this.at
    this.end -= this.at
    this.next -= this.at
    this.at = 0
  }
}

const NO_FRAME: Fate = {
  code: 'LINK_BAD_FORMAT',
  detail: 'no SML frame starts in these bytes (1b1b1b1b 01010101 expected)',
}

function incomplete(detail: string): Fate {
  return { code: 'LINK_INCOMPLETE', detail }
}

function damage(detail: string): Fate {
  return { code: 'LINK_BAD_CHECKSUM', detail }
}

/** Bytes that adapters put between telegrams. */
function isFill(byte: number): boolean {
  return byte === 0x00 || byte === 0x0d || byte === 0x0a
}
