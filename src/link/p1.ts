/**
 * Deframer of the P1 port: text telegrams (see p1-text.ts), and the two ways in which they are encrypted.
 *
 * | form                  | bytes                                                                              |
 * |-----------------------|------------------------------------------------------------------------------------|
 * | text                  | `/` identification, lines, `!` CRC-16/ARC                                           |
 * | raw (Luxembourg, Austria) | a general-glo-ciphering envelope alone, whose content is a whole telegram       |
 * | embedded (Poland)     | `/` identification, blank line, an envelope without its tag DB, `!` and CRC-16/X-25 printed low byte first |
 *
 * `/` and `!` occur inside texts and ciphertext, so they delimit nothing by themselves: a candidate begins at every `/`
 * that an identification follows, and its CRC decides. What fails is searched again from one byte behind its start, so
 * that a good telegram behind a truncated one is not lost. A telegram leaves with its last byte; silence only ends what
 * is incomplete.
 */
import { crc16x25 } from '../bytes/crc16.ts'
import { hex } from '../bytes/hex.ts'
import type { DecodeError, DecodeErrorCode } from '../errors.ts'
import type { Instant } from '../reading.ts'
import { GENERAL_GLO, gloEnd } from './p1-glo.ts'
import {
  BANG,
  CR,
  copyMeant,
  hasEvenParity,
  hasWholeLines,
  identificationEnd,
  isCrcRight,
  isSevenBit,
  LF,
  lastStart,
  MAX_TELEGRAM,
  meant,
  NONE,
  readTail,
  SLASH,
  type Tail,
  WAIT,
} from './p1-text.ts'
import { RejectedRun } from './rejected-run.ts'

/** Beyond the longest telegram: its CRC and line end. */
const CAPACITY: number = MAX_TELEGRAM + 16
/** Longest pause inside a telegram is an adapter's packet interval (up to 293 ms); the next one begins after 900 ms. */
const IDLE_MS = 400

/** Faults of an envelope that was sent to somebody, whether or not it may be read here. */
const SHUT: ReadonlySet<DecodeErrorCode> = new Set([
  'CIPHER_KEY_NEEDED',
  'CIPHER_REPLAY',
  'CIPHER_UNSUPPORTED',
])

/** A text may hold something that looks like an end; more of them than this are no text. */
const MAX_MARKS = 16

/** One whole telegram. Valid only during the call that hands it over. */
export interface P1Telegram {
  readonly bytes: Uint8Array
  /** Index of `/`, or of the envelope's tag DB. */
  readonly start: number
  /** Index of the `!` of a text, or behind the envelope. */
  readonly end: number
  /** The identification line, where the envelope is embedded. */
  readonly identification?: Uint8Array
  /** `none`: a text without CRC, or a raw envelope. */
  readonly integrity: 'checksum' | 'none'
  /** Span in the input. */
  readonly offset: number
  readonly length: number
}

/** Receives what the deframer finds, in the order of the bytes. */
export interface P1Sink {
  text(telegram: P1Telegram, at: Instant): void
  /** Deciphers; returns why the envelope stays shut. */
  open(telegram: P1Telegram): DecodeError | undefined
  /** What {@link open} found last is to be told: it was a telegram, open or shut. */
  opened(telegram: P1Telegram, at: Instant): void
  /** An unbroken run of bytes that gave no telegram. */
  rejected(error: DecodeError, offset: number, length: number, at: Instant): void
}

/** `none`: nothing begins here. `failed`: a candidate with a good header that is no telegram. */
type Verdict = 'wait' | 'none' | 'failed' | 'accepted'

export class P1Deframer {
  private readonly sink: P1Sink
  private readonly buffer = new Uint8Array(CAPACITY)
  /** The telegram without its parity bits, or the envelope with its tag DB. */
  private readonly scratch = new Uint8Array(CAPACITY)
  /** Bytes in the buffer. */
  private end = 0
  /** Scan position: everything before it is accounted for. */
  private at = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  private readonly run = new RejectedRun()
  /** How far the candidate at the scan position was searched for the end of its identification, then for its `!`. */
  private searched = 0
  /** Index behind the candidate's identification, 0 while it is not known. */
  private bodyAt = 0
  /** End marks with a wrong CRC that the candidate holds in its texts. */
  private marks = 0
  /** Where the next candidate may begin at the earliest, if the one at the scan position fails. */
  private resumeAt = 0

  constructor(sink: P1Sink) {
    this.sink = sink
  }

  /** Bytes that may still become part of a telegram. */
  get heldBytes(): number {
    return this.end - this.at
  }

  /** When silence would end what is pending; `undefined` while nothing is. */
  get wakeAt(): Instant | undefined {
    return this.pending ? this.lastByteAt + IDLE_MS : undefined
  }

