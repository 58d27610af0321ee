/** Every byte of a telegram with its meaning, for `decode --format explain`. */
import { crc16arc, crc16x25 } from '../../src/bytes/crc16.ts'
import { hex, toHex } from '../../src/bytes/hex.ts'
import type { Explanation } from '../../src/decoder.ts'
import { GENERAL_GLO, gloEnd } from '../../src/link/p1-glo.ts'
import {
  BANG,
  CR,
  copyMeant,
  hasEvenParity,
  isSevenBit,
  LF,
  meant,
  readTail,
  SLASH,
} from '../../src/link/p1-text.ts'
import { CATALOGUE, keyOf } from '../../src/obis.ts'
import { type P1Code, readCode, readValues, textOf } from '../../src/p1/line.ts'
import { Envelopes } from './envelope.ts'
import { makerOf } from './identity.ts'
import type { P1Options } from './options.ts'

/** What codes mean on this port alone. */
const TITLES: ReadonlyMap<number, string> = new Map(
  Object.entries({
    '0.2.8': 'version of the interface',
    '96.1.4': 'version of the interface',
    '96.1.1': 'equipment id',
    '96.1.2': 'EAN of the connection',
    '96.13.0': 'message',
    '96.13.1': 'message code',
    '96.7.21': 'interruptions',
    '96.7.9': 'long interruptions',
    '99.97.0': 'log of long interruptions',
    '98.1.0': 'values of past months',
    '94.32.1': 'voltage between lines',
    '0.9.1': 'time',
    '0.9.2': 'date',
    '24.1.0': 'kind of the device',
    '24.2.1': 'reading of the device',
    '24.2.3': 'reading of the device',
    '24.3.0': 'reading of the device',
    '24.4.0': 'valve of the device',
  }).map(([code, title]) => [keyOf(code), title]),
)

type Add = (
  depth: number,
  offset: number,
  end: number,
  meaning: string,
  contents?: Explanation['contents'],
) => void

/** Explains one telegram: text, or an envelope; what is inside only with its key. */
export function explainP1(telegram: Uint8Array, options: P1Options = {}): readonly Explanation[] {
  return rowsOf(add => {
    let at = 0
    while (at < telegram.length && isFill(telegram[at]!)) at++
    add(0, 0, at, 'fill')
    if (telegram[at] === GENERAL_GLO) at = explainRaw(telegram, at, options, add)
    else if (at < telegram.length && meant(telegram[at]!) === SLASH)
      at = explainTelegram(telegram, at, options, add)
    else {
      add(0, at, telegram.length, 'no telegram starts here')
      return
    }
    const isRest = telegram.subarray(at).every(isFill)
    add(0, at, telegram.length, isRest ? 'fill' : 'no part of the telegram')
  })
}

function rowsOf(explain: (add: Add) => void): readonly Explanation[] {
  const rows: Explanation[] = []
  explain((depth, offset, end, meaning, contents) => {
    if (end <= offset) return
    rows.push({
      depth,
      offset,
      length: end - offset,
      meaning,
      ...(contents === undefined ? {} : { contents }),
    })
  })
  return rows
}

/** Text as it stands, or without the parity bits of a line of 7E1. Returns the index behind it. */
function explainTelegram(bytes: Uint8Array, start: number, options: P1Options, add: Add): number {
  if (isSevenBit(bytes, start, bytes.length) || !hasEvenParity(bytes, start, bytes.length))
    return explainText(bytes, start, options, add)
  const text = bytes.slice()
  copyMeant(bytes, start, bytes.length, text.subarray(start))
  return explainText(text, start, options, (depth, offset, end, meaning, contents) =>
    add(depth, offset, end, offset === start ? `${meaning}, bit 7 is parity` : meaning, contents),
  )
}

function explainText(bytes: Uint8Array, start: number, options: P1Options, add: Add): number {
  let at = lineEndAt(bytes, start)
  const identification = textOf(bytes, start + 1, at).trim()
  add(0, start, at, `identification "${identification}", maker ${makerOf(identification)}`)
  if (bytes[at] === CR && bytes[at + 1] === LF && at + 2 < bytes.length) {
    const end = gloEnd(bytes, at + 2, bytes.length, true)
    if (end > 0 && end <= bytes.length) {
      add(0, at, at + 2, 'blank line')
      const line = bytes.subarray(start, at)
      explainEnvelope(bytes, at + 2, end, line, options, add)
      return explainEnd(bytes, start, end, 'CRC-16/X-25, low byte first,', lowFirst, add)
    }
  }
  while (at < bytes.length && bytes[at] !== BANG) at = explainLine(bytes, at, add)
  return explainEnd(bytes, start, at, 'CRC-16/ARC', crc16arc, add)
}

function lowFirst(bytes: Uint8Array, start: number, end: number): number {
  const crc = crc16x25(bytes, start, end)
  return ((crc & 0xff) << 8) | (crc >>> 8)
}

