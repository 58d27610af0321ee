/**
 * AES-CMAC straight from RFC 4493 2.4, one block after the other. Deliberately without the library that the product uses,
 * as a second implementation to test the first against.
 */
import { createCipheriv } from 'node:crypto'
import { concat } from './bytes.ts'

const BLOCK = 16
/** The constant R128 of the subkeys. */
const R128 = 0x87

/** The MAC of `message`, 16 bytes. */
export function encodeCmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const encrypt = (block: Uint8Array): Uint8Array => {
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    return new Uint8Array(cipher.update(block))
  }
  const k1 = doubled(encrypt(new Uint8Array(BLOCK)))
  const blocks = Math.max(1, Math.ceil(message.length / BLOCK))
  const isWhole = message.length === blocks * BLOCK
  const padding = new Uint8Array(blocks * BLOCK - message.length)
  if (!isWhole) padding[0] = 0x80
  const padded = concat(message, padding)
  let state = new Uint8Array(BLOCK)
  for (let i = 0; i < blocks; i++) {
    const block = xor(padded.subarray(i * BLOCK, (i + 1) * BLOCK), state)
    const isLast = i === blocks - 1
    state = new Uint8Array(encrypt(isLast ? xor(block, isWhole ? k1 : doubled(k1)) : block))
  }
  return state
}

/** Times x in the field of the cipher. */
function doubled(block: Uint8Array): Uint8Array {
  const out = block.map((byte, i) => (byte << 1) | ((block[i + 1] ?? 0) >> 7))
  if (block[0]! & 0x80) out[BLOCK - 1]! ^= R128
  return out
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ b[i]!)
}
