/** From a JSON value to a reading, by a mapping. */
import { isoLocal } from '../../src/dlms/date-time.ts'
import { DecodeError } from '../../src/errors.ts'
import type { JsonMessage, Understood } from '../../src/json/decoder.ts'
import { isObject } from '../../src/json/parse.ts'
import { CATALOGUE } from '../../src/obis.ts'
import type { CivilTime, FieldName, Reading, Register } from '../../src/reading.ts'
import type { JsonMapOptions, MappedValue } from './options.ts'
import { valueAt } from './path.ts'

/** Fields whose sign means something. */
const SIGNED = /^(current|powerFactor)/

/** Registers by the field they fill. */
const REGISTERS: ReadonlyMap<FieldName, { readonly obis: string; readonly unit: string }> = new Map(
  [...CATALOGUE.values()].flatMap(({ field, code, unit }) =>
    field === undefined ? [] : [[field, { obis: `1-0:${code}*255`, unit }] as const],
  ),
)

/**
 * What a message says.
 *
 * @throws DecodeError DATA_BAD_VALUE with the path
 */
export function readMapped({ mapping }: JsonMapOptions, { value, at }: JsonMessage): Understood {
  const values: { [Name in FieldName]?: number | null } = {}
  const registers: Register[] = []
  let meterTime: CivilTime | undefined
  let [tariff, id]: (string | undefined)[] = []
  let tripInS: number | undefined
  let found = 0
  for (const line of mapping) {
    const raw = valueAt(value, line.path)
    if (raw === undefined) continue
    found++
    if (line.target === 'tariff') tariff = textOf(raw)
    else if (line.target === 'meter_id') id = textOf(raw)
    else if (line.target === 'time') meterTime = timeOf(line, raw)
    else {
      const number = numberOf(line, raw)
      if (line.target === 'trip_in_s') tripInS = number ?? 0
      else if (line.target === 'active_power_w') {
        values.activePowerImportW = number === null ? null : Math.max(number, 0)
        values.activePowerExportW = number === null ? null : Math.max(-number, 0)
        registers.push({ obis: '1-0:16.7.0*255', value: number, unit: 'W' })
      } else {
        if ((number ?? 0) < 0 && !SIGNED.test(line.target))
          throw bad(line, `${number}: a signed power belongs to active_power_w`)
        values[line.target] = number
        const register = REGISTERS.get(line.target)
        if (register !== undefined) registers.push({ ...register, value: number })
      }
    }
  }
  if (found === 0)
    throw new DecodeError(
      'DATA_BAD_VALUE',
      0,
      `none of the mapped paths is there (${mapping.map(({ text }) => text).join(', ')}); ${keysOf(value)}`,
    )
  const reading: Reading = {
    decoder: 'json-map',
    receivedAt: at,
    // What carried the text here (TCP) has a checksum of its own.
    integrity: 'checksum',
    ...(id === undefined ? {} : { meter: { id } }),
    ...(meterTime === undefined ? {} : { meterTime }),
    values,
    ...(tariff === undefined ? {} : { tariff }),
    registers,
  }
  return { reading, ...signalOf(reading, tripInS) }
}

/** Powers of the contract and a countdown limit rather than measure. */
function signalOf({ values, receivedAt }: Reading, tripInS: number | undefined): Understood {
  const { availablePowerW, contractedPowerW } = values
  const isLimit = availablePowerW !== undefined || typeof contractedPowerW === 'number'
  if (!isLimit && tripInS === undefined) return {}
  return {
    signal: {
      availablePowerW: availablePowerW ?? null,
      ...(typeof contractedPowerW === 'number' ? { contractedPowerW } : {}),
      ...(tripInS === undefined ? {} : { tripInS, tripAt: receivedAt + tripInS * 1000 }),
      source: 'json-map',
      receivedAt,
      integrity: 'checksum',
    },
  }
}

function numberOf(line: MappedValue, raw: unknown): number | null {
  if (raw === null) return null
  const number = typeof raw === 'string' && raw.trim() !== '' ? Number(raw) : raw
  if (typeof number !== 'number' || !Number.isFinite(number))
    throw bad(line, `${shown(raw)}, expected a number`)
  // Twelve digits hide what multiplying by a factor such as 0.1 adds.
  return line.scale === 1 ? number : Number((number * line.scale).toPrecision(12))
}

function textOf(raw: unknown): string | undefined {
  if (typeof raw === 'string') return raw.trim().slice(0, 64)
  return typeof raw === 'number' ? String(raw) : undefined
}

const ISO = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z$/

function timeOf(line: MappedValue, raw: unknown): CivilTime {
  const none = { deviationMin: null, status: null }
  if (line.type === 'iso') {
    const local = ISO.exec(String(raw))?.[1]
    if (local === undefined) throw bad(line, `${shown(raw)}, expected ISO 8601 in UTC with Z`)
    return { ...none, local, utc: `${local}Z` }
  }
  const number = numberOf(line, raw)
  const seconds = Math.floor((number ?? -1) / (line.type === 'posix_ms' ? 1000 : 1))
  if (!(seconds >= 0 && seconds < 1e11)) throw bad(line, `${shown(raw)}, expected Unix time`)
  return { ...none, local: isoLocal(seconds), utc: `${isoLocal(seconds)}Z` }
}

function bad({ text }: MappedValue, found: string): DecodeError {
  return new DecodeError('DATA_BAD_VALUE', 0, `${text}: found ${found}`)
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 40)
}

function keysOf(value: unknown): string {
  return isObject(value)
    ? `found ${Object.keys(value).slice(0, 8).join(', ').slice(0, 100) || 'an empty object'}`
    : `found a ${Array.isArray(value) ? 'list' : typeof value}`
}
