/**
 * What stays the same from telegram to telegram of a meter: which values its list has, and what they mean. Worked out
 * once, and again when the names or units in the list change; the widths of the numbers may differ each time.
 */
import { toHex } from '../../src/bytes/hex.ts'
import { UNITS } from '../../src/dlms/scale.ts'
import { formatObis } from '../../src/obis.ts'
import type { FieldName, Register } from '../../src/reading.ts'
import type { SmlList } from '../../src/sml/get-list.ts'
import type { SmlTape } from '../../src/sml/tape.ts'
import { meaningOf, RULED_CODES, type RuledCode, SLOT } from './codes.ts'

/** One value of a list. */
export interface SmlEntry {
  readonly obis: string
  readonly unit: string
  /** Field that the value fills as it is. */
  readonly field: FieldName | undefined
  /** Text it had last. */
  text: SmlText | undefined
}

/** Octets and what they are as text. */
export interface SmlText {
  readonly octets: Uint8Array
  readonly text: string
  readonly register: Register
}

/** Whose status word counts: the first of these that is sent with one. */
const STATUS_CODES: readonly RuledCode[] = ['1.8.0', '2.8.0', '1.8.1', '2.8.1']

export class SmlShape {
  readonly entries: readonly SmlEntry[]
  /** Value with the letters of the maker, -1 if there is none. */
  readonly maker: number
  /** Values in watt-hours. */
  readonly energies: readonly number[]
  /** A value in watts is among them. */
  readonly hasPower: boolean
  /** Values whose status word counts, best first. */
  readonly statuses: readonly number[]
  private readonly first: Int16Array = new Int16Array(RULED_CODES.length).fill(-1)
  /** Names one after another, and units as sent. */
  private readonly names: Uint8Array
  private readonly units: Int16Array

  constructor(tape: SmlTape, list: SmlList) {
    this.names = new Uint8Array(6 * list.count)
    this.units = list.unit.slice(0, list.count)
    const entries: SmlEntry[] = []
    const taken = new Set<FieldName>()
    let maker = -1
    for (let i = 0; i < list.count; i++) {
      const at = 6 * i
      const name = tape.from(list.name[i]!)
      this.names.set(tape.bytes.subarray(name, name + 6), at)
      const unit = UNITS[this.units[i]!] ?? ''
      const { slot, field, isMaker } = meaningOf(this.names, at, unit)
      if (isMaker && maker < 0) maker = i
      if (slot >= 0 && this.first[slot] === -1) this.first[slot] = i
      // Where a code repeats, the first counts.
      const fills = field !== undefined && !taken.has(field) ? field : undefined
      if (fills !== undefined) taken.add(fills)
      entries.push({ obis: formatObis(this.names, at), unit, field: fills, text: undefined })
    }
    this.entries = entries
    this.maker = maker
    this.energies = entries.flatMap((entry, i) => (entry.unit === 'Wh' ? [i] : []))
    const powers = RULED_CODES.filter(code => code.includes('.7.'))
    this.hasPower =
      entries.some(({ unit }) => unit === 'W') || powers.some(code => this.entryOf(code) >= 0)
    this.statuses = STATUS_CODES.map(code => this.entryOf(code)).filter(i => i >= 0)
  }

  /** True if the list has the same names and units in the same order. */
  fits(tape: SmlTape, list: SmlList): boolean {
    const { names, units } = this
    const { bytes } = tape
    if (units.length !== list.count) return false
    for (let i = 0, at = 0; i < units.length; i++) {
      if (units[i] !== list.unit[i]) return false
      const name = tape.from(list.name[i]!)
      for (let octet = name; octet < name + 6; octet++)
        if (bytes[octet] !== names[at++]) return false
    }
    return true
  }

  /** The first value with this code, -1 if there is none. */
  entryOf(code: RuledCode): number {
    return this.first[SLOT[code]]!
  }
}

/** Printable octets as text without padding blanks and NULs, others as lower-case hex. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  let last = end
  while (last > start && bytes[last - 1] === 0) last--
  for (let at = start; at < last; at++)
    if (bytes[at]! < 0x20 || bytes[at]! > 0x7e) return toHex(bytes, start, end)
  while (last > start && bytes[last - 1] === 0x20) last--
  return last === start
    ? toHex(bytes, start, end)
    : String.fromCharCode(...bytes.subarray(start, last))
}

/** True if `octets` are those at `bytes[start..end)`. */
export function isSame(octets: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (octets.length !== end - start) return false
  for (let i = 0; i < octets.length; i++) if (octets[i] !== bytes[start + i]) return false
  return true
}
