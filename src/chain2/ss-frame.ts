/**
 * The security layer of the ST7580 (ST UM0932 rev 3, table 4): one key enciphers with AES-CTR and authenticates with
 * AES-CMAC.
 *
 * | part              | size                                         |
 * |-------------------|----------------------------------------------|
 * | header, clear     | HL, 4 to 225, at least 16 where it is all    |
 * | enciphered        | the rest                                     |
 * | IV of the counter | 12                                           |
 * | HL                | 1                                            |
 * | digest            | 16, over everything before it                |
 *
 * The four bytes that complete the IV to the first counter block are not documented: 0 and 1 are both in use.
 */
import { DecodeError } from '../errors.ts'
import { aesCtr, BLOCK, cmacFits } from './cipher.ts'
import type { Layer } from './layer.ts'

const IV = 12
const TRAILER = IV + 1 + BLOCK
const LEAST = 33
const MOST = 255
const LEAST_HEADER = 4
const MOST_HEADER = 225
/** Length of a header with nothing behind it. */
const LEAST_ALONE = 16

/** Value of the last four bytes of the first counter block. */
export type FirstCounter = 0 | 1

/** True if the length is one that a frame can have. */
export function hasSsLength({ start, end }: Layer): boolean {
  return end - start >= LEAST && end - start <= MOST
}

/** True if the digest of the frame is that under this key. */
export function ssDigestFits(key: Uint8Array, { bytes, start, end }: Layer): boolean {
  const digest = end - BLOCK
  return cmacFits(key, bytes, start, digest, bytes.subarray(digest, end))
}

/** Deciphers a frame whose digest was right; what remains is the payload alone. Throws DATA_BAD_VALUE. */
export function decipherSs(key: Uint8Array, layer: Layer, first: FirstCounter): Layer {
  const { bytes, start, end, trace } = layer
  const iv = end - TRAILER
  const headerLength = bytes[end - BLOCK - 1]!
  const header = start + headerLength
  const least = header === iv ? LEAST_ALONE : LEAST_HEADER
  if (headerLength < least || headerLength > MOST_HEADER || header > iv)
    throw new DecodeError(
      'DATA_BAD_VALUE',
      end - BLOCK - 1 - start,
      `a header of ${headerLength} bytes in a frame of ${end - start}`,
    )
  const block = new Uint8Array(BLOCK)
  block.set(bytes.subarray(iv, iv + IV))
  block[BLOCK - 1] = first
  const plain = aesCtr(key, block, bytes, header, iv)
  trace?.row(start, header, 'header, clear')
  const inside = trace?.sealed(header, iv, 'enciphered (AES-CTR)', plain)
  trace?.row(iv, iv + IV, 'IV of the counter')
  trace?.row(iv + IV, iv + IV + 1, `the header has ${headerLength} bytes`)
  trace?.row(end - BLOCK, end, 'digest (AES-CMAC), right')
  return inner(layer, plain, inside)
}

/** The plaintext as the next layer. */
export function inner(layer: Layer, plain: Uint8Array, trace: Layer['trace']): Layer {
  const { trace: _, ...known } = layer
  return {
    ...known,
    bytes: plain,
    start: 0,
    end: plain.length,
    ...(trace === undefined ? {} : { trace }),
  }
}
