/**
 * compact-array (Blue Book 4.1.5): a type is described once, then values follow back to back without their tags.
 *
 *     13 | type description | length | values
 *
 * A description is a tag; behind the tag of a structure stand the number of its elements and their descriptions, behind
 * that of an array the number of its elements as u16 and one description. Strings keep their length octets.
 */
import { hex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { AxdrTape } from './axdr.ts'
import { FIXED_SIZE, hasLength, MAX_DEPTH, readLength, readNumber, TAG } from './axdr-types.ts'

/**
 * Scans what stands behind the tag of `element`, which is on the tape at `depth`: its values are appended as elements
 * of the types described, whose tag position is that of their contents. Throws like {@link AxdrTape.scan}.
 */
export function scanCompactArray(
  tape: AxdrTape,
  reader: Reader,
  element: number,
  depth: number,
): void {
  const { bytes, start } = reader
  const types = new Reader(bytes, start, reader.end)
  const description = reader.offset
  skipType(reader, depth + 1)
  const size = readLength(reader)
  const from = reader.take(size)
  tape.start[element] = from - tape.base
  const values = new Reader(bytes, start, reader.offset)
  values.offset = from
  let items = 0
  while (values.remaining > 0) {
    const before = values.offset
    types.offset = description
    append(tape, values, types, depth + 1)
    if (values.offset === before)
      throw fault('DATA_BAD_VALUE', values, 'a compact array of values without contents')
    items++
  }
  tape.items[element] = items
  tape.end[element] = reader.offset - tape.base
}

/** Appends one value of the type that `types` stands at, and moves both readers behind it. */
function append(tape: AxdrTape, values: Reader, types: Reader, depth: number): void {
  const tag = types.u8()
  const at = values.offset
  const i = tape.place(tag, at, at, depth, 0)
  // Nulls, and arrays of them, take no bytes: without a bound a few bytes would announce millions.
  if (tape.count > MAX_DEPTH * (values.end - tape.base))
    throw fault('DATA_TRUNCATED', values, `${tape.count} elements, more than the bytes can hold`)
  if (tag === TAG.structure) {
    const items = readLength(types)
    tape.items[i] = items
    for (let item = 0; item < items; item++) append(tape, values, types, depth + 1)
  } else if (tag === TAG.array) {
    const items = types.u16()
    const description = types.offset
    if (items > values.remaining)
      throw fault(
        'DATA_TRUNCATED',
        values,
        `${items} elements announced, ${values.remaining} bytes left`,
      )
    tape.items[i] = items
    for (let item = 0; item < items; item++) {
      types.offset = description
      append(tape, values, types, depth + 1)
    }
    if (items === 0) skipType(types, depth + 1)
  } else if (FIXED_SIZE[tag]! >= 0)
    tape.value[i] = readNumber(tag, values.bytes, values.take(FIXED_SIZE[tag]!))
  else {
    const length = readLength(values)
    const isBits = tag === TAG.bitString
    if (isBits) tape.items[i] = length
    tape.start[i] = values.take(isBits ? Math.ceil(length / 8) : length) - tape.base
  }
  tape.end[i] = values.offset - tape.base
}

/** Moves behind a type description, whose types must exist. */
function skipType(types: Reader, depth: number): void {
  const tag = types.u8()
  const isContainer = tag === TAG.structure || tag === TAG.array
  if (isContainer && depth >= MAX_DEPTH)
    throw fault('DATA_TOO_DEEP', types, `nested deeper than ${MAX_DEPTH} levels`)
  if (tag === TAG.structure) {
    const items = readLength(types)
    if (items > types.remaining)
      throw fault(
        'DATA_TRUNCATED',
        types,
        `${items} types announced, ${types.remaining} bytes left`,
      )
    for (let item = 0; item < items; item++) skipType(types, depth + 1)
  } else if (tag === TAG.array) {
    types.u16()
    skipType(types, depth + 1)
  } else if (FIXED_SIZE[tag]! < 0 && !hasLength(tag))
    throw fault('DATA_UNKNOWN_TAG', types, `${hex(tag)} is no data type`)
}

function fault(code: DecodeErrorCode, { offset, start }: Reader, detail: string): DecodeError {
  return new DecodeError(code, offset - start, detail)
}
