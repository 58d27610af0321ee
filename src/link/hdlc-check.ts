import { crc16x25 } from '../bytes/crc16.ts'
import { hex } from '../bytes/hex.ts'

/** Opens and closes an HDLC frame. */
export const FLAG = 0x7e

/** Why `bytes[opening..closing]` is no frame, `undefined` if it is one. */
export function frameFault(
  bytes: Uint8Array,
  opening: number,
  closing: number,
): string | undefined {
  if (bytes[closing] !== FLAG)
    return `closing flag 0x7e expected after ${closing - opening} bytes, found ${hex(bytes[closing]!)}`
  const sent = bytes[closing - 2]! | (bytes[closing - 1]! << 8)
  const computed = crc16x25(bytes, opening + 1, closing - 2)
  return sent === computed
    ? undefined
    : `frame checksum ${hex(sent)} sent, ${hex(computed)} computed over ${closing - opening - 3} bytes`
}
