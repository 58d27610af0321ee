/**
 * FCS-16 of HDLC (CRC-16/X-25): polynomial 0x1021 reflected, initial value and final XOR 0xffff, sent low byte first.
 * Check value over ASCII "123456789": 0x906e.
 *
 * @see ISO/IEC 13239, frame checking sequence; used for the header (HCS) and the frame (FCS).
 */

/** TABLES[k][b]: the remainder of byte b followed by k zero bytes, so that four bytes are folded in one step. */
const TABLES: readonly Uint16Array[] = makeTables(4)

function makeTables(count: number): Uint16Array[] {
  const tables = [new Uint16Array(256)]
  const first = tables[0]!
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x8408 : crc >>> 1
    first[byte] = crc
  }
  for (let k = 1; k < count; k++) {
    const before = tables[k - 1]!
    tables.push(before.map(crc => (crc >>> 8) ^ first[crc & 0xff]!))
  }
  return tables
}

const [T0, T1, T2, T3] = TABLES as [Uint16Array, Uint16Array, Uint16Array, Uint16Array]

/** CRC-16/X-25 over `bytes[start..end)`. */
export function crc16x25(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0xffff
  let i = start
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8)
    crc = T3[crc & 0xff]! ^ T2[crc >>> 8]! ^ T1[bytes[i + 2]!]! ^ T0[bytes[i + 3]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ T0[(crc ^ bytes[i]!) & 0xff]!
  return crc ^ 0xffff
}
