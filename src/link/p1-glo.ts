/**
 * Where a general-glo-ciphering envelope ends (Green Book 9.2.3) that stands on a P1 line without any frame around it,
 * or inside a telegram in the place of its lines:
 *
 * | bytes     | field                                                          |
 * |-----------|----------------------------------------------------------------|
 * | 1         | tag DB; missing inside a telegram                              |
 * | 1 + 8, 1  | system title with its length, which begins with three letters; or no title |
 * | 1, 2 or 3 | length of all that follows: one byte, 81 and one, 82 and two   |
 * | 1         | security control: suite 0 to 2, encrypted                      |
 * | 4         | invocation counter                                             |
 * | n         | ciphertext, and 12 bytes of tag where it is authenticated      |
 *
 * Nothing checks the header, so it is believed only if every field is one that meters send.
 */
import { NONE, WAIT } from './p1-text.ts'

export const GENERAL_GLO = 0xdb
const TITLE_LENGTH = 8
/** Letters of the maker at the start of a system title. */
const TITLE_LETTERS = 3
/** Security control, counter and at least one byte. */
const MIN_CONTENT = 6
/** Luxembourg names lengths up to 1000 hex. */
const MAX_CONTENT = 0x1000
const ENCRYPTED = 0x20
const MAX_SUITE = 2

/**
 * Index behind the envelope whose title length is `bytes[at]`, as far as its header tells: the bytes up to there need
 * not have arrived. {@link WAIT} while the header is incomplete, {@link NONE} if it is none. Only inside a telegram
 * (`mayLackTitle`) may the title be empty.
 */
export function gloEnd(bytes: Uint8Array, at: number, end: number, mayLackTitle: boolean): number {
  if (at >= end) return WAIT
  const titleLength = bytes[at]!
  if (titleLength !== TITLE_LENGTH && !(mayLackTitle && titleLength === 0)) return NONE
  if (titleLength > 0)
    for (let i = at + 1; i <= at + TITLE_LETTERS; i++) {
      if (i >= end) return WAIT
      const lower = bytes[i]! | 0x20
      if (lower < 0x61 || lower > 0x7a) return NONE
    }
  const lengthAt = at + 1 + titleLength
  if (lengthAt >= end) return WAIT
  const first = bytes[lengthAt]!
  if (first > 0x82 || first === 0x80) return NONE
  const contentAt = lengthAt + (first < 0x80 ? 1 : first - 0x7f)
  if (contentAt >= end) return WAIT
  const length =
    first < 0x80
      ? first
      : first === 0x81
        ? bytes[lengthAt + 1]!
        : (bytes[lengthAt + 1]! << 8) | bytes[lengthAt + 2]!
  const control = bytes[contentAt]!
  if (length < MIN_CONTENT || length > MAX_CONTENT) return NONE
  if ((control & ENCRYPTED) === 0 || (control & 15) > MAX_SUITE) return NONE
  return contentAt + length
}
