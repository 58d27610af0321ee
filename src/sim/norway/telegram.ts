/**
 * What the makers of HAN meters have in common: a list is a table of elements, a telegram is the list filled with
 * values, wrapped into data-notification, LLC and one HDLC frame (IEC 62056-7-5). The makers' files hold the tables.
 */
import type { SerialSettings } from '../../decoder.ts'
import {
  type AxdrData,
  type BytesTag,
  type IntegerTag,
  NULL_DATA,
  structure,
} from '../encode/axdr-encoder.ts'
import { asciiBytes, concat } from '../encode/bytes.ts'
import {
  type ClockRule,
  encodeDateTime,
  type MeterClock,
  type SundayNumber,
} from '../encode/cosem-date-time.ts'
import { type DateTimeEncoding, encodeDataNotification, LLC } from '../encode/data-notification.ts'
import { encodeFrame, type HdlcLink } from '../encode/hdlc-encoder.ts'

/** `1P` one phase, `3P3W` three wires without neutral (IT, TT), `3P4W` three phases and neutral (TN). */
export type Wiring = '1P' | '3P3W' | '3P4W'
/** 1 = power only, 2 = instantaneous values, 3 = with energy registers. */
export type ListNumber = 1 | 2 | 3

/** Numbers by OBIS groups C.D.E (`1.7.0`), in W, var, A, V, Wh, varh, after the scaler. */
export type HanValues = { readonly [obis: string]: number }

/** Which meter speaks. */
export interface MeterIdentity {
  readonly id: string
  readonly model: string
  readonly wiring: Wiring
}

/** Everything one telegram says. */
export interface TelegramInput {
  readonly meter: MeterIdentity
  readonly list: ListNumber
  readonly values: HanValues
  /** Clock element of the list; needed where the list has one. */
  readonly clock?: MeterClock
  /** Date-time of the header where it differs from `clock`. */
  readonly headerClock?: MeterClock
}

/** Unit as readings write it, with its number in COSEM (Blue Book, table of units). */
export const UNITS = { W: 27, var: 29, Wh: 30, varh: 32, A: 33, V: 35, '': 255 } as const
/** Text of a unit, `''` for none. */
export type Unit = keyof typeof UNITS

/** One place in a list. */
export type Element =
  /** `pad`: NUL bytes fill the text up to this length. A list id that stands without a code has the code `''`. */
  | {
      readonly kind: 'text'
      readonly obis: string
      readonly what: 'list' | 'id' | 'model'
      readonly type: BytesTag
      readonly pad?: number
    }
  | { readonly kind: 'clock'; readonly obis: string }
  /** The integer sent is value / 10^scaler. `zero`: the meter does not measure it and always sends 0. */
  | {
      readonly kind: 'number'
      readonly obis: string
      readonly type: IntegerTag
      readonly scaler: number
      readonly unit: Unit
      readonly zero?: true
    }
  /** Null-data stands where OBIS code and value would. */
  | { readonly kind: 'null' }

/** How elements become the notification body. */
export type Grammar = 'scaled-array' | 'positions' | 'pairs' | 'pairs-after-list-id'

/** When a meter sends what; instants count from the full hour, ms. */
export interface Schedule {
  /** Interval of list 1, absent for none. */
  readonly powerMs?: number
  /** Interval of the main list. */
  readonly listMs: number
  readonly mainList: 2 | 3
  /** After the full hour list 3 is sent, absent for none. It replaces what would be due at that instant. */
  readonly hourlyAtMs?: number
  /** Whether the clock inside list 3 shows the full hour or the instant of sending. */
  readonly hourlyClock?: 'hour' | 'sending'
}

/** A maker's way of speaking. */
export interface HanProfile {
  readonly name: string
  /** Lower-case word as in readings. */
  readonly maker: 'aidon' | 'embriq' | 'kaifa' | 'kamstrup'
  readonly listId: string
  readonly link: HdlcLink
  readonly invokeIdAndPriority: number
  readonly header: DateTimeEncoding
  readonly sunday: SundayNumber
  readonly grammar: Grammar
  /** Elements of a list, `undefined` if this maker has no such list. */
  readonly elements: (list: ListNumber, meter: MeterIdentity) => readonly Element[] | undefined
  readonly serial: SerialSettings
  readonly schedule: Schedule
  /** From the sample instant to the first start bit, ms. */
  readonly latencyMs: number
  /** What the clock follows, and what it says of itself. */
  readonly clock: Pick<MeterClock, 'deviationMin' | 'status'> & { readonly rule: ClockRule }
  /** Whether currents carry the sign of their phase's or element's active power. */
  readonly signedCurrents: boolean
  /** Total reactive power: sum over the phases, or one sum for each sign. */
  readonly reactive: 'net' | 'by-sign'
}

