/** From a compact frame to a reading and a signal. */
import { centralEuropeanOffsetMin, isoLocal } from '../../src/dlms/date-time.ts'
import { DecodeError } from '../../src/errors.ts'
import type {
  AvailablePower,
  CivilTime,
  FieldName,
  Instant,
  Reading,
  Register,
} from '../../src/reading.ts'
import type { MeterClock } from './clock.ts'
import { type Quantity, quantityOf } from './frames.ts'
import type { CompactFrame, Values } from './message.ts'
import { amount, count, localIso, partialDate, posix } from './values.ts'

/** What the frame alone does not say. */
export interface Context {
  /** Id of the decoder. */
  readonly decoder: string
  readonly at: Instant
  readonly clock: MeterClock
  /** Report step, W. */
  readonly gapW: number
  /** More than this and {@link ABSURD_W} cannot flow, W. */
  readonly mostW: number
  readonly missed: number | undefined
  /** Kept by somebody, nobody knows how long. */
  readonly isRetained: boolean
}

/** No limiter lets so much through. */
const ABSURD_W = 40_000

/** A quarter hour tells again what was kept longer. */
const LONGEST_SILENCE_MS = 900_000
/** From measuring to sending; more than that is told. */
const USUAL_MS = 5000

/** Frames whose counters count reports of power. */
const COUNTS_REPORTS: ReadonlySet<number> = new Set([21, 51])

/** Frames that tell the power of now. */
const TELLS_POWER: ReadonlySet<number> = new Set([1, 21, 22, 51])

/**
 * The reading of a frame. Frames of production meters, and those that tell of a period, fill registers alone: what a
 * production meter measures is no part of the connection's power.
 *
 * @throws DecodeError DATA_BAD_VALUE, VALUE_IMPLAUSIBLE
 */
export function readingOf(frame: CompactFrame, context: Context): Reading {
  const { cf, meter, values } = frame
  const { decoder, at, gapW, mostW, missed, clock, isRetained } = context
  const isExchange = meter.startsWith('M1')
  const fields: { [Name in FieldName]?: number | null } = {}
  const registers: Register[] = []
  for (const [name, value] of values) {
    const quantity = quantityOf(name)
    if (quantity === undefined) continue
    const found = amount(name, value)
    registers.push(registerOf(quantity, found, isExchange ? '1-0' : '1-1', values))
    if (quantity.field !== undefined && isExchange && TELLS_POWER.has(cf))
      fields[quantity.field] ??= found
  }
  for (const name of ['activePowerImportW', 'activePowerExportW'] as const)
    if ((fields[name] ?? 0) > Math.max(ABSURD_W, mostW))
      throw new DecodeError('VALUE_IMPLAUSIBLE', 0, `a power of ${fields[name]} W`)
  if (values.has('outageduration'))
    registers.push({
      obis: '0-0:96.7.19*255',
      value: amount('OutageDuration', values.get('outageduration')),
      unit: 's',
    })
  const band = count(values.get('tariffcode'))
  const tariff = band !== undefined && band >= 1 && band <= 6 ? String(band) : undefined
  if (tariff !== undefined) registers.push({ obis: '0-0:96.14.0*255', value: tariff, unit: '' })
  if (cf === 22) {
    fields.availablePowerW = amount('AvailablePower', values.get('availablepower') ?? null)
    registers.push({ obis: '0-0:17.0.0*255', value: fields.availablePowerW, unit: 'W' })
  }
  if (typeof (fields.activePowerImportW ?? fields.activePowerExportW) === 'number')
    fields.uncertaintyW = gapW
  const meterTime = timeOf(values)
  const meterClockMs = clock.at(at)
  const ageMs = isRetained ? LONGEST_SILENCE_MS : ageOf(values)
  return {
    decoder,
    receivedAt: at,
    // The gateway opened a frame whose tag was right; what carried its text here has a checksum of its own.
    integrity: 'checksum',
    meter: { list: `CF${cf}`, deviceName: meter },
    ...(meterTime === undefined ? {} : { meterTime }),
    values: fields,
    ...(tariff === undefined ? {} : { tariff }),
    registers,
    ...(missed === undefined || !isExchange || !COUNTS_REPORTS.has(cf)
      ? {}
      : { missedReports: missed }),
    ...(ageMs === undefined ? {} : { ageMs }),
    ...(meterClockMs === undefined ? {} : { meterClockMs }),
  }
}

