/**
 * One list as a meter pushes it, worked out once: its entries in order, as the family's grammar read them off the tape,
 * and everything that stays the same from telegram to telegram. Only the tape's values and the two fields of the
 * envelope change.
 */
import { toHex } from '../../src/bytes/hex.ts'
import { AxdrTape, TAG } from '../../src/dlms/axdr.ts'
import { DecodeError } from '../../src/errors.ts'
import { CATALOGUE, formatObis, type ObisMeaning, obisKey } from '../../src/obis.ts'
import type { Register } from '../../src/reading.ts'
import type { Family, ModelRow, Scaling } from './family.ts'
import type { PushOptions } from './options.ts'
import { ValuesBuilder } from './values.ts'

/** One entry of a list. */
export interface Entry {
  readonly obis: string
  readonly meaning: ObisMeaning | undefined
  /** Element of the tape that holds the value. */
  readonly element: number
  /** `undefined` where the list does not say; the family's table then does. */
  readonly scaler: number | undefined
  readonly unit: string
  /** The register of a text or of null-data, which is the same in every telegram of the list. */
  readonly constant: Register | undefined
  /** The first with its C.D.E code: where a code repeats, the first counts. */
  readonly isFirst: boolean
}

export class PushList {
  readonly tape: AxdrTape = new AxdrTape()
  readonly entries: Entry[] = []
  readonly values: ValuesBuilder = new ValuesBuilder()
  /** List id where it stands without a code. */
  listId: string | undefined
  /** Index of the header's date-time in the tape's bytes, -1 if there is none. Of this telegram. */
  headerTime = -1
  /** HDLC source address, 0 without HDLC. Of this telegram. */
  source = 0
  meterId: string | undefined
  model: string | undefined
  /** Row of the family's model table, if the model is in it. */
  row: ModelRow | undefined
  /** Phases the list speaks of; 0 for power alone. */
  phases: 0 | 1 | 3 = 0
  hasEnergy = false
  /** Telegrams in a row that proved what the list does not say (see the family's scaling). */
  agreements = 0
  /** Element of the list's own clock, -1 if there is none. */
  clockElement = -1
  private readonly elements = new Map<string, number>()
  private powers: Int8Array | undefined
  private powersOf: Scaling | undefined

  /** Reads the entries from the scanned tape and works out what they say about the meter. */
  learn(family: Family): void {
    family.read(this)
    this.listId ??= this.text('list')
    this.meterId = this.text('meter-id')
    this.model = this.text('model')
    const { model } = this
    this.row = model === undefined ? undefined : family.models.find(m => m.model.test(model))
    for (const { meaning, element } of this.entries) {
      if (meaning === undefined) continue
      if (meaning.role === 'clock' && this.tape.isDateTime(element)) this.clockElement = element
      if (meaning.unit === 'Wh') this.hasEnergy = true
      if (meaning.unit !== 'A' && meaning.unit !== 'V') continue
      // 31 and 32 are of phase 1; 51, 52, 71 and 72 of the others.
      if (!meaning.code.startsWith('3')) this.phases = 3
      else if (this.phases === 0) this.phases = 1
    }
    this.tape.learn(this.entries.filter(e => e.constant === undefined).map(e => e.element))
  }

  /** Adds an entry whose code stands in element `name` of the tape. */
  add(name: number, element: number, scaler?: number, unit?: string): void {
    const { bytes } = this.tape
    const at = this.tape.from(name)
    const meaning = CATALOGUE.get(obisKey(bytes, at))
    this.put(formatObis(bytes, at), meaning, element, scaler, unit)
  }

  /** Adds an entry whose code the meter does not send but its maker documents. */
  put(
    obis: string,
    meaning: ObisMeaning | undefined,
    element: number,
    scaler?: number,
    unit: string = meaning?.unit ?? '',
  ): void {
    const tag = this.tape.tag[element]
    if (tag === TAG.array || tag === TAG.structure)
      throw this.fault(element, `${obis} holds a ${tag === TAG.array ? 'array' : 'structure'}`)
    const isFirst = meaning === undefined || !this.elements.has(meaning.code)
    if (meaning !== undefined && isFirst) this.elements.set(meaning.code, element)
    const constant = this.isVariable(element)
      ? undefined
      : { obis, value: this.constantValue(element), unit }
    this.entries.push({ obis, meaning, element, scaler, unit, constant, isFirst })
  }

  private isVariable(element: number): boolean {
    const { tape } = this
    return tape.isNumber(element) || tape.tag[element] === TAG.boolean || tape.isDateTime(element)
  }

  /** Printable strings as text, other octets as hex, null-data as null. */
  private constantValue(element: number): string | null {
    const { tape } = this
    if (tape.tag[element] === TAG.nullData) return null
    if (tape.isString(element) && tape.isPrintable(element)) return tape.text(element)
    return toHex(tape.bytes, tape.from(element), tape.to(element))
  }

  /** The error for an element that its place does not allow. */
  fault(element: number, detail: string): DecodeError {
    return new DecodeError('DATA_BAD_VALUE', this.tape.at[element]!, detail)
  }

  /**
   * Power of ten of each entry: the one sent with it, else the user's, else the family's. `scale` is the user's and
   * stays the same for the life of a decoder.
   */
  powersOfTen(scaling: Scaling | undefined, scale: PushOptions['scale']): Int8Array {
    if (this.powers === undefined || scaling !== this.powersOf) {
      this.powersOf = scaling
      this.powers = Int8Array.from(this.entries, ({ scaler, meaning }) => {
        if (scaler !== undefined || meaning === undefined) return scaler ?? 0
        return userPower(scale, meaning.unit) ?? scaling?.scalers[meaning.code] ?? 0
      })
    }
    return this.powers
  }

  /** Raw number of the first entry with this C.D.E code, NaN if there is none. */
  raw(code: string): number {
    const element = this.elements.get(code)
    return element !== undefined && this.tape.isNumber(element)
      ? this.tape.value[element]!
      : Number.NaN
  }

  /** Index in the tape's bytes of the list's own clock, -1 if there is none. */
  get clock(): number {
    return this.clockElement < 0 ? -1 : this.tape.from(this.clockElement)
  }

  /** Text of the first entry with this role, `undefined` if there is none or it is blank. */
  private text(role: ObisMeaning['role']): string | undefined {
    const entry = this.entries.find(e => e.meaning?.role === role)
    if (entry === undefined) return undefined
    const { tape } = this
    if (tape.isNumber(entry.element)) return String(tape.exact(entry.element))
    const text = tape.isString(entry.element) ? tape.text(entry.element) : ''
    return text === '' ? undefined : text
  }
}

const QUANTITY_OF_UNIT: Readonly<Record<string, keyof NonNullable<PushOptions['scale']>>> = {
  A: 'current',
  V: 'voltage',
  W: 'power',
  var: 'power',
  Wh: 'energy',
  varh: 'energy',
}

function userPower(scale: PushOptions['scale'], unit: string): number | undefined {
  const quantity = QUANTITY_OF_UNIT[unit]
  return quantity === undefined ? undefined : scale?.[quantity]
}
