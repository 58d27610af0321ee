/**
 * A budget for the billing window of a peak tariff: what is left of the target's energy, spread over what is left of
 * the window, minus the house. Near the end of the window a minute is the least to divide by. Windows follow the clock;
 * without one the target holds at every moment.
 */
import { floorToStep, milliamperes } from '../amperes.ts'
import type { GoalFacts, GoalState } from './model.ts'

const SHARE = 0.99
const LEAST_LEFT_MS = 60_000
const RESERVE_W = 150
const WITHOUT_RESERVE_MS = 120_000
const RAISE_W = 460
const LEAST_OFF_MS = 120_000
const MINUTE_MS = 60_000
const QUARTER_MS = 900_000

/** Keeps the budget. */
export function withPeak(goals: GoalState, facts: GoalFacts): GoalState {
  const { parameters, state, wallMs, sinceMs } = facts
  const { peak: budget } = parameters
  const { total } = state
  if (budget === null || total === null) return goals
  const { peak } = goals
  const baseW = (total.baseMa / 1000) * total.wattsPerAmpere
  const netW = Math.max(0, (total.ma / 1000) * total.wattsPerAmpere)
  const window = wallMs === null ? null : Math.floor(wallMs / budget.windowMs)
  const isSame = window === peak.window
  const hours = sinceMs / 3_600_000
  const seen = {
    ...peak,
    window,
    usedWh: (isSame ? peak.usedWh : 0) + netW * hours,
    baseWh: (isSame ? peak.baseWh : 0) + Math.max(0, baseW) * hours,
    minuteW: mean(peak.minuteW, baseW, sinceMs, MINUTE_MS),
    quarterW: mean(peak.quarterW, baseW, sinceMs, QUARTER_MS),
  }
  const houseW = Math.max(seen.minuteW, seen.quarterW)
  const elapsedMs = wallMs === null ? 0 : wallMs - (window ?? 0) * budget.windowMs
  const leftMs = budget.windowMs - elapsedMs
  // What the house alone has already taken is billed anyway.
  const houseAloneW = elapsedMs > MINUTE_MS ? seen.baseWh / (elapsedMs / 3_600_000) : 0
  const targetW = Math.max(budget.targetW, houseAloneW)
  const remainingWh = (SHARE * targetW * budget.windowMs) / 3_600_000 - seen.usedWh
  const reserveW = leftMs <= WITHOUT_RESERVE_MS && wallMs !== null ? 0 : RESERVE_W
  const freeW =
    wallMs === null
      ? budget.targetW - Math.max(houseW, baseW) - RESERVE_W
      : remainingWh / (Math.max(leftMs, LEAST_LEFT_MS) / 3_600_000) - houseW - reserveW
  return { ...goals, peak: { ...seen, ...decided(facts, peak, freeW, leftMs) } }
}

/** The wish, with its dead band and its least time off. */
function decided(
  { parameters, wattsPerAmpere, drawW, wallMs, now }: GoalFacts,
  before: GoalState['peak'],
  watts: number,
  endsInMs: number,
): Pick<GoalState['peak'], 'wishMa' | 'pausedAt'> {
  const { minMa, maxMa, stepMa } = parameters
  const ma = Math.min(maxMa, floorToStep(milliamperes(watts / wattsPerAmpere), stepMa))
  const was = before.wishMa
  if (ma < minMa) {
    // A deficit that ends with the window is not worth a contactor's work.
    if (endsInMs <= LEAST_LEFT_MS && drawW > 0 && wallMs !== null)
      return { wishMa: minMa, pausedAt: before.pausedAt }
    return { wishMa: 0, pausedAt: was === 0 ? before.pausedAt : now }
  }
  if (was === 0 && before.pausedAt !== null && now - before.pausedAt < LEAST_OFF_MS)
    return { wishMa: 0, pausedAt: before.pausedAt }
  const rises = was !== null && ma > was && ma < maxMa
  const small = rises && ((ma - was) / 1000) * wattsPerAmpere < RAISE_W
  return { wishMa: small ? was : ma, pausedAt: null }
}

function mean(before: number | null, value: number, sinceMs: number, tauMs: number): number {
  return before === null ? value : before + (value - before) * (1 - Math.exp(-sinceMs / tauMs))
}
