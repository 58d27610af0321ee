/** Protected telegrams: general-glo-ciphering of suite 0 (IEC 62056-5-3). */
import { createCipheriv } from 'node:crypto'
import { lengthBytes } from './axdr-encoder.ts'
import { concat, integerBytes } from './bytes.ts'

/** Keys and counter of one sender. */
export interface Protection {
  /** 8 bytes. */
  readonly systemTitle: Uint8Array
  /** 16 bytes each. */
  readonly encryptionKey: Uint8Array
  readonly authenticationKey: Uint8Array
  readonly invocationCounter: number
}

/** Security control: suite 0, authenticated and encrypted. */
const SECURITY_CONTROL = 0x30
const TAG_BYTES = 12

/** `apdu` encrypted and authenticated with AES-GCM-128: tag DB, title, length, control, counter, ciphertext, tag. */
export function encodeGeneralGlo(apdu: Uint8Array, protection: Protection): Uint8Array {
  const { systemTitle, encryptionKey, authenticationKey } = protection
  const counter = integerBytes(protection.invocationCounter, 4)
  const cipher = createCipheriv('aes-128-gcm', encryptionKey, concat(systemTitle, counter), {
    authTagLength: TAG_BYTES,
  })
  cipher.setAAD(concat([SECURITY_CONTROL], authenticationKey))
  const sealed = concat(cipher.update(apdu), cipher.final(), cipher.getAuthTag())
  const content = concat([SECURITY_CONTROL], counter, sealed)
  return concat([0xdb, systemTitle.length], systemTitle, lengthBytes(content.length), content)
}
