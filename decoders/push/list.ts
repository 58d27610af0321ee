/**
 * One list as a meter pushes it, worked out once: its entries in order, as the family's grammar read them off the tape,
 * and everything that stays the same from telegram to telegram. Only the tape's values and the envelope change.
 */
import { toHex } from '../../src/bytes/hex.ts'
import { AxdrTape, TAG } from '../../src/dlms/axdr.ts'
import { DecodeError } from '../../src/errors.ts'
import { CATALOGUE, formatObis, type ObisMeaning, obisKey } from '../../src/obis.ts'
import type { Register } from '../../src/reading.ts'
import { type ConnectionEntries, connectionOf } from './connection.ts'
import type { Envelope, Family, ModelRow, Scaling } from './family.ts'
import type { PushOptions } from './options.ts'
import { ValuesBuilder } from './values.ts'

/** Scaler and unit of one value. */
export interface Scale {
  /** `undefined`: not known, so the number means nothing but itself and fills no field. */
  readonly scaler: number | undefined
  readonly unit: string
  /** Sent with the value: nobody knows better. */
  readonly isSent: boolean
}

/** One entry of a list. */
export interface Entry {
  readonly obis: string
  readonly meaning: ObisMeaning | undefined
  /** Element of the tape that holds the value. */
  readonly element: number
  /** `undefined` where only the family's {@link Scaling} of each telegram tells. */
  readonly scaler: number | undefined
  readonly unit: string
  /** The register of a text or of null-data, which is the same in every telegram of the list. */
  readonly constant: Register | undefined
  /** The meaning again if the value fills a field: the first with its code, of electricity, in the unit it must have. */
  readonly fills: ObisMeaning | undefined
}

/** Codes under which meters tell their number, the best first. */
const METER_IDS: readonly string[] = ['96.1.0', '0.0.5', '0.0.1', '96.1.3', '96.1.2', '96.1.1']

/** Roles of other things than the meter itself, unless their code is of medium and channel 0: valves, relays. */
const OF_THE_METER: ReadonlySet<string> = new Set(['meter-id', 'tariff', 'breaker', 'limiter'])

export class PushList {
  readonly tape: AxdrTape
  readonly entries: Entry[] = []
  readonly values: ValuesBuilder = new ValuesBuilder()
  readonly envelope: Envelope
  /** List id where it stands without a code. */
  listId: string | undefined
  meterId: string | undefined
  model: string | undefined
  deviceName: string | undefined
  /** Row of the family's model table, if the model is in it. */
  row: ModelRow | undefined
  /** Phases the list speaks of; 0 for power alone. */
  phases: 0 | 1 | 3 = 0
  hasEnergy = false
  /** Id of the profile by which the list was read, if there is one. */
  profile: string | undefined
  connection: ConnectionEntries | undefined
  /** Telegrams in a row that proved what the list does not say (see the family's scaling). */
  agreements = 0
  /** Telegrams in a row whose numbers contradict the scale. */
  doubts = 0
  /** Element of the list's own clock, -1 if there is none. */
  clockElement = -1
  private readonly scale: PushOptions['scale']
  private readonly skipped: number[] = []
  private readonly elements = new Map<string, number>()
  private powers: Int8Array | undefined
  private powersOf: Scaling['scalers'] | undefined

  constructor(envelope: Envelope, options: PushOptions, tape: AxdrTape = new AxdrTape()) {
    this.tape = tape
    this.envelope = envelope
    this.scale = options.scale
  }

  /** Reads the entries from the scanned tape and works out what stays the same. */
  learn(family: Family): void {
    family.read(this)
    this.identify()
    const { model } = this
    this.row = model === undefined ? undefined : family.models?.find(m => m.model.test(model))
    const variables = new Set(this.skipped)
    for (const { constant, element } of this.entries)
      if (constant === undefined) variables.add(element)
    if (this.clockElement >= 0) variables.add(this.clockElement)
    this.tape.learn([...variables])
  }

  /** Works out what the entries say about the meter. */
  identify(): void {
    this.listId ??= this.text(this.find('list'))
    this.meterId = this.text(this.findMeterId()) ?? this.meterId
    this.model = this.text(this.find('model'))
    this.deviceName = this.text(this.find('device-name'))
    this.connection = connectionOf(this)
    for (const { meaning, element } of this.entries) {
      if (meaning === undefined) continue
      if (meaning.role === 'clock' && this.tape.isDateTime(element)) this.clockElement = element
      if (meaning.unit === 'Wh') this.hasEnergy = true
      if (meaning.unit !== 'A' && meaning.unit !== 'V') continue
      // 31 and 32 are of phase 1; 51, 52, 71 and 72 of the others.
      if (!meaning.code.startsWith('3')) this.phases = 3
      else if (this.phases === 0) this.phases = 1
    }
  }

