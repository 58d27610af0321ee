import type { Instant } from '../reading.ts'
import { HdlcDeframer } from './hdlc.ts'
import type { InformationSink, Link } from './information.ts'
import { SegmentJoiner } from './segments.ts'

/** HDLC as meters push it: frames, and segments put together. */
export class HdlcLink implements Link {
  private readonly deframer: HdlcDeframer
  private readonly joiner: SegmentJoiner

  /** `maxBytes` bounds what segments may add up to. */
  constructor(
    sink: InformationSink,
    options: { readonly maxBytes: number; readonly repairCrlf: boolean },
  ) {
    const joiner = new SegmentJoiner(sink, options.maxBytes)
    this.joiner = joiner
    this.deframer = new HdlcDeframer(
      {
        frame: (frame, at) => joiner.frame(frame, at),
        rejected: (error, offset, length, at) => {
          joiner.drop('LINK_INCOMPLETE', 'damaged bytes came between the segments', at)
          sink.rejected(error, offset, length, at)
        },
      },
      options,
    )
  }

  push(chunk: Uint8Array, at: Instant): void {
    this.deframer.push(chunk, at)
    this.expire(at)
  }

  wake(now: Instant): void {
    this.deframer.wake(now)
    this.expire(now)
  }

  /** A frame that is still arriving may be the next segment: at 2400 baud a long one takes more than a second. */
  private expire(now: Instant): void {
    if (this.deframer.wakeAt === undefined) this.joiner.wake(now)
  }

  get wakeAt(): Instant | undefined {
    return this.deframer.wakeAt ?? this.joiner.wakeAt
  }

  get heldBytes(): number {
    return this.deframer.heldBytes + this.joiner.heldBytes
  }
}
