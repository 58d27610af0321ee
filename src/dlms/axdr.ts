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

/** Data type tags. */
export const TAG = {
  nullData: 0x00,
  array: 0x01,
  structure: 0x02,
  boolean: 0x03,
  bitString: 0x04,
  doubleLong: 0x05,
  doubleLongUnsigned: 0x06,
  octetString: 0x09,
  visibleString: 0x0a,
  utf8String: 0x0c,
  bcd: 0x0d,
  integer: 0x0f,
  long: 0x10,
  unsigned: 0x11,
  longUnsigned: 0x12,
  compactArray: 0x13,
  long64: 0x14,
  long64Unsigned: 0x15,
  enum: 0x16,
  float32: 0x17,
  float64: 0x18,
  dateTime: 0x19,
  date: 0x1a,
  time: 0x1b,
  dontCare: 0xff,
} as const

/** Names of the types as DLMS writes them. */
export const TAG_NAMES: Readonly<Record<number, string>> = Object.fromEntries(
  Object.entries(TAG).map(([name, tag]) => [
    tag,
    name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`),
  ]),
)

/** Bytes of contents of the types that always have the same number; -1: the type is none of these. */
const FIXED_SIZE: Int8Array = fixedSizes({
  [TAG.nullData]: 0,
  [TAG.boolean]: 1,
  [TAG.doubleLong]: 4,
  [TAG.doubleLongUnsigned]: 4,
  [TAG.bcd]: 1,
  [TAG.integer]: 1,
  [TAG.long]: 2,
  [TAG.unsigned]: 1,
  [TAG.longUnsigned]: 2,
  [TAG.long64]: 8,
  [TAG.long64Unsigned]: 8,
  [TAG.enum]: 1,
  [TAG.float32]: 4,
  [TAG.float64]: 8,
  [TAG.dateTime]: 12,
  [TAG.date]: 5,
  [TAG.time]: 4,
  [TAG.dontCare]: 0,
})

function fixedSizes(sizes: Readonly<Record<number, number>>): Int8Array {
  const table = new Int8Array(256).fill(-1)
  for (const [tag, size] of Object.entries(sizes)) table[Number(tag)] = size
  return table
}

/** Deepest nesting accepted; no real list needs more than 5. */
const MAX_DEPTH = 8

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
  /** Number of elements of an array or structure, 0 otherwise. */
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
    this.bytes = reader.bytes
    this.base = reader.offset
    this.count = 0
    this.element(reader, 0)
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
    for (const i of this.variables) this.value[i] = this.number(this.tag[i]!, base + this.start[i]!)
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

  /** True for octet, visible and UTF-8 strings. */
  isString(i: number): boolean {
    const tag = this.tag[i]
    return tag === TAG.octetString || tag === TAG.visibleString || tag === TAG.utf8String
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

  /** Characters of a string element, one a byte, without padding blanks and NULs; see {@link isPrintable}. */
  text(i: number): string {
    let end = this.to(i)
    const start = this.from(i)
    while (end > start && (this.bytes[end - 1] === 0 || this.bytes[end - 1] === 0x20)) end--
    let text = ''
    for (let at = start; at < end; at++) text += String.fromCharCode(this.bytes[at]!)
    return text
  }

  /** True if a string element holds printable ASCII, padding NULs aside. */
  isPrintable(i: number): boolean {
    let end = this.to(i)
    const start = this.from(i)
    while (end > start && this.bytes[end - 1] === 0) end--
    for (let at = start; at < end; at++) {
      const byte = this.bytes[at]!
      if (byte < 0x20 || byte > 0x7e) return false
    }
    return true
  }

  private element(reader: Reader, depth: number): void {
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
      this.value[i] = this.number(tag, from)
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
        for (let item = 0; item < items; item++) this.element(reader, depth + 1)
        this.end[i] = reader.offset - this.base
        return
      }
      case TAG.octetString:
      case TAG.visibleString:
      case TAG.utf8String:
      case TAG.bitString: {
        const size = readLength(reader)
        this.start[i] = reader.take(tag === TAG.bitString ? Math.ceil(size / 8) : size) - this.base
        this.end[i] = reader.offset - this.base
        return
      }
      default:
        throw new DecodeError(
          'DATA_UNKNOWN_TAG',
          this.base + at - reader.start,
          `${hex(tag)} is no data type`,
        )
    }
  }

  private number(tag: number, at: number): number {
    const b = this.bytes
    switch (tag) {
      case TAG.boolean:
      case TAG.unsigned:
      case TAG.enum:
      case TAG.bcd:
        return b[at]!
      case TAG.integer:
        return (b[at]! << 24) >> 24
      case TAG.longUnsigned:
        return (b[at]! << 8) | b[at + 1]!
      case TAG.long:
        return ((b[at]! << 24) | (b[at + 1]! << 16)) >> 16
      case TAG.doubleLongUnsigned:
        return u32(b, at)
      case TAG.doubleLong:
        return u32(b, at) | 0
      case TAG.long64Unsigned:
        return u32(b, at) * 0x1_0000_0000 + u32(b, at + 4)
      case TAG.long64:
        return (u32(b, at) | 0) * 0x1_0000_0000 + u32(b, at + 4)
      case TAG.float32:
        return new DataView(b.buffer, b.byteOffset + at, 4).getFloat32(0)
      case TAG.float64:
        return new DataView(b.buffer, b.byteOffset + at, 8).getFloat64(0)
      default:
        return 0
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

const IS_NUMBER: Uint8Array = new Uint8Array(256)
for (const tag of [
  TAG.doubleLong,
  TAG.doubleLongUnsigned,
  TAG.integer,
  TAG.long,
  TAG.unsigned,
  TAG.longUnsigned,
  TAG.long64,
  TAG.long64Unsigned,
  TAG.enum,
  TAG.float32,
  TAG.float64,
])
  IS_NUMBER[tag] = 1

function u32(b: Uint8Array, at: number): number {
  return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0
}

/** Length octets: one byte, or 80+n followed by n bytes, of which more than needed may be sent. */
export function readLength(reader: Reader): number {
  const first = reader.u8()
  if (first < 0x80) return first
  const octets = first & 0x7f
  if (octets === 0 || octets > 4)
    throw new DecodeError(
      'DATA_BAD_VALUE',
      reader.offset - 1 - reader.start,
      `a length of ${octets} octets, 1 to 4 expected`,
    )
  let value = 0
  for (let i = 0; i < octets; i++) value = value * 256 + reader.u8()
  return value
}

function enlarged<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
