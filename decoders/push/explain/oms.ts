/** OMS frames byte by byte: the long header, and the records under the cipher. */
import { Reader } from '../../../src/bytes/reader.ts'
import type { ExplainedContents } from '../../../src/decoder.ts'
import { isoLocal } from '../../../src/dlms/date-time.ts'
import { type OmsOpener, readRecord } from '../../../src/dlms/oms.ts'
import { DecodeError } from '../../../src/errors.ts'
import { Rows } from './rows.ts'

/** Parts of the header by their length, from the CI on. */
const HEADER: readonly (readonly [length: number, meaning: string])[] = [
  [1, 'control information (CI): OMS with a long header'],
  [4, 'identification number'],
  [2, 'manufacturer'],
  [1, 'version'],
  [1, 'medium'],
  [1, 'access number'],
  [1, 'status'],
  [2, 'configuration'],
]

/** Explains the user data of an OMS frame. */
export function explainOms(
  rows: Rows,
  start: number,
  end: number,
  opener: OmsOpener | undefined,
): void {
  let at = start
  for (const [length, meaning] of HEADER) {
    rows.add(1, at, Math.min(end, at + length), meaning)
    at += length
  }
  const { contents, fault } = records(rows.bytes, start, end, opener)
  rows.add(1, at, end, `ciphertext${fault === undefined ? '' : `: ${fault}`}`, contents)
}

/** The records with their explanation, or why there are none. */
function records(
  bytes: Uint8Array,
  start: number,
  end: number,
  opener: OmsOpener | undefined,
): { readonly contents?: ExplainedContents; readonly fault?: string } {
  if (opener === undefined) return { fault: 'no key' }
  try {
    const plaintext = opener.plaintext(bytes, start, end)
    const rows = new Rows(plaintext)
    explainRecords(rows, new Reader(plaintext))
    return { contents: { bytes: plaintext, rows: rows.all } }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { fault: error.detail }
  }
}

function explainRecords(rows: Rows, reader: Reader): void {
  while (reader.remaining > 0) {
    const at = reader.offset
    try {
      const record = readRecord(reader)
      const { valueStart, register, clock } = record
      const isFill = register === undefined && !('clock' in record)
      rows.add(0, at, valueStart, isFill ? 'fill' : 'data and value information (DIF, VIF)')
      const shown =
        register === undefined
          ? `clock ${clock === undefined ? 'not possible' : isoLocal(clock)}`
          : `${register.obis} ${register.value} ${register.unit}`
      rows.add(1, valueStart, reader.offset, shown)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      rows.add(0, at, reader.end, error.message)
      return
    }
  }
}
