/** The types of A-XDR data (Blue Book 4.1.5): tags, sizes, lengths and numbers. */
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
export const FIXED_SIZE: Int8Array = fixedSizes({
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

/** Deepest nesting accepted; no real list needs more than 5. */
export const MAX_DEPTH = 8

function fixedSizes(sizes: Readonly<Record<number, number>>): Int8Array {
  const table = new Int8Array(256).fill(-1)
  for (const [tag, size] of Object.entries(sizes)) table[Number(tag)] = size
  return table
}

/** 1 for integers, enums and floats. */
export const IS_NUMBER: Uint8Array = new Uint8Array(256)
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

/** True for the types whose contents begin with length octets. */
export function hasLength(tag: number): boolean {
  return (
    tag === TAG.octetString ||
    tag === TAG.visibleString ||
    tag === TAG.utf8String ||
    tag === TAG.bitString
  )
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

/** Value of the number, boolean or enum whose contents stand at `b[at]`; 0 for any other type. */
export function readNumber(tag: number, b: Uint8Array, at: number): number {
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
