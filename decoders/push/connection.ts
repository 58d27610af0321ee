/** What a list says of the connection itself: active tariff, breaker, limiter and fuse. */
import type { Breaker, FieldName, Note, Register } from '../../src/reading.ts'
import type { PushList } from './list.ts'
import type { ValuesBuilder } from './values.ts'

/** Indices of the entries, -1 where the list has none. */
export interface ConnectionEntries {
  readonly tariff: number
  readonly breaker: number
  readonly limiter: number
  readonly fuse: number
}

/** Where a list says these things; `undefined` if nowhere. */
export function connectionOf(list: PushList): ConnectionEntries | undefined {
  const found = {
    tariff: list.find('tariff'),
    breaker: list.find('breaker'),
    limiter: list.find('limiter'),
    fuse: list.entries.findIndex(entry => entry.meaning?.code === '31.4.0'),
  }
  return Object.values(found).some(index => index >= 0) ? found : undefined
}

/** Control state of a disconnect control (Blue Book, class 70). */
const BREAKER: readonly Breaker[] = ['disconnected', 'connected', 'ready']

const LIMITER_FIELDS: Readonly<Record<string, FieldName>> = {
  W: 'limiterThresholdW',
  VA: 'limiterThresholdVa',
  A: 'limiterThresholdA',
}

/** The breaker's state from its register: an enumeration, or true for connected. */
export function breakerOf(register: Register | undefined): Breaker | undefined {
  const value = register?.value
  return BREAKER[typeof value === 'boolean' ? Number(value) : (value as number)]
}

/** Text of the tariff register, `undefined` if it is blank. */
export function tariffOf(register: Register | undefined): string | undefined {
  const value = register?.value ?? ''
  return value === '' ? undefined : String(value)
}

/** Adds the thresholds of limiter and fuse, or the note why there is none. */
export function addThresholds(
  { limiter, fuse }: ConnectionEntries,
  registers: readonly Register[],
  values: ValuesBuilder,
  notes: Note[],
): void {
  const threshold = registers[limiter]
  if (typeof threshold?.value === 'number') {
    const field = LIMITER_FIELDS[threshold.unit]
    if (threshold.value === 0) notes.push('limiter_zero_ignored')
    else if (isSentinel(threshold.value)) notes.push('limiter_sentinel_ignored')
    else if (field !== undefined) values.add(field, threshold.value)
  }
  const rating = registers[fuse]
  if (typeof rating?.value === 'number' && rating.unit === 'A') {
    if (rating.value === 0 || isSentinel(rating.value)) notes.push('fuse_sentinel_ignored')
    else values.add('fuseThresholdA', rating.value)
  }
}

/** All nines, whatever the unit: 999 A, 99.999 kW. What meters send where no limit is set. */
function isSentinel(value: number): boolean {
  return /^9{3,}0*$/.test(String(value).replace('.', ''))
}
