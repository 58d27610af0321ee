/**
 * Finds frames in bytes cut anywhere: what all deframers have in common, whatever their frames look like.
 *
 * A frame's length and checks delimit it. A candidate that turns out to be none is searched again from one byte behind
 * its beginning, so that a good frame inside the damaged bytes is not lost. No timer delimits a frame; silence only ends
 * what is incomplete. Bytes that gave nothing are handed over as unbroken runs, with the fate of their first candidate.
 */
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'

/**
 * What the bytes at the scan position are: a frame of so many bytes, too few to tell (`wait`), the beginning of nothing
 * (`noise`), or what transports put between telegrams (`fill`).
 */
export type Verdict = number | 'wait' | 'fill' | 'noise'

/** Where a candidate says why it is none. */
export interface Faults {
  /** Its header was good and announces a frame of `length` bytes. */
  frame(length: number, detail: string): void
  /** A check over its header failed. */
  header(detail: string): void
}

/** One kind of frame. */
export interface FrameFormat {
  /** Longest frame, bytes. */
  readonly maxLength: number
  /** Silence that ends what is incomplete. */
  readonly idleMs: number
  /** Bytes at the end of a frame that may begin the next one as well. */
  readonly sharedLength: number
  /** What is said of bytes that no frame begins in. */
  readonly nothingFound: string
  /** True if one held byte may wait for ever without anything being pending. */
  mayRest(byte: number): boolean
  /**
   * Judges the candidate at `bytes[at]`; `end` is behind the last byte received, `offset` its place in the input. With
   * `isFinal` no more bytes will come: only a byte that may rest is then still waited for.
   */
  judge(
    bytes: Uint8Array,
    at: number,
    end: number,
    offset: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict
  /** Takes the frame at `bytes[at]` that was just judged to be one, and its span in the input. */
  accept(bytes: Uint8Array, at: number, offset: number, length: number, instant: Instant): void
}

/** Receives runs of bytes that gave no frame. */
export type RejectedRun = (
  error: DecodeError,
  offset: number,
  length: number,
  instant: Instant,
) => void

/** What became of the first candidate of a run: decides the run's code. */
interface Fate {
  /** Input offset behind the frame it announced, shared bytes excluded. */
  readonly expectedEnd: number
  readonly detail: string
}

export class FrameScanner implements Faults {
  private readonly format: FrameFormat
  private readonly rejected: RejectedRun
  private readonly buffer: Uint8Array
  /** Bytes in the buffer. */
  private end = 0
  /** Scan position: everything before it is accounted for. */
  private at = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  /** Input offset behind the last accepted frame. */
  private accepted = 0
  /** Input offset of the open run of rejected bytes, -1 if none. */
  private runStart = -1
  private fate: Fate | undefined
  private headerFault: string | undefined

  constructor(format: FrameFormat, rejected: RejectedRun) {
    this.format = format
    this.rejected = rejected
    // Two of the longest frames: a candidate always fits, whatever precedes it.
    this.buffer = new Uint8Array(2 * format.maxLength)
  }

  /** Bytes that may still become part of a frame. */
  get heldBytes(): number {
    return this.end - this.at
  }

  /** When silence would end what is pending; `undefined` while nothing is. */
  get wakeAt(): Instant | undefined {
    return this.pending ? this.lastByteAt + this.format.idleMs : undefined
  }

  /** Takes bytes cut anywhere; copies them. `instant` is when the last of them arrived. */
  push(chunk: Uint8Array, instant: Instant): void {
    this.lastByteAt = instant
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(chunk.length - taken, this.buffer.length - this.end)
      this.buffer.set(
        count === chunk.length ? chunk : chunk.subarray(taken, taken + count),
        this.end,
      )
      this.end += count
      taken += count
      this.scan(false)
      this.compact()
    }
  }

  /** Ends what silence until `now` shows to be incomplete; `Infinity` ends the input. */
  wake(now: Instant): void {
    if (!this.pending || now < this.lastByteAt + this.format.idleMs) return
    this.scan(true)
    this.endRun(this.base + this.at)
    this.compact()
  }

  frame(length: number, detail: string): void {
    const expectedEnd = this.base + this.at + length - this.format.sharedLength
    this.fate ??= { expectedEnd, detail }
  }

  header(detail: string): void {
    this.headerFault ??= detail
  }

  private get pending(): boolean {
    if (this.runStart >= 0) return true
    const held = this.end - this.at
    return held > 1 || (held === 1 && !this.format.mayRest(this.buffer[this.at]!))
  }

  private scan(isFinal: boolean): void {
    const { format, buffer } = this
    while (this.at < this.end) {
      const verdict = format.judge(buffer, this.at, this.end, this.base + this.at, isFinal, this)
      if (verdict === 'wait') return
      if (typeof verdict === 'number') this.accept(verdict)
      else this.skip(verdict === 'noise')
    }
  }

  /** Accounts for the byte at the scan position. */
  private skip(isRejected: boolean): void {
    const offset = this.base + this.at
    if (isRejected && this.runStart < 0 && offset >= this.accepted) this.runStart = offset
    this.at++
  }

  private accept(length: number): void {
    const { at } = this
    const start = Math.max(this.base + at, this.accepted)
    this.endRun(start)
    this.at += length - this.format.sharedLength
    this.accepted = this.base + at + length
    this.format.accept(this.buffer, at, start, this.accepted - start, this.lastByteAt)
  }

  /** Hands over the open run of rejected bytes, which ends before `offset`. */
  private endRun(offset: number): void {
    if (this.runStart >= 0) {
      const [code, detail] = this.runFault(offset)
      const error = new DecodeError(code, 0, detail)
      this.rejected(error, this.runStart, offset - this.runStart, this.lastByteAt)
    }
    this.runStart = -1
    this.fate = undefined
    this.headerFault = undefined
  }

  private runFault(runEnd: number): [DecodeErrorCode, string] {
    if (this.fate !== undefined) {
      // A frame that should reach beyond the run lost bytes; one that ends inside it was damaged.
      const missing = this.fate.expectedEnd - runEnd
      return missing > 0
        ? ['LINK_INCOMPLETE', `a frame with a good header lacks ${missing} bytes`]
        : ['LINK_BAD_CHECKSUM', this.fate.detail]
    }
    if (this.headerFault !== undefined) return ['LINK_BAD_CHECKSUM', this.headerFault]
    return ['LINK_BAD_FORMAT', this.format.nothingFound]
  }

  private compact(): void {
    if (this.at === 0) return
    this.buffer.copyWithin(0, this.at, this.end)
    this.base += this.at
    this.end -= this.at
    this.at = 0
  }
}

/** Bytes that transports put between telegrams. */
export function isFill(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a || byte === 0x00
}
