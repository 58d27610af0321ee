/**
 * What the age of the readings still permits.
 *
 * | age above                     | level      | permitted                    |
 * |-------------------------------|------------|------------------------------|
 * |                               | `fresh`    | everything                   |
 * | 2.5 cadences                  | `frozen`   | no raise                     |
 * | max(3 cadences + 5 s, 20 s)   | `minimum`  | at most the minimum          |
 * | max(6 cadences, 60 s)         | `failsafe` | at most the fail-safe value  |
 *
 * A telegram every 60 s or one that is 15 s old on arrival is no present current: such a source is never fresh.
 */
import type { Instant } from '../reading.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, FieldGroup } from './state.ts'

/** How much the readings are still worth. */
export type Freshness = 'fresh' | 'frozen' | 'minimum' | 'failsafe'

const ORDER: readonly Freshness[] = ['fresh', 'frozen', 'minimum', 'failsafe']

/** Assumed until intervals were seen. */
const USUAL_CADENCE_MS = 10_000
const LEARNED_FROM = 3
const INTERVALS_KEPT = 7
/** Longer gaps are outages, not intervals. */
const LONGEST_INTERVAL_MS = 120_000
const SLOWEST_CADENCE_MS = 30_000
const LONGEST_LATENCY_MS = 15_000
/** Interval of virtual readings, and the longest pause of meters that report changes. */
const VIRTUAL_MS = 4000
const LONGEST_SILENCE_MS = 960_000

/** Takes the arrival of a telegram that carried the group. */
export function heard(group: FieldGroup, at: Instant): FieldGroup {
  const interval = group.at === null ? 0 : at - group.at
  if (interval <= 0 || interval > LONGEST_INTERVAL_MS) return { ...group, at }
  const intervals = [...group.intervals.slice(1 - INTERVALS_KEPT), interval]
  return { at, intervals, usualMs: median(intervals) }
}

/** Nominal interval of a group, ms: configured, else the median of what was seen, at least 1 s. */
export function cadence(group: FieldGroup, configuredMs: number | null): number {
  if (configuredMs !== null) return configuredMs
  return group.usualMs ?? USUAL_CADENCE_MS
}

function median(intervals: readonly number[]): number | null {
  if (intervals.length < LEARNED_FROM) return null
  const sorted = [...intervals].sort((a, b) => a - b)
  return Math.max(1000, sorted[Math.floor(sorted.length / 2)] ?? USUAL_CADENCE_MS)
}

/** Interval of the telegrams the lines are taken from, ms. */
export function lineCadence(parameters: ControlParameters, state: ControlState): number {
  if (parameters.reportsChanges) return VIRTUAL_MS
  return state.powerOnly
    ? cadence(state.power, parameters.powerCadenceMs)
    : cadence(state.currents, parameters.cadenceMs)
}

/** Level and age of the oldest value in use; the age is `null` while one was never heard. */
export function freshness(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): { readonly level: Freshness; readonly ageMs: number | null } {
  const lines = state.powerOnly ? { ...state.power, at: state.powerLinesAt } : state.currents
  const groups = [levelOf(lines, lineCadence(parameters, state), parameters, state, now)]
  if (state.inForce.some(({ totalW, scope }) => totalW !== undefined && scope !== 'chargePoint')) {
    const every = cadence(state.power, parameters.powerCadenceMs)
    groups.push(levelOf(state.power, every, parameters, state, now))
  }
  return groups.reduce((a, b) => ({
    level: ORDER.indexOf(b.level) > ORDER.indexOf(a.level) ? b.level : a.level,
    ageMs: a.ageMs === null || b.ageMs === null ? null : Math.max(a.ageMs, b.ageMs),
  }))
}

function levelOf(
  group: FieldGroup,
  cadenceMs: number,
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): { readonly level: Freshness; readonly ageMs: number | null } {
  const ageMs = group.at === null ? null : Math.max(0, now - group.at)
  if (parameters.reportsChanges) return { level: silentFor(ageMs ?? now - state.since), ageMs }
  if (cadenceMs > SLOWEST_CADENCE_MS || parameters.latencyMs > LONGEST_LATENCY_MS)
    return { level: 'failsafe', ageMs }
  // Never heard: counted from the beginning, so that a charge found running is not held for ever.
  return { level: levelAt(ageMs ?? Math.max(0, now - state.since), cadenceMs), ageMs }
}

/** A meter that reports changes says nothing for a quarter of an hour at most. */
function silentFor(ms: number): Freshness {
  if (ms > LONGEST_SILENCE_MS + 60_000) return 'failsafe'
  return ms > LONGEST_SILENCE_MS ? 'minimum' : 'fresh'
}

function levelAt(ageMs: number, cadenceMs: number): Freshness {
  if (ageMs > Math.max(6 * cadenceMs, 60_000)) return 'failsafe'
  if (ageMs > Math.max(3 * cadenceMs + 5000, 20_000)) return 'minimum'
  return ageMs > 2.5 * cadenceMs ? 'frozen' : 'fresh'
}
