/**
 * Deframer for HDLC frame format type 3 as meters push it (IEC 62056-46, ISO/IEC 13239), without byte stuffing.
 *
 * | offset | size | field                                                                       |
 * |--------|------|-----------------------------------------------------------------------------|
 * | 0      | 1    | flag 7E                                                                     |
 * | 1      | 2    | frame format: 1010, segmentation bit, 11 bits length of all between flags   |
 * | 3      | 1..4 | destination address, bit 0 set in its last byte                             |
 * |        | 1..4 | source address, likewise                                                    |
 * |        | 1    | control                                                                     |
 * |        | 2    | HCS over all from the format on, low byte first                             |
 * |        | n    | information                                                                 |
 * |        | 2    | FCS over all from the format on, low byte first                             |
 * |        | 1    | flag 7E, may open the next frame                                            |
 *
 * 7E occurs freely inside frames, so flags delimit nothing: the length field does, and the two checksums decide. A
 * header whose check fails is given up after a dozen bytes; a frame whose end or FCS is wrong is searched again from
 * one byte behind its flag, so that a good frame inside the damaged bytes is not lost. No timer delimits a frame;
 * silence only ends what is incomplete.
 */
import { crc16x25 } from '../bytes/crc16.ts'
import { hex } from '../bytes/hex.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import { findFrameWithCrlf } from './crlf-repair.ts'
import { FLAG, frameFault } from './hdlc-check.ts'

/** Format, two one-byte addresses, control, HCS, one byte of information, FCS. */
const MIN_LENGTH = 10
/** Format to HCS with the longest addresses. */
const MAX_HEADER = 2 + 4 + 4 + 1 + 2
const MAX_LENGTH = 2047
/** Two of the longest frames: a candidate always fits, whatever precedes it. */
const CAPACITY = 2 * (MAX_LENGTH + 2) + 2
/** Longest pause inside a frame is an adapter's packet interval (up to 293 ms), shortest between frames 600 ms. */
const IDLE_MS = 400

/** One frame whose two checksums are right. Valid only during the call that hands it over. */
export interface HdlcFrame {
  /** Buffer that holds the information field. */
  readonly bytes: Uint8Array
  readonly informationStart: number
  readonly informationEnd: number
  /** Address bytes as one number, as sent: 0x0883. */
  readonly destination: number
  readonly source: number
  readonly control: number
  /** More segments follow. */
  readonly segmented: boolean
  /** CR bytes put in by an intermediate device were taken out. */
  readonly repaired: boolean
  /** Span in the input, flags included; a flag shared with the frame before belongs to that one. */
  readonly offset: number
  readonly length: number
}

/** Receives what the deframer finds, in the order of the bytes. */
export interface HdlcSink {
  frame(frame: HdlcFrame, at: Instant): void
  /** An unbroken run of bytes that gave no frame. */
  rejected(error: DecodeError, offset: number, length: number, at: Instant): void
}

/** Header fields of the candidate at the scan position, once its HCS was right. */
interface Header {
  length: number
  segmented: boolean
  destination: number
  source: number
  control: number
  informationStart: number
}

/** What became of the first candidate of a run: decides the run's code. */
interface Fate {
  /** Input offset of the closing flag it announced. */
  readonly expectedEnd: number
  readonly detail: string
}

/** `fill`: the flag opens nothing. `header`, `frame`: what of the candidate is wrong. */
type Verdict = 'wait' | 'fill' | 'header' | 'frame' | 'accepted'

export class HdlcDeframer {
  private readonly sink: HdlcSink
  private readonly repairCrlf: boolean
  private readonly buffer = new Uint8Array(CAPACITY)
  /** Bytes in the buffer. */
  private end = 0
  /** Scan position: everything before it is accounted for. */
  private at = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  /** Input offset behind the last accepted frame. */
  private accepted = 0
  /** Input offset of the open run of rejected bytes, -1 if none. */
  private runStart = -1
  private fate: Fate | undefined
  private headerFault: string | undefined
  /** True while `header` describes the candidate at `at`. */
  private headerKnown = false
  private readonly header: Header = {
    length: 0,
    segmented: false,
    destination: 0,
    source: 0,
    control: 0,
    informationStart: 0,
  }

