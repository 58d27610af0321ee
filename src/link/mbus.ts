/**
 * The wired M-Bus as Austrian and Polish meters push over it: DLMS in segments (EN 13757-3), or OMS (AMIS TD-351x).
 *
 * | CI    | data behind it                                                                              |
 * |-------|---------------------------------------------------------------------------------------------|
 * | 00-1F | STSAP, DTSAP, a part of an APDU; bit 4 FIN marks the last, bits 3-0 number them from 0      |
 * | 5B    | an OMS long header and enciphered records                                                   |
 *
 * A short frame SND_NKE is the call of an AMIS meter that wants to be answered before it sends.
 */
import { hex } from '../bytes/hex.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import { Assembly } from './assembly.ts'
import { FrameScanner } from './frame-scanner.ts'
import type { Information, InformationKind, InformationSink, Link } from './information.ts'
import { MbusFormat, type MbusFrame } from './mbus-frame.ts'

/** The next segment begins within this time, or never. */
const TIMEOUT_MS = 500
/** CI, STSAP and DTSAP. */
const SEGMENT_HEADER = 3
const CI_FIN = 0x10
const CI_NUMBER = 0x0f
/** Bits that are zero in the CI of a DLMS segment. */
const CI_OTHER = 0xe0
const CI_OMS = 0x5b
const SND_NKE = 0x40

export class MbusLink implements Link {
  private readonly sink: InformationSink
  private readonly scanner: FrameScanner
  private readonly pending: Assembly

  /** `maxBytes` bounds what segments may add up to. */
  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.pending = new Assembly(sink, maxBytes, TIMEOUT_MS)
    this.scanner = new FrameScanner(
      new MbusFormat((frame, at) => this.frame(frame, at)),
      (error, offset, length, at) => this.pending.addRejected(error, offset, length, at),
    )
  }

  push(chunk: Uint8Array, at: Instant): void {
    this.scanner.push(chunk, at)
    this.expire(at)
  }

  wake(now: Instant): void {
    this.scanner.wake(now)
    this.expire(now)
  }

  /** A frame that is still arriving may be the next segment: at 2400 baud a long one takes more than a second. */
  private expire(now: Instant): void {
    if (this.scanner.wakeAt === undefined) this.pending.wake(now)
  }

  get wakeAt(): Instant | undefined {
    return this.scanner.wakeAt ?? this.pending.wakeAt
  }

  get heldBytes(): number {
    return this.scanner.heldBytes + this.pending.heldBytes
  }

  private frame(frame: MbusFrame, at: Instant): void {
    const { bytes, start, end, control } = frame
    const ci = bytes[start]!
    if (start < end && (ci & CI_OTHER) === 0) {
      this.segment(frame, ci, at)
      return
    }
    this.drop('the last segment is missing: something else begins', at)
    if (start === end && control === SND_NKE)
      this.sink.information(informationOf(frame, 'snd-nke', start), at)
    else if (start < end && ci === CI_OMS)
      this.sink.information(informationOf(frame, 'oms', start), at)
    else this.reject(frame, 'APDU_UNKNOWN', nameOf(frame), at)
  }

  private segment(frame: MbusFrame, ci: number, at: Instant): void {
    const { pending } = this
    const number = ci & CI_NUMBER
    const isLast = (ci & CI_FIN) !== 0
    const start = frame.start + SEGMENT_HEADER
    if (number === 0) this.drop('the last segment is missing: a new telegram begins', at)
    if (start > frame.end) {
      this.drop('a segment without addresses came between', at)
      this.reject(frame, 'LINK_BAD_FORMAT', `${nameOf(frame)} has no STSAP and DTSAP`, at)
      return
    }
    const piece = informationOf(frame, 'pdu', start)
    if (number === 0 && isLast) {
      this.sink.information(piece, at)
      return
    }
    if (!pending.isSpoiled && number !== pending.pieces)
      pending.spoil(
        'LINK_INCOMPLETE',
        `segment ${number} came where ${pending.pieces} was expected`,
      )
    pending.add(piece, start, frame.end, at)
    if (isLast && !pending.isSpoiled) pending.complete(1, at)
  }

  private drop(detail: string, at: Instant): void {
    this.pending.drop('LINK_INCOMPLETE', detail, at)
  }

  private reject(frame: MbusFrame, code: DecodeErrorCode, detail: string, at: Instant): void {
    this.sink.rejected(new DecodeError(code, 0, detail), frame.offset, frame.length, at)
  }
}

function informationOf(frame: MbusFrame, kind: InformationKind, start: number): Information {
  const { bytes, end, offset, length } = frame
  return {
    kind,
    bytes,
    start,
    end,
    integrity: 'checksum',
    source: 0,
    segments: 1,
    repaired: false,
    offset,
    length,
  }
}

function nameOf({ bytes, start, end, control }: MbusFrame): string {
  return start === end
    ? `an M-Bus short frame with C ${hex(control)}`
    : `an M-Bus frame with CI ${hex(bytes[start]!)}`
}
