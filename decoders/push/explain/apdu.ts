/** APDUs byte by byte: notifications, and what protects them. */
import { hex, toHex } from '../../../src/bytes/hex.ts'
import { Reader } from '../../../src/bytes/reader.ts'
import type { ExplainedContents } from '../../../src/decoder.ts'
import {
  apduKind,
  apduName,
  readEventHeader,
  readNotificationHeader,
} from '../../../src/dlms/apdu.ts'
import { AxdrTape } from '../../../src/dlms/axdr.ts'
import type { Opener } from '../../../src/dlms/cipher.ts'
import { readCiphered, SECURITY } from '../../../src/dlms/ciphered.ts'
import { isDescribed, scanDescribed } from '../../../src/dlms/described.ts'
import { DecodeError } from '../../../src/errors.ts'
import { clockText, codeText, explainTape } from './data.ts'
import { Rows } from './rows.ts'

/** Explains the APDU at `start..end` of the rows' bytes. `opener` opens what is enciphered. */
export function explainApdu(
  rows: Rows,
  depth: number,
  start: number,
  end: number,
  opener: Opener | undefined,
): void {
  const reader = new Reader(rows.bytes, start, end)
  const kind = apduKind(reader.peek())
  try {
    if (kind === 'ciphered') explainCiphered(rows, depth, reader, opener)
    else if (kind === 'event') explainEvent(rows, depth, reader)
    else explainNotification(rows, depth, reader)
    rows.add(depth, reader.offset, end, 'padding')
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const last = rows.all.at(-1)
    const from = last === undefined ? start : Math.max(start, last.offset + last.length)
    rows.add(depth, from, end, error.message)
  }
}

/** Bytes that are an APDU of their own, explained. */
export function contentsOf(bytes: Uint8Array, opener: Opener | undefined): ExplainedContents {
  const rows = new Rows(bytes)
  explainApdu(rows, 0, 0, bytes.length, opener)
  return { bytes, rows: rows.all }
}

function explainNotification(rows: Rows, depth: number, reader: Reader): void {
  const start = reader.offset
  const time = readNotificationHeader(reader)
  rows.add(depth, start, start + 1, apduName(rows.bytes[start]!))
  rows.add(depth, start + 1, start + 5, 'long invoke id and priority')
  if (time < 0) rows.add(depth, start + 5, reader.offset, 'date-time: none')
  else {
    rows.add(depth, start + 5, time, 'date-time follows')
    rows.add(depth, time, reader.offset, `date-time ${clockText(reader.bytes, time)}`)
  }
  const tape = new AxdrTape()
  const described = isDescribed(reader)
  if (described) scanDescribed(tape, reader)
  else tape.scan(reader)
  explainTape(rows, tape, depth + 1, described)
}

function explainEvent(rows: Rows, depth: number, reader: Reader): void {
  const start = reader.offset
  const { time, classId, name, attribute } = readEventHeader(reader)
  rows.add(depth, start, start + 1, apduName(rows.bytes[start]!))
  const descriptor = name - 2
  const said = time < 0 ? 'time: none' : `time ${clockText(reader.bytes, time)}`
  rows.add(depth, start + 1, descriptor, said)
  const code = codeText(reader.bytes, name)
  rows.add(depth, descriptor, reader.offset, `class ${classId}, ${code}, attribute ${attribute}`)
  const tape = new AxdrTape()
  tape.scan(reader)
  explainTape(rows, tape, depth + 1, false)
}

function explainCiphered(
  rows: Rows,
  depth: number,
  reader: Reader,
  opener: Opener | undefined,
): void {
  const { bytes, offset: start, end } = reader
  const apdu = readCiphered(reader)
  const { titleStart, titleEnd, headerEnd, counterStart, contentStart, contentEnd } = apdu
  const security = counterStart - 1
  rows.add(depth, start, start + 1, apduName(bytes[start]!))
  const title = titleEnd === titleStart ? 'none' : toHex(bytes, titleStart, titleEnd)
  const isGeneral = headerEnd > titleEnd
  const before = isGeneral ? 'transaction id; system title follows' : 'system title follows'
  rows.add(depth, start + 1, titleStart, before)
  rows.add(depth, titleStart, titleEnd, `system title ${title}${letters(bytes, titleStart)}`)
  rows.add(depth, titleEnd, headerEnd, 'recipient, date-time and other information')
  const length = isGeneral ? 'key information and length' : 'length of the protected part'
  rows.add(depth, Math.max(titleEnd, headerEnd), security, length)
  rows.add(depth, security, counterStart, `security control: ${protection(apdu.securityControl)}`)
  rows.add(depth, counterStart, contentStart, `invocation counter ${apdu.counter}`)
  const { opened, fault } = tryOpen(bytes, start, end, opener)
  const isHidden = (apdu.securityControl & SECURITY.encrypted) !== 0
  const meaning = `${isHidden ? 'ciphertext' : 'content'}${fault === undefined ? '' : `: ${fault}`}`
  rows.add(depth, contentStart, contentEnd, meaning, opened)
  rows.add(depth, contentEnd, reader.offset, 'authentication tag')
}

/** The plaintext with its explanation, or why there is none. */
function tryOpen(
  bytes: Uint8Array,
  start: number,
  end: number,
  opener: Opener | undefined,
): { readonly opened?: ExplainedContents; readonly fault?: string } {
  if (opener === undefined) return { fault: 'no key' }
  try {
    const opened = opener.open(bytes, start, end)
    return { opened: contentsOf(opened.bytes.slice(opened.start, opened.end), undefined) }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return { fault: error.detail }
  }
}

function protection(control: number): string {
  const parts = [
    `suite ${control & SECURITY.suite}`,
    control & SECURITY.authenticated ? 'authenticated' : 'not authenticated',
    control & SECURITY.encrypted ? 'encrypted' : 'in clear',
  ]
  if (control & SECURITY.broadcast) parts.push('broadcast key')
  if (control & SECURITY.compressed) parts.push('compressed')
  return `${hex(control)}, ${parts.join(', ')}`
}

/** FLAG letters of a system title, in parentheses, if it begins with three. */
function letters(bytes: Uint8Array, at: number): string {
  const text = String.fromCharCode(bytes[at]!, bytes[at + 1]!, bytes[at + 2]!)
  return /^[A-Z]{3}$/.test(text) ? ` (${text})` : ''
}
