/** The DLMS wrapper for TCP and UDP (IEC 62056-47): version 0001, source and destination wPort, length, APDU. */
import { concat, integerBytes } from './bytes.ts'

/** `apdu` as one message. Throws `RangeError` if it is longer than the header can say (65,535 bytes). */
export function encodeWrapper(apdu: Uint8Array, source = 1, destination = 16): Uint8Array {
  return concat(
    [0x00, 0x01],
    integerBytes(source, 2),
    integerBytes(destination, 2),
    integerBytes(apdu.length, 2),
    apdu,
  )
}
