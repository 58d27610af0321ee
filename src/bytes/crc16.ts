/**
 * The 16-bit checks of meter telegrams. Both are reflected: bits enter low end first.
 *
 * | name        | polynomial | initial | final XOR | of ASCII "123456789" | protects                            |
 * |-------------|------------|---------|-----------|----------------------|-------------------------------------|
 * | CRC-16/X-25 | 0x1021     | 0xffff  | 0xffff    | 0x906e               | HDLC headers (HCS) and frames (FCS) |
 * | CRC-16/ARC  | 0x8005     | 0       | 0         | 0xbb3d               | P1 text telegrams                   |
 *
 * @see ISO/IEC 13239, frame checking sequence, sent low byte first; DSMR P1 Companion Standard 5.0.2, 6.2.
 */

/** Entry [k][b]: the remainder of byte b followed by k zero bytes, so that four bytes are folded in one step. */
type Tables = [Uint16Array, Uint16Array, Uint16Array, Uint16Array]

/** `polynomial` with its bits reversed. */
function makeTables(polynomial: number): Tables {
  const tables = [new Uint16Array(256)]
  const first = tables[0]!
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    first[byte] = crc
  }
  for (let k = 1; k < 4; k++) {
    const before = tables[k - 1]!
    tables.push(before.map(crc => (crc >>> 8) ^ first[crc & 0xff]!))
  }
  return tables as Tables
}

// The two loops are written out: with the tables as an argument they take half as long again.
const [X0, X1, X2, X3] = makeTables(0x8408)
const [A0, A1, A2, A3] = makeTables(0xa001)

/** CRC-16/X-25 over `bytes[start..end)`. */
export function crc16x25(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0xffff
  let i = start
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8)
    crc = X3[crc & 0xff]! ^ X2[crc >>> 8]! ^ X1[bytes[i + 2]!]! ^ X0[bytes[i + 3]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ X0[(crc ^ bytes[i]!) & 0xff]!
  return crc ^ 0xffff
}

/** CRC-16/ARC over `bytes[start..end)`. */
export function crc16arc(bytes: Uint8Array, start = 0, end: number = bytes.length): number {
  let crc = 0
  let i = start
  for (; i + 4 <= end; i += 4) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8)
    crc = A3[crc & 0xff]! ^ A2[crc >>> 8]! ^ A1[bytes[i + 2]!]! ^ A0[bytes[i + 3]!]!
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ A0[(crc ^ bytes[i]!) & 0xff]!
  return crc
}
