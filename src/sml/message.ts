/**
 * The envelope of every SML message (BSI TR-03109-1, annex IVb), a list of six:
 *
 * | element | contents                                               |
 * |---------|--------------------------------------------------------|
 * | 1       | transaction id, octet string                           |
 * | 2, 3    | group number, abort on error, unsigned                 |
 * | 4       | body: list of tag (unsigned, two or four octets) and contents |
 * | 5       | checksum, two octets                                   |
 * | 6       | end of message, 00                                     |
 *
 * The checksum covers the message from its first octet to the one before element 5. It is CRC-16/X-25, low octet
 * first; some Holley firmware sends CRC-16/KERMIT, high octet first.
 */
import { crc16x25 } from '../bytes/crc16.ts'
import { crc16kermit } from './kermit.ts'
import { type SmlTape, TYPE } from './tape.ts'

/** Tags of message bodies. */
export const TAG = {
  openResponse: 0x0101,
  closeResponse: 0x0201,
  getListResponse: 0x0701,
} as const

/** Which checksum a message carries rightly. */
export type MessageCheck = 'x25' | 'kermit'

/** Element of the tag in the message on the tape; its contents are the next element. Throws DATA_BAD_VALUE. */
export function readEnvelope(tape: SmlTape): number {
  const { type, next } = tape
  if (type[0] !== TYPE.list || tape.items[0] !== 6)
    throw tape.fault(0, 'no message: a list of six expected')
  const body = bodyOf(tape)
  const crc = next[body]!
  if (type[body] !== TYPE.list || tape.items[body] !== 2 || type[body + 1] !== TYPE.unsigned)
    throw tape.fault(body, 'no message body: a list of tag and contents expected')
  if (type[crc] !== TYPE.unsigned || tape.size(crc) > 2)
    throw tape.fault(crc, 'no message checksum: an unsigned integer of two octets expected')
  if (type[next[crc]!] !== TYPE.end) throw tape.fault(next[crc]!, 'the end of the message expected')
  return body + 1
}

/** Which checksum of the message on the tape is right, `undefined` if none. Its envelope was read. */
export function checkOf(tape: SmlTape): MessageCheck | undefined {
  const crc = tape.next[bodyOf(tape)]!
  const start = tape.base + tape.at[0]!
  const end = tape.base + tape.at[crc]!
  const sent = tape.number(crc)
  const x25 = crc16x25(tape.bytes, start, end)
  if (sent === (((x25 & 0xff) << 8) | (x25 >>> 8))) return 'x25'
  return sent === crc16kermit(tape.bytes, start, end) ? 'kermit' : undefined
}

/** Element of the body: the fourth. */
function bodyOf({ next }: SmlTape): number {
  return next[next[next[1]!]!]!
}
