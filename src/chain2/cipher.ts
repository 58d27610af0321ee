/**
 * The ciphers of power-line frames: AES-CMAC (RFC 4493) and AES in counter mode (NIST SP 800-38A), both with 128-bit
 * keys. The only file here that knows what implements them.
 */
import { createCipheriv, createHash, timingSafeEqual } from 'node:crypto'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)

/** Bytes of a key, a block and a whole MAC. */
export const BLOCK = 16

/** AES-CMAC of `bytes[start..end)`: 16 bytes. */
export function cmac(
  key: Uint8Array,
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Uint8Array {
  // Loaded by the first frame that needs it; every other reader of meters does without.
  const { aesCmac } = require('node-aes-cmac') as typeof import('node-aes-cmac')
  const mac = aesCmac(bufferOf(key), bufferOf(bytes.subarray(start, end)), { returnAsBuffer: true })
  return new Uint8Array(mac)
}

/** True if `mac`, cut to its length or whole, is that of `bytes[start..end)`. Takes the same time for every wrong one. */
export function cmacFits(
  key: Uint8Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  mac: Uint8Array,
): boolean {
  return timingSafeEqual(cmac(key, bytes, start, end).subarray(0, mac.length), mac)
}

/** `bytes[start..end)` deciphered, or enciphered, in counter mode. `counterBlock` is the first input block, 16 bytes. */
export function aesCtr(
  key: Uint8Array,
  counterBlock: Uint8Array,
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Uint8Array {
  const cipher = createCipheriv('aes-128-ctr', key, counterBlock)
  return new Uint8Array(cipher.update(bytes.subarray(start, end)))
}

/** Tells keys apart and gives nothing of them away. */
export function fingerprint(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 8)
}

/** The same bytes as a Buffer. */
function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
