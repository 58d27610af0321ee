/**
 * What a person wants of the charge, below what is safe: the offer is the smaller of both. Prices and forecasts are
 * soft: where they or the clock are missing, the charge goes on without them.
 */
import type { Instant } from '../../reading.ts'
import type { Bound } from '../limits.ts'
import type { ControlParameters } from '../parameters.ts'
import type { ControlState } from '../state.ts'
import { wallNow } from '../wall.ts'
import type { Goal, GoalState } from './model.ts'
import { withPeak } from './peak.ts'
import { chosenSlots, isUrgent } from './plan.ts'
import { withSolar } from './solar.ts'

/** How often a plan is made anew, ms. */
const REPLAN_MS = 60_000

/** Takes a goal; energy counts from here. */
export function withGoal(before: GoalState, goal: Goal): GoalState {
  return { ...before, goal, deliveredWh: 0, plan: null, solar: { ...before.solar, wishMa: null } }
}

/** One tick: what was delivered, the surplus, the peak, the plan. */
export function tickGoals(
  parameters: ControlParameters,
  state: ControlState,
  wattsPerAmpere: number,
  now: Instant,
): GoalState {
  const { goals } = state
  if (goals.goal === null && parameters.peak === null) return goals
  const sinceMs = goals.at === null ? 0 : Math.min(now - goals.at, 10_000)
  const drawW = vehicleW(state, wattsPerAmpere)
  const deliveredWh =
    state.charger?.state === 'A' ? 0 : goals.deliveredWh + (drawW * sinceMs) / 3.6e6
  const seen = { ...goals, at: now, deliveredWh }
  const wallMs = wallNow(state, now)
  const facts = { parameters, state, wattsPerAmpere, drawW, wallMs, sinceMs, now }
  const peaked = withPeak(seen, facts)
  const mode = goals.goal?.mode
  if (mode === 'pv' || mode === 'minpv') return withSolar(peaked, facts)
  return mode === 'tariff' || mode === 'schedule' ? withPlan(peaked, facts) : peaked
}

/** The smallest wish; `null` when nothing is wished below the rating. */
export function wish(
  parameters: ControlParameters,
  { goals, wall }: Pick<ControlState, 'goals' | 'wall'>,
  wattsPerAmpere: number,
  now: Instant,
): Bound | null {
  const wishes = [own(parameters, goals, wallNow({ wall }, now), wattsPerAmpere), peakOf(goals)]
  return wishes.reduce((a, b) => (a === null ? b : b === null ? a : b.ma < a.ma ? b : a), null)
}

function own(
  parameters: ControlParameters,
  { goal, solar, plan, deliveredWh }: GoalState,
  wallMs: number | null,
  wattsPerAmpere: number,
): Bound | null {
  if (goal === null) return null
  const of = (code: Bound['code'], ma: number): Bound => ({ id: 'goal', code, ma })
  const fullW = (parameters.maxMa / 1000) * wattsPerAmpere
  if (goal.mode === 'off') return of('LIMIT_USER', 0)
  if (goal.mode === 'fast' || isUrgent(goal, deliveredWh, fullW, wallMs)) return null
  if (goal.mode === 'pv' || goal.mode === 'minpv') {
    const least = goal.mode === 'minpv' ? parameters.minMa : 0
    return of('WAIT_SURPLUS', Math.max(least, solar.wishMa ?? least))
  }
  // Without a clock there is no schedule.
  if (wallMs === null || plan === null) return null
  const isOpen = plan.slots.some(({ fromMs, untilMs }) => wallMs >= fromMs && wallMs < untilMs)
  if (isOpen) return null
  return of('WAIT_TARIFF', goal.keepAwake === true ? parameters.minMa : 0)
}

function peakOf({ peak }: GoalState): Bound | null {
  return peak.wishMa === null ? null : { id: 'goal', code: 'PEAK_BUDGET', ma: peak.wishMa }
}

function withPlan(
  goals: GoalState,
  { parameters, wattsPerAmpere, wallMs }: Parameters<typeof withPeak>[1],
): GoalState {
  const { goal, plan, deliveredWh } = goals
  if (goal === null || wallMs === null) return goals
  if (plan !== null && wallMs >= plan.madeMs && wallMs - plan.madeMs < REPLAN_MS) return goals
  const fullW = (parameters.maxMa / 1000) * wattsPerAmpere
  return {
    ...goals,
    plan: { madeMs: wallMs, slots: chosenSlots(goal, deliveredWh, fullW, wallMs) },
  }
}

/** What the vehicle draws by the charge point's meter, W. */
function vehicleW({ telemetry, charger }: ControlState, wattsPerAmpere: number): number {
  if (charger?.powerW != null && charger.powerW >= 0) return charger.powerW
  return (Math.max(...(telemetry.at(-1)?.ma ?? [0])) / 1000) * wattsPerAmpere
}
