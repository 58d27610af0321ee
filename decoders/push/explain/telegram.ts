/** Every byte of a telegram with its meaning, for `decode --format explain`. */
import { Reader } from '../../../src/bytes/reader.ts'
import type { Explanation } from '../../../src/decoder.ts'
import { readLength } from '../../../src/dlms/axdr.ts'
import { GENERAL_BLOCK_TRANSFER } from '../../../src/dlms/block-transfer.ts'
import type { Opener } from '../../../src/dlms/cipher.ts'
import type { OmsOpener } from '../../../src/dlms/oms.ts'
import { DecodeError } from '../../../src/errors.ts'
import { FLAG } from '../../../src/link/hdlc-check.ts'
import { skipLlc } from '../../../src/link/llc.ts'
import { contentsOf, explainApdu } from './apdu.ts'
import { type Frame, frameAt } from './frames.ts'
import { explainOms } from './oms.ts'
import { Rows } from './rows.ts'

/**
 * Explains one telegram: one frame or several with the fill around them, or an LLC PDU without any. Damaged bytes are
 * explained as far as they can be. What came in parts is explained where the last of them stands.
 */
export function explainTelegram(
  telegram: Uint8Array,
  openers: Openers = {},
): readonly Explanation[] {
  const rows = new Rows(telegram)
  const { opener } = openers
  const parts: Parts = { bytes: [], opener }
  for (let at = 0; at < telegram.length; ) {
    const frame = frameAt(telegram, at)
    if (frame === undefined) {
      const end = nextFrame(telegram, at)
      explainOther(rows, at, end, opener)
      at = end
      continue
    }
    frame.head(rows)
    const { informationStart, informationEnd } = frame
    if (frame.isOms) explainOms(rows, informationStart, informationEnd, openers.oms)
    else explainInformation(rows, frame, parts)
    frame.tail(rows)
    at = frame.end
  }
  return rows.all
}

/** What opens the enciphered parts, where there are keys. */
export interface Openers {
  readonly opener?: Opener
  readonly oms?: OmsOpener
}

/** What has been seen of an APDU that comes in parts. */
interface Parts {
  bytes: number[]
  readonly opener: Opener | undefined
}

/** Index of the next frame behind `at`, or of the end. */
function nextFrame(telegram: Uint8Array, at: number): number {
  let next = at + 1
  while (next < telegram.length && frameAt(telegram, next) === undefined) next++
  return next
}

/** Bytes outside of frames: fill, or a telegram that never had any. */
function explainOther(rows: Rows, start: number, end: number, opener: Opener | undefined): void {
  const { bytes } = rows
  const isFill = bytes.subarray(start, end).every(byte => FILL.includes(byte))
  if (isFill) rows.add(0, start, end, 'fill')
  else if (start > 0 || end < bytes.length || bytes[start] === FLAG)
    rows.add(0, start, end, 'no complete frame')
  else {
    const apdu = skipLlc(bytes, start, end)
    rows.add(1, start, apdu, 'LLC header')
    explainApdu(rows, 1, apdu, end, opener)
  }
}

const FILL: readonly number[] = [FLAG, 0x00, 0x0d, 0x0a]

function explainInformation(rows: Rows, frame: Frame, parts: Parts): void {
  const { bytes } = rows
  const { informationStart: start, informationEnd: end } = frame
  const apdu = skipLlc(bytes, start, end)
  rows.add(1, start, apdu, 'LLC header')
  if (apdu > start || frame.isFirst) parts.bytes = []
  if (bytes[apdu] === GENERAL_BLOCK_TRANSFER && !frame.isPart) explainBlock(rows, apdu, end, parts)
  else if (frame.isPart || parts.bytes.length > 0)
    explainPart(rows, apdu, end, 'a part of an APDU', frame.isLast, parts)
  else explainApdu(rows, 1, apdu, end, parts.opener)
}

/** One block of a general block transfer, which is an APDU of its own. */
function explainBlock(rows: Rows, start: number, end: number, parts: Parts): void {
  const { bytes } = rows
  const reader = new Reader(bytes, start + 6, end)
  try {
    readLength(reader)
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    rows.add(1, start, end, `general-block-transfer: ${error.message}`)
    return
  }
  const [control, number] = [bytes[start + 1]!, (bytes[start + 2]! << 8) | bytes[start + 3]!]
  if (number === 1) parts.bytes = []
  const isLast = (control & 0x80) !== 0
  rows.add(1, start, start + 1, 'general-block-transfer')
  rows.add(1, start + 1, start + 2, `block control${isLast ? ': the last block' : ''}`)
  rows.add(1, start + 2, start + 4, `block number ${number}`)
  rows.add(1, start + 4, start + 6, 'block number acknowledged')
  rows.add(1, start + 6, reader.offset, 'length of the block data')
  explainPart(rows, reader.offset, end, 'block data', isLast, parts)
}

function explainPart(
  rows: Rows,
  start: number,
  end: number,
  what: string,
  isLast: boolean,
  parts: Parts,
): void {
  for (let i = start; i < end; i++) parts.bytes.push(rows.bytes[i]!)
  if (!isLast) {
    rows.add(1, start, end, `${what}, more follow`)
    return
  }
  const contents = contentsOf(Uint8Array.from(parts.bytes), parts.opener)
  rows.add(1, start, end, `${what}, the last; all together:`, contents)
  parts.bytes = []
}
