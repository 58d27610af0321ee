/**
 * Puts the information fields of segmented HDLC frames together to one APDU (IEC 62056-46: the segmentation bit says
 * that more follows). UI frames carry no sequence number, so a lost segment shows only in what follows it.
 */
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import type { HdlcFrame } from './hdlc.ts'
import type { Information, InformationSink } from './information.ts'
import { startsWithLlc } from './llc.ts'

/** The next segment follows within this time, or never. */
const TIMEOUT_MS = 1000

export class SegmentJoiner {
  private readonly sink: InformationSink
  private readonly buffer: Uint8Array
  private filled = 0
  private offset = 0
  private frames = 0
  private address = 0
  /** Input offset behind the last segment. */
  private end = 0
  private lastAt: Instant = 0

  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.buffer = new Uint8Array(maxBytes)
  }

  get heldBytes(): number {
    return this.filled
  }

  get wakeAt(): Instant | undefined {
    return this.frames > 0 ? this.lastAt + TIMEOUT_MS : undefined
  }

  /** Takes the next good frame. */
  frame(frame: HdlcFrame, at: Instant): void {
    if (this.frames > 0) {
      if (startsWithLlc(frame.bytes, frame.informationStart, frame.informationEnd))
        this.drop('LINK_INCOMPLETE', 'the last segment is missing: a new telegram begins', at)
      else if (frame.source !== this.address)
        this.drop('LINK_INCOMPLETE', 'the next segment came from another address', at)
    }
    const size = frame.informationEnd - frame.informationStart
    if (this.frames === 0 && !frame.segmented) {
      this.sink.information(
        {
          bytes: frame.bytes,
          start: frame.informationStart,
          end: frame.informationEnd,
          source: frame.source,
          repaired: frame.repaired,
          integrity: 'checksum',
          offset: frame.offset,
          length: frame.length,
        },
        at,
      )
      return
    }
    if (this.frames === 0) {
      this.offset = frame.offset
      this.address = frame.source
    }
    this.frames++
    this.end = frame.offset + frame.length
    this.lastAt = at
    if (this.filled + size > this.buffer.length) {
      this.drop('LINK_OVERFLOW', `segments of more than ${this.buffer.length} bytes`, at)
      return
    }
    for (let i = 0; i < size; i++)
      this.buffer[this.filled + i] = frame.bytes[frame.informationStart + i]!
    this.filled += size
    if (frame.segmented) return
    const information: Information = {
      bytes: this.buffer,
      start: 0,
      end: this.filled,
      source: this.address,
      repaired: frame.repaired,
      integrity: 'checksum',
      offset: this.offset,
      length: this.end - this.offset,
    }
    this.reset()
    this.sink.information(information, at)
  }

  /** Gives up what is pending: damaged bytes, or silence, came between. */
  drop(code: DecodeErrorCode, detail: string, at: Instant): void {
    if (this.frames === 0) return
    const { offset, end } = this
    this.reset()
    this.sink.rejected(new DecodeError(code, 0, detail), offset, end - offset, at)
  }

  /** Gives up what silence until `now` shows to be incomplete. */
  wake(now: Instant): void {
    if (this.frames > 0 && now >= this.lastAt + TIMEOUT_MS)
      this.drop('LINK_INCOMPLETE', `no further segment after ${this.frames}`, this.lastAt)
  }

  private reset(): void {
    this.filled = 0
    this.frames = 0
  }
}
