/**
 * The DLMS wrapper for TCP and UDP, port 4059 (IEC 62056-47): version 0001, source and destination wPort u16, length
 * u16 of the APDU, the APDU. Nothing but the transport protects the bytes, so what comes of them has the integrity
 * `none`. A message may arrive in parts, and several at once.
 *
 * Headers have no check either: behind a message the next is taken at its word, elsewhere one counts only if what stands
 * behind it begins as an APDU.
 */
import type { Instant } from '../reading.ts'
import { type Faults, type FrameFormat, FrameScanner, type Verdict } from './frame-scanner.ts'
import type { InformationSink, Link } from './information.ts'

const HEADER_LENGTH = 8
/** A lost TCP segment is sent again within seconds. */
const IDLE_MS = 5000

export class WrapperLink implements Link {
  private readonly scanner: FrameScanner

  /**
   * `maxBytes` is the longest APDU; a header that announces more begins no message. `startsApdu` answers for the byte
   * behind a header.
   */
  constructor(
    sink: InformationSink,
    maxBytes: number,
    startsApdu: (byte: number) => boolean = () => true,
  ) {
    this.scanner = new FrameScanner(
      new WrapperFormat(sink, maxBytes, startsApdu),
      (error, offset, length, at) => sink.rejected(error, offset, length, at),
    )
  }

  push(chunk: Uint8Array, at: Instant): void {
    this.scanner.push(chunk, at)
  }

  wake(now: Instant): void {
    this.scanner.wake(now)
  }

  get wakeAt(): Instant | undefined {
    return this.scanner.wakeAt
  }

  get heldBytes(): number {
    return this.scanner.heldBytes
  }
}

class WrapperFormat implements FrameFormat {
  readonly maxLength: number
  readonly idleMs = IDLE_MS
  readonly sharedLength = 0
  readonly nothingFound = 'no DLMS wrapper starts in these bytes (version 00 01 expected)'
  private readonly sink: InformationSink
  private readonly maxBytes: number
  private readonly startsApdu: (byte: number) => boolean
  /** Input offset behind the last message. */
  private expected = 0

  constructor(sink: InformationSink, maxBytes: number, startsApdu: (byte: number) => boolean) {
    this.sink = sink
    this.maxBytes = maxBytes
    this.startsApdu = startsApdu
    this.maxLength = HEADER_LENGTH + maxBytes
  }

  mayRest(): boolean {
    return false
  }

  judge(
    bytes: Uint8Array,
    at: number,
    end: number,
    offset: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    const isExpected = offset === this.expected
    const held = end - at
    if (bytes[at] !== 0 || (held > 1 && bytes[at + 1] !== 1)) return 'noise'
    if (held <= HEADER_LENGTH) {
      if (!isFinal) return 'wait'
      if (isExpected && held > 1) faults.frame(HEADER_LENGTH + 1, 'the message is incomplete')
      return 'noise'
    }
    const length = (bytes[at + 6]! << 8) | bytes[at + 7]!
    if (length === 0 || length > this.maxBytes) return 'noise'
    if (!isExpected && !this.startsApdu(bytes[at + HEADER_LENGTH]!)) return 'noise'
    const size = HEADER_LENGTH + length
    if (held >= size) return size
    if (!isFinal) return 'wait'
    faults.frame(size, `the wrapper announces ${length} bytes, ${held - HEADER_LENGTH} arrived`)
    return 'noise'
  }

  accept(bytes: Uint8Array, at: number, offset: number, length: number, instant: Instant): void {
    this.expected = offset + length
    this.sink.information(
      {
        kind: 'pdu',
        bytes,
        start: at + HEADER_LENGTH,
        end: at + length,
        integrity: 'none',
        source: 0,
        segments: 1,
        repaired: false,
        offset,
        length,
      },
      instant,
    )
  }
}
