/** From the entries of a list to the reading: registers as sent, fields as meant. */
import { toHex } from '../../src/bytes/hex.ts'
import { TAG } from '../../src/dlms/axdr.ts'
import {
  centralEuropeanToUtc,
  type DateTime,
  isoLocal,
  readDateTime,
} from '../../src/dlms/date-time.ts'
import { scaled } from '../../src/dlms/scale.ts'
import { estimateL2 } from '../../src/it-net.ts'
import {
  type Derived,
  type FieldName,
  type Grid,
  type Instant,
  type Integrity,
  type Meter,
  type MeterTime,
  type Note,
  netPowerW,
  netReactivePowerVar,
  type Reading,
  type Register,
  type Values,
} from '../../src/reading.ts'
import type { ClockZone, Family, ModelRow, Wiring } from './family.ts'
import type { PushList } from './list.ts'
import type { PushOptions } from './options.ts'

/** What assembling gives beside the reading. */
export interface Assembled {
  readonly reading: Reading
  readonly notes: readonly Note[]
  /** The list's own clock, seconds, where it carries energies: tells a repeated hour. */
  readonly hourS: number | undefined
}

/** Builds the reading of one telegram. `staleHourS`: energies with this clock were sent before and give no fields. */
export function assemble(
  list: PushList,
  family: Family,
  receivedAt: Instant,
  integrity: Integrity,
  options: PushOptions,
  staleHourS: number | undefined,
): Assembled {
  const { entries, tape } = list
  const scaling = family.scaling?.(list)
  const clockAt = list.clock
  const clock = clockAt >= 0 ? readDateTime(tape.bytes, clockAt) : undefined
  const time =
    clock ?? (list.headerTime >= 0 ? readDateTime(tape.bytes, list.headerTime) : undefined)
  const local = time === undefined ? '' : isoLocal(time.localS)
  const wiring = list.phases === 3 ? wiringOf(list, options.grid) : undefined
  const isStale = staleHourS !== undefined && clock !== undefined && clock.localS === staleHourS

  const registers: Register[] = []
  list.values.reset()
  const powers = list.powersOfTen(scaling, options.scale)
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    const { meaning, unit, constant } = entry
    const value =
      constant !== undefined
        ? constant.value
        : clock !== undefined && entry.element === list.clockElement
          ? local
          : variable(list, entry.element, powers[i]!)
    registers.push(constant ?? { obis: entry.obis, value, unit })
    if (meaning?.field === undefined || !entry.isFirst) continue
    if (typeof value !== 'number' && value !== null) continue
    if (isStale && (unit === 'Wh' || unit === 'varh')) continue
    const field = wiring === '3P3W' ? (meaning.lineField ?? meaning.field) : meaning.field
    if (wiring === '3P3W' && value === 0 && meansNotMeasured(field, list.row)) continue
    // On three wires the sign of a current belongs to the measuring element; only a neutral makes it the flow's.
    const isFlow = family.signedCurrents && (list.phases === 1 || wiring === '3P4W')
    const isMagnitude = unit === 'A' && !isFlow
    list.values.add(
      field,
      value === null ? null : primary(isMagnitude ? Math.abs(value) : value, unit, options),
    )
  }
  const values = list.values.build()

  const meter: { -readonly [K in keyof Meter]: Meter[K] } = { maker: family.maker(list) }
  if (list.meterId !== undefined) meter.id = list.meterId
  if (list.model !== undefined) meter.model = list.model
  if (list.listId !== undefined) meter.list = list.listId
  if (list.phases === 3) meter.grid = gridOf(wiring)
  const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
    decoder: family.id,
    receivedAt,
    integrity,
    meter,
    values,
    registers,
  }
  if (time !== undefined) reading.meterTime = meterTime(time, local, family.zone(list))
  if (wiring === '3P3W' && values.currentL2A === undefined) {
    const derived = deriveL2(values)
    if (derived !== undefined) reading.derived = { currentL2A: derived }
  }
  return {
    reading,
    notes: scaling?.notes ?? [],
    hourS: list.hasEnergy ? clock?.localS : undefined,
  }
}

/** Units that a current transformer divides. */
const TRANSFORMED: ReadonlySet<string> = new Set(['A', 'W', 'var', 'Wh', 'varh'])

