/**
 * Puts the information fields of segmented HDLC frames together to one APDU (IEC 62056-46: the segmentation bit says
 * that more follows). UI frames carry no sequence number, so a lost segment shows only in what follows it.
 */
import type { DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import { Assembly } from './assembly.ts'
import type { HdlcFrame } from './hdlc.ts'
import type { Information, InformationSink } from './information.ts'
import { startsWithLlc } from './llc.ts'

/** The next segment begins within this time, or never. */
const TIMEOUT_MS = 1000

export class SegmentJoiner {
  private readonly sink: InformationSink
  private readonly pending: Assembly

  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.pending = new Assembly(sink, maxBytes, TIMEOUT_MS)
  }

  get heldBytes(): number {
    return this.pending.heldBytes
  }

  get wakeAt(): Instant | undefined {
    return this.pending.wakeAt
  }

  /** Takes the next good frame. */
  frame(frame: HdlcFrame, at: Instant): void {
    const { pending } = this
    const information: Information = {
      kind: 'pdu',
      bytes: frame.bytes,
      start: frame.informationStart,
      end: frame.informationEnd,
      integrity: 'checksum',
      source: frame.source,
      segments: 1,
      repaired: frame.repaired,
      offset: frame.offset,
      length: frame.length,
    }
    const { bytes, start, end } = information
    if (pending.isPending) {
      if (startsWithLlc(bytes, start, end))
        this.drop('LINK_INCOMPLETE', 'the last segment is missing: a new telegram begins', at)
      else if (frame.source !== pending.source)
        this.drop('LINK_INCOMPLETE', 'the next segment came from another address', at)
    }
    if (!pending.isPending && !frame.segmented) {
      this.sink.information(information, at)
      return
    }
    pending.add(information, start, end, at)
    if (!frame.segmented) pending.complete(pending.pieces, at)
  }

  /** Gives up what is pending: damaged bytes, or silence, came between. */
  drop(code: DecodeErrorCode, detail: string, at: Instant): void {
    this.pending.drop(code, detail, at)
  }

  /** Gives up what silence until `now` shows to be incomplete. */
  wake(now: Instant): void {
    this.pending.wake(now)
  }
}
