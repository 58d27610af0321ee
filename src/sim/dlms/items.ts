/** What a simulated meter's list says, before it is put into one of the forms that lists have. */
import type { AxdrData, BytesTag, IntegerTag } from '../encode/axdr-encoder.ts'
import { asciiBytes } from '../encode/bytes.ts'
import { encodeDateTime, type MeterClock } from '../encode/cosem-date-time.ts'
import { UNITS, type Unit } from '../norway/telegram.ts'

/** One object of a list. */
export interface Item {
  /** `1-0:1.7.0`; empty for what stands without a code. */
  readonly obis: string
  readonly data: AxdrData
  /** What a receiver must see. */
  readonly value: number | string | boolean
  readonly scaler: number
  readonly unit: Unit | 'VA'
  /** Interface class (Blue Book) and the attribute that is sent. */
  readonly classId: number
  readonly attribute: number
  /** The clock whose bytes it holds. */
  readonly clock?: MeterClock
}

/** Interface classes. */
const [DATA, REGISTER, CLOCK, DISCONNECT_CONTROL, LIMITER] = [1, 3, 8, 70, 71]

/** A register whose integer is `value / 10 ** scaler`. Throws `RangeError` if that is no integer. */
export function number(
  type: IntegerTag,
  obis: string,
  value: number,
  scaler = 0,
  unit: Unit = '',
): Item {
  const raw = scaler < 0 ? value * 10 ** -scaler : value / 10 ** scaler
  const whole = Math.round(raw)
  if (Math.abs(raw - whole) > 1e-6)
    throw new RangeError(`${obis}: ${value} at ${scaler} is no integer`)
  const isLimiter = obis === '0-0:17.0.0'
  return {
    obis,
    data: { tag: type, value: whole },
    value,
    scaler,
    unit,
    classId: isLimiter ? LIMITER : REGISTER,
    attribute: isLimiter ? 3 : 2,
  }
}

/** Four and two bytes without sign. */
export const u32 = (obis: string, value: number, unit: Unit = '', scaler = 0): Item =>
  number('double-long-unsigned', obis, value, scaler, unit)
export const u16 = (obis: string, value: number, unit: Unit = '', scaler = 0): Item =>
  number('long-unsigned', obis, value, scaler, unit)

/** A text; `value` differs where the bytes are not printable. */
export function text(obis: string, said: string, type: BytesTag = 'octet-string'): Item {
  return object(obis, { tag: type, bytes: asciiBytes(said) }, said)
}

/** Bytes that are seen as hex digits. */
export function octets(obis: string, digits: string): Item {
  const bytes = new Uint8Array(Buffer.from(digits, 'hex'))
  return object(obis, { tag: 'octet-string', bytes }, digits)
}

/** The list's own clock. */
export function clock(obis: string, at: MeterClock): Item {
  const data: AxdrData = { tag: 'octet-string', bytes: encodeDateTime(at) }
  return { ...object(obis, data, at.local), classId: CLOCK, clock: at }
}

/** The state of a breaker or relay: an enumeration, or true for connected. */
export function breaker(obis: string, state: number | boolean): Item {
  const data: AxdrData =
    typeof state === 'boolean' ? { tag: 'boolean', value: state } : { tag: 'enum', value: state }
  return { ...object(obis, data, state), classId: DISCONNECT_CONTROL, attribute: 3 }
}

/** A value inside an array of one. */
export function inArray(item: Item): Item {
  return { ...item, data: { tag: 'array', items: [item.data] } }
}

function object(obis: string, data: AxdrData, value: string | number | boolean): Item {
  return { obis, data, value, scaler: 0, unit: '', classId: DATA, attribute: 2 }
}

/** The six bytes of a code. */
export function logicalName(obis: string): Uint8Array {
  return Uint8Array.from([...obis.split(/[-:.]/).map(Number), 255])
}

/** Structure of scaler and unit. */
export function scalerUnit({ scaler, unit }: Item): AxdrData {
  return {
    tag: 'structure',
    items: [
      { tag: 'integer', value: scaler },
      { tag: 'enum', value: unit === 'VA' ? 28 : UNITS[unit] },
    ],
  }
}
