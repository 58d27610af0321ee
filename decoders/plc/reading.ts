/** From the fields of a compact frame to a reading and a signal. */
import type { ReadField } from '../../src/chain2/compact-frame.ts'
import { TARGETS } from '../../src/chain2/targets.ts'
import { DecodeError } from '../../src/errors.ts'
import type { AvailablePower, FieldName, Instant, Integrity, Reading } from '../../src/reading.ts'
import type { MeterClock } from '../chain2/clock.ts'
import type { Facts } from './facts.ts'
import { registersOf } from './registers.ts'

/** What the frame alone does not say. */
export interface Context {
  readonly decoder: string
  /** Dictionary and version. */
  readonly profile: string
  /** Name of the frame. */
  readonly list: string
  readonly templateId: number
  readonly at: Instant
  readonly integrity: Integrity
  readonly clock: MeterClock
  /** Report step, W. */
  readonly gapW: number
  /** More than this and {@link ABSURD_W} cannot flow, W. */
  readonly mostW: number
  /** Index of the notification's date-time, -1 if there is none. */
  readonly headerTime: number
  /** Reports of changed power that were counted and never arrived; `undefined` where the frame tells nothing. */
  readonly missed: number | undefined
}

/** No limiter lets so much through. */
const ABSURD_W = 40_000
/** Tariff bands F1 to F6. */
const MOST_BAND = 6
/** Where time stamps do not tell how long ago an event was. */
const UNKNOWN_DELAY_MS = 10_000

/** True if the frame tells something else than limits; one that tells nothing known has its registers. */
export function givesReading(fields: readonly ReadField[]): boolean {
  const targets = fields.flatMap(({ field: { map } }) => (map === undefined ? [] : [TARGETS[map]]))
  const limits = targets.filter(target => target.limits)
  const measures = targets.filter(target => !target.limits && target.obis !== undefined)
  return measures.length > 0 || limits.length === 0
}

/** The reading. Throws DATA_BAD_VALUE, VALUE_IMPLAUSIBLE. */
export function readingOf(facts: Facts, fields: readonly ReadField[], context: Context): Reading {
  const { decoder, profile, list, templateId, at, integrity, clock, headerTime, missed } = context
  const values = valuesOf(facts, fields, context)
  const band = facts.number('tariff')
  const hasBand = typeof band === 'number' && band >= 1 && band <= MOST_BAND
  const meterTime = facts.time(headerTime)
  const meterClockMs = clock.at(at)
  return {
    decoder,
    profile,
    receivedAt: at,
    integrity,
    meter: { list },
    ...(meterTime === undefined ? {} : { meterTime }),
    values,
    ...(hasBand ? { tariff: String(band) } : {}),
    registers: registersOf(templateId, fields),
    ...(missed === undefined ? {} : { missedReports: missed }),
    ...(meterClockMs === undefined ? {} : { meterClockMs }),
  }
}

function valuesOf(
  facts: Facts,
  fields: readonly ReadField[],
  { gapW, mostW }: Context,
): Reading['values'] {
  const values: { [Name in FieldName]?: number | null } = {}
  for (const { field } of fields) {
    if (field.map === undefined) continue
    const { field: name } = TARGETS[field.map]
    const value = facts.number(field.map)
    if (name === undefined || value === undefined) continue
    // One signed value is both flows.
    const isSigned = field.map === 'import.power' && /^[if]\d/.test(field.type)
    if (isSigned && value !== null && !facts.has('export.power')) {
      values.activePowerImportW = Math.max(value, 0)
      values.activePowerExportW = Math.max(-value, 0)
    } else if (value !== null && value < 0)
      throw new DecodeError('DATA_BAD_VALUE', 0, `${field.name} is ${value}`)
    else values[name] = value
  }
  const { activePowerImportW: imported, activePowerExportW: exported } = values
  for (const power of [imported, exported])
    if ((power ?? 0) > Math.max(ABSURD_W, mostW))
      throw new DecodeError('VALUE_IMPLAUSIBLE', 0, `a power of ${power} W`)
  if (typeof (imported ?? exported) === 'number') values.uncertaintyW = gapW
  return values
}

/** The signal of a frame that tells available or contracted power, or counts down; `undefined` for any other. */
export function signalOf(facts: Facts, context: Context): AvailablePower | undefined {
  const { decoder: source, at, integrity, clock, gapW } = context
  const available = facts.number('limit.available')
  const contracted = facts.number('limit.contracted')
  const isCountdown = facts.has('trip.countdown') || facts.has('trip.deadline')
  if (available === undefined && contracted === undefined && !isCountdown) return undefined
  const meterClockMs = clock.at(at)
  const toldS = facts.posix('sentAt') ?? facts.posix('measuredAt')
  return {
    availablePowerW: available ?? null,
    ...(typeof contracted === 'number' ? { contractedPowerW: contracted } : {}),
    ...(isCountdown ? countdown(facts, available ?? null, context) : { uncertaintyW: gapW }),
    source,
    receivedAt: at,
    integrity,
    ...(meterClockMs === undefined ? {} : { meterClockMs }),
    ...(toldS === undefined ? {} : { toldAtMs: toldS * 1000 }),
  }
}

/**
 * Seconds to the disconnection, and its instant. A frame that shows no more than the available power tells of an
 * overload that is over; one without a countdown leaves no time to rely on.
 */
function countdown(
  facts: Facts,
  availableW: number | null,
  { at, clock }: Context,
): Pick<AvailablePower, 'tripInS' | 'tripAt'> {
  const powerW = facts.number('import.power') ?? null
  if (powerW !== null && availableW !== null && powerW <= availableW) return {}
  const eventS = facts.posix('measuredAt')
  const deadlineS = facts.posix('trip.deadline')
  const tripInS =
    deadlineS === undefined || eventS === undefined
      ? (facts.number('trip.countdown') ?? 0)
      : Math.max(0, deadlineS - eventS)
  if (tripInS === 0) return { tripInS, tripAt: at }
  const latest = at + tripInS * 1000
  const told = eventS === undefined ? undefined : clock.instantOf((eventS + tripInS) * 1000, at)
  return {
    tripInS,
    tripAt: told === undefined ? latest - UNKNOWN_DELAY_MS : Math.min(told, latest),
  }
}