  /** Takes bytes cut anywhere; copies them. `at` is when the last of them arrived. */
  push(chunk: Uint8Array, at: Instant): void {
    this.lastByteAt = at
    for (let taken = 0; taken < chunk.length; ) {
      const count = Math.min(chunk.length - taken, CAPACITY - this.end)
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
    if (!this.pending || now < this.lastByteAt + IDLE_MS) return
    this.scan(true)
    this.endRun(this.base + this.at)
    this.compact()
  }

  private get pending(): boolean {
    return this.run.isOpen || this.end > this.at
  }

  private scan(final: boolean): void {
    while (this.at < this.end) {
      const byte = this.buffer[this.at]!
      const verdict =
        byte === GENERAL_GLO
          ? this.judgeRaw(final)
          : meant(byte) === SLASH
            ? this.judgeText(final)
            : 'none'
      if (verdict === 'wait') return
      if (verdict === 'accepted') continue
      if (verdict === 'failed' || !isFill(byte)) this.run.add(this.base + this.at)
      // Resume behind the start: a good telegram may begin inside the damaged one.
      this.moveTo(Math.max(this.at + 1, this.resumeAt))
    }
  }

  private moveTo(at: number): void {
    this.at = at
    this.searched = at
    this.bodyAt = 0
    this.marks = 0
    this.resumeAt = 0
  }

  private judgeText(final: boolean): Verdict {
    const { buffer, at, end } = this
    if (this.bodyAt === 0) {
      const body = identificationEnd(buffer, at, end, Math.max(this.searched, at + 1))
      if (body === NONE) return 'none'
      this.searched = end
      if (body === WAIT) return this.incomplete(final, 'the identification is incomplete')
      this.bodyAt = body
      this.searched = body
    }
    const embedded = this.judgeEmbedded(final)
    if (embedded !== 'none') return embedded
    for (;;) {
      const found = buffer.indexOf(BANG, this.searched)
      const bang = found < 0 || found >= end ? end : found
      if (bang - at > MAX_TELEGRAM)
        return this.fail(at, 'LINK_OVERFLOW', `no end within ${MAX_TELEGRAM} bytes`)
      this.searched = bang
      if (bang === end) return this.incomplete(final, 'no end mark ! after the last line')
      const tail = readTail(buffer, bang, end, final)
      if (tail === 'wait') return 'wait'
      const verdict = this.judgeEnd(bang, tail)
      if (verdict !== 'none') return verdict
      this.searched = bang + 1
    }
  }

  /** Whether the `!` at `bang` ends the candidate: `none` where it may stand inside a text. */
  private judgeEnd(bang: number, tail: Tail | undefined): Verdict {
    const { buffer, at } = this
    const isLineStart = buffer[bang - 1] === LF
    const hasCrc = tail !== undefined && tail.crc >= 0
    if (hasCrc && isCrcRight(buffer, at, bang, tail.crc) && isSevenBit(buffer, bang, tail.end))
      return this.acceptText(buffer, at, bang, tail, 'checksum')
    if (tail !== undefined && !isSevenBit(buffer, at, tail.end)) {
      const verdict = hasEvenParity(buffer, at, tail.end) ? this.judgeMeant(bang, tail) : 'none'
      if (verdict !== 'none') return verdict
    } else if (tail !== undefined && isWithoutCrc(buffer, this.bodyAt, bang, tail))
      return this.acceptText(buffer, at, bang, tail, 'none')
    if (!isLineStart && (tail === undefined || ++this.marks <= MAX_MARKS)) return 'none'
    this.resumeAt = lastStart(buffer, at, bang)
    if (tail === undefined)
      return this.fail(bang + 1, 'LINK_BAD_CHECKSUM', 'no CRC and line end behind the !')
    return hasCrc
      ? this.fail(tail.end, 'LINK_BAD_CHECKSUM', `CRC ${hex(tail.crc)} does not fit the text`)
      : this.fail(tail.end, 'LINK_BAD_FORMAT', 'no CRC, and lines that are not whole')
  }

  /** The same for a line of 7E1 read as 8N1: what the meter meant are the other seven bits. */
  private judgeMeant(bang: number, tail: Tail): Verdict {
    const { buffer, scratch, at } = this
    copyMeant(buffer, at, tail.end, scratch)
    const end = bang - at
    if (tail.crc >= 0 && isCrcRight(scratch, 0, end, tail.crc))
      return this.acceptText(scratch, 0, end, tail, 'checksum')
    if (isWithoutCrc(scratch, this.bodyAt - at, end, tail))
      return this.acceptText(scratch, 0, end, tail, 'none')
    return 'none'
  }

  private acceptText(
    bytes: Uint8Array,
    start: number,
    end: number,
    tail: Tail,
    integrity: P1Telegram['integrity'],
  ): Verdict {
    const offset = this.base + this.at
    const length = tail.end - this.at
    this.endRun(offset)
    this.moveTo(tail.end)
    this.sink.text({ bytes, start, end, integrity, offset, length }, this.lastByteAt)
    return 'accepted'
  }

  private judgeEmbedded(final: boolean): Verdict {
    const { buffer, scratch, at, end, bodyAt } = this
    if (bodyAt + 2 >= end) return 'none'
    if (buffer[bodyAt] !== CR || buffer[bodyAt + 1] !== LF) return 'none'
    const envelopeAt = bodyAt + 2
    const bang = gloEnd(buffer, envelopeAt, end, true)
    if (bang === NONE) return 'none'
    if (bang === WAIT || bang >= end)
      return this.incomplete(final, 'the envelope is incomplete', bang)
    const tail = buffer[bang] === BANG ? readTail(buffer, bang, end, final) : undefined
    if (tail === 'wait') return 'wait'
    const computed = crc16x25(buffer, at, bang + 1)
    const printed = ((computed & 0xff) << 8) | (computed >>> 8)
    if (tail?.crc !== printed || !isSevenBit(buffer, bang, tail.end))
      return this.fail(tail?.end ?? bang + 1, 'LINK_BAD_CHECKSUM', `CRC ${hex(printed)} expected`)
    scratch[0] = GENERAL_GLO
    scratch.set(buffer.subarray(envelopeAt, bang), 1)
    this.acceptEnvelope({
      bytes: scratch,
      start: 0,
      end: 1 + bang - envelopeAt,
      identification: buffer.subarray(at, bodyAt),
      integrity: 'checksum',
      offset: this.base + at,
      length: tail.end - at,
    })
    return 'accepted'
  }

  private judgeRaw(final: boolean): Verdict {
    const { buffer, at, end } = this
    const last = gloEnd(buffer, at + 1, end, false)
    if (last === NONE) return 'none'
    if (last === WAIT || last > end)
      return this.incomplete(final, 'the envelope is incomplete', last)
    // A telegram that failed for its tag alone has a line of its own.
    const offset = this.base + at
    if (this.run.hasFailedAt(offset, 'CIPHER_AUTH_FAILED')) this.endRun(offset)
    const telegram: P1Telegram = {
      bytes: buffer,
      start: at,
      end: last,
      integrity: 'none',
      offset,
      length: last - at,
    }
    const fault = this.acceptEnvelope(telegram)
    return fault === undefined ? 'accepted' : this.fail(last, fault.code, fault.detail)
  }

  /**
   * Opens an envelope and hands it over. Returns why it was none: the tag decides that of a raw one, and where it
   * cannot be asked, whether bytes of something else stand before.
   */
  private acceptEnvelope(telegram: P1Telegram): DecodeError | undefined {
    const fault = this.sink.open(telegram)
    const isRaw = telegram.integrity === 'none'
    if (fault !== undefined && isRaw && !(SHUT.has(fault.code) && !this.run.isOpen)) return fault
    this.endRun(telegram.offset)
    this.moveTo(this.at + telegram.length)
    this.sink.opened(telegram, this.lastByteAt)
    return undefined
  }

  /** More bytes are needed; `final` says that none come. `expectedEnd`: index behind the last of them, if known. */
  private incomplete(final: boolean, detail: string, expectedEnd: number = WAIT): Verdict {
    if (!final) return 'wait'
    return this.fail(Math.max(expectedEnd, this.end + 1), 'LINK_INCOMPLETE', detail)
  }

  private fail(expectedEnd: number, code: DecodeErrorCode, detail: string): Verdict {
    this.run.fail(this.base + expectedEnd, code, detail)
    return 'failed'
  }

  /** Hands over the open run of rejected bytes, which ends before `offset`. */
  private endRun(offset: number): void {
    const run = this.run.end(offset)
    if (run !== undefined) this.sink.rejected(run.error, run.offset, run.length, this.lastByteAt)
  }

  private compact(): void {
    if (this.at === 0) return
    this.buffer.copyWithin(0, this.at, this.end)
    if (this.bodyAt > 0) this.bodyAt -= this.at
    this.searched -= this.at
    this.base += this.at
    this.end -= this.at
    this.at = 0
  }
}

/** A text without a CRC ends with a `!` alone on its line, and shows whole lines. */
function isWithoutCrc(bytes: Uint8Array, body: number, bang: number, tail: Tail): boolean {
  return (
    tail.crc < 0 && tail.hasLineEnd && bytes[bang - 1] === LF && hasWholeLines(bytes, body, bang)
  )
}

/** Bytes that transports put between telegrams. */
function isFill(byte: number): boolean {
  return byte === CR || byte === LF || byte === 0x00
}
