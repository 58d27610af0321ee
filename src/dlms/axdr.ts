/**
 * A-XDR data (IEC 61334-6, types of the Blue Book 4.1.5) as a tape: one pass over the bytes checks everything and
 * notes, for each element in order, its type, where its contents stand and, for numbers, their value. Grammars then
 * read the tape by index. No tree is built, and every element knows its bytes, which is what an explanation needs.
 *
 * A meter sends the same list again and again with other numbers in it. {@link AxdrTape.refresh} recognises that by
 * comparing every byte but those of its values, and then reads the values alone.
 */

import { hex, toHex } from '../bytes/hex.ts'
import type { Reader } from '../bytes/reader.ts'
import { DecodeError } from '../errors.ts'
import { FIXED_SIZE, IS_NUMBER, MAX_DEPTH, readLength, readNumber, TAG } from './axdr-types.ts'
import { scanCompactArray } from './compact-array.ts'

export { readLength, TAG, TAG_NAMES } from './axdr-types.ts'

const UTF8 = new TextDecoder()
/** What the decoder puts where bytes are no UTF-8. */
const UNDECODABLE = '\ufffd'

export class AxdrTape {
  /** Elements on the tape, the body's own outermost element first. */
  count = 0
  /** The buffer that was scanned. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Index in {@link bytes} of the first scanned byte; the positions below count from it. */
  base = 0
  /** Type of element i. */
  tag: Uint8Array = new Uint8Array(256)
  /** Position of the tag byte of element i. */
  at: Uint32Array = new Uint32Array(256)
  /** Position of its contents. */
  start: Uint32Array = new Uint32Array(256)
  /** Position behind its contents; for arrays and structures behind their last element. */
  end: Uint32Array = new Uint32Array(256)
  /** Number of elements of an array, compact array or structure, number of bits of a bit string, 0 otherwise. */
  items: Uint32Array = new Uint32Array(256)
  /** Nesting, 0 = the body itself. */
  depth: Uint8Array = new Uint8Array(256)
  /** Value of a number or enum; for 64-bit integers beyond 2^53 the nearest double (see {@link exact}). */
  value: Float64Array = new Float64Array(256)
  /** Bytes of the learned body; 0 while there is none. */
  private size = 0
  private firstCount = -1
  /** The learned body, compared four bytes at a time; ones in the mask where a bit must stay. */
  private pattern: Uint32Array = new Uint32Array(0)
  private mask: Uint32Array = new Uint32Array(0)
  /** The body to be compared, as words and as bytes. */
  private words: Uint32Array = new Uint32Array(0)
  private window: Uint8Array = new Uint8Array(0)
  private variables: Uint32Array = new Uint32Array(0)

  /**
   * Scans one element with all it contains from the reader's position.
   * Throws DATA_TRUNCATED, DATA_UNKNOWN_TAG, DATA_TOO_DEEP.
   */
  scan(reader: Reader): void {
    this.begin(reader)
    this.append(reader, 0)
  }

  /** Empties the tape; what is appended from now on stands from the reader's position. */
  begin(reader: Reader): void {
    this.bytes = reader.bytes
    this.base = reader.offset
    this.count = 0
  }

  /** Puts an element behind the others whose bytes do not say its type; {@link end} is left to be set. */
  place(tag: number, at: number, start: number, depth: number, items: number): number {
    const i = this.count++
    if (i === this.tag.length) this.grow()
    this.tag[i] = tag
    this.at[i] = at - this.base
    this.start[i] = start - this.base
    this.depth[i] = depth
    this.items[i] = items
    this.value[i] = 0
    return i
  }

  /**
   * Reads a body of the same list from `bytes[base..end)`: false, and nothing done, unless every byte but those of
   * its variables is the one of the body that {@link learn} saw.
   */
  refresh(bytes: Uint8Array, base: number, end: number): boolean {
    const { size, pattern, mask, words } = this
    if (size === 0 || end - base < size || bytes[base + 1] !== this.firstCount) return false
    this.window.set(bytes.subarray(base, base + size))
    for (let i = 0; i < words.length; i++)
      if (((words[i]! ^ pattern[i]!) & mask[i]!) !== 0) return false
    this.bytes = bytes
    this.base = base
    for (const i of this.variables)
      this.value[i] = readNumber(this.tag[i]!, bytes, base + this.start[i]!)
    return true
  }

  /**
   * Remembers the scanned body as the pattern for {@link refresh}. `variables` are the elements whose contents may
   * change: numbers, booleans and date-times; scalers and units are not among them.
   */
  learn(variables: readonly number[]): void {
    const size = this.end[0]!
    const wordCount = Math.ceil(size / 4)
    this.size = size
    this.firstCount = this.bytes[this.base + 1]!
    this.words = new Uint32Array(wordCount)
    this.window = new Uint8Array(this.words.buffer)
    this.pattern = new Uint32Array(wordCount)
    new Uint8Array(this.pattern.buffer).set(this.bytes.subarray(this.base, this.base + size))
    this.mask = new Uint32Array(wordCount)
    const mask = new Uint8Array(this.mask.buffer).fill(0xff, 0, size)
    for (const i of variables) mask.fill(0, this.start[i]!, this.end[i]!)
    this.variables = Uint32Array.from(variables)
  }

  /** Index in {@link bytes} of the contents of element i. */
  from(i: number): number {
    return this.base + this.start[i]!
  }

  /** Index in {@link bytes} behind the contents of element i. */
  to(i: number): number {
    return this.base + this.end[i]!
  }

  /** True for twelve bytes that can be a date-time: an octet string, or the type of its own. */
  isDateTime(i: number): boolean {
    const tag = this.tag[i]
    return tag === TAG.dateTime || (tag === TAG.octetString && this.end[i]! - this.start[i]! === 12)
  }

