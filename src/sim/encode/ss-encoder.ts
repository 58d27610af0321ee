/** Frames of the ST7580 security layer (ST UM0932 rev 3, table 4): header, enciphered payload, IV, HL, digest. */
import { createCipheriv } from 'node:crypto'
import { concat } from './bytes.ts'
import { encodeCmac } from './cmac-encoder.ts'

/** What is put into a frame. */
export interface SsContent {
  /** 16 bytes. */
  readonly key: Uint8Array
  /** Sent clear, 4 to 225 bytes. */
  readonly header: Uint8Array
  readonly payload: Uint8Array
  /** 12 bytes. */
  readonly iv: Uint8Array
  /** Last four bytes of the first counter block, as a number. */
  readonly firstCounter: number
}

/** The data unit. */
export function encodeSs({ key, header, payload, iv, firstCounter }: SsContent): Uint8Array {
  const counterBlock = concat(iv, [0, 0, 0, firstCounter])
  const cipher = createCipheriv('aes-128-ctr', key, counterBlock)
  const covered = concat(header, cipher.update(payload), iv, [header.length])
  return concat(covered, encodeCmac(key, covered))
}
