/**
 * Frames of the wired M-Bus (EN 13757-2), format FT1.2.
 *
 * | frame | bytes                                    | checks                                             |
 * |-------|------------------------------------------|----------------------------------------------------|
 * | long  | 68 L L 68, C, A, CI, data, CS, 16        | L twice, counts from C to the data; CS sum from C  |
 * | short | 10, C, A, CS, 16                         | CS = C + A                                         |
 *
 * Some Sagemcom T210-D write the length of their first frame modulo 256 (L = 1 for 257 bytes; seen in
 * at-sagemcom-l01-mbus-nokey): where L is below 9 and the checksum does not fit, L + 256 is tried.
 */
import { hex } from '../bytes/hex.ts'
import type { Instant } from '../reading.ts'
import { type Faults, type FrameFormat, isFill, type Verdict } from './frame-scanner.ts'

const LONG_START = 0x68
const SHORT_START = 0x10
const STOP = 0x16
const SHORT_LENGTH = 5
/** Start, both lengths and start again; checksum and stop. */
const HEADER_LENGTH = 4
const TRAILER_LENGTH = 2
/** C, A and CI. */
const MIN_USER_LENGTH = 3
/** Below this a length may be one modulo 256. */
const MODULO_LIMIT = 9
const MODULO = 256
const MAX_LENGTH = HEADER_LENGTH + MODULO + MODULO_LIMIT + TRAILER_LENGTH
/** The acknowledgement, which an optical head may echo. */
const ACKNOWLEDGE = 0xe5
/** Kaifa leaves 160 ms between the two frames of a push. */
const IDLE_MS = 500

/** One frame whose checksum is right. Valid only during the call that hands it over. */
export interface MbusFrame {
  readonly bytes: Uint8Array
  /** C field: 53 or 73 SND_UD, 40 SND_NKE. */
  readonly control: number
  /** Index of the CI field; equal to {@link end} in a short frame. */
  readonly start: number
  /** Index behind the data. */
  readonly end: number
  /** Span in the input. */
  readonly offset: number
  readonly length: number
}

/** How to find M-Bus frames. */
export class MbusFormat implements FrameFormat {
  readonly maxLength: number = MAX_LENGTH
  readonly idleMs: number = IDLE_MS
  readonly sharedLength: number = 0
  readonly nothingFound: string = 'no M-Bus frame starts in these bytes (68 L L 68 or 10 expected)'
  private readonly frame: (frame: MbusFrame, at: Instant) => void

  constructor(frame: (frame: MbusFrame, at: Instant) => void) {
    this.frame = frame
  }

  mayRest(): boolean {
    return false
  }

  judge(
    bytes: Uint8Array,
    at: number,
    end: number,
    _offset: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    const verdict = this.verdict(bytes, at, end, isFinal, faults)
    return verdict === 'wait' && isFinal ? 'noise' : verdict
  }

  accept(bytes: Uint8Array, at: number, offset: number, length: number, instant: Instant): void {
    const end = at + length - TRAILER_LENGTH
    const isShort = bytes[at] === SHORT_START
    const control = bytes[at + (isShort ? 1 : HEADER_LENGTH)]!
    const start = isShort ? end : at + HEADER_LENGTH + 2
    this.frame({ bytes, control, start, end, offset, length }, instant)
  }

  private verdict(
    bytes: Uint8Array,
    at: number,
    end: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    switch (bytes[at]) {
      case LONG_START:
        return this.long(bytes, at, end, isFinal, faults)
      case SHORT_START:
        return this.short(bytes, at, end, faults)
      default:
        return bytes[at] === ACKNOWLEDGE || isFill(bytes[at]!) ? 'fill' : 'noise'
    }
  }

  private long(
    bytes: Uint8Array,
    at: number,
    end: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    if (at + HEADER_LENGTH > end) return 'wait'
    const length = bytes[at + 1]!
    if (bytes[at + 3] !== LONG_START) return 'noise'
    if (bytes[at + 2] !== length) {
      faults.header(`the two lengths ${hex(length)} and ${hex(bytes[at + 2]!)} differ`)
      return 'noise'
    }
    const size = HEADER_LENGTH + length + TRAILER_LENGTH
    let fault = `a length of ${length}`
    if (length >= MIN_USER_LENGTH) {
      if (at + size > end) {
        if (!isFinal) return 'wait'
        faults.frame(size, `the frame announces ${size} bytes, ${end - at} arrived`)
        return 'noise'
      }
      const found = frameFault(bytes, at, length)
      if (found === undefined) return size
      fault = found
    }
    if (length < MODULO_LIMIT) {
      if (at + size + MODULO <= end) {
        if (frameFault(bytes, at, length + MODULO) === undefined) return size + MODULO
      } else if (!isFinal) return 'wait'
    }
    faults.frame(length < MIN_USER_LENGTH ? size + MODULO : size, fault)
    return 'noise'
  }

  private short(bytes: Uint8Array, at: number, end: number, faults: Faults): Verdict {
    if (at + SHORT_LENGTH > end) return 'wait'
    if (bytes[at + SHORT_LENGTH - 1] !== STOP) return 'noise'
    const sum = (bytes[at + 1]! + bytes[at + 2]!) & 0xff
    if (sum === bytes[at + 3]) return SHORT_LENGTH
    faults.header(`checksum ${hex(bytes[at + 3]!)} sent, ${hex(sum)} computed over C and A`)
    return 'noise'
  }
}

/** Why `length` bytes behind the header at `bytes[at]` are no frame, `undefined` if they are one. */
function frameFault(bytes: Uint8Array, at: number, length: number): string | undefined {
  const end = at + HEADER_LENGTH + length
  if (bytes[end + 1] !== STOP)
    return `stop 0x16 expected after ${HEADER_LENGTH + length + 1} bytes, found ${hex(bytes[end + 1]!)}`
  let sum = 0
  for (let i = at + HEADER_LENGTH; i < end; i++) sum += bytes[i]!
  return (sum & 0xff) === bytes[end]
    ? undefined
    : `checksum ${hex(bytes[end]!)} sent, ${hex(sum & 0xff)} computed over ${length} bytes`
}
