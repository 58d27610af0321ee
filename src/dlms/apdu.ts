/**
 * The envelope around pushed data (IEC 62056-5-3): which APDU it is, and what stands before the value in a
 * data-notification and in an event-notification.
 */
import { hex } from '../bytes/hex.ts'
import type { Reader } from '../bytes/reader.ts'
import { DecodeError } from '../errors.ts'
import { readLength } from './axdr-types.ts'
import { DATE_TIME_LENGTH } from './date-time.ts'

/** What is to be done with an APDU: read its list or its value, join it, open it, refuse it. */
export type ApduKind = 'notification' | 'event' | 'block' | 'ciphered' | 'signed'

/** Name and kind of the APDUs a meter may push, by their first byte (Green Book 9.5). */
const APDUS: Readonly<Record<number, readonly [name: string, kind: ApduKind]>> = {
  15: ['data-notification', 'notification'],
  194: ['event-notification-request', 'event'],
  219: ['general-glo-ciphering', 'ciphered'],
  220: ['general-ded-ciphering', 'ciphered'],
  221: ['general-ciphering', 'ciphered'],
  223: ['general-signing', 'signed'],
  224: ['general-block-transfer', 'block'],
}

const DATA_NOTIFICATION = 0x0f
const EVENT_NOTIFICATION = 0xc2
const LOGICAL_NAME_LENGTH = 6

/** Kind of the APDU that a byte begins; `undefined` if it begins none that is pushed. */
export function apduKind(byte: number): ApduKind | undefined {
  return APDUS[byte]?.[1]
}

/** Name of the APDU that a byte begins, as DLMS writes it, else the byte. */
export function apduName(byte: number): string {
  return APDUS[byte]?.[0] ?? `APDU ${hex(byte)}`
}

/** True if a byte begins an APDU that a meter pushes. */
export function startsApdu(byte: number): boolean {
  return byte in APDUS
}

/** True if a byte begins a protected APDU. */
export function isCiphered(byte: number): boolean {
  return apduKind(byte) === 'ciphered'
}

/**
 * Reads the header of a data-notification and leaves the reader at its body. Returns the index of the date-time's
 * twelve bytes, -1 if there is none.
 *
 * The standard prescribes an octet string without tag (`00`, or `0c` and twelve bytes). Kaifa and older Kamstrup
 * firmware put the data tag in front (`09 0c`); a date-time tag (`19`) is accepted too.
 */
export function readNotificationHeader(reader: Reader): number {
  const at = reader.offset
  const first = reader.u8()
  if (first !== DATA_NOTIFICATION) throw unexpected(first, at - reader.start)
  reader.take(4) // long-invoke-id-and-priority: a counter on some meters, a constant on most.
  const kind = reader.u8()
  if (kind === 0x00) return -1
  if (kind === 0x09) {
    const size = reader.u8()
    if (size === 0) return -1
    if (size === DATE_TIME_LENGTH) return reader.take(DATE_TIME_LENGTH)
  } else if (kind === DATE_TIME_LENGTH || kind === 0x19) return reader.take(DATE_TIME_LENGTH)
  throw new DecodeError(
    'APDU_UNKNOWN',
    reader.offset - 1 - reader.start,
    `date-time begins with ${hex(kind)}, expected 00, 0c, 09 0c or 19`,
  )
}

/** What stands before the value of an event-notification. */
export interface EventHeader {
  /** Index of the twelve bytes of the time, -1 if there is none. */
  readonly time: number
  readonly classId: number
  /** Index of the six bytes of the logical name. */
  readonly name: number
  readonly attribute: number
}

/**
 * Reads the header of an event-notification and leaves the reader at its value:
 *
 *     C2 | 00, or 01 and octet string: time | class id u16 | logical name 6 | attribute i8 | value with its tag
 */
export function readEventHeader(reader: Reader): EventHeader {
  const at = reader.offset
  const first = reader.u8()
  if (first !== EVENT_NOTIFICATION) throw unexpected(first, at - reader.start)
  let time = -1
  if (reader.u8() !== 0) {
    const size = readLength(reader)
    const start = reader.take(size)
    if (size === DATE_TIME_LENGTH) time = start
  }
  const classId = reader.u16()
  const name = reader.take(LOGICAL_NAME_LENGTH)
  return { time, classId, name, attribute: (reader.u8() << 24) >> 24 }
}

/** The error for an APDU that stands where a clear one is wanted. */
function unexpected(first: number, offset: number): DecodeError {
  switch (apduKind(first)) {
    case 'ciphered':
      return new DecodeError('CIPHER_KEY_NEEDED', offset, `encrypted: ${apduName(first)}`)
    case 'signed':
      return new DecodeError('CIPHER_UNSUPPORTED', offset, `signed: ${apduName(first)}`)
    default:
      return new DecodeError(
        'APDU_UNKNOWN',
        offset,
        `${apduName(first)}, data-notification 0x0f expected`,
      )
  }
}

/** Checks what stands behind the body: nothing, or zero padding (true). Throws DATA_TRAILING for anything else. */
export function readPadding(reader: Reader): boolean {
  const found = reader.remaining
  while (reader.remaining > 0)
    if (reader.u8() !== 0)
      throw new DecodeError(
        'DATA_TRAILING',
        reader.offset - 1 - reader.start,
        `${found} bytes follow the list, only zero padding is allowed`,
      )
  return found > 0
}