  /** Adds an entry whose code stands in element `name` of the tape. */
  add(name: number, element: number, scale?: Scale): void {
    const { bytes } = this.tape
    const at = this.tape.from(name)
    this.put(formatObis(bytes, at), CATALOGUE.get(obisKey(bytes, at)), element, scale)
  }

  /**
   * Adds an entry whose code the meter does not send but its maker documents. Without `scale` the unit is that of the
   * catalogue and the scaler what the user or else the family's {@link Scaling} says.
   */
  put(obis: string, meaning: ObisMeaning | undefined, element: number, scale?: Scale): void {
    const tag = this.tape.tag[element]
    if (tag === TAG.array || tag === TAG.structure)
      throw this.fault(element, `${obis} holds a ${tag === TAG.array ? 'array' : 'structure'}`)
    let unit = scale?.unit ?? meaning?.unit ?? ''
    const scaler = scale?.isSent ? scale.scaler : (userPower(this.scale, unit) ?? scale?.scaler)
    const isUnknown = scale !== undefined && scaler === undefined && this.tape.isNumber(element)
    if (isUnknown) unit = ''
    const isFirst = meaning === undefined || !this.elements.has(meaning.code)
    if (meaning !== undefined && isFirst) this.elements.set(meaning.code, element)
    const isMeant = isFirst && obis.startsWith('1-') && unit === meaning?.unit && !isUnknown
    const constant = this.isVariable(element)
      ? undefined
      : { obis, value: tag === TAG.nullData ? null : this.textOf(element), unit }
    const fills = isMeant && !this.isToldElsewhere(meaning.code) ? meaning : undefined
    this.entries.push({ obis, meaning, element, scaler, unit, constant, fills })
  }

  /** 31.4.0 counts with the connection; 16.7.0 only where there is no 1.7.0, which stands before it. */
  private isToldElsewhere(code: string): boolean {
    return code === '31.4.0' || (code === '16.7.0' && this.elements.has('1.7.0'))
  }

  /** Passes over an element and all it contains, whatever it holds from telegram to telegram. */
  skip(element: number): void {
    const { tape } = this
    for (let i = element; i < tape.next(element); i++)
      if (tape.tag[i] !== TAG.array && tape.tag[i] !== TAG.structure) this.skipped.push(i)
  }

  private isVariable(element: number): boolean {
    const { tape } = this
    return tape.isNumber(element) || tape.tag[element] === TAG.boolean || tape.isDateTime(element)
  }

  /** Text of a string: printable as it is, other octets as hex. */
  textOf(element: number): string {
    const { tape } = this
    if (tape.isString(element) && tape.isPrintable(element)) return tape.text(element)
    return toHex(tape.bytes, tape.from(element), tape.to(element))
  }

  /** The error for an element that its place does not allow. */
  fault(element: number, detail: string): DecodeError {
    return new DecodeError('DATA_BAD_VALUE', this.tape.at[element]!, detail)
  }

  /** Power of ten of each entry: its own, else that of its code in the family's scaling. */
  powersOfTen(scalers: Scaling['scalers'] | undefined): Int8Array {
    if (this.powers === undefined || scalers !== this.powersOf) {
      this.powersOf = scalers
      this.powers = Int8Array.from(
        this.entries,
        ({ scaler, meaning }) => scaler ?? (meaning && scalers?.[meaning.code]) ?? 0,
      )
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

  /** Index of the first entry with this role, -1 if there is none. */
  find(role: ObisMeaning['role']): number {
    return this.entries.findIndex(entry => hasRole(entry, role))
  }

  private findMeterId(): number {
    for (const code of METER_IDS) {
      const found = this.entries.findIndex(
        entry => entry.meaning?.code === code && hasRole(entry, 'meter-id'),
      )
      if (found >= 0) return found
    }
    return -1
  }

  /** Text of an entry, `undefined` if there is none or it is blank. */
  text(index: number): string | undefined {
    const entry = this.entries[index]
    if (entry === undefined) return undefined
    const { tape } = this
    if (tape.isNumber(entry.element)) return String(tape.exact(entry.element))
    const text = tape.isString(entry.element) ? this.textOf(entry.element) : ''
    return text === '' ? undefined : text
  }
}

/**
 * Whether an entry has this role. 96.1.1 is the meter's number where its code is of medium 0 (Blue Book: device id 2),
 * and its model in the lists of Kamstrup, who send it as 1-1.
 */
function hasRole({ meaning, obis }: Entry, role: ObisMeaning['role']): boolean {
  if (meaning === undefined) return false
  const isAbstract = obis.startsWith('0-')
  const actual = meaning.code === '96.1.1' && isAbstract ? 'meter-id' : meaning.role
  return actual === role && (!isAbstract || obis.startsWith('0-0') || !OF_THE_METER.has(role))
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
