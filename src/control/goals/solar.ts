/**
 * Charging from surplus. The surplus is what would be exported if the vehicle drew nothing, smoothed more on its way
 * down than up, so that a cloud does not stop the charge: it holds the minimum for five minutes first.
 */
import { floorToStep, milliamperes } from '../amperes.ts'
import type { GoalFacts, GoalState } from './model.ts'

const UP_MS = 20_000
const DOWN_MS = 60_000
const START_EXTRA_W = 100
const START_AFTER_MS = 60_000
const STOP_AFTER_MS = 300_000
/** Least time on, and off. */
const LEAST_MS = 300_000
const TRACK_MS = 10_000
const DEAD_BAND_W = 150

/** Follows the surplus. */
export function withSolar(goals: GoalState, facts: GoalFacts): GoalState {
  const { state, drawW, sinceMs, now, parameters, wattsPerAmpere } = facts
  const { total } = state
  const { solar, goal } = goals
  if (total === null || goal === null) return goals
  const netW = (total.ma / 1000) * total.wattsPerAmpere
  const surplusW = smooth(solar.surplusW, drawW - netW - (goal.reserveW ?? 0), sinceMs)
  const leastW = (parameters.minMa / 1000) * wattsPerAmpere
  const enough = surplusW >= leastW + START_EXTRA_W
  const lacks = surplusW < leastW - (goal.allowedImportW ?? 0)
  const seen = {
    ...solar,
    surplusW,
    enoughSince: enough ? (solar.enoughSince ?? now) : null,
    lackSince: lacks ? (solar.lackSince ?? now) : null,
  }
  const rested = solar.switchedAt === null || now - solar.switchedAt >= LEAST_MS
  const isOn = (solar.wishMa ?? 0) > 0
  if (!isOn) {
    const starts = rested && seen.enoughSince !== null && now - seen.enoughSince >= START_AFTER_MS
    if (!starts) return { ...goals, solar: { ...seen, wishMa: 0 } }
    const begun = { ...seen, wishMa: parameters.minMa, switchedAt: now, trackedAt: now }
    return { ...goals, solar: begun }
  }
  if (rested && seen.lackSince !== null && now - seen.lackSince >= STOP_AFTER_MS)
    return { ...goals, solar: { ...seen, wishMa: 0, switchedAt: now } }
  const wishMa = solar.wishMa ?? parameters.minMa
  const target = Math.max(
    parameters.minMa,
    Math.min(
      parameters.maxMa,
      floorToStep(milliamperes(surplusW / wattsPerAmpere), parameters.stepMa),
    ),
  )
  const moves =
    Math.abs(target - wishMa) >=
    Math.max(parameters.stepMa / 2, milliamperes(DEAD_BAND_W / wattsPerAmpere))
  if (!moves || now - (solar.trackedAt ?? now) < TRACK_MS) return { ...goals, solar: seen }
  return { ...goals, solar: { ...seen, wishMa: target, trackedAt: now } }
}

function smooth(before: number | null, value: number, sinceMs: number): number {
  if (before === null) return value
  const tau = value > before ? UP_MS : DOWN_MS
  return before + (value - before) * (1 - Math.exp(-sinceMs / tau))
}
