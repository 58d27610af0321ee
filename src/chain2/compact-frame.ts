/** Reads the fields of a compact frame by its entry in a dictionary. */
import { toHex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import { readLength } from '../dlms/axdr.ts'
import { scaled } from '../dlms/scale.ts'
import { DecodeError } from '../errors.ts'
import type { Field, FrameEntry } from './dictionary.ts'
import { FIELD_TYPES, type Value } from './field-types.ts'

/** A field with what it holds. */
export interface ReadField {
  readonly field: Field
  /** First byte, lengths and counts included, and behind the last. */
  readonly start: number
  readonly end: number
  /** Several where the field repeats. */
  readonly value: Value | readonly Value[]
  /** Where its contents begin. */
  readonly at: number
}

/**
 * The fields of `bytes[start..end)`. Throws DATA_TRUNCATED, DATA_TRAILING, DATA_BAD_VALUE; offsets count from the first
 * byte of the frame.
 */
export function readCompactFrame(
  entry: FrameEntry,
  fields: readonly Field[],
  bytes: Uint8Array,
  start: number,
  end: number,
): readonly ReadField[] {
  const { minLength, allowTrailing, name } = entry
  if (end - start < minLength)
    throw new DecodeError(
      'DATA_TRUNCATED',
      0,
      `${name} has ${end - start} bytes, at least ${minLength} expected`,
    )
  const reader = new Reader(bytes, start, end)
  const found: ReadField[] = []
  for (const field of fields) {
    if (field.optional && reader.remaining === 0) break
    found.push(readField(field, reader))
  }
  if (reader.remaining > 0 && !allowTrailing)
    throw new DecodeError(
      'DATA_TRAILING',
      reader.offset - start,
      `${reader.remaining} bytes follow the last field of ${name}`,
    )
  return found
}

function readField(field: Field, reader: Reader): ReadField {
  const { count } = field
  const start = reader.offset
  if (count === 'one') {
    const { value, at } = readValue(field, reader)
    return { field, start, end: reader.offset, value, at }
  }
  const times = count === 'u8' ? reader.u8() : count === 'u16' ? reader.u16() : count
  // Every value takes at least one byte: a count is a claim until the bytes are there.
  if (times > reader.remaining)
    throw new DecodeError(
      'DATA_TRUNCATED',
      start - reader.start,
      `${field.name}: ${times} values announced, ${reader.remaining} bytes left`,
    )
  const at = reader.offset
  const value = Array.from({ length: times }, () => readValue(field, reader).value)
  return { field, start, end: reader.offset, value, at }
}

function readValue(field: Field, reader: Reader): { readonly value: Value; readonly at: number } {
  const { name, constant, na, naTexts, scaler, littleEndian } = field
  const type = FIELD_TYPES[field.type]
  const size = type.size ?? readSize(field, reader)
  const start = reader.take(size)
  const { bytes } = reader
  if (constant !== undefined && !isEqual(constant, bytes, start))
    throw bad(
      reader,
      start,
      `${name} is ${toHex(bytes, start, start + size)}, ${toHex(constant)} expected`,
    )
  if (na.some(pattern => pattern.length === size && isEqual(pattern, bytes, start)))
    return { value: null, at: start }
  const value = littleEndian
    ? type.read(bytes.slice(start, start + size).reverse(), 0, size)
    : type.read(bytes, start, start + size)
  if (typeof value === 'string') return { value: naTexts.includes(value) ? null : value, at: start }
  if (typeof value !== 'number') return { value, at: start }
  const exact = scaled(value, scaler)
  if (!Number.isFinite(exact))
    throw bad(reader, start, `${name} is no number: ${toHex(bytes, start, start + size)}`)
  return { value: exact, at: start }
}

/** Bytes of a value whose type does not say. */
function readSize({ length, type }: Field, reader: Reader): number {
  const told = typeof length === 'number' ? length : LENGTHS[length](reader)
  return type === 'bits' ? Math.ceil(told / 8) : told
}

const LENGTHS = {
  axdr: readLength,
  u8: (reader: Reader) => reader.u8(),
  u16: (reader: Reader) => reader.u16(),
  tagged: (reader: Reader) => {
    reader.u8()
    return readLength(reader)
  },
} as const

function isEqual(pattern: Uint8Array, bytes: Uint8Array, at: number): boolean {
  for (let i = 0; i < pattern.length; i++) if (pattern[i] !== bytes[at + i]) return false
  return true
}

function bad(reader: Reader, at: number, detail: string): DecodeError {
  return new DecodeError('DATA_BAD_VALUE', at - reader.start, detail)
}
