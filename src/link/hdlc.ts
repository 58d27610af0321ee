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
 * header whose check fails is given up after a dozen bytes.
 */
import { crc16x25 } from '../bytes/crc16.ts'
import { hex } from '../bytes/hex.ts'
import type { DecodeError } from '../errors.ts'
import type { Instant } from '../reading.ts'
import { findFrameWithCrlf } from './crlf-repair.ts'
import {
  type Faults,
  type FrameFormat,
  FrameScanner,
  isFill,
  type Verdict,
} from './frame-scanner.ts'
import { FLAG, frameFault } from './hdlc-check.ts'

/** Format, two one-byte addresses, control, HCS, one byte of information, FCS. */
const MIN_LENGTH = 10
/** Format to HCS with the longest addresses. */
const MAX_HEADER = 2 + 4 + 4 + 1 + 2
const MAX_LENGTH = 2047
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

/** Finds HDLC frames in bytes cut anywhere. */
export class HdlcDeframer {
  private readonly scanner: FrameScanner

  constructor(sink: HdlcSink, options: { readonly repairCrlf?: boolean } = {}) {
    this.scanner = new FrameScanner(
      new HdlcFormat(sink, options.repairCrlf ?? false),
      (error, offset, length, at) => sink.rejected(error, offset, length, at),
    )
  }

  /** Bytes that may still become part of a frame. */
  get heldBytes(): number {
    return this.scanner.heldBytes
  }

  /** When silence would end what is pending; `undefined` while nothing is. */
  get wakeAt(): Instant | undefined {
    return this.scanner.wakeAt
  }

  /** Takes bytes cut anywhere; copies them. `at` is when the last of them arrived. */
  push(chunk: Uint8Array, at: Instant): void {
    this.scanner.push(chunk, at)
  }

  /** Ends what silence until `now` shows to be incomplete; `Infinity` ends the input. */
  wake(now: Instant): void {
    this.scanner.wake(now)
  }
}

class HdlcFormat implements FrameFormat {
  readonly maxLength = MAX_LENGTH + 2
  readonly idleMs = IDLE_MS
  /** A closing flag may open the next frame. */
  readonly sharedLength = 1
  readonly nothingFound = 'no HDLC frame starts in these bytes (7e a0..af expected)'
  private readonly sink: HdlcSink
  private readonly repairCrlf: boolean
  /** Input offset of the candidate whose header is known, -1 if there is none. */
  private known = -1
  /** Fields of the known header. */
  private length = 0
  private segmented = false
  private destination = 0
  private source = 0
  private control = 0
  /** Distance of the information field from the opening flag. */
  private informationAt = 0
  /** The judged frame without inserted bytes, where it had some. */
  private repaired: Uint8Array | undefined

  constructor(sink: HdlcSink, repairCrlf: boolean) {
    this.sink = sink
    this.repairCrlf = repairCrlf
  }

  mayRest(byte: number): boolean {
    return byte === FLAG
  }

  judge(
    bytes: Uint8Array,
    at: number,
    end: number,
    offset: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    if (bytes[at] !== FLAG) return isFill(bytes[at]!) ? 'fill' : 'noise'
    if (at + 1 === end) return 'wait'
    // The flag closes a frame, or is one of several: it opens nothing.
    if ((bytes[at + 1]! & 0xf0) !== 0xa0) return 'fill'
    const fault = this.known === offset ? undefined : this.readHeader(bytes, at, end, faults)
    if (fault === 'wait' && isFinal) {
      faults.header('the header is incomplete')
      return 'noise'
    }
    if (fault !== undefined) return fault
    this.known = offset
    return this.judgeBody(bytes, at, end, isFinal, faults)
  }

  accept(bytes: Uint8Array, at: number, offset: number, length: number, instant: Instant): void {
    const { destination, source, control, segmented, repaired } = this
    const start = repaired === undefined ? at : 0
    this.repaired = undefined
    this.sink.frame(
      {
        bytes: repaired ?? bytes,
        informationStart: start + this.informationAt,
        informationEnd: start + this.length - 1,
        destination,
        source,
        control,
        segmented,
        repaired: repaired !== undefined,
        offset,
        length,
      },
      instant,
    )
  }

  /** Reads and checks the header at `bytes[at]`; `undefined` once it is known to be good. */
  private readHeader(
    bytes: Uint8Array,
    at: number,
    end: number,
    faults: Faults,
  ): 'wait' | 'noise' | undefined {
    if (at + 2 >= end) return 'wait'
    const length = ((bytes[at + 1]! & 0x07) << 8) | bytes[at + 2]!
    if (length < MIN_LENGTH) return 'noise'
    this.length = length
    this.segmented = (bytes[at + 1]! & 0x08) !== 0
    let next = at + 3
    for (let field = 0; field < 2; field++) {
      let address = 0
      for (let size = 1; ; size++) {
        if (next >= end) return 'wait'
        const byte = bytes[next++]!
        address = (address << 8) | byte
        if (byte & 1) break
        if (size === 4) return 'noise'
      }
      if (field === 0) this.destination = address >>> 0
      else this.source = address >>> 0
    }
    if (next - at + 2 > Math.min(MAX_HEADER, length - 2)) return 'noise'
    if (next + 2 >= end) return 'wait'
    this.control = bytes[next++]!
    const sent = bytes[next]! | (bytes[next + 1]! << 8)
    const computed = crc16x25(bytes, at + 1, next)
    if (sent !== computed) {
      faults.header(`header checksum ${hex(sent)} sent, ${hex(computed)} computed`)
      return 'noise'
    }
    this.informationAt = next + 2 - at
    return undefined
  }

  private judgeBody(
    bytes: Uint8Array,
    at: number,
    end: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    const length = this.length + 2
    const closing = at + length - 1
    if (closing >= end) {
      if (!isFinal) return 'wait'
      faults.frame(length, `the frame announces ${length} bytes, ${end - at} arrived`)
      return 'noise'
    }
    const fault = frameFault(bytes, at, closing)
    if (fault === undefined) return length
    if (this.repairCrlf) {
      const repaired = findFrameWithCrlf(bytes, at, end, this.length)
      if (repaired === 'wait' && !isFinal) return 'wait'
      if (repaired !== 'wait' && repaired !== undefined) {
        this.repaired = repaired.frame
        return repaired.consumed
      }
    }
    faults.frame(length, fault)
    return 'noise'
  }
}
