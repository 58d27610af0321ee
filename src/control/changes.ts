/**
 * Meters that report changes instead of sending at intervals. Silence is information: without a report the power is
 * still within the report step of the last one. So while nothing comes, a virtual reading is made every 4 s from the
 * last report; while the vehicle has stood still the house follows from both.
 */
import type { Instant } from '../reading.ts'
import { atSample, remembered } from './house.ts'
import { ownShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { reportStepMa } from './report-step.ts'
import type { ControlState, Frame } from './state.ts'

const EVERY_MS = 4000
const STABLE_MA = 300

/** A reading made of silence, `null` while it is not time for one. */
export function virtualReading(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState | null {
  const { frame, view, total, echo } = state
  if (!parameters.reportsChanges || frame === null || view === null) return null
  if (now - Math.max(view.at, frame.at) < EVERY_MS) return null
  const share = ownShare(parameters, state, now + parameters.latencyMs)
  const { mid } = atSample({ ...state, unsettled: null }, share, now)
  // Only while the vehicle stood still, and no echo is due, silence tells something.
  const told = isStable(parameters, state, now) && echo.due === null && !echo.isDoubted
  // A report that came while the vehicle moved is settled now.
  const settles = told && state.unsettled !== null
  const within = (
    ma: number,
    ownMa: number,
    known: number,
    raiseMa: number,
    wattsPerAmpere: number,
  ) => {
    const baseMa = settles ? ma - ownMa : known
    const gap = reportStepMa(frame, ma, wattsPerAmpere)
    if (!told) return { baseMa, raiseMa }
    const most = ma + gap - ownMa
    const least = ma - gap - ownMa
    return {
      baseMa: Math.min(most, Math.max(least, baseMa)),
      raiseMa: Math.min(most, Math.max(least, raiseMa)),
    }
  }
  const lines = frame.baseMa.map((base, line) => {
    const ma = frame.lineMa[line] ?? null
    return base === null || ma === null
      ? null
      : within(ma, mid[line]!, base, newest(state, line) ?? base, frame.voltageV[line]!)
  })
  const whole =
    total === null
      ? null
      : within(
          total.ma,
          meanOwn(parameters, mid),
          total.baseMa,
          newest(state, lines.length) ?? total.baseMa,
          total.wattsPerAmpere,
        )
  const baseMa = lines.map(line => line?.baseMa ?? null)
  const made: Frame = {
    ...frame,
    at: now,
    baseMa,
    rideBaseMa: baseMa,
    lineMa: baseMa.map((ma, line) => (ma === null ? null : ma + mid[line]!)),
    guessed: false,
  }
  const raises = [...lines, whole].map(entry => entry?.raiseMa ?? null)
  const settled = settles
    ? { frame: { ...frame, baseMa, rideBaseMa: baseMa }, unsettled: null }
    : {}
  return {
    ...state,
    ...settled,
    // Silence after a report is a second one.
    good: told && state.good > 0 ? state.good + 1 : state.good,
    view: made,
    total: total === null || whole === null ? total : { ...total, baseMa: whole.baseMa },
    history: remembered(parameters, state, raises, now),
  }
}

/** The vehicle stood still over the meter's latency and a little more. */
function isStable(parameters: ControlParameters, state: ControlState, now: Instant): boolean {
  const from = now - parameters.latencyMs - EVERY_MS
  const first = state.telemetry.findLastIndex(({ at }) => at <= from)
  const draws = state.telemetry.slice(Math.max(0, first)).map(({ ma }) => Math.max(...(ma ?? [0])))
  return draws.length > 1 && Math.max(...draws) - Math.min(...draws) < STABLE_MA
}

function newest(state: ControlState, line: number): number | null {
  return state.history[line]?.at(-1)?.[1] ?? null
}

function meanOwn({ lineOf }: ControlParameters, ownMa: readonly number[]): number {
  return Math.round(lineOf.reduce((sum, line) => sum + (ownMa[line] ?? 0), 0) / lineOf.length)
}
