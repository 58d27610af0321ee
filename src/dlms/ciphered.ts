/**
 * The envelope of a protected APDU (IEC 62056-5-3, Green Book 9.2): where its parts stand, before any key is used.
 *
 * | APDU                     | layout                                                                              |
 * |--------------------------|-------------------------------------------------------------------------------------|
 * | general-glo-ciphering    | DB, system title, length, SC, invocation counter u32, content, tag 12               |
 * | general-ded-ciphering    | DC, the same under the dedicated key                                                |
 * | general-ciphering        | DD, transaction id, originator and recipient title, date-time, other information,   |
 * |                          | optional key-info, then length, SC, counter, content, tag                           |
 *
 * Titles and the fields of DD are octet strings; the length counts from SC on. SC (security control): bits 3-0 suite,
 * 4 authenticated, 5 encrypted, 6 broadcast key set, 7 compressed. The tag is there only if bit 4 is set.
 */
import { hex } from '../bytes/hex.ts'
import type { Reader } from '../bytes/reader.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import { readLength } from './axdr.ts'

/** Bits of the security control byte. */
export const SECURITY = {
  suite: 0x0f,
  authenticated: 0x10,
  encrypted: 0x20,
  broadcast: 0x40,
  compressed: 0x80,
} as const

/** Length of the authentication tag, cut to 96 bits. */
export const TAG_LENGTH = 12
/** Length of a system title; none is sent where it was agreed beforehand. */
export const TITLE_LENGTH = 8
/** Length of the invocation counter. */
export const COUNTER_LENGTH = 4

const GENERAL_GLO = 0xdb
const GENERAL_DED = 0xdc
const GENERAL_CIPHERING = 0xdd
const GENERAL_SIGNING = 0xdf

/** Choices of key-info that are not opened. */
const KEY_INFO: Readonly<Record<number, string>> = { 1: 'wrapped-key', 2: 'agreed-key' }

/** Which key protects: global unicast, global broadcast, or dedicated to one association. */
export type KeySet = 'unicast' | 'broadcast' | 'dedicated'

/** Indices into the bytes that were read. */
export interface Ciphered {
  readonly keySet: KeySet
  readonly securityControl: number
  /** Of the system title; equal where none is sent. */
  readonly titleStart: number
  readonly titleEnd: number
  /** Of the fields of general-ciphering that the tag covers as well; equal where there are none. */
  readonly headerStart: number
  readonly headerEnd: number
  /** Of the invocation counter. */
  readonly counterStart: number
  readonly counter: number
  readonly contentStart: number
  /** The tag begins here, if there is one. */
  readonly contentEnd: number
  /** Behind the APDU. */
  readonly end: number
}

/**
 * Reads the envelope and leaves the reader behind the APDU. Throws APDU_UNKNOWN, CIPHER_UNSUPPORTED, LINK_INCOMPLETE
 * where the announced bytes are not there, and DATA_TRUNCATED or DATA_BAD_VALUE for a malformed envelope.
 */
export function readCiphered(reader: Reader): Ciphered {
  const tag = reader.u8()
  let keySet: KeySet = tag === GENERAL_DED ? 'dedicated' : 'unicast'
  const headerStart = reader.offset
  let headerEnd = headerStart
  switch (tag) {
    case GENERAL_GLO:
    case GENERAL_DED:
      break
    case GENERAL_CIPHERING:
      takeOctets(reader) // transaction id
      break
    case GENERAL_SIGNING:
      throw fault(reader, 'CIPHER_UNSUPPORTED', 'a signed APDU (general-signing 0xdf)')
    default:
      throw fault(reader, 'APDU_UNKNOWN', `APDU ${hex(tag)}, 0xdb, 0xdc or 0xdd expected`)
  }
  const titleStart = takeOctets(reader)
  const titleEnd = reader.offset
  if (titleEnd !== titleStart && titleEnd - titleStart !== TITLE_LENGTH)
    throw fault(
      reader,
      'DATA_BAD_VALUE',
      `a system title of ${titleEnd - titleStart} bytes, ${TITLE_LENGTH} or none expected`,
    )
  if (tag === GENERAL_CIPHERING) {
    for (let field = 0; field < 3; field++) takeOctets(reader) // recipient, date-time, other
    headerEnd = reader.offset
    keySet = readKeyInfo(reader)
  }
  const size = readLength(reader)
  if (size > reader.remaining)
    throw fault(
      reader,
      'LINK_INCOMPLETE',
      `the ciphered APDU announces ${size} bytes, ${reader.remaining} are there`,
    )
  const end = reader.offset + size
  const securityControl = reader.u8()
  if (securityControl & SECURITY.broadcast) keySet = 'broadcast'
  const counterStart = reader.offset
  const counter = reader.u32()
  const contentStart = reader.offset
  const contentEnd = securityControl & SECURITY.authenticated ? end - TAG_LENGTH : end
  if (contentEnd < contentStart)
    throw fault(
      reader,
      'DATA_TRUNCATED',
      `${size} bytes from SC on are too few for counter and tag`,
    )
  reader.offset = end
  return {
    keySet,
    securityControl,
    titleStart,
    titleEnd,
    headerStart,
    headerEnd,
    counterStart,
    counter,
    contentStart,
    contentEnd,
    end,
  }
}

/** key-info of general-ciphering: absent, or an identified key; the choices that carry a key are refused. */
function readKeyInfo(reader: Reader): KeySet {
  if (reader.u8() === 0) return 'unicast'
  const choice = reader.u8()
  if (choice !== 0)
    throw fault(
      reader,
      'CIPHER_UNSUPPORTED',
      `key-info ${KEY_INFO[choice] ?? hex(choice)}, only an identified key can be used`,
    )
  const id = reader.u8()
  if (id > 1)
    throw fault(reader, 'CIPHER_UNSUPPORTED', `key id ${id}, 0 (unicast) or 1 (broadcast) expected`)
  return id === 1 ? 'broadcast' : 'unicast'
}

/** Moves past an octet string and returns the index of its first byte. */
function takeOctets(reader: Reader): number {
  return reader.take(readLength(reader))
}

function fault(reader: Reader, code: DecodeErrorCode, detail: string): DecodeError {
  return new DecodeError(code, reader.offset - reader.start, detail)
}
