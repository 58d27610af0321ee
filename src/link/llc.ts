/** LLC header of IEC 62056-46 in front of an APDU: destination, source, quality. Some meters leave it out. */
const LLC_LENGTH = 3

/** True if `bytes[start..end)` begin with an LLC header from the meter (E6 E7 00) or to it (E6 E6 00). */
export function startsWithLlc(bytes: Uint8Array, start: number, end: number): boolean {
  return (
    end - start > LLC_LENGTH &&
    bytes[start] === 0xe6 &&
    (bytes[start + 1]! & 0xfe) === 0xe6 &&
    bytes[start + 2] === 0x00
  )
}

/** Index of the APDU in `bytes[start..end)`. */
export function skipLlc(bytes: Uint8Array, start: number, end: number): number {
  return startsWithLlc(bytes, start, end) ? start + LLC_LENGTH : start
}
