/**
 * Types of fields in a compact buffer (IEC 62056-6-2 class 62: values without tags, big-endian) and how each is read.
 * What the standard does not have (u24, unix32, bcd, skip) occurs in meters of its time.
 */
import { toHex } from '../bytes/hex.ts'
import { DATE_TIME_LENGTH, isoLocal, readDateTime } from '../dlms/date-time.ts'

/** A value as registers take it; `null` = not available. */
export type Value = number | string | boolean | null

/** One type. */
export interface FieldType {
  /** Bytes of a value; `undefined`: strings, and whatever has its length in the dictionary. */
  readonly size?: number
  readonly kind:
    | 'integer'
    | 'float'
    | 'boolean'
    | 'bits'
    | 'octets'
    | 'text'
    | 'time'
    | 'bcd'
    | 'skip'
  /** Big-endian bytes of a value to the value. */
  read(bytes: Uint8Array, start: number, end: number): Value
}

const unsigned = (size: number): FieldType => ({ size, kind: 'integer', read: readUnsigned })
const signed = (size: number): FieldType => ({ size, kind: 'integer', read: readSigned })
const time = (size: number, read: FieldType['read']): FieldType => ({ size, kind: 'time', read })

/** Names of the types as dictionaries use them. */
export type TypeName =
  | `${'u' | 'i'}${8 | 16 | 32 | 64}`
  | 'u24'
  | 'f32'
  | 'f64'
  | 'bool'
  | 'enum'
  | 'bits'
  | 'octet-string'
  | 'visible-string'
  | 'utf8'
  | 'date-time'
  | 'date'
  | 'time'
  | 'unix32'
  | 'bcd'
  | 'skip'

/** Types by name. */
export const FIELD_TYPES: Readonly<Record<TypeName, FieldType>> = {
  u8: unsigned(1),
  u16: unsigned(2),
  u24: unsigned(3),
  u32: unsigned(4),
  u64: unsigned(8),
  i8: signed(1),
  i16: signed(2),
  i32: signed(4),
  i64: signed(8),
  f32: { size: 4, kind: 'float', read: readFloat },
  f64: { size: 8, kind: 'float', read: readFloat },
  bool: { size: 1, kind: 'boolean', read: (bytes, at) => bytes[at] !== 0 },
  enum: unsigned(1),
  /** Length in bits. */
  bits: { kind: 'bits', read: readBits },
  'octet-string': { kind: 'octets', read: readOctets },
  'visible-string': { kind: 'text', read: readAscii },
  utf8: { kind: 'text', read: readUtf8 },
  'date-time': time(DATE_TIME_LENGTH, readClock),
  date: time(5, readDate),
  time: time(4, readTime),
  /** Seconds since 1970, UTC. */
  unix32: time(4, readUnsigned),
  /** Two digits in a byte. */
  bcd: { kind: 'bcd', read: readBcd },
  skip: { kind: 'skip', read: () => null },
}

/** Beyond 2^53 as decimal text. */
function readUnsigned(bytes: Uint8Array, start: number, end: number): Value {
  let value = 0
  for (let i = start; i < end; i++) value = value * 256 + bytes[i]!
  return Number.isSafeInteger(value) ? value : BigInt(`0x${toHex(bytes, start, end)}`).toString()
}

function readSigned(bytes: Uint8Array, start: number, end: number): Value {
  let value = (bytes[start]! << 24) >> 24
  for (let i = start + 1; i < end; i++) value = value * 256 + bytes[i]!
  if (Number.isSafeInteger(value)) return value
  return BigInt.asIntN(64, BigInt(`0x${toHex(bytes, start, end)}`)).toString()
}

function readFloat(bytes: Uint8Array, start: number, end: number): Value {
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, end - start)
  return end - start === 4 ? shortest(view.getFloat32(0)) : view.getFloat64(0)
}

/** The number with the fewest digits that single precision cannot tell from this one: 230.7, not 230.6999969482422. */
function shortest(value: number): number {
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}

/** Binary digits, the first bit first; filling bits included. */
function readBits(bytes: Uint8Array, start: number, end: number): Value {
  let text = ''
  for (let i = start; i < end; i++) text += bytes[i]!.toString(2).padStart(8, '0')
  return text
}

function readOctets(bytes: Uint8Array, start: number, end: number): Value {
  for (let i = start; i < end; i++)
    if (bytes[i]! < 0x20 || bytes[i]! > 0x7e) return toHex(bytes, start, end)
  return readAscii(bytes, start, end)
}

/** Without the blanks and NULs that pad it. */
function readAscii(bytes: Uint8Array, start: number, end: number): Value {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return text.replace(/[ \0]+$/, '')
}

const UTF8 = new TextDecoder('utf-8')

function readUtf8(bytes: Uint8Array, start: number, end: number): Value {
  return UTF8.decode(bytes.subarray(start, end)).replace(/[ \0]+$/, '')
}

/** Local ISO time; `null` where date or time are not specified. */
function readClock(bytes: Uint8Array, start: number): Value {
  const clock = readDateTime(bytes, start)
  return clock === undefined ? null : isoLocal(clock.localS)
}

/** ISO date; what stands for every year, month or day is `*`, and a date of nothing else is `null`. */
function readDate(bytes: Uint8Array, start: number): Value {
  const year = (bytes[start]! << 8) | bytes[start + 1]!
  const [month, day] = [bytes[start + 2]!, bytes[start + 3]!]
  const parts = [
    year === 0xffff ? '*' : String(year).padStart(4, '0'),
    month > 12 ? '*' : two(month),
    day > 31 ? '*' : two(day),
  ]
  return parts.every(part => part === '*') ? null : parts.join('-')
}

function readTime(bytes: Uint8Array, start: number): Value {
  const [hour, minute, second] = [bytes[start]!, bytes[start + 1]!, bytes[start + 2]!]
  if (hour > 23 || minute > 59) return null
  return `${two(hour)}:${two(minute)}:${second > 59 ? '00' : two(second)}`
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}

/** A number while it has at most 15 digits; NaN where a digit is none. */
function readBcd(bytes: Uint8Array, start: number, end: number): Value {
  const digits = toHex(bytes, start, end)
  if (/[a-f]/.test(digits)) return Number.NaN
  return digits.length <= 15 ? Number(digits) : digits
}
