/**
 * Type descriptions of compact data (IEC 62056-6-2 class 62, attribute 5): one tag for a simple type; 02, count, types
 * for a structure; 01, count u16, type for an array. The described buffer has neither tags nor counts.
 */
import { hex } from '../bytes/hex.ts'
import type { Reader } from '../bytes/reader.ts'
import { readLength, TAG } from '../dlms/axdr.ts'
import { DecodeError } from '../errors.ts'

/** A description that was read. */
export interface Types {
  /** Moves past the bytes of one value of these types. Throws DATA_TRUNCATED. */
  pass(reader: Reader): void
}

const SIZES: Readonly<Record<number, number>> = {
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
}

const STRINGS: readonly number[] = [TAG.octetString, TAG.visibleString, TAG.utf8String]

/** Deepest nesting accepted. */
const MAX_DEPTH = 4

/** Reads a description. Throws DATA_UNKNOWN_TAG, DATA_TOO_DEEP, DATA_TRUNCATED. */
export function readTypes(reader: Reader, depth = 0): Types {
  const at = reader.offset - reader.start
  const tag = reader.u8()
  const size = SIZES[tag]
  if (size !== undefined) return { pass: buffer => void buffer.take(size) }
  if (STRINGS.includes(tag)) return { pass: buffer => void buffer.take(readLength(buffer)) }
  if (tag === TAG.bitString)
    return { pass: buffer => void buffer.take(Math.ceil(readLength(buffer) / 8)) }
  if (tag !== TAG.structure && tag !== TAG.array)
    throw new DecodeError('DATA_UNKNOWN_TAG', at, `${hex(tag)} in a type description`)
  if (depth === MAX_DEPTH)
    throw new DecodeError('DATA_TOO_DEEP', at, `nested deeper than ${MAX_DEPTH} levels`)
  return tag === TAG.structure ? readStructure(reader, depth) : readArray(reader, depth)
}

function readStructure(reader: Reader, depth: number): Types {
  const members = Array.from({ length: reader.u8() }, () => readTypes(reader, depth + 1))
  return {
    pass: buffer => {
      for (const member of members) member.pass(buffer)
    },
  }
}

function readArray(reader: Reader, depth: number): Types {
  const count = reader.u16()
  const element = readTypes(reader, depth + 1)
  return {
    pass: buffer => {
      // A count is a claim: elements that take bytes run into the end, elements that take none are not repeated.
      for (let i = 0; i < count; i++) {
        const before = buffer.offset
        element.pass(buffer)
        if (buffer.offset === before) return
      }
    },
  }
}