/** The signal of a frame about contract (CF20) or overload (CF22); `undefined` for any other. */
export function signalOf(frame: CompactFrame, context: Context): AvailablePower | undefined {
  const { cf, meter, values } = frame
  if ((cf !== 20 && cf !== 22) || meter.startsWith('M2')) return undefined
  const { decoder: source, at, clock, gapW } = context
  const availablePowerW = amount('AvailablePower', values.get('availablepower') ?? null)
  const contracted = amount('ContractPower', values.get('contractpower') ?? null)
  if (cf === 20 && availablePowerW === null && contracted === null)
    throw new DecodeError('DATA_BAD_VALUE', 0, 'a contract without contracted and available power')
  const meterClockMs = clock.at(at)
  const toldS =
    posix(values.get('messageposixtimestamp')) ?? posix(values.get('eventposixtimestamp'))
  return {
    availablePowerW,
    ...(contracted === null ? {} : { contractedPowerW: contracted }),
    ...(cf === 20 ? { uncertaintyW: gapW } : countdown(values, availablePowerW, context)),
    source,
    receivedAt: at,
    integrity: 'checksum',
    ...(meterClockMs === undefined ? {} : { meterClockMs }),
    ...(toldS === null ? {} : { toldAtMs: toldS * 1000 }),
  }
}

/**
 * Seconds to the disconnection, and its instant. A frame that shows no more than the available power tells of an
 * overload that is over; one without a countdown leaves no time to rely on.
 */
function countdown(
  values: Values,
  availableW: number | null,
  { at, clock }: Context,
): Pick<AvailablePower, 'tripInS' | 'tripAt'> {
  const powerW = amount('InstantPower', values.get('instantpower') ?? null)
  if (powerW !== null && availableW !== null && powerW <= availableW) return {}
  const tripInS = amount(
    'SwitchOffCountdownSeconds',
    values.get('switchoffcountdownseconds') ?? null,
  )
  if (tripInS === null || tripInS === 0) return { tripInS: 0, tripAt: at }
  const latest = at + tripInS * 1000
  const eventS = posix(values.get('eventposixtimestamp'))
  const told = eventS === null ? undefined : clock.instantOf((eventS + tripInS) * 1000, at)
  return {
    tripInS,
    tripAt: told === undefined ? latest - UNKNOWN_DELAY_MS : Math.min(told, latest),
  }
}

/** Where time stamps do not tell how long ago an event was. */
const UNKNOWN_DELAY_MS = 10_000

function registerOf(
  { code, unit, at }: Quantity,
  value: number | null,
  channel: string,
  values: Values,
): Register {
  const time = at === undefined ? undefined : localIso(partialDate(values.get(at)))
  return { obis: `${channel}:${code}`, value, unit, ...(time === undefined ? {} : { time }) }
}

/** A frame of the quarter hour is sent up to half a minute after it. */
function ageOf(values: Values): number | undefined {
  const measuredS = posix(values.get('measureposixtimestamp'))
  const sentS = posix(values.get('messageposixtimestamp'))
  if (measuredS === null || sentS === null) return undefined
  const ageMs = (sentS - measuredS) * 1000
  return ageMs > USUAL_MS && ageMs <= LONGEST_SILENCE_MS ? ageMs : undefined
}

/** When it was measured or happened, by the meter's clock; its time stamps are UTC. */
function timeOf(values: Values): CivilTime | undefined {
  const utcS =
    posix(values.get('measureposixtimestamp')) ??
    posix(values.get('eventposixtimestamp')) ??
    posix(values.get('messageposixtimestamp'))
  if (utcS === null) return undefined
  const offsetMin = centralEuropeanOffsetMin(utcS)
  return {
    local: isoLocal(utcS + offsetMin * 60),
    deviationMin: -offsetMin,
    utc: `${isoLocal(utcS)}Z`,
    status: null,
  }
}
