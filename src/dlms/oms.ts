/**
 * The telegrams of the AMIS TD-351x (Netz Oberösterreich, customer interface of 2021-11-05): M-Bus records under the
 * OMS long header, enciphered in mode 5.
 *
 * | offset | size | field                                                                          |
 * |--------|------|--------------------------------------------------------------------------------|
 * | 0      | 1    | CI 5B                                                                          |
 * | 1      | 4    | identification number, BCD, low byte first                                     |
 * | 5      | 2    | manufacturer, low byte first: three letters of five bits                       |
 * | 7      | 1    | version                                                                        |
 * | 8      | 1    | medium                                                                         |
 * | 9      | 1    | access number, counted up by the meter                                         |
 * | 10     | 1    | status                                                                         |
 * | 11     | 2    | configuration, low byte first: bits 12-8 mode, bits 7-4 enciphered blocks      |
 * | 13     | 16 n | AES-128-CBC without padding; IV: bytes 5-6, 1-4, 7, 8, then eight access numbers |
 *
 * The plaintext begins with 2F 2F, and nothing else tells that the key is right: there is no tag, and the integrity is
 * that of the link.
 */
import { toHex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import type { Register } from '../reading.ts'
import { type Secret, sender } from './candidates.ts'
import { decipherBlocks, secretOf } from './cipher.ts'
import { readDateAndTime } from './date-time.ts'
import type { KeyRing } from './keys.ts'

/** What a telegram of the meter said. */
export interface OmsTelegram {
  /** Seconds since 1970 of the meter's local time; `undefined` if it sent none that is possible. */
  readonly clock: number | undefined
  readonly registers: readonly Register[]
  /** Eight digits. */
  readonly identification: string
  /** Three letters. */
  readonly manufacturer: string
  readonly accessNumber: number
  readonly status: number
}

/** Values of four bytes, low byte first, by the bytes of DIF and VIF before them. */
const RECORDS: Readonly<Record<string, Omit<Register, 'value'> & { readonly signed?: true }>> = {
  '0403': { obis: '1-0:1.8.0*255', unit: 'Wh' },
  '04833c': { obis: '1-0:2.8.0*255', unit: 'Wh' },
  '8410fb8273': { obis: '1-0:3.8.1*255', unit: 'varh' },
  '8410fb82f33c': { obis: '1-0:4.8.1*255', unit: 'varh' },
  '042b': { obis: '1-0:1.7.0*255', unit: 'W' },
  '04ab3c': { obis: '1-0:2.7.0*255', unit: 'W' },
  '04fb14': { obis: '1-0:3.7.0*255', unit: 'var' },
  '04fb943c': { obis: '1-0:4.7.0*255', unit: 'var' },
  '0483ff04': { obis: '1-0:1.128.0*255', unit: 'Wh', signed: true },
}
/** DIF and VIF of the clock, CP48 of six bytes. */
const CLOCK = '066d'
const CLOCK_LENGTH = 6
const VALUE_LENGTH = 4
/** Stands before the records and fills the last block. */
const FILL = 0x2f
const HEADER_LENGTH = 13
const BLOCK_LENGTH = 16
const MODE = 5
const EXTENDED = 0x80

export class OmsOpener {
  private readonly secrets: readonly { readonly title: string; readonly secret: Secret }[]
  private readonly iv = new Uint8Array(BLOCK_LENGTH)

  /** A key is for the meter whose address (bytes 1 to 8 in hex) is its system title, or for any. */
  constructor({ keys }: KeyRing) {
    this.secrets = keys.map(({ systemTitle: title, encryptionKey }) => ({
      title,
      secret: secretOf(encryptionKey),
    }))
  }

  /**
   * Opens and reads the telegram whose CI is `bytes[start]`. Throws {@link DecodeError}: CIPHER_UNSUPPORTED for another
   * mode, CIPHER_KEY_NEEDED, CIPHER_AUTH_FAILED where the plaintext does not begin as it must, DATA_TRUNCATED and
   * DATA_UNKNOWN_TAG for records that cannot be gone through.
   */
  open(bytes: Uint8Array, start: number, end: number): OmsTelegram {
    const plaintext = this.plaintext(bytes, start, end)
    const manufacturer = bytes[start + 5]! | (bytes[start + 6]! << 8)
    return {
      ...readRecords(plaintext),
      identification: toHex(bytes.slice(start + 1, start + 5).reverse()),
      manufacturer: String.fromCharCode(
        ...[10, 5, 0].map(shift => 0x40 + ((manufacturer >> shift) & 0x1f)),
      ),
      accessNumber: bytes[start + 9]!,
      status: bytes[start + 10]!,
    }
  }

  /** The deciphered records with their fill. Throws what {@link open} throws before it reads them. */
  plaintext(bytes: Uint8Array, start: number, end: number): Uint8Array {
    if (end - start < HEADER_LENGTH)
      throw fault(
        'DATA_TRUNCATED',
        `an OMS header takes ${HEADER_LENGTH} bytes, has ${end - start}`,
      )
    const configuration = bytes[start + 11]! | (bytes[start + 12]! << 8)
    const mode = (configuration >> 8) & 0x1f
    if (mode !== MODE) throw fault('CIPHER_UNSUPPORTED', `OMS mode ${mode}, ${MODE} expected`)
    const from = start + HEADER_LENGTH
    const size = ((configuration >> 4) & 0x0f) * BLOCK_LENGTH
    if (size === 0 || size > end - from)
      throw fault('DATA_TRUNCATED', `${size} enciphered bytes announced, ${end - from} are there`)
    return this.decipher(bytes, start, bytes.subarray(from, from + size))
  }

  private decipher(bytes: Uint8Array, start: number, blocks: Uint8Array): Uint8Array {
    const address = toHex(bytes, start + 1, start + 9)
    const { iv } = this
    iv.set(bytes.subarray(start + 5, start + 7))
    iv.set(bytes.subarray(start + 1, start + 5), 2)
    iv.set(bytes.subarray(start + 7, start + 9), 6)
    iv.fill(bytes[start + 9]!, 8)
    let isKnown = false
    for (const { title, secret } of this.secrets) {
      if ((title !== address && title !== '*') || secret.keyBytes !== BLOCK_LENGTH) continue
      isKnown = true
      const plaintext = decipherBlocks(secret, iv, blocks)
      if (plaintext[0] === FILL && plaintext[1] === FILL) return plaintext
    }
    if (!isKnown) throw fault('CIPHER_KEY_NEEDED', `no key of 32 hex digits for ${sender(address)}`)
    throw fault(
      'CIPHER_AUTH_FAILED',
      `no key of ${sender(address)} gives records that begin with 2f 2f`,
    )
  }
}

/** One record of the plaintext: a register, the clock, or neither: a byte of fill. */
export interface OmsRecord {
  /** Index of its value, behind DIF and VIF. */
  readonly valueStart: number
  readonly register?: Register
  /** Local seconds since 1970; `undefined` if the clock's time is not possible. */
  readonly clock?: number | undefined
}

/**
 * Reads the next record. Throws DATA_TRUNCATED, and DATA_UNKNOWN_TAG for one that nobody describes: it may as well be
 * damage.
 */
export function readRecord(reader: Reader): OmsRecord {
  const { bytes, offset: at } = reader
  if (takeField(reader) === FILL) return { valueStart: reader.offset }
  takeField(reader)
  const name = toHex(bytes, at, reader.offset)
  const valueStart = reader.offset
  if (name === CLOCK) return { valueStart, clock: readCp48(bytes, reader.take(CLOCK_LENGTH)) }
  const record = RECORDS[name]
  if (record === undefined)
    throw new DecodeError('DATA_UNKNOWN_TAG', at, `a record ${name}, which is not described`)
  const value = number(bytes, reader.take(VALUE_LENGTH), record.signed === true)
  return { valueStart, register: { obis: record.obis, value, unit: record.unit } }
}

/** Clock and registers of all records; one that cannot be read refuses all of them. */
function readRecords(plaintext: Uint8Array): Pick<OmsTelegram, 'clock' | 'registers'> {
  const reader = new Reader(plaintext)
  const registers: Register[] = []
  let clock: number | undefined
  while (reader.remaining > 0) {
    const record = readRecord(reader)
    if ('clock' in record) clock = record.clock
    if (record.register !== undefined) registers.push(record.register)
  }
  return { clock, registers }
}

/** Moves behind a DIF with its DIFEs, or a VIF with its VIFEs, and returns the first byte. */
function takeField(reader: Reader): number {
  const first = reader.u8()
  for (let byte = first; byte & EXTENDED; ) byte = reader.u8()
  return first
}

/** Value of four bytes, low byte first. */
function number(b: Uint8Array, at: number, signed: boolean): number {
  const value = b[at]! | (b[at + 1]! << 8) | (b[at + 2]! << 16) | (b[at + 3]! << 24)
  return signed ? value : value >>> 0
}

/**
 * CP48: second, minute, hour, day with the low three bits of the year, month with its high four, week. Local seconds
 * since 1970, `undefined` if it is not possible.
 */
function readCp48(b: Uint8Array, at: number): number | undefined {
  const year = 2000 + ((b[at + 3]! >> 5) | ((b[at + 4]! & 0xf0) >> 1))
  const month = b[at + 4]! & 0x0f
  const day = b[at + 3]! & 0x1f
  const [second, minute, hour] = [b[at]! & 0x3f, b[at + 1]! & 0x3f, b[at + 2]! & 0x1f]
  return readDateAndTime(
    Uint8Array.of(year >> 8, year & 0xff, month, day, hour, minute, second),
    0,
    4,
  )
}

function fault(code: DecodeErrorCode, detail: string): DecodeError {
  return new DecodeError(code, 0, detail)
}
