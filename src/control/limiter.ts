/**
 * What an Italian meter lets through: its limiter goes by the contracted power and, at some sites, by the hour
 * (ARERA 541/2020/R/eel). Where several sources say something, the first of these counts:
 *
 * | source                                   | counts                                          |
 * |------------------------------------------|-------------------------------------------------|
 * | available power told with an overload    | for 15 minutes                                  |
 * | available power told with the contract   | until the next edge of the night, and 10 min    |
 * | the nights, where they were configured   | in their hours                                  |
 * | 1.1 times the contracted power           | always                                          |
 *
 * The hours alone may lower: what was told in a night ends with it. They raise nothing unless that was configured or
 * the meter says so. The meter switches by its own clock, so the smallest value within 60 s on both sides counts; while
 * no clock is known, the smallest of all.
 */
import { isNight, nextEdge } from '../italy/calendar.ts'
import type { AvailablePower, Instant } from '../reading.ts'
import type { Limit } from './model.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'
import { wallNow } from './wall.ts'

/** Withdrawals up to this share of the contracted power are never cut (ARERA, TIT). */
const TOLERANCE = 1.1
/** In the hours of 541/2020 the limiter behaves as if the contract was for 5.5 kW; contracts of 2 to 4.5 kW take part. */
const NIGHT_W = Math.round(5500 * TOLERANCE)
const NIGHT_CONTRACT_W = [2000, 4500] as const
const OVERLOAD_MS = 900_000
const AFTER_EDGE_MS = 600_000
const GUARD_MS = 60_000
/** A message about a night that begins may come a little before it. */
const EARLY_MS = 300_000
/** Clocks further apart than this do not show the same time. */
const CLOCK_FAULT_MS = 86_400_000
const NEVER = Number.MAX_SAFE_INTEGER

/** What a meter said of the power it lets through. */
export interface Granted {
  readonly contractedW: number | null
  /** Told with the contract. */
  readonly told: {
    readonly watts: number
    readonly at: Instant
    /** Until when it counts, epoch ms of the meter's clock; `null` without one. */
    readonly untilMs: number | null
    /** It was said in a night. */
    readonly atNight: boolean
  } | null
  /** Told with an overload. */
  readonly overload: { readonly watts: number; readonly at: Instant } | null
}

/** Nothing was told. */
export const NOTHING_GRANTED: Granted = { contractedW: null, told: null, overload: null }

/** Takes what a signal says of contract and available power. Without protection it may only lower. */
export function granted(
  parameters: ControlParameters,
  state: ControlState,
  signal: AvailablePower,
  now: Instant,
): Granted {
  const { granted: was } = state
  const { availablePowerW: watts, contractedPowerW, tripInS, toldAtMs, integrity } = signal
  const before = was.overload?.watts ?? was.told?.watts ?? Number.POSITIVE_INFINITY
  if (integrity === 'none' && (watts ?? 0) > before) return was
  const contractedW = isPower(contractedPowerW) ? contractedPowerW : was.contractedW
  if (!isPower(watts)) return { ...was, contractedW }
  if (tripInS !== undefined) return { ...was, contractedW, overload: { watts, at: now } }
  const extra = parameters.limiter?.extraHolidays ?? []
  const saidMs = toldAtMs ?? limiterClock(state, now)
  const told = {
    watts,
    at: now,
    untilMs: saidMs === null ? null : nextEdge(saidMs + EARLY_MS, extra) + AFTER_EDGE_MS,
    atNight: saidMs !== null && (isNight(saidMs, extra) || isNight(saidMs + EARLY_MS, extra)),
  }
  // An older word about an overload that allowed more does not outlive a newer one.
  const overload = was.overload !== null && was.overload.watts > watts ? null : was.overload
  return { contractedW, told, overload }
}

/** The limit that counts now; `null` where nothing is known. */
export function limiterLimit(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): Limit | null {
  if (parameters.limiter === null) return null
  const clockMs = limiterClock(state, now)
  const values =
    clockMs === null
      ? [unclocked(parameters, state.granted)]
      : [-GUARD_MS, 0, GUARD_MS].map(ms => valueAt(parameters, state.granted, clockMs + ms, now))
  const known = values.filter(value => value !== null)
  if (known.length === 0) return null
  const { id, watts } = known.reduce((a, b) => (b.watts < a.watts ? b : a))
  return { id, totalW: watts, expires: NEVER }
}

/** Time by which the limiter switches, epoch ms: the meter's clock where it tells, else the wall clock. */
export function limiterClock(
  state: Pick<ControlState, 'meterClock' | 'wall'>,
  now: Instant,
): number | null {
  const wallMs = wallNow(state, now)
  if (state.meterClock === null) return wallMs
  const ms = state.meterClock.ms + (now - state.meterClock.at)
  return wallMs !== null && Math.abs(wallMs - ms) > CLOCK_FAULT_MS ? wallMs : ms
}

interface Value {
  /** Id of the limit. */
  readonly id: string
  readonly watts: number
}

function valueAt(
  parameters: ControlParameters,
  { contractedW, told, overload }: Granted,
  clockMs: number,
  now: Instant,
): Value | null {
  const { extraHolidays = [] } = parameters.limiter ?? {}
  const base = baseW(parameters, contractedW)
  const night = isNight(clockMs, extraHolidays)
  const isUrgent = overload !== null && now - overload.at <= OVERLOAD_MS
  const isValid = told !== null && (told.untilMs === null || clockMs < told.untilMs)
  const watts = isUrgent ? overload.watts : isValid ? told.watts : null
  if (watts !== null) {
    const ends = base !== null && watts > base && !night && (told?.atNight ?? false)
    return ends ? { id: 'flex_window', watts: base } : { id: 'available_power', watts }
  }
  // Less than the contract stays until the meter says otherwise.
  if (told !== null && (base === null || told.watts < base))
    return { id: 'available_power', watts: told.watts }
  if (base === null) return null
  return night && hasNights(parameters, base)
    ? { id: 'flex_window', watts: Math.max(base, NIGHT_W) }
    : { id: 'contracted_power', watts: base }
}

/** Without a clock: the smallest of what was told and what the contract gives. */
function unclocked(
  parameters: ControlParameters,
  { contractedW, told, overload }: Granted,
): Value | null {
  const base = baseW(parameters, contractedW)
  const watts = [base, told?.watts, overload?.watts].flatMap(value => value ?? [])
  if (watts.length === 0) return null
  const least = Math.min(...watts)
  return { id: least === base ? 'contracted_power' : 'available_power', watts: least }
}

/** What the contract alone gives, W: as told, else as configured. */
function baseW({ limiter }: ControlParameters, toldW: number | null): number | null {
  const contractedW = toldW ?? limiter?.contractedW ?? null
  return contractedW === null ? null : Math.round(contractedW * TOLERANCE)
}

function hasNights({ limiter }: ControlParameters, base: number): boolean {
  const [least, most] = NIGHT_CONTRACT_W
  return (
    limiter?.night541 === true &&
    base >= Math.round(least * TOLERANCE) &&
    base <= Math.round(most * TOLERANCE)
  )
}

function isPower(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
