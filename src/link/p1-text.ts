/**
 * What makes bytes a P1 text telegram (DSMR P1 Companion Standard 5.0.2, 6; IEC 62056-21 mode D).
 *
 * | part           | bytes                                                                             |
 * |----------------|-----------------------------------------------------------------------------------|
 * | identification | `/`, three letters of the maker, anything printable, CR LF                        |
 * | lines          | a blank one (not from every meter), then codes with values in parentheses         |
 * | end            | `!`, CRC-16/ARC from `/` to `!` as up to four hex digits in either case, CR LF    |
 *
 * Deviations: DSMR 2.2 and 3.0 and Slovenian meters send no CRC; some leave its leading zeros out; `/` and `!` may stand
 * inside texts. A line of 7E1 read as 8N1 has the parity in bit 7: then every byte has even parity, and what counts is
 * the other seven bits. A single wrong bit breaks either the parity or the CRC over all eight.
 */
import { crc16arc } from '../bytes/crc16.ts'

/** `/` opens a telegram, `!` ends it. */
export const SLASH = 0x2f
export const BANG = 0x21
export const CR = 0x0d
export const LF = 0x0a
const OPEN = 0x28
const CLOSE = 0x29
/** Some Iskra meters send the character in place of `\2`. */
const STX = 0x02

/** Longest telegram, `/` to the end of its last line. Real ones end at 1.5 KiB. */
export const MAX_TELEGRAM: number = 16_384
/** Longest line; a Hungarian one has more than 1000 characters. */
export const MAX_LINE: number = 4096

/** Longest identification line; the standard allows 16 characters behind the baud rate. */
const MAX_IDENTIFICATION = 128
const LETTERS = 3
const CRC_DIGITS = 4

/** The byte without what may be a parity bit. */
export function meant(byte: number): number {
  return byte & 0x7f
}

/** A search that needs more bytes, and one that found what it looked for not to be there. */
export const WAIT = -1
export const NONE = -2

/**
 * Index behind the identification line that starts at `bytes[start]`, {@link WAIT} while it is not there yet,
 * {@link NONE} if these bytes are none. `from`: bytes before it were looked at already.
 */
export function identificationEnd(
  bytes: Uint8Array,
  start: number,
  end: number,
  from: number,
): number {
  const limit = Math.min(end, start + MAX_IDENTIFICATION)
  for (let i = from; i < limit; i++) {
    const byte = meant(bytes[i]!)
    if (byte === LF) return i - start > LETTERS ? i + 1 : NONE
    if (i - start <= LETTERS ? !isLetter(byte) : byte < 0x20 && byte !== CR && byte !== STX)
      return NONE
  }
  return limit === end ? WAIT : NONE
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

/** What stands behind a `!`. */
export interface Tail {
  /** Value of the hex digits, -1 if there are none. */
  readonly crc: number
  /** Index behind the last byte that belongs to the telegram. */
  readonly end: number
  /** CR LF or LF was there; else the next telegram, or silence, ended it. */
  readonly hasLineEnd: boolean
}

/**
 * Reads the CRC and line end behind the `!` at `bytes[bang]`. `'wait'` while more bytes are needed; `undefined` if a
 * telegram does not end like this. `final`: silence follows. Letters of both cases in one CRC are a damaged one.
 */
export function readTail(
  bytes: Uint8Array,
  bang: number,
  end: number,
  final: boolean,
): Tail | 'wait' | undefined {
  let at = bang + 1
  let crc = -1
  let cases = 0
  for (; at < end && at <= bang + CRC_DIGITS; at++) {
    const byte = meant(bytes[at]!)
    const digit = hexDigit(byte)
    if (digit < 0) break
    if (digit > 9) cases |= byte < 0x61 ? 1 : 2
    crc = Math.max(crc, 0) * 16 + digit
  }
  if (cases === 3) return undefined
  if (at < end && meant(bytes[at]!) === CR) at++
  if (at === end) return final ? { crc, end: at, hasLineEnd: false } : 'wait'
  const next = meant(bytes[at]!)
  if (next === LF) return { crc, end: at + 1, hasLineEnd: true }
  return next === SLASH ? { crc, end: at, hasLineEnd: false } : undefined
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}

/**
 * Index of the last line in `bytes[start..end)` that begins with `/`, or the one behind `start` if there is none: no
 * telegram holds such a line, so none that ends at `end` begins before it.
 */
export function lastStart(bytes: Uint8Array, start: number, end: number): number {
  for (let i = end - 1; i > start; i--)
    if (bytes[i] === LF && meant(bytes[i + 1]!) === SLASH) return i + 1
  return start + 1
}

/** True if no byte of `bytes[start..end)` uses bit 7. */
export function isSevenBit(bytes: Uint8Array, start: number, end: number): boolean {
  let all = 0
  for (let i = start; i < end; i++) all |= bytes[i]!
  return all < 0x80
}

/** True if every byte of `bytes[start..end)` has an even number of ones. */
export function hasEvenParity(bytes: Uint8Array, start: number, end: number): boolean {
  let odd = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    const nibbles = byte ^ (byte >>> 4)
    odd |= 0x6996 >>> (nibbles & 15)
  }
  return (odd & 1) === 0
}

