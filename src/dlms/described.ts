/**
 * Lists whose attribute descriptors have no tags (Sagemcom XT211 and others in the Czech Republic):
 *
 *     02 02 | 16 kind | 01 n | n times: 02 02 | class u16 | logical name 6 | attribute i8 | value with its tag
 *
 * The second structure counts the descriptor as one element, so a reader of A-XDR takes its bytes for tags.
 */
import type { Reader } from '../bytes/reader.ts'
import { DecodeError } from '../errors.ts'
import { type AxdrTape, readLength, TAG } from './axdr.ts'

const CLASS_LENGTH = 2
const NAME_LENGTH = 6
/** Class, logical name and attribute. */
const DESCRIPTOR_LENGTH = CLASS_LENGTH + NAME_LENGTH + 1

/** True if a body at the reader's position can only be such a list: class ids are below 256, no data type is 00 nn. */
export function isDescribed({ bytes, offset, end }: Reader): boolean {
  return (
    end - offset > 8 &&
    bytes[offset] === TAG.structure &&
    bytes[offset + 1] === 2 &&
    bytes[offset + 2] === TAG.enum &&
    bytes[offset + 4] === TAG.array &&
    bytes[offset + 6] === TAG.structure &&
    bytes[offset + 7] === 2 &&
    bytes[offset + 8] === 0
  )
}

/**
 * Scans what {@link isDescribed} recognised. A descriptor becomes an octet string, its logical name, that begins with
 * the class and is followed by the attribute; {@link describedBy} reads both. Throws like {@link AxdrTape.scan}.
 */
export function scanDescribed(tape: AxdrTape, reader: Reader): void {
  tape.begin(reader)
  const body = open(tape, reader, 0)
  tape.append(reader, 1)
  const array = open(tape, reader, 1)
  for (let item = 0; item < tape.items[array]!; item++) {
    const structure = open(tape, reader, 2)
    const at = reader.take(DESCRIPTOR_LENGTH)
    const name = tape.place(TAG.octetString, at, at + CLASS_LENGTH, 3, 0)
    tape.end[name] = tape.start[name]! + NAME_LENGTH
    tape.append(reader, 3)
    close(tape, structure, reader)
  }
  close(tape, array, reader)
  close(tape, body, reader)
}

/** Class and attribute of the descriptor that became the element `name`. */
export function describedBy(
  { bytes, at, base, end }: AxdrTape,
  name: number,
): { readonly classId: number; readonly attribute: number } {
  const start = base + at[name]!
  return {
    classId: (bytes[start]! << 8) | bytes[start + 1]!,
    attribute: (bytes[base + end[name]!]! << 24) >> 24,
  }
}

/** Places an array or structure of known size whose elements are appended one by one. */
function open(tape: AxdrTape, reader: Reader, depth: number): number {
  const at = reader.offset
  const tag = reader.u8()
  if (tag !== TAG.structure && tag !== TAG.array)
    throw new DecodeError('DATA_BAD_VALUE', at - reader.start, 'a descriptor without its structure')
  const items = readLength(reader)
  // Every element takes at least one byte: a count is a claim until the bytes are there.
  if (items > reader.remaining)
    throw new DecodeError(
      'DATA_TRUNCATED',
      at - reader.start,
      `${items} elements announced, ${reader.remaining} bytes left`,
    )
  return tape.place(tag, at, reader.offset, depth, items)
}

function close(tape: AxdrTape, element: number, reader: Reader): void {
  tape.end[element] = reader.offset - tape.base
}