/** OBIS groups C.D.E of a full code `A-B:C.D.E*F`. */
export function shortObis(obis: string): string {
  return obis.slice(obis.indexOf(':') + 1, obis.indexOf('*'))
}

function obisData(obis: string): AxdrData {
  return { tag: 'octet-string', bytes: Uint8Array.from(obis.split(/[-:.*]/), Number) }
}

/** An element with the bytes' value and, for numbers, the value as the receiver will see it. */
interface Filled {
  readonly element: Element
  readonly data: AxdrData
  readonly value: number | string
}

function fill(profile: HanProfile, input: TelegramInput, element: Element): Filled {
  switch (element.kind) {
    case 'null':
      return { element, data: NULL_DATA, value: '' }
    case 'text': {
      const value = { list: profile.listId, id: input.meter.id, model: input.meter.model }[
        element.what
      ]
      return { element, data: { tag: element.type, bytes: asciiBytes(value, element.pad) }, value }
    }
    case 'clock': {
      if (input.clock === undefined) throw new RangeError('this list needs a clock')
      const bytes = encodeDateTime(input.clock, profile.sunday)
      return { element, data: { tag: 'octet-string', bytes }, value: input.clock.local }
    }
    case 'number': {
      const value = element.zero ? 0 : input.values[shortObis(element.obis)]
      if (value === undefined) throw new RangeError(`this list needs ${element.obis}`)
      const { scaler } = element
      // Exact for every scaler: powers of ten are whole, and a quotient of integers is rounded once.
      const raw = Math.round(scaler < 0 ? value * 10 ** -scaler : value / 10 ** scaler)
      const seen = scaler < 0 ? raw / 10 ** -scaler : raw * 10 ** scaler
      return { element, data: { tag: element.type, value: raw }, value: seen }
    }
  }
}

function scaledItem({ element, data }: Filled): AxdrData {
  if (element.kind === 'null') return NULL_DATA
  if (element.kind !== 'number') return structure(obisData(element.obis), data)
  const scalerUnit = structure(
    { tag: 'integer', value: element.scaler },
    { tag: 'enum', value: UNITS[element.unit] },
  )
  return structure(obisData(element.obis), data, scalerUnit)
}

const pair = ({ element, data }: Filled): readonly AxdrData[] =>
  element.kind === 'null' ? [NULL_DATA, NULL_DATA] : [obisData(element.obis), data]

const BODY: Record<Grammar, (filled: readonly Filled[]) => AxdrData> = {
  'scaled-array': filled => ({ tag: 'array', items: filled.map(scaledItem) }),
  positions: filled => structure(...filled.map(({ data }) => data)),
  pairs: filled => structure(...filled.flatMap(pair)),
  'pairs-after-list-id': ([listId, ...rest]) => structure(listId!.data, ...rest.flatMap(pair)),
}

function fillAll(profile: HanProfile, input: TelegramInput): readonly Filled[] {
  const elements = profile.elements(input.list, input.meter)
  if (elements === undefined) throw new RangeError(`${profile.name} has no list ${input.list}`)
  return elements.map(element => fill(profile, input, element))
}

/** LLC bytes and data-notification of a telegram. Throws `RangeError` if the list needs a value that is missing. */
export function encodePdu(profile: HanProfile, input: TelegramInput): Uint8Array {
  const clock = input.headerClock ?? input.clock
  const apdu = encodeDataNotification({
    invokeIdAndPriority: profile.invokeIdAndPriority,
    dateTimeEncoding: profile.header,
    ...(clock === undefined ? {} : { dateTime: encodeDateTime(clock, profile.sunday) }),
    body: BODY[profile.grammar](fillAll(profile, input)),
  })
  return concat(LLC, apdu)
}

/** A telegram as it goes over the wire: one HDLC frame with both flags. */
export function encodeTelegram(profile: HanProfile, input: TelegramInput): Uint8Array {
  return encodeFrame(encodePdu(profile, input), profile.link)
}

/** One value as a receiver must see it: rounded to what the scaler can carry, text without padding. */
export interface SentRegister {
  readonly obis: string
  readonly value: number | string
  readonly unit: Unit
  /** Sent as 0 because the meter does not measure it. */
  readonly notMeasured: boolean
}

/** What a telegram carries under a code, in its order; null-data is left out, and a list id that stands without one. */
export function sentRegisters(profile: HanProfile, input: TelegramInput): readonly SentRegister[] {
  return fillAll(profile, input).flatMap(({ element, value }) =>
    element.kind === 'null' || element.obis === ''
      ? []
      : [
          {
            obis: element.obis,
            value,
            unit: element.kind === 'number' ? element.unit : ('' as const),
            notMeasured: element.kind === 'number' && element.zero === true,
          },
        ],
  )
}
