/** From the entries of a list to the reading: registers as sent, fields as meant. */
import { toHex } from '../../src/bytes/hex.ts'
import { TAG } from '../../src/dlms/axdr.ts'
import { type DateTime, isoLocal, readDateTime } from '../../src/dlms/date-time.ts'
import { scaled } from '../../src/dlms/scale.ts'
import type { ObisMeaning } from '../../src/obis.ts'
import type { Instant, Meter, MeterTime, Note, Reading, Register } from '../../src/reading.ts'
import { addThresholds, breakerOf, tariffOf } from './connection.ts'
import type { Family, Wiring } from './family.ts'
import type { PushList } from './list.ts'
import type { PushOptions } from './options.ts'
import { deriveL2, gridOf, meansNotMeasured, wiringOf } from './three-wire.ts'
import { type ClockZone, toUtc } from './zones.ts'

/** What assembling gives beside the reading. */
export interface Assembled {
  readonly reading: Reading
  readonly notes: readonly Note[]
  /** The list's own clock, seconds, where it carries energies: tells a repeated hour. */
  readonly hourS: number | undefined
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }

/** Builds the reading of one telegram. `staleHourS`: energies with this clock were sent before and give no fields. */
export function assemble(
  list: PushList,
  family: Family,
  receivedAt: Instant,
  options: PushOptions,
  staleHourS: number | undefined,
): Assembled {
  const { entries, tape, envelope, connection } = list
  const scaling = family.scaling?.(list)
  const withheld = scaling?.withheld
  const clockAt = list.clock
  const clock = clockAt >= 0 ? readDateTime(tape.bytes, clockAt) : undefined
  const time =
    clock ?? (envelope.headerTime >= 0 ? readDateTime(tape.bytes, envelope.headerTime) : undefined)
  const local = time === undefined ? '' : isoLocal(time.localS)
  const hasRule = family.models !== undefined || options.grid !== undefined
  const wiring = list.phases === 3 && hasRule ? wiringOf(list, options.grid) : undefined
  const isStale = staleHourS !== undefined && clock !== undefined && clock.localS === staleHourS
  // On three wires the sign of a current belongs to the measuring element; only a neutral makes it the flow's.
  const isFlow = family.signedCurrents && (list.phases === 1 || wiring === '3P4W')

  const registers: Register[] = []
  list.values.reset()
  const powers = list.powersOfTen(scaling?.scalers)
  for (let i = 0; i < entries.length; i++) {
    const entry = entries[i]!
    const { fills, unit, constant } = entry
    const value =
      constant !== undefined
        ? constant.value
        : clock !== undefined && entry.element === list.clockElement
          ? local
          : variable(list, entry.element, powers[i]!)
    registers.push(constant ?? { obis: entry.obis, value, unit })
    if (fills === undefined) continue
    if (typeof value !== 'number' && value !== null) continue
    if (withheld?.includes(unit)) continue
    if (isStale && (unit === 'Wh' || unit === 'varh')) continue
    addField(list, fills, value, wiring, isFlow, options)
  }
  const notes: Note[] = scaling === undefined ? [] : [...scaling.notes]
  if (connection !== undefined) addThresholds(connection, registers, list.values, notes)
  const values = list.values.build()

  const reading: Writable<Reading> = {
    decoder: family.id,
    receivedAt,
    integrity: envelope.integrity,
    values,
    registers,
  }
  const profile = scaling?.profile ?? list.profile
  if (profile !== undefined) reading.profile = profile
  const meter = meterOf(list, family, hasRule, wiring)
  if (meter !== undefined) reading.meter = meter
  if (time !== undefined) reading.meterTime = meterTime(time, local, family.zone(list))
  if (connection !== undefined) {
    const tariff = tariffOf(registers[connection.tariff])
    if (tariff !== undefined) reading.tariff = tariff
    const breaker = breakerOf(registers[connection.breaker])
    if (breaker !== undefined) reading.breaker = breaker
  }
  if (wiring === '3P3W' && values.currentL2A === undefined) {
    const derived = deriveL2(values)
    if (derived !== undefined) reading.derived = { currentL2A: derived }
  }
  return { reading, notes, hourS: list.hasEnergy ? clock?.localS : undefined }
}

/** Fills the field that a value means, unless it means none. */
function addField(
  { values, row }: PushList,
  { field, lineField, unit, code }: ObisMeaning,
  value: number | null,
  wiring: Wiring | undefined,
  isFlow: boolean,
  options: PushOptions,
): void {
  if (code === SIGNED_POWER) {
    const power = value === null ? null : primary(value, unit, options)
    values.add('activePowerImportW', power === null ? null : Math.max(power, 0))
    values.add('activePowerExportW', power === null ? null : Math.max(-power, 0))
    return
  }
  const name = wiring === '3P3W' ? (lineField ?? field) : field
  if (name === undefined) return
  if (wiring === '3P3W' && value === 0 && meansNotMeasured(name, row)) return
  if (value === null) values.add(name, null)
  else if (value >= 0 || unit === '') values.add(name, primary(value, unit, options))
  else if (unit === 'A') values.add(name, primary(isFlow ? value : -value, unit, options))
  // Powers, voltages and energies are never negative: such a number is none of them.
}

/** 16.7.0: import less export. It is among what fills fields only where there is no 1.7.0. */
const SIGNED_POWER = '16.7.0'

/** Units that a current transformer divides. */
const TRANSFORMED: ReadonlySet<string> = new Set(['A', 'W', 'var', 'VA', 'Wh', 'varh'])

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
  const tag = tape.tag[element]
  if (tape.isNumber(element)) {
    const exact = tape.exact(element)
    if (typeof exact === 'string') return exact
    const value = scaled(exact, power)
    if (!Number.isFinite(value))
      throw list.fault(element, `scaler ${power} or value ${exact} is impossible`)
    return tag === TAG.float32 ? Number(value.toPrecision(7)) : value
  }
  if (tag === TAG.boolean) return tape.value[element] !== 0
  const time = readDateTime(tape.bytes, tape.from(element))
  return time === undefined
    ? toHex(tape.bytes, tape.from(element), tape.to(element))
    : isoLocal(time.localS)
}

function meterOf(
  list: PushList,
  family: Family,
  hasRule: boolean,
  wiring: Wiring | undefined,
): Meter | undefined {
  const meter: Writable<Meter> = {}
  const maker = family.maker(list)
  if (maker !== undefined) meter.maker = maker
  if (list.meterId !== undefined) meter.id = list.meterId
  if (list.model !== undefined) meter.model = list.model
  if (list.listId !== undefined) meter.list = list.listId
  if (list.deviceName !== undefined) meter.deviceName = list.deviceName
  if (list.phases === 3 && hasRule) meter.grid = gridOf(wiring)
  for (const _ in meter) return meter
  return undefined
}

function meterTime(time: DateTime, local: string, zone: ClockZone | undefined): MeterTime {
  const { localS, deviationMin, status } = time
  const utcS =
    zone !== undefined
      ? toUtc(zone, localS)
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