  constructor(sink: HdlcSink, options: { readonly repairCrlf?: boolean } = {}) {
    this.sink = sink
    this.repairCrlf = options.repairCrlf ?? false
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

  /** A lone flag is kept without being pending: it may open the next frame. */
  private get pending(): boolean {
    if (this.runStart >= 0) return true
    const held = this.end - this.at
    return held > 1 || (held === 1 && this.buffer[this.at] !== FLAG)
  }

  private scan(final: boolean): void {
    while (this.at < this.end) {
      const byte = this.buffer[this.at]!
      if (byte !== FLAG) {
        this.skip(!isFill(byte))
        continue
      }
      if (this.at + 1 === this.end) return
      const verdict = this.buffer[this.at + 1] === FLAG ? 'fill' : this.judge(final)
      if (verdict === 'wait') return
      if (verdict === 'accepted') continue
      // Resume one byte behind the flag: a good frame may start inside the damaged one.
      this.skip(verdict !== 'fill')
    }
  }

  /** Accounts for the byte at the scan position. */
  private skip(isRejected: boolean): void {
    const offset = this.base + this.at
    if (isRejected && this.runStart < 0 && offset >= this.accepted) this.runStart = offset
    this.headerKnown = false
    this.at++
  }

  private judge(final: boolean): Verdict {
    if (!this.headerKnown) {
      const verdict = this.readHeader()
      if (verdict === 'wait' && final) {
        this.headerFault ??= 'the header is incomplete'
        return 'header'
      }
      if (verdict !== 'accepted') return verdict
      this.headerKnown = true
    }
    const { length } = this.header
    const closing = this.at + 1 + length
    if (closing >= this.end) {
      if (!final) return 'wait'
      this.fail(closing, `the frame announces ${length + 2} bytes, ${this.end - this.at} arrived`)
      return 'frame'
    }
    const fault = frameFault(this.buffer, this.at, closing)
    if (fault === undefined) {
      this.accept(this.buffer, this.header.informationStart, closing - 2, closing - this.at, false)
      return 'accepted'
    }
    if (this.repairCrlf) {
      const repaired = findFrameWithCrlf(this.buffer, this.at, this.end, length)
      if (repaired === 'wait' && !final) return 'wait'
      if (repaired !== 'wait' && repaired !== undefined) {
        const start = this.header.informationStart - this.at
        this.accept(repaired.frame, start, repaired.frame.length - 3, repaired.consumed - 1, true)
        return 'accepted'
      }
    }
    this.fail(closing, fault)
    return 'frame'
  }

  /** Reads and checks the header of the candidate at the scan position. */
  private readHeader(): Verdict {
    const { buffer, header, at, end } = this
    if ((buffer[at + 1]! & 0xf0) !== 0xa0) return 'fill'
    if (at + 2 >= end) return 'wait'
    const length = ((buffer[at + 1]! & 0x07) << 8) | buffer[at + 2]!
    if (length < MIN_LENGTH) return 'header'
    header.length = length
    header.segmented = (buffer[at + 1]! & 0x08) !== 0
    let next = at + 3
    for (let field = 0; field < 2; field++) {
      let address = 0
      for (let size = 1; ; size++) {
        if (next >= end) return 'wait'
        const byte = buffer[next++]!
        address = (address << 8) | byte
        if (byte & 1) break
        if (size === 4) return 'header'
      }
      if (field === 0) header.destination = address >>> 0
      else header.source = address >>> 0
    }
    if (next - at + 2 > Math.min(MAX_HEADER, length - 2)) return 'header'
    if (next + 2 >= end) return 'wait'
    header.control = buffer[next++]!
    const sent = buffer[next]! | (buffer[next + 1]! << 8)
    const computed = crc16x25(buffer, at + 1, next)
    if (sent !== computed) {
      this.headerFault ??= `header checksum ${hex(sent)} sent, ${hex(computed)} computed`
      return 'header'
    }
    header.informationStart = next + 2
    return 'accepted'
  }

  private accept(
    bytes: Uint8Array,
    informationStart: number,
    informationEnd: number,
    lengthToClosingFlag: number,
    repaired: boolean,
  ): void {
    const start = Math.max(this.base + this.at, this.accepted)
    this.endRun(start)
    this.at += lengthToClosingFlag
    this.headerKnown = false
    this.accepted = this.base + this.at + 1
    const { destination, source, control, segmented } = this.header
    this.sink.frame(
      {
        bytes,
        informationStart,
        informationEnd,
        destination,
        source,
        control,
        segmented,
        repaired,
        offset: start,
        length: this.accepted - start,
      },
      this.lastByteAt,
    )
  }

  private fail(closing: number, detail: string): void {
    this.fate ??= { expectedEnd: this.base + closing, detail }
  }

  /** Hands over the open run of rejected bytes, which ends before `offset`. */
  private endRun(offset: number): void {
    if (this.runStart >= 0) {
      const [code, detail] = this.runFault(offset)
      this.sink.rejected(
        new DecodeError(code, 0, detail),
        this.runStart,
        offset - this.runStart,
        this.lastByteAt,
      )
    }
    this.runStart = -1
    this.fate = undefined
    this.headerFault = undefined
  }

  private runFault(runEnd: number): [DecodeErrorCode, string] {
    if (this.fate !== undefined) {
      // A frame that should reach beyond the run lost bytes; one that ends inside it was damaged.
      const missing = this.fate.expectedEnd - runEnd
      return missing > 0
        ? ['LINK_INCOMPLETE', `a frame with a good header lacks ${missing} bytes`]
        : ['LINK_BAD_CHECKSUM', this.fate.detail]
    }
    if (this.headerFault !== undefined) return ['LINK_BAD_CHECKSUM', this.headerFault]
    return ['LINK_BAD_FORMAT', 'no HDLC frame starts in these bytes (7e a0..af expected)']
  }

  private compact(): void {
    if (this.at === 0) return
    this.buffer.copyWithin(0, this.at, this.end)
    if (this.headerKnown) this.header.informationStart -= this.at
    this.base += this.at
    this.end -= this.at
    this.at = 0
  }
}

/** Bytes that transports put between telegrams. */
function isFill(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a || byte === 0x00
}
