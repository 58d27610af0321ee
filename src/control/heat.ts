/** What the main device has to carry: how far it is heated, and how large a step of the house may come. */
import type { ControlParameters } from './parameters.ts'
import { damaged } from './protection.ts'
import type { ControlState, Frame } from './state.ts'
import { maximumSince, remember } from './window.ts'

/** Longer gaps say nothing about what flowed meanwhile. */
const LONGEST_MS = 60_000
/** Steps are remembered for an hour. */
const STEPS_MS = 3_600_000
const LEAST_STEP_MA = 3000
const DAY_MS = 86_400_000

/** Damage and steps with one more frame. Between two frames the larger current counts. */
export function heated(
  parameters: ControlParameters,
  state: ControlState,
  frame: Frame,
): Pick<ControlState, 'damage' | 'steps'> {
  const { frame: before, damage, steps } = state
  if (before === null || frame.at - before.at > LONGEST_MS) return { damage, steps }
  const hiddenMa = parameters.truncates ? parameters.resolutionMa : 0
  return {
    damage: damage.map((was, line) => {
      const ma = Math.max(frame.lineMa[line] ?? 0, before.lineMa[line] ?? 0) + hiddenMa
      return damaged(was, parameters.tripCurves[line] ?? [], ma, frame.at - before.at)
    }),
    steps:
      state.unsettled === null
        ? steps.map((window, line) => {
            const rise = (frame.baseMa[line] ?? 0) - (before.baseMa[line] ?? 0)
            return rise >= LEAST_STEP_MA ? remember(window, frame.at, rise, STEPS_MS) : window
          })
        : steps,
  }
}

/** What a meter's limiter has been asked to bear; forgotten within a day. */
export function limiterDamage(
  parameters: ControlParameters,
  state: ControlState,
  forMs: number,
): number {
  const { total, inForce, limiterDamage: was } = state
  const watts = inForce.flatMap(({ totalW, scope }) =>
    totalW === undefined || scope === 'chargePoint' ? [] : [totalW],
  )
  if (total === null || watts.length === 0 || !parameters.reportsChanges) return was
  const isOver = (total.ma / 1000) * total.wattsPerAmpere > Math.min(...watts)
  return isOver ? was + forMs / parameters.limiterBandMs : was * Math.exp(-forMs / DAY_MS)
}

/** The largest step of the house on a line in the last hour, mA. */
export function largestStepMa(state: ControlState, line: number, now: number): number {
  return maximumSince(state.steps[line] ?? [], now - STEPS_MS) ?? 0
}