  /** Index behind element i and all it contains. */
  next(i: number): number {
    let next = i + 1
    while (next < this.count && this.depth[next]! > this.depth[i]!) next++
    return next
  }

  /** True for an octet string of six bytes, the form of a logical name. */
  isLogicalName(i: number): boolean {
    return this.tag[i] === TAG.octetString && this.end[i]! - this.start[i]! === 6
  }

  /** True for what holds further elements of the tape: array, compact array and structure. */
  isContainer(i: number): boolean {
    const tag = this.tag[i]
    return tag === TAG.array || tag === TAG.structure || tag === TAG.compactArray
  }

  /** True for octet, visible and UTF-8 strings. */
  isString(i: number): boolean {
    const tag = this.tag[i]
    return tag === TAG.octetString || tag === TAG.visibleString || tag === TAG.utf8String
  }

  /** Bits of a bit string as 0 and 1, the most significant of each byte first. */
  bits(i: number): string {
    let text = ''
    for (let bit = 0; bit < this.items[i]!; bit++)
      text += (this.bytes[this.from(i) + (bit >> 3)]! >> (7 - (bit & 7))) & 1
    return text
  }

  /** True for integers, enums and floats. */
  isNumber(i: number): boolean {
    return IS_NUMBER[this.tag[i]!] === 1
  }

  /** A 64-bit integer beyond 2^53 as decimal text, any other number as it is. */
  exact(i: number): number | string {
    const value = this.value[i]!
    const tag = this.tag[i]
    if ((tag !== TAG.long64 && tag !== TAG.long64Unsigned) || Number.isSafeInteger(value))
      return value
    const digits = BigInt(`0x${toHex(this.bytes, this.from(i), this.to(i))}`)
    return (tag === TAG.long64 ? BigInt.asIntN(64, digits) : digits).toString()
  }

  /**
   * Characters of a string element, one a byte but for UTF-8 strings, without padding blanks and NULs; see
   * {@link isPrintable}.
   */
  text(i: number): string {
    let end = this.to(i)
    const start = this.from(i)
    while (end > start && (this.bytes[end - 1] === 0 || this.bytes[end - 1] === 0x20)) end--
    if (this.tag[i] === TAG.utf8String) return UTF8.decode(this.bytes.subarray(start, end))
    let text = ''
    for (let at = start; at < end; at++) text += String.fromCharCode(this.bytes[at]!)
    return text
  }

  /** True if a string element holds printable ASCII, a UTF-8 string any characters; padding NULs aside. */
  isPrintable(i: number): boolean {
    let end = this.to(i)
    const start = this.from(i)
    const isUtf8 = this.tag[i] === TAG.utf8String
    while (end > start && this.bytes[end - 1] === 0) end--
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at]!
      if (byte < 0x20 || byte === 0x7f || (byte > 0x7f && !isUtf8)) return false
    }
    return !isUtf8 || !this.text(i).includes(UNDECODABLE)
  }

  /** Scans one element with all it contains behind those that are there. */
  append(reader: Reader, depth: number): void {
    const i = this.count++
    if (i === this.tag.length) this.grow()
    const at = reader.offset - this.base
    const tag = reader.u8()
    this.tag[i] = tag
    this.at[i] = at
    this.depth[i] = depth
    this.items[i] = 0
    const size = FIXED_SIZE[tag]!
    if (size >= 0) {
      const from = reader.take(size)
      this.start[i] = from - this.base
      this.end[i] = reader.offset - this.base
      this.value[i] = readNumber(tag, this.bytes, from)
      return
    }
    this.value[i] = 0
    switch (tag) {
      case TAG.array:
      case TAG.structure: {
        const items = readLength(reader)
        if (depth === MAX_DEPTH)
          throw new DecodeError(
            'DATA_TOO_DEEP',
            this.base + at - reader.start,
            `nested deeper than ${MAX_DEPTH} levels`,
          )
        // Every element takes at least one byte: a count is a claim until the bytes are there.
        if (items > reader.remaining)
          throw new DecodeError(
            'DATA_TRUNCATED',
            this.base + at - reader.start,
            `${items} elements announced, ${reader.remaining} bytes left`,
          )
        this.items[i] = items
        this.start[i] = reader.offset - this.base
        for (let item = 0; item < items; item++) this.append(reader, depth + 1)
        this.end[i] = reader.offset - this.base
        return
      }
      case TAG.octetString:
      case TAG.visibleString:
      case TAG.utf8String:
      case TAG.bitString: {
        const size = readLength(reader)
        const isBits = tag === TAG.bitString
        if (isBits) this.items[i] = size
        this.start[i] = reader.take(isBits ? Math.ceil(size / 8) : size) - this.base
        this.end[i] = reader.offset - this.base
        return
      }
      case TAG.compactArray:
        scanCompactArray(this, reader, i, depth)
        return
      default:
        throw new DecodeError(
          'DATA_UNKNOWN_TAG',
          this.base + at - reader.start,
          `${hex(tag)} is no data type`,
        )
    }
  }

  private grow(): void {
    const size = this.tag.length * 2
    this.tag = enlarged(this.tag, new Uint8Array(size))
    this.depth = enlarged(this.depth, new Uint8Array(size))
    this.at = enlarged(this.at, new Uint32Array(size))
    this.start = enlarged(this.start, new Uint32Array(size))
    this.end = enlarged(this.end, new Uint32Array(size))
    this.items = enlarged(this.items, new Uint32Array(size))
    this.value = enlarged(this.value, new Float64Array(size))
  }
}

function enlarged<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
