import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import type { Information, InformationSink } from './information.ts'

/**
 * An APDU that came in pieces, each in a frame of its own, and the span of those frames. Once something is wrong with
 * it, further pieces and damaged bytes only lengthen the span that will be rejected: an unbroken run gives one rejection,
 * for the reason that came first.
 */
export class Assembly {
  /** Pieces taken, those of a spoiled APDU included. */
  pieces = 0
  private readonly sink: InformationSink
  private readonly timeoutMs: number
  private readonly buffer: Uint8Array
  private filled = 0
  /** The first piece: what it says of itself holds for the whole. */
  private first: Information | undefined
  private repaired = false
  /** Input offsets of the first byte and behind the last. */
  private offset = 0
  private end = 0
  /** When the last piece of a whole APDU arrived, or that which spoiled it. */
  private lastAt: Instant | undefined
  private fault: readonly [code: DecodeErrorCode, detail: string] | undefined

  /** `maxBytes` bounds the APDU; after `timeoutMs` without a further piece it is given up. */
  constructor(sink: InformationSink, maxBytes: number, timeoutMs: number) {
    this.sink = sink
    this.timeoutMs = timeoutMs
    this.buffer = new Uint8Array(maxBytes)
  }

  get heldBytes(): number {
    return this.filled
  }

  /** When what is pending is given up; `undefined` while nothing is. */
  get wakeAt(): Instant | undefined {
    return this.lastAt === undefined ? undefined : this.lastAt + this.timeoutMs
  }

  get isPending(): boolean {
    return this.lastAt !== undefined
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
    this.lengthen(piece.offset, piece.length, at)
    this.pieces++
    if (this.fault !== undefined) return
    this.first ??= { ...piece, bytes: this.buffer }
    this.repaired ||= piece.repaired
    if (this.filled + end - start > this.buffer.length)
      this.spoil('LINK_OVERFLOW', `pieces of more than ${this.buffer.length} bytes`)
    else for (let i = start; i < end; i++) this.buffer[this.filled++] = piece.bytes[i]!
  }

  /** Lengthens the span by a run of bytes that gave no piece, which spoils it. */
  addRejected(error: DecodeError, offset: number, length: number, at: Instant): void {
    const { code, detail } = error
    if (this.isPending) this.spoil('LINK_INCOMPLETE', `after ${this.pieces} pieces: ${detail}`)
    else this.spoil(code, detail)
    this.lengthen(offset, length, at)
  }

  /** Says that what was taken, and what is added next, can no longer become whole; the first reason counts. */
  spoil(code: DecodeErrorCode, detail: string): void {
    this.fault ??= [code, detail]
    this.filled = 0
  }

  /** Hands over what is whole, or the rejection of what was spoiled. `segments` as in {@link Information}. */
  complete(segments: number, at: Instant): void {
    const { first, fault, buffer, filled, repaired, offset, end } = this
    if (first === undefined || fault !== undefined) {
      this.drop('LINK_INCOMPLETE', 'nothing is whole', at)
      return
    }
    this.reset()
    const { kind, integrity, source } = first
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
        length: end - offset,
      },
      at,
    )
  }

  /** Gives up what is pending, for the reason it was spoiled for if there is one. */
  drop(code: DecodeErrorCode, detail: string, at: Instant): void {
    if (!this.isPending) return
    const { offset, end } = this
    const [why, what] = this.fault ?? [code, detail]
    this.reset()
    this.sink.rejected(new DecodeError(why, 0, what), offset, end - offset, at)
  }

  /** Gives up what silence until `now` shows to be incomplete. */
  wake(now: Instant): void {
    const { wakeAt, lastAt, pieces } = this
    if (wakeAt !== undefined && lastAt !== undefined && now >= wakeAt)
      this.drop('LINK_INCOMPLETE', `nothing further came after piece ${pieces}`, lastAt)
  }

  /** A spoiled APDU keeps its time, so that lasting disturbance is told of again and again. */
  private lengthen(offset: number, length: number, at: Instant): void {
    if (!this.isPending) this.offset = offset
    if (!this.isPending || !this.isSpoiled) this.lastAt = at
    this.end = offset + length
  }

  private reset(): void {
    this.pieces = 0
    this.filled = 0
    this.first = undefined
    this.repaired = false
    this.lastAt = undefined
    this.fault = undefined
  }
}
