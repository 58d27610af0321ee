/** A poll byte by byte. */

import type { Explanation } from '../../src/decoder.ts'
import { isoLocal } from '../../src/dlms/date-time.ts'
import { REGISTERS, SECONDS_LEFT, WARNED_AT } from './registers.ts'

/** Every byte of one poll; what does not add up to a block stands in one row at the end. */
export function explainPoll(bytes: Uint8Array): readonly Explanation[] {
  const rows: Explanation[] = []
  const u16 = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!
  let at = bytes[0] === 0x01 && bytes.length % 2 === 1 ? 1 : 0
  if (at === 1)
    rows.push({ offset: 0, length: 1, depth: 0, meaning: 'kept by somebody, age unknown' })
  while (at + 4 <= bytes.length) {
    const [address, count] = [u16(at), u16(at + 2)]
    if (at + 4 + 2 * count > bytes.length) break
    rows.push({
      offset: at,
      length: 4,
      depth: 0,
      meaning: `registers ${address} to ${address + count - 1}`,
    })
    at += 4
    for (let i = 0; i < count; ) {
      const left = count - i
      const { words, meaning } = explained(address + i, u16(at), left > 1 ? u16(at + 2) : undefined)
      rows.push({ offset: at, length: 2 * words, depth: 1, meaning })
      at += 2 * words
      i += words
    }
  }
  if (at < bytes.length)
    rows.push({ offset: at, length: bytes.length - at, depth: 0, meaning: 'no whole block' })
  return rows
}

function explained(
  address: number,
  word: number,
  next: number | undefined,
): { readonly words: 1 | 2; readonly meaning: string } {
  if (address === SECONDS_LEFT)
    return {
      words: 1,
      meaning: `782 seconds left at the warning: ${word === 0xffff ? 'none' : word}`,
    }
  if (address === WARNED_AT && next !== undefined) {
    const seconds = word * 0x1_0000 + next
    const when = seconds === 0xffff_ffff || seconds === 0 ? 'none' : `${isoLocal(seconds)}Z`
    return { words: 2, meaning: `780 time of the warning: ${when}` }
  }
  const row = REGISTERS.find(known => known.address === address)
  if (row === undefined || (row.words === 2 && next === undefined))
    return { words: 1, meaning: `${address}: ${word}` }
  const value = row.words === 2 ? word * 0x1_0000 + next! : word
  const isNone = value === (row.words === 2 ? 0xffff_ffff : 0xffff)
  return {
    words: row.words,
    meaning: `${address} ${row.title}: ${isNone ? 'not available' : `${value} ${row.unit}`.trim()}`,
  }
}
