/** The event-notification APDU (IEC 62056-5-3): C2, optional time, attribute descriptor without tags, value. */
import { type AxdrData, encodeData } from './axdr-encoder.ts'
import { concat, integerBytes } from './bytes.ts'

/** One attribute, and when its value was taken. */
export interface EventNotification {
  /** The 12 bytes of a date-time, or of another length; absent = the time is left out. */
  readonly time?: Uint8Array
  readonly classId: number
  /** Six bytes. */
  readonly logicalName: Uint8Array
  readonly attribute: number
  readonly value: AxdrData
}

/** The APDU without LLC bytes. */
export function encodeEventNotification(event: EventNotification): Uint8Array {
  return concat(
    [0xc2],
    event.time === undefined ? [0x00] : concat([0x01, event.time.length], event.time),
    integerBytes(event.classId, 2),
    event.logicalName,
    integerBytes(event.attribute, 1, true),
    encodeData(event.value),
  )
}
