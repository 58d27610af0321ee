/**
 * The envelope around pushed data (IEC 62056-5-3): which APDU it is, and the header of a data-notification.
 */
import { hex } from '../bytes/hex.ts'
import type { Reader } from '../bytes/reader.ts'
import { DecodeError } from '../errors.ts'
import { DATE_TIME_LENGTH } from './date-time.ts'

/** First byte of the APDUs that are not opened here, and what it is. */
const OTHER_APDUS: Readonly<Record<number, 'ciphered' | 'other'>> = {
  219: 'ciphered',
  220: 'ciphered',
  221: 'ciphered',
  223: 'ciphered',
  224: 'other',
}

const DATA_NOTIFICATION = 0x0f

/** True if a byte begins an APDU that a meter pushes. */
export function startsApdu(byte: number): boolean {
  return byte === DATA_NOTIFICATION || byte in OTHER_APDUS
}

/** True if a byte begins a protected APDU. */
export function isCiphered(byte: number): boolean {
  return OTHER_APDUS[byte] === 'ciphered'
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
  if (first !== DATA_NOTIFICATION) {
    if (OTHER_APDUS[first] === 'ciphered')
      throw new DecodeError('CIPHER_KEY_NEEDED', at - reader.start, `encrypted APDU ${hex(first)}`)
    throw new DecodeError(
      'APDU_UNKNOWN',
      at - reader.start,
      `APDU ${hex(first)}, data-notification 0x0f expected`,
    )
  }
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