/** Copies `bytes[start..end)` without bit 7 to the start of `out`. */
export function copyMeant(bytes: Uint8Array, start: number, end: number, out: Uint8Array): void {
  for (let i = start; i < end; i++) out[i - start] = meant(bytes[i]!)
}

/** True if the CRC over `bytes[start..bang]` is `sent`. */
export function isCrcRight(bytes: Uint8Array, start: number, bang: number, sent: number): boolean {
  return crc16arc(bytes, start, bang + 1) === sent
}

/**
 * True if every line of `bytes[start..end)` is blank or holds whole values: what a telegram without a CRC has to show
 * at least. A second identification line is no such line.
 */
export function hasWholeLines(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const lineFeed = bytes.indexOf(LF, at)
    if (lineFeed < 0 || lineFeed >= end || lineFeed - at > MAX_LINE) return false
    const last = bytes[lineFeed - 1] === CR ? lineFeed - 1 : lineFeed
    if (last > at && !isWholeLine(bytes, at, last)) return false
    at = lineFeed + 1
  }
  return true
}

function isWholeLine(bytes: Uint8Array, start: number, end: number): boolean {
  const first = bytes[start]!
  const opens = first === OPEN || (first >= 0x30 && first <= 0x39)
  return opens && bytes[end - 1] === CLOSE
}

/** True if `bytes[start..end)` are line ends and zeros: padding. */
function isBlank(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++)
    if (bytes[i] !== CR && bytes[i] !== LF && bytes[i] !== 0) return false
  return true
}

/** Where the text of a telegram ends, and what tells that it is right. */
export interface TextEnd {
  /** Index of the `!`. */
  readonly bang: number
  readonly integrity: 'checksum' | 'none'
}

/**
 * The end of a telegram that fills `bytes[start..end)` from `/` to its line end: what an envelope held. A string says
 * why it is none.
 */
export function wholeText(bytes: Uint8Array, start: number, end: number): TextEnd | string {
  const body = identificationEnd(bytes, start, end, start + 1)
  if (bytes[start] !== SLASH || body < 0) return 'no identification at the start of the text'
  const bang = bytes.subarray(0, end).lastIndexOf(BANG)
  const tail = bang < body ? undefined : readTail(bytes, bang, end, true)
  if (tail === undefined || tail === 'wait' || !isBlank(bytes, tail.end, end))
    return 'no end mark ! at the end of the text'
  if (tail.crc >= 0)
    return isCrcRight(bytes, start, bang, tail.crc)
      ? { bang, integrity: 'checksum' }
      : 'the CRC does not fit the text'
  return bytes[bang - 1] === LF && hasWholeLines(bytes, body, bang)
    ? { bang, integrity: 'none' }
    : 'no CRC, and lines that are not whole'
}