/** One line and what continues it; returns the index behind it. */
function explainLine(bytes: Uint8Array, start: number, add: Add): number {
  const end = lineEndAt(bytes, start)
  if (end - start <= 2 && isFill(bytes[start]!)) {
    add(0, start, end, 'blank line')
    return end
  }
  const code = bytes[start] === OPEN ? undefined : readCode(bytes, start, end)
  const valuesAt = code === undefined ? start : start + code.length
  if (code !== undefined) add(1, start, valuesAt, titleOf(code))
  const register = readValues(bytes, valuesAt, end, '')
  if (register === undefined || (code === undefined && bytes[start] !== OPEN)) {
    add(1, valuesAt, end, 'no code with values: skipped')
    return end
  }
  const { value, unit, time } = register
  const shown = typeof value === 'number' ? `${value}${unit && ` ${unit}`}` : JSON.stringify(value)
  const meaning = `${time === undefined ? '' : `${time}: `}${shown}`
  add(2, valuesAt, end, code === undefined ? `continues the line before: ${meaning}` : meaning)
  return end
}

function titleOf({ obis, key, medium, channel }: P1Code): string {
  const title = TITLES.get(key) ?? CATALOGUE.get(key)?.title
  if (title === undefined) return obis
  const device = medium === 0 && channel > 0 ? `, channel ${channel}` : ''
  return `${obis} ${title}${device}`
}

/** The end mark at `bytes[bang]` with its CRC and line end; returns the index behind them. */
function explainEnd(
  bytes: Uint8Array,
  start: number,
  bang: number,
  name: string,
  crcOf: (bytes: Uint8Array, start: number, end: number) => number,
  add: Add,
): number {
  if (bytes[bang] !== BANG) return bang
  add(0, bang, bang + 1, 'end mark')
  const tail = readTail(bytes, bang, bytes.length, true)
  if (tail === undefined || tail === 'wait') return bang + 1
  let digitsEnd = tail.end
  while (digitsEnd > bang + 1 && isFill(bytes[digitsEnd - 1]!)) digitsEnd--
  const computed = crcOf(bytes, start, bang + 1)
  const verdict = computed === tail.crc ? 'right' : `sent, ${hex(computed)} computed`
  add(0, bang + 1, digitsEnd, `${name} ${verdict}`)
  add(0, digitsEnd, tail.end, 'line end')
  return tail.end
}

function explainRaw(bytes: Uint8Array, start: number, options: P1Options, add: Add): number {
  const end = gloEnd(bytes, start + 1, bytes.length, false)
  if (end < 0 || end > bytes.length) return start
  add(0, start, start + 1, 'general-glo-ciphering')
  explainEnvelope(bytes, start + 1, end, undefined, options, add)
  return end
}

/** The fields of an envelope from its title length on, and the text inside if a key opens it. */
function explainEnvelope(
  bytes: Uint8Array,
  start: number,
  end: number,
  identification: Uint8Array | undefined,
  options: P1Options,
  add: Add,
): void {
  const lengthAt = start + 1 + bytes[start]!
  const first = bytes[lengthAt]!
  const controlAt = lengthAt + (first < 0x80 ? 1 : first - 0x7f)
  const control = bytes[controlAt]!
  const counterAt = controlAt + 1
  const contentAt = counterAt + 4
  const tagAt = (control & 0x10) === 0 ? end : end - 12
  add(1, start, start + 1, `system title of ${bytes[start]} bytes`)
  add(1, start + 1, lengthAt, `system title ${toHex(bytes, start + 1, lengthAt)}`)
  add(1, lengthAt, controlAt, `${end - controlAt} bytes follow`)
  add(1, controlAt, counterAt, `security control: suite ${control & 15}, ${protection(control)}`)
  const counter = [0, 1, 2, 3].reduce((sum, i) => sum * 256 + bytes[counterAt + i]!, 0)
  add(1, counterAt, contentAt, `invocation counter ${counter}`)
  const [meaning, contents] = openedText(bytes, start, end, identification, options)
  add(1, contentAt, tagAt, meaning, contents)
  add(1, tagAt, end, 'authentication tag')
}

function protection(control: number): string {
  return control & 0x10 ? 'encrypted and authenticated' : 'encrypted'
}

/** Meaning of a ciphertext, and the text it holds. */
function openedText(
  bytes: Uint8Array,
  start: number,
  end: number,
  identification: Uint8Array | undefined,
  options: P1Options,
): [string, Explanation['contents']?] {
  const apdu = new Uint8Array(1 + end - start)
  apdu[0] = GENERAL_GLO
  apdu.set(bytes.subarray(start, end), 1)
  const envelopes = new Envelopes({ ...options, counters: {} })
  const fault = envelopes.open({
    bytes: apdu,
    start: 0,
    end: apdu.length,
    ...(identification === undefined ? {} : { identification }),
    integrity: 'none',
    offset: 0,
    length: apdu.length,
  })
  if (fault !== undefined) return [`ciphertext: ${fault.detail}`]
  const text = envelopes.plaintext
  const rows = rowsOf(add => {
    let at = text[0] === SLASH ? explainText(text, 0, {}, add) : 0
    while (at < text.length) at = explainLine(text, at, add)
  })
  return ['ciphertext, opened:', { bytes: text, rows }]
}

const OPEN = 0x28

/** Index behind the line feed of the line at `start`, or behind the bytes. */
function lineEndAt(bytes: Uint8Array, start: number): number {
  const lineFeed = bytes.indexOf(LF, start)
  return lineFeed < 0 ? bytes.length : lineFeed + 1
}

function isFill(byte: number): boolean {
  return byte === CR || byte === LF || byte === 0
}
