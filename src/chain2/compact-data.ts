/**
 * Where compact data stands in what a meter pushes (COSEM class 62, IEC 62056-6-2): bare, in a data-notification, or in
 * a set-request for attribute 2 of a compact data object. As a compact-array the data bring a description of their
 * types, and may hold several rows.
 *
 * | form         | bytes                                                            |
 * |--------------|------------------------------------------------------------------|
 * | octet-string | 09, length, compact buffer                                       |
 * | structure    | 02, 1, one of these; or 02, 2, logical name (09 06 ...), one     |
 * | compact-array| 13, type description, length, rows                               |
 */
import { hex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import { readNotificationHeader } from '../dlms/apdu.ts'
import { readLength, TAG } from '../dlms/axdr.ts'
import { DecodeError } from '../errors.ts'
import type { Layer, Trace } from './layer.ts'
import { readTypes, type Types } from './type-description.ts'

/** How a compact buffer is wrapped. */
export const APDU_KINDS = ['raw-compact', 'data-notification', 'set-request'] as const
export type ApduKind = (typeof APDU_KINDS)[number]

/** What an APDU carries. */
export interface CompactData {
  /** Ranges of the layer's bytes, one for each row. */
  readonly rows: readonly (readonly [start: number, end: number])[]
  /** Index of the notification's date-time, -1 if there is none. */
  readonly headerTime: number
}

const SET_REQUEST = 0xc1
const NORMAL = 0x01
const CLASS_COMPACT_DATA = 62
const COMPACT_BUFFER = 2
const LOGICAL_NAME = 6

/** Finds the compact data. Throws APDU_UNKNOWN, DATA_TRUNCATED, DATA_TRAILING and what a bad description gives. */
export function findCompactData(kind: ApduKind, layer: Layer): CompactData {
  const { bytes, start, end, trace } = layer
  if (kind === 'raw-compact') return { rows: [[start, end]], headerTime: -1 }
  const reader = new Reader(bytes, start, end)
  let headerTime = -1
  if (kind === 'set-request') readSetRequest(reader, trace)
  else {
    headerTime = readNotificationHeader(reader)
    trace?.row(start, reader.offset, 'data-notification')
  }
  const rows = readBody(reader, trace, true)
  if (reader.remaining > 0)
    throw new DecodeError(
      'DATA_TRAILING',
      reader.offset - start,
      `${reader.remaining} bytes follow the compact data`,
    )
  return { rows, headerTime }
}

function readSetRequest(reader: Reader, trace: Trace | undefined): void {
  const { offset: start } = reader
  const [tag, kind] = [reader.u8(), reader.u8()]
  if (tag !== SET_REQUEST || kind !== NORMAL)
    throw unknown(reader, `APDU ${hex(tag)} ${hex(kind)}, set-request 0xc1 0x01 expected`)
  reader.u8() // invoke id and priority
  const classId = reader.u16()
  reader.take(LOGICAL_NAME)
  const [attribute, selector] = [reader.u8(), reader.u8()]
  if (classId !== CLASS_COMPACT_DATA || attribute !== COMPACT_BUFFER || selector !== 0)
    throw unknown(
      reader,
      `attribute ${attribute} of class ${classId}, attribute 2 of class 62 expected`,
    )
  trace?.row(start, reader.offset, 'set-request for the buffer of a compact data object')
}

function readBody(
  reader: Reader,
  trace: Trace | undefined,
  mayBeStructure: boolean,
): CompactData['rows'] {
  const { offset } = reader
  const tag = reader.u8()
  switch (tag) {
    case TAG.octetString: {
      const size = readLength(reader)
      const start = reader.take(size)
      trace?.row(offset, start, `octet-string of ${size} bytes`)
      return [[start, reader.offset]]
    }
    case TAG.compactArray:
      return readCompactArray(reader, offset, trace)
    case TAG.structure:
      if (mayBeStructure) return readStructure(reader, offset, trace)
  }
  throw unknown(reader, `${hex(tag)} where compact data were expected`)
}

function readStructure(
  reader: Reader,
  offset: number,
  trace: Trace | undefined,
): CompactData['rows'] {
  const count = reader.u8()
  if (count === 2) {
    const [tag, size] = [reader.u8(), reader.u8()]
    if (tag !== TAG.octetString || size !== LOGICAL_NAME)
      throw unknown(reader, 'a structure of two that does not begin with a logical name')
    reader.take(LOGICAL_NAME)
  } else if (count !== 1) throw unknown(reader, `a structure of ${count}, 1 or 2 expected`)
  trace?.row(offset, reader.offset, `structure of ${count}`)
  return readBody(reader, trace, false)
}

function readCompactArray(
  reader: Reader,
  offset: number,
  trace: Trace | undefined,
): CompactData['rows'] {
  const types: Types = readTypes(reader)
  trace?.row(offset, reader.offset, 'compact-array and the description of its types')
  const lengthAt = reader.offset
  const size = readLength(reader)
  const start = reader.take(size)
  trace?.row(lengthAt, start, `rows of ${size} bytes`)
  const contents = new Reader(reader.bytes, start, reader.offset)
  const rows: (readonly [number, number])[] = []
  while (contents.remaining > 0) {
    const row = contents.offset
    types.pass(contents)
    // A row of nothing would be there for ever.
    if (contents.offset === row) throw unknown(reader, 'a type description of no bytes')
    rows.push([row, contents.offset])
  }
  return rows
}

function unknown(reader: Reader, detail: string): DecodeError {
  return new DecodeError('APDU_UNKNOWN', reader.offset - 1 - reader.start, detail)
}
