/**
 * General block transfer (Green Book 9.4.6.13):
 *
 *     E0 | block control | block number u16 | block number acknowledged u16 | length | block data
 */
import { lengthBytes } from './axdr-encoder.ts'
import { concat, integerBytes } from './bytes.ts'

/** Block control of a push: streaming, and in the last block bit 7. */
const STREAMING = 0x40
const LAST = 0x80

/** One block with any number. */
export function encodeBlock(data: Uint8Array, number: number, isLast: boolean): Uint8Array {
  return concat(
    [0xe0, STREAMING | (isLast ? LAST : 0)],
    integerBytes(number, 2),
    [0x00, 0x00],
    lengthBytes(data.length),
    data,
  )
}

/** `apdu` cut into blocks of at most `largest` bytes, numbered from 1. */
export function encodeBlocks(apdu: Uint8Array, largest: number): readonly Uint8Array[] {
  const count = Math.max(1, Math.ceil(apdu.length / largest))
  return Array.from({ length: count }, (_, i) =>
    encodeBlock(apdu.subarray(i * largest, (i + 1) * largest), i + 1, i === count - 1),
  )
}
