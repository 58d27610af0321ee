/**
 * HDLC frames of format type 3, as meters push them (IEC 62056-46):
 *
 *     7E | format 2 | destination 1..4 | source 1..4 | control 1 | HCS 2 | information n | FCS 2 | 7E
 *
 * Format: bits 15-12 = 1010, bit 11 = further segments follow, bits 10-0 = bytes between the flags. Nothing is
 * escaped: 7E may occur inside. Both checks are sent low byte first.
 */
import { concat, integerBytes } from './bytes.ts'

/** Opening and closing flag. */
export const FLAG = 0x7e

/** Who speaks to whom. Addresses are given as their 7-bit groups: upper (logical device), lower (physical device). */
export interface HdlcLink {
  readonly destination: readonly number[]
  readonly source: readonly number[]
  /** Control octet: 0x13 = unnumbered information, 0x10 = information frame. */
  readonly control: number
}

/**
 * CRC-16/X-25, one bit at a time: polynomial 0x1021 reflected, initial value and final XOR 0xffff. Check value over
 * ASCII "123456789": 0x906e. Deliberately without a table, as a second implementation to test the first against.
 *
 * @see ISO/IEC 13239, frame checking sequence.
 */
export function crcBitwise(bytes: Uint8Array): number {
  let register = 0xffff
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++)
      register = register & 1 ? (register >> 1) ^ 0x8408 : register >> 1
  }
  return register ^ 0xffff
}

/** Address groups as sent: seven bits each, bit 0 set in the last one (IEC 62056-46). */
function address(groups: readonly number[]): Uint8Array {
  return Uint8Array.from(groups, (group, i) => (group << 1) | (i === groups.length - 1 ? 1 : 0))
}

function withCheck(bytes: Uint8Array): Uint8Array {
  const crc = crcBitwise(bytes)
  return concat(bytes, [crc & 0xff, crc >> 8])
}

/**
 * One frame with both flags. `more` sets the segmentation bit. Without information there is no HCS, only the FCS.
 * Throws `RangeError` if the frame would be longer than the format can say (2047 bytes between the flags).
 */
export function encodeFrame(information: Uint8Array, link: HdlcLink, more = false): Uint8Array {
  const addresses = concat(address(link.destination), address(link.source), [link.control])
  const length = 2 + addresses.length + 2 + (information.length > 0 ? information.length + 2 : 0)
  if (length > 0x7ff) throw new RangeError(`a frame of ${length} bytes is too long for HDLC`)
  const header = withCheck(
    concat(integerBytes(0xa000 | (more ? 0x0800 : 0) | length, 2), addresses),
  )
  const body = information.length > 0 ? withCheck(concat(header, information)) : header
  return concat([FLAG], body, [FLAG])
}

/** `information` cut into frames of at most `largest` information bytes; all but the last have the segmentation bit. */
export function encodeSegments(
  information: Uint8Array,
  link: HdlcLink,
  largest: number,
): readonly Uint8Array[] {
  const frames: Uint8Array[] = []
  for (let start = 0; start < information.length; start += largest) {
    const end = start + largest
    frames.push(encodeFrame(information.subarray(start, end), link, end < information.length))
  }
  return frames
}
