/**
 * Wired M-Bus frames (EN 13757-2), and DLMS cut into them (EN 13757-3):
 *
 *     68 L L 68 | C | A | CI | data | CS | 16            long frame; L counts from C to the data, CS sums them up
 *     10 | C | A | CS | 16                               short frame
 *
 * CI of a DLMS segment: bit 4 FIN, bits 3-0 number from 0; its data begins with STSAP and DTSAP.
 */
import { concat } from './bytes.ts'

/** Addresses of a push. */
export interface MbusLink {
  /** C: 53 or 73, SND_UD. */
  readonly control: number
  /** A: FF to everybody. */
  readonly address: number
  /** Source and destination access point: 01 and 67 at Austrian meters. */
  readonly stsap: number
  readonly dtsap: number
}

/** As Austrian meters push. */
export const AUSTRIA: MbusLink = { control: 0x53, address: 0xff, stsap: 0x01, dtsap: 0x67 }

/** Longest user data of a frame, C to the last data byte. */
const MAX_USER_LENGTH = 255
const FIN = 0x10
/** C, A, CI, STSAP and DTSAP. */
const SEGMENT_HEADER = 5
const MAX_SEGMENTS = 16

/**
 * A long frame of C, A, CI and data. `lengthField` overrides L: some meters send it modulo 256. Throws `RangeError` if
 * the data does not fit.
 */
export function encodeLongFrame(user: Uint8Array, lengthField: number = user.length): Uint8Array {
  if (lengthField > MAX_USER_LENGTH)
    throw new RangeError(`${user.length} bytes are too long for an M-Bus frame`)
  return concat([0x68, lengthField, lengthField, 0x68], user, [checksum(user), 0x16])
}

/** A short frame. */
export function encodeShortFrame(control: number, address: number): Uint8Array {
  const user = Uint8Array.of(control, address)
  return concat([0x10], user, [checksum(user), 0x16])
}

/** One segment with any number. */
export function encodeMbusSegment(
  data: Uint8Array,
  link: MbusLink,
  number: number,
  isLast: boolean,
): Uint8Array {
  return encodeLongFrame(segment(data, link, number, isLast))
}

/** `apdu` cut into frames of at most `largest` bytes of user data (250 at most meters). */
export function encodeMbusSegments(
  apdu: Uint8Array,
  link: MbusLink,
  largest: number,
): readonly Uint8Array[] {
  const size = largest - SEGMENT_HEADER
  const count = Math.max(1, Math.ceil(apdu.length / size))
  if (count > MAX_SEGMENTS)
    throw new RangeError(`${count} segments, the CI counts to ${MAX_SEGMENTS}`)
  return Array.from({ length: count }, (_, i) =>
    encodeMbusSegment(apdu.subarray(i * size, (i + 1) * size), link, i, i === count - 1),
  )
}

/** As Sagemcom T210-D of old firmware: a first frame of 257 bytes that says 1, then the rest. */
export function encodeSagemcomSegments(apdu: Uint8Array, link: MbusLink): readonly Uint8Array[] {
  const size = 257 - SEGMENT_HEADER
  return [
    encodeLongFrame(segment(apdu.subarray(0, size), link, 0, false), 257 % 256),
    encodeMbusSegment(apdu.subarray(size), link, 1, true),
  ]
}

function segment(data: Uint8Array, link: MbusLink, number: number, isLast: boolean): Uint8Array {
  const ci = number | (isLast ? FIN : 0)
  return concat([link.control, link.address, ci, link.stsap, link.dtsap], data)
}

function checksum(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum + byte, 0) & 0xff
}
