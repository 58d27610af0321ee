/** Frames of the Meters and More host interface: those of the ST7580 with LEN one less than the payload. */
import { concat, integerBytes } from './bytes.ts'

/** One frame with the 16-bit sum. Throws RangeError for a payload that is not 1 to 256 bytes. */
export function encodeMmhi(command: number, payload: Uint8Array | readonly number[]): Uint8Array {
  const body = concat([...integerBytes(payload.length - 1, 1), command], payload)
  const sum = body.reduce((total, byte) => total + byte, 0) & 0xffff
  return concat([0x02], body, [sum & 0xff, sum >> 8])
}
