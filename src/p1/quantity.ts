/**
 * Numbers with a unit as P1 lines print them, `00123.456*kWh`, in the units of the reading model: W, Wh, var, varh,
 * VA, VAh, V, A, Hz. The case of unit letters differs from maker to maker; prefixes are taken as they are written,
 * since some meters print W and Wh and others kV and kA.
 */
import { scaled } from '../dlms/scale.ts'

/** A number in the unit of the reading model. */
export interface Quantity {
  readonly value: number
  readonly unit: string
}

/** What a printed unit stands for: a unit of the reading model times a power of ten. */
interface Unit {
  readonly unit: string
  readonly power: number
}

const PRINTED: readonly (readonly [printed: string, unit: string, power: number])[] = [
  ['kwh', 'Wh', 3],
  ['wh', 'Wh', 0],
  ['mwh', 'Wh', 6],
  ['kw', 'W', 3],
  ['w', 'W', 0],
  ['mw', 'W', 6],
  ['kvarh', 'varh', 3],
  ['varh', 'varh', 0],
  ['mvarh', 'varh', 6],
  ['kvar', 'var', 3],
  ['var', 'var', 0],
  ['kvah', 'VAh', 3],
  ['vah', 'VAh', 0],
  ['kva', 'VA', 3],
  ['va', 'VA', 0],
  ['kv', 'V', 3],
  ['v', 'V', 0],
  ['ka', 'A', 3],
  ['a', 'A', 0],
  ['hz', 'Hz', 0],
  ['s', 's', 0],
  ['m3', 'm3', 0],
  ['gj', 'GJ', 0],
]

/** Units by their letters as one number, five letters of eight bits at most. */
const UNITS: ReadonlyMap<number, Unit> = new Map(
  PRINTED.map(([printed, unit, power]) => [
    [...printed].reduce((key, letter) => key * 256 + letter.charCodeAt(0), 0),
    { unit, power },
  ]),
)
const MAX_UNIT_LENGTH = 5

const MINUS = 0x2d
const DOT = 0x2e
const STAR = 0x2a
const ZERO = 0x30
const NINE = 0x39

/** The number and unit that fill `bytes[start..end)`; `undefined` if they are anything else. */
export function readQuantity(bytes: Uint8Array, start: number, end: number): Quantity | undefined {
  const isNegative = bytes[start] === MINUS
  let at = isNegative ? start + 1 : start
  const first = at
  let digits = 0
  let dotAt = -1
  for (; at < end; at++) {
    const byte = bytes[at]!
    if (byte >= ZERO && byte <= NINE) digits = digits * 10 + (byte - ZERO)
    else if (byte === DOT && dotAt < 0) dotAt = at
    else break
  }
  if (at === first || at === end || bytes[at] !== STAR) return undefined
  const unit = unitAt(bytes, at + 1, end)
  if (unit === undefined || digits > Number.MAX_SAFE_INTEGER) return undefined
  const decimals = dotAt < 0 ? 0 : at - dotAt - 1
  // One operation on exact integers: 0.242 kV is 242 V and not 242.00000000000003.
  const value = scaled(digits, unit.power - decimals)
  if (Number.isNaN(value)) return undefined
  return { value: isNegative && value !== 0 ? -value : value, unit: unit.unit }
}

function unitAt(bytes: Uint8Array, start: number, end: number): Unit | undefined {
  if (end - start > MAX_UNIT_LENGTH) return undefined
  let key = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    key = key * 256 + (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte)
  }
  return UNITS.get(key)
}

/** True if `bytes[start..end)` are digits with at most one dot among them: a number without a unit. */
export function isPlainNumber(bytes: Uint8Array, start: number, end: number): boolean {
  let dots = 0
  for (let i = start; i < end; i++) {
    const byte = bytes[i]!
    if (byte === DOT) dots++
    else if (byte < ZERO || byte > NINE) return false
  }
  return end - start > dots && dots <= 1
}
