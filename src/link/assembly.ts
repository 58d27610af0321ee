import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import type { Information, InformationSink } from './information.ts'

/**
 * An APDU that came in pieces, each in a frame of its own, and the span of those frames. Once something is wrong with
 * it, further pieces only lengthen the span that will be rejected, so that one abandoned APDU gives one rejection.
 */
export class Assembly {
  /** Pieces taken, of a spoiled APDU too. */
  pieces = 0
  /** When the last of them arrived. */
  lastAt: Instant = 0
  private readonly sink: InformationSink
  private readonly buffer: Uint8Array
  private filled = 0
  private first: Information | undefined
  private repaired = false
  /** Input offset behind the last piece. */
  private end = 0
  private fault: readonly [code: DecodeErrorCode, detail: string] | undefined

  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.buffer = new Uint8Array(maxBytes)
  }

  get heldBytes(): number {
    return this.filled
  }

  /** True once no more than a rejection can come of it. */
  get isSpoiled(): boolean {
    return this.fault !== undefined
  }

  /** HDLC source address of the first piece. */
  get source(): number {
    return this.first?.source ?? 0
  }

  /** Appends `piece.bytes[start..end)`, copied, and lengthens the span by the piece's. */
  add(piece: Information, start: number, end: number, at: Instant): void {
    if (this.first === undefined) this.first = { ...piece, bytes: this.buffer }
    this.pieces++
    this.lastAt = at
    this.end = piece.offset + piece.length
    this.repaired ||= piece.repaired
    if (this.fault !== undefined) return
    if (this.filled + end - start > this.buffer.length) {
      this.spoil('LINK_OVERFLOW', `pieces of more than ${this.buffer.length} bytes`)
      return
    }
    for (let from = start; from < end; from++) this.buffer[this.filled++] = piece.bytes[from]!
  }

  /** Says that what was taken can no longer become whole; the first reason counts. */
  spoil(code: DecodeErrorCode, detail: string): void {
    this.fault ??= [code, detail]
    this.filled = 0
  }

  /** Hands the APDU over, or the rejection of a spoiled one. `segments` as in {@link Information}. */
  complete(segments: number, at: Instant): void {
    const { first, fault, buffer, filled, repaired, end } = this
    if (first === undefined) return
    if (fault !== undefined) {
      this.drop(...fault, at)
      return
    }
    this.reset()
    const { kind, integrity, source, offset } = first
    const length = end - offset
    this.sink.information(
      {
        kind,
        bytes: buffer,
        start: 0,
        end: filled,
        integrity,
        source,
        segments,
        repaired,
        offset,
        length,
      },
      at,
    )
  }

  /** Gives up what is pending, for the reason it was spoiled for if there is one. */
  drop(code: DecodeErrorCode, detail: string, at: Instant): void {
    if (this.first === undefined) return
    const { offset } = this.first
    const length = this.end - offset
    const [why, what] = this.fault ?? [code, detail]
    this.reset()
    this.sink.rejected(new DecodeError(why, 0, what), offset, length, at)
  }

  private reset(): void {
    this.pieces = 0
    this.filled = 0
    this.first = undefined
    this.repaired = false
    this.fault = undefined
  }
}
