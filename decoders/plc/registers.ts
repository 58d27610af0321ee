/** The registers of a compact frame: everything it carried, as sent after the scaler. */
import type { ReadField } from '../../src/chain2/compact-frame.ts'
import type { Value } from '../../src/chain2/field-types.ts'
import { TARGETS } from '../../src/chain2/targets.ts'
import { isoLocal } from '../../src/dlms/date-time.ts'
import type { Register } from '../../src/reading.ts'

/** In place of what says who somebody is or where. */
export const NOT_SHOWN = '(not shown)'

/** A value as people and registers see it: points in time as ISO 8601. */
export function shownValue({ field, value }: ReadField): Value | readonly Value[] {
  if (field.personal) return value === null ? null : NOT_SHOWN
  if (field.type !== 'unix32') return value
  const iso = (seconds: Value): Value =>
    typeof seconds === 'number' ? `${isoLocal(seconds)}Z` : seconds
  return isSeveral(value) ? value.map(iso) : iso(value)
}

/** True for the values of a field that repeats. */
export function isSeveral(value: Value | readonly Value[]): value is readonly Value[] {
  return Array.isArray(value)
}

/**
 * Fields with a code of their own by that code; the others, in their order, as texts under the code of the compact data
 * object of their template (IEC 62056-6-2 class 62, `0-0:66.0.e.255`).
 */
export function registersOf(templateId: number, fields: readonly ReadField[]): readonly Register[] {
  const registers: Register[] = []
  const others: string[] = []
  for (const found of fields) {
    const { field } = found
    if (field.type === 'skip') continue
    const value = shownValue(found)
    const obis = field.obis ?? (field.map === undefined ? undefined : TARGETS[field.map].obis)
    if (obis === undefined)
      others.push(`${field.name}=${isSeveral(value) ? value.join(' ') : value}`)
    else
      registers.push({
        obis,
        value: isSeveral(value) ? value.map(String) : asText(field.map, value),
        unit: field.unit,
      })
  }
  if (others.length > 0)
    registers.push({ obis: `0-0:66.0.${templateId}*255`, value: others, unit: '' })
  return registers
}

/** A tariff band is text, as in every tariff register. */
function asText(map: ReadField['field']['map'], value: Value): Value {
  return map === 'tariff' && value !== null ? String(value) : value
}
