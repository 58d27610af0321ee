/**
 * SML: elements, messages and the transport frame around them (BSI TR-03109-1, annex IVb). The values are plain
 * objects whose `tag` says the type.
 */
import { concat, integerBytes } from './bytes.ts'
import { crcBitwise } from './hdlc-encoder.ts'

/** Type bits of the first octet of an element. */
const TYPES = { 'octet-string': 0x00, boolean: 0x40, integer: 0x50, unsigned: 0x60, list: 0x70 }

/** An element. `size` is the number of octets of an integer, 1 to 8. */
export type SmlData =
  | { readonly tag: 'octet-string'; readonly bytes: Uint8Array }
  | { readonly tag: 'boolean'; readonly value: boolean }
  | { readonly tag: 'integer' | 'unsigned'; readonly value: number | bigint; readonly size: number }
  | { readonly tag: 'list'; readonly items: readonly SmlData[] }

/** What stands in the place of an optional element that is not sent. */
export const ABSENT: SmlData = { tag: 'octet-string', bytes: new Uint8Array(0) }

/** An unsigned integer in as few octets as hold it, or in `size`. */
export function unsigned(value: number, size?: number): SmlData {
  let least = 1
  while (value >= 256 ** least) least++
  return { tag: 'unsigned', value, size: size ?? least }
}

/** A signed integer in `size` octets. */
export function integer(value: number, size: number): SmlData {
  return { tag: 'integer', value, size }
}

/** A list of the items given. */
export function list(...items: readonly SmlData[]): SmlData {
  return { tag: 'list', items }
}

/**
 * Type and length: four bits of the length in each octet, the highest first, in `octets` octets or as few as hold it.
 * Throws `RangeError` if the length does not fit.
 */
export function typeLength(type: keyof typeof TYPES, length: number, octets?: number): Uint8Array {
  let count = octets ?? 1
  if (octets === undefined) while (length >= 16 ** count) count++
  if (length >= 16 ** count) throw new RangeError(`length ${length} in ${count} octets`)
  return Uint8Array.from({ length: count }, (_, i) => {
    const nibble = Math.floor(length / 16 ** (count - 1 - i)) % 16
    return nibble | (i === 0 ? TYPES[type] : 0) | (i < count - 1 ? 0x80 : 0)
  })
}

/** The octets of an element. Throws `RangeError` for values that do not fit. */
export function encodeElement(data: SmlData): Uint8Array {
  if (data.tag === 'list')
    return concat(typeLength('list', data.items.length), ...data.items.map(encodeElement))
  const contents = contentsOf(data)
  // The length counts its own octets as well.
  let octets = 1
  while (contents.length + octets >= 16 ** octets) octets++
  return concat(typeLength(data.tag, contents.length + octets, octets), contents)
}

function contentsOf(data: Exclude<SmlData, { tag: 'list' }>): Uint8Array {
  if (data.tag === 'octet-string') return data.bytes
  if (data.tag === 'boolean') return Uint8Array.of(data.value ? 0xff : 0)
  return integerBytes(data.value, data.size, data.tag === 'integer')
}

/** CRC-16/KERMIT, one bit at a time. Check value over ASCII "123456789": 0x2189. */
export function kermitBitwise(bytes: Uint8Array): number {
  let register = 0
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++)
      register = register & 1 ? (register >> 1) ^ 0x8408 : register >> 1
  }
  return register
}

/**
 * Checksum of a message: as the standard has it, low octet first; as some Holley meters send it; as Iskra MT691 does,
 * which writes the number in one octet where that holds it.
 */
export type MessageChecksum = 'x25' | 'kermit' | 'least' | 'wrong'

/** A message with its number, the tag of its body and what that holds. */
export interface SmlMessage {
  readonly transactionId: Uint8Array
  readonly tag: number
  readonly contents: SmlData
  readonly checksum?: MessageChecksum
}

/** The octets of a message, its end included. */
export function encodeMessage(message: SmlMessage): Uint8Array {
  const { transactionId, tag, contents, checksum = 'x25' } = message
  const protectedPart = concat(
    typeLength('list', 6),
    encodeElement({ tag: 'octet-string', bytes: transactionId }),
    encodeElement(unsigned(0)),
    encodeElement(unsigned(0)),
    encodeElement(list(unsigned(tag, 2), contents)),
  )
  const x25 = crcBitwise(protectedPart)
  const swapped = ((x25 & 0xff) << 8) | (x25 >> 8)
  const sent = {
    x25: unsigned(swapped, 2),
    kermit: unsigned(kermitBitwise(protectedPart), 2),
    least: unsigned(swapped),
    wrong: unsigned(swapped ^ 0x0100, 2),
  }
  return concat(protectedPart, encodeElement(sent[checksum]), [0x00])
}

const ESCAPE = [0x1b, 0x1b, 0x1b, 0x1b]

/** `bytes` with every four octets 1B in a row sent twice. */
export function doubled(bytes: Uint8Array): Uint8Array {
  const out: number[] = []
  let run = 0
  for (const byte of bytes) {
    out.push(byte)
    run = byte === 0x1b ? run + 1 : 0
    if (run < 4) continue
    out.push(...ESCAPE)
    run = 0
  }
  return Uint8Array.from(out)
}

/** The transport frame of version 1 around messages: escape, start, doubled escapes, fill, escape, end, checksum. */
export function encodeSmlFrame(...messages: readonly Uint8Array[]): Uint8Array {
  const body = doubled(concat(...messages))
  const fill = (4 - (body.length % 4)) % 4
  const frame = concat(ESCAPE, [1, 1, 1, 1], body, new Uint8Array(fill), ESCAPE, [0x1a, fill])
  const crc = crcBitwise(frame)
  return concat(frame, [crc & 0xff, crc >> 8])
}