/** The value on the primary side, without floating-point noise. */
function primary(value: number, unit: string, { ctRatio = 1 }: PushOptions): number {
  if (ctRatio === 1 || !TRANSFORMED.has(unit)) return value
  return Number((value * ctRatio).toPrecision(12))
}

/** Value of an entry that differs from telegram to telegram: numbers scaled, clocks as local time. */
function variable(
  list: PushList,
  element: number,
  power: number,
): number | string | boolean | null {
  const { tape } = list
  if (tape.isNumber(element)) {
    const exact = tape.exact(element)
    if (typeof exact === 'string') return exact
    const value = scaled(exact, power)
    if (!Number.isFinite(value))
      throw list.fault(element, `scaler ${power} or value ${exact} is impossible`)
    return value
  }
  if (tape.tag[element] === TAG.boolean) return tape.value[element] !== 0
  const time = readDateTime(tape.bytes, tape.from(element))
  return time === undefined
    ? toHex(tape.bytes, tape.from(element), tape.to(element))
    : isoLocal(time.localS)
}

/**
 * Wiring of a three-phase list: what the user says, else the model table, else what the list shows. Powers of single
 * phases need a neutral; a second line without current or voltage beside two with is a three-wire meter; else the
 * apparent power is the sum of U * I with a neutral and 1/√3 of it without.
 */
function wiringOf(list: PushList, grid: 'TN' | 'IT' | undefined): Wiring | undefined {
  if (grid !== undefined) return grid === 'IT' ? '3P3W' : '3P4W'
  if (list.row !== undefined) return list.row.wiring
  if (!Number.isNaN(list.raw('41.7.0')) || !Number.isNaN(list.raw('42.7.0'))) return '3P4W'
  const [i1, i2, i3] = [list.raw('31.7.0'), list.raw('51.7.0'), list.raw('71.7.0')]
  const [u1, u2, u3] = [list.raw('32.7.0'), list.raw('52.7.0'), list.raw('72.7.0')]
  const isIdle = (x: number): boolean => Number.isNaN(x) || x === 0
  if (!isIdle(i1) && !isIdle(i3) && !isIdle(u1) && !isIdle(u3) && (isIdle(i2) || isIdle(u2)))
    return '3P3W'
  return undefined
}

/** In three-wire nets a zero of the unmeasured line, or of the voltage between the measured ones, is no value. */
function meansNotMeasured(field: FieldName, row: ModelRow | undefined): boolean {
  return field === 'voltageL1L3V' || (field === 'currentL2A' && row?.measuresL2 !== true)
}

function gridOf(wiring: Wiring | undefined): Grid {
  if (wiring === '3P4W') return 'TN'
  return wiring === '3P3W' ? 'IT' : null
}

/** Current of the line without a transformer, from the two measured elements; to 0.01 A. */
function deriveL2(values: Values): Derived | undefined {
  const { currentL1A: i1, currentL3A: i3, voltageL1L2V: u12, voltageL2L3V: u23 } = values
  if (typeof i1 !== 'number' || typeof i3 !== 'number') return undefined
  const p = netPowerW(values)
  const q = netReactivePowerVar(values)
  const u13 = values.voltageL1L3V
  const { method, estimate } = estimateL2({
    i1,
    i3,
    u12: u12 ?? 0,
    u23: u23 ?? 0,
    ...(typeof u13 === 'number' ? { u13 } : {}),
    p: p ?? 0,
    q: p === undefined || q === undefined || !u12 || !u23 ? null : q,
  })
  const value = hundredths(estimate)
  return method === 'it-triangle'
    ? { value, method, uncertainty: hundredths(Math.max(1, 0.03 * estimate)) }
    : { value, method }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}

function meterTime(time: DateTime, local: string, zone: ClockZone): MeterTime {
  const { localS, deviationMin, status } = time
  const utcS =
    zone === 'utc+1'
      ? localS - 3600
      : zone === 'civil'
        ? centralEuropeanToUtc(localS)
        : deviationMin === null
          ? undefined
          : localS + deviationMin * 60
  return {
    local,
    deviationMin,
    utc: utcS === undefined ? null : `${isoLocal(utcS)}Z`,
    status,
  }
}
