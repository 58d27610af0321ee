/** The data-notification APDU (IEC 62056-5-3) and the LLC bytes before it. */
import { type AxdrData, encodeData } from './axdr-encoder.ts'
import { concat, integerBytes } from './bytes.ts'

/** LLC header of a push: destination and source LSAP, quality (IEC 62056-46). */
export const LLC: Uint8Array = Uint8Array.of(0xe6, 0xe7, 0x00)

/**
 * How the date-time of the header is written: `absent` 00, `plain` 0C + 12 bytes (as the standard prescribes),
 * `octet-string` 09 0C + 12 bytes (with data tag), `date-time` 19 + 12 bytes.
 */
export type DateTimeEncoding = 'absent' | 'plain' | 'octet-string' | 'date-time'

const PREFIX = {
  absent: [0x00],
  plain: [0x0c],
  'octet-string': [0x09, 0x0c],
  'date-time': [0x19],
} as const satisfies Record<DateTimeEncoding, readonly number[]>

/** What a data-notification carries. */
export interface DataNotification {
  /** long-invoke-id-and-priority: bits 23-0 id, 28 to 31 flags. */
  readonly invokeIdAndPriority: number
  readonly dateTimeEncoding: DateTimeEncoding
  /** The 12 bytes; not used where the encoding is `absent`. */
  readonly dateTime?: Uint8Array
  readonly body: AxdrData
}

/** The APDU without LLC bytes. Throws `RangeError` if a date-time is announced and missing. */
export function encodeDataNotification(notification: DataNotification): Uint8Array {
  const { dateTimeEncoding, dateTime } = notification
  if (dateTimeEncoding !== 'absent' && dateTime?.length !== 12)
    throw new RangeError(`date-time encoding ${dateTimeEncoding} needs 12 bytes`)
  return concat(
    [0x0f],
    integerBytes(notification.invokeIdAndPriority, 4),
    PREFIX[dateTimeEncoding],
    dateTimeEncoding === 'absent' ? [] : dateTime!,
    encodeData(notification.body),
  )
}
