/**
 * Protected telegrams (IEC 62056-5-3): general-glo- and general-ded-ciphering, and general-ciphering with its five
 * fields in front. Every suite and security control a push may have, and those that a receiver must refuse.
 */
import { createCipheriv } from 'node:crypto'
import { lengthBytes } from './axdr-encoder.ts'
import { concat, integerBytes } from './bytes.ts'

/** Keys and counter of one sender. */
export interface Protection {
  /** 8 bytes. */
  readonly systemTitle: Uint8Array
  /** 16 bytes each, 32 in suite 2. */
  readonly encryptionKey: Uint8Array
  readonly authenticationKey: Uint8Array
  readonly invocationCounter: number
  /** Bits 3-0 suite, 4 authenticated, 5 encrypted, 6 broadcast key; 30 if absent. */
  readonly securityControl?: number
  /** Leaves the title out of the telegram; it stays in the initialisation vector. */
  readonly withoutTitle?: boolean
}

/** The fields of general-ciphering before the content, as octet strings without their lengths. */
export interface CipheringFields {
  readonly transactionId: Uint8Array
  readonly recipientTitle: Uint8Array
  readonly dateTime?: Uint8Array
  readonly otherInformation?: Uint8Array
  /** The bytes of key-info behind its presence flag: `00 00` identified unicast key; absent = none is sent. */
  readonly keyInfo?: Uint8Array
}

/** Security control: suite 0, authenticated and encrypted. */
const SECURITY_CONTROL = 0x30
const AUTHENTICATED = 0x10
const ENCRYPTED = 0x20
const TAG_BYTES = 12

/** `apdu` under the global key: tag DB, title, length, control, counter, content, tag. */
export function encodeGeneralGlo(apdu: Uint8Array, protection: Protection): Uint8Array {
  return concat([0xdb], titleOf(protection), sealed(apdu, protection))
}

/** The same under the dedicated key: tag DC. */
export function encodeGeneralDed(apdu: Uint8Array, protection: Protection): Uint8Array {
  return concat([0xdc], titleOf(protection), sealed(apdu, protection))
}

/** The same with the fields of general-ciphering, which the tag covers: tag DD. */
export function encodeGeneralCiphering(
  apdu: Uint8Array,
  protection: Protection,
  fields: CipheringFields,
): Uint8Array {
  const header = concat(
    octets(fields.transactionId),
    titleOf(protection),
    octets(fields.recipientTitle),
    octets(fields.dateTime),
    octets(fields.otherInformation),
  )
  const keyInfo = fields.keyInfo === undefined ? [0x00] : concat([0x01], fields.keyInfo)
  return concat([0xdd], header, keyInfo, sealed(apdu, protection, header))
}

function octets(bytes: Uint8Array = new Uint8Array(0)): Uint8Array {
  return concat([bytes.length], bytes)
}

function titleOf({ systemTitle, withoutTitle }: Protection): Uint8Array {
  return withoutTitle ? Uint8Array.of(0) : octets(systemTitle)
}

/** Length, security control, counter, content and tag; `header` is what the tag covers besides. */
function sealed(
  apdu: Uint8Array,
  protection: Protection,
  header: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const { systemTitle, encryptionKey, authenticationKey } = protection
  const control = protection.securityControl ?? SECURITY_CONTROL
  const counter = integerBytes(protection.invocationCounter, 4)
  const cipher = createCipheriv(
    encryptionKey.length === 32 ? 'aes-256-gcm' : 'aes-128-gcm',
    encryptionKey,
    concat(systemTitle, counter),
    { authTagLength: TAG_BYTES },
  )
  const isAuthenticated = (control & AUTHENTICATED) !== 0
  const isEncrypted = (control & ENCRYPTED) !== 0
  if (isAuthenticated)
    cipher.setAAD(concat([control], authenticationKey, header, isEncrypted ? [] : apdu))
  const content = isEncrypted ? cipher.update(apdu) : apdu
  cipher.final()
  const tag = isAuthenticated ? cipher.getAuthTag() : []
  const protectedPart = concat([control], counter, content, tag)
  return concat(lengthBytes(protectedPart.length), protectedPart)
}
