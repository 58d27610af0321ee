/**
 * CRC-16/KERMIT: the polynomial of CRC-16/X-25 with initial value and final XOR 0. Check value over ASCII "123456789":
 * 0x2189. Some Holley meters put it into their messages where X-25 belongs.
 */

const TABLE: Uint16Array = Uint16Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1
  return crc
})

/** CRC-16/KERMIT over `bytes[start..end)`. */
export function crc16kermit(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ TABLE[(crc ^ bytes[i]!) & 0xff]!
  return crc
}
