/**
 * A meter sends the same messages again and again with other numbers in them. The frame before serves as a pattern: a
 * frame that differs from it in no type, length, name, unit or scaler need not be scanned, for its values stand in the
 * same places.
 */
import { BytePattern } from '../../src/bytes/pattern.ts'
import type { SmlFrame } from '../../src/link/sml-transport.ts'
import type { SmlList } from '../../src/sml/get-list.ts'
import { readEnvelope } from '../../src/sml/message.ts'
import { type SmlTape, TYPE } from '../../src/sml/tape.ts'

export class KnownFrame {
  private readonly pattern = new BytePattern()

  /** True if the tape, which holds the list of the known frame, holds for this one as well; it is moved there. */
  recall(frame: SmlFrame, tape: SmlTape): boolean {
    if (!this.pattern.fits(frame.bytes, frame.start, frame.end)) return false
    tape.move(frame.bytes, frame.start)
    return true
  }

  /** To be called before the tape is used for anything else. */
  forget(): void {
    this.pattern.forget()
  }

  /** Learns the frame whose only list is `list` and begins at `place`; leaves that list on the tape. */
  learn({ bytes, start, end }: SmlFrame, tape: SmlTape, list: SmlList, place: number): void {
    const { pattern } = this
    pattern.learn(bytes, start, end)
    for (let at = start; at < end; ) {
      at = tape.scan(bytes, at, end, start)
      for (let i = 0; i < tape.count; i++)
        if (tape.type[i] !== TYPE.list) pattern.free(tape.start[i]!, tape.end[i]!)
      fix(pattern, tape, readEnvelope(tape))
    }
    tape.scan(bytes, place, end, start)
    for (let i = 0; i < list.count; i++) {
      const name = list.name[i]!
      const unit = tape.next[tape.next[list.status[i]!]!]!
      for (const element of [name, unit, tape.next[unit]!]) fix(pattern, tape, element)
    }
  }
}

function fix(pattern: BytePattern, tape: SmlTape, i: number): void {
  pattern.fix(tape.start[i]!, tape.end[i]!)
}
