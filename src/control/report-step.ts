/**
 * How far the power of a meter that reports changes may be from its last report: the step it names, else a tenth of
 * what it reported. Where reports get lost all of it counts as drawn.
 */
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Frame } from './state.ts'

const SHARE = 0.1
/** Beside the step, in place of the margin, W. */
const STRICT_MARGIN_W = 150

/** The step around a report of `watts`, W. */
export function reportStepW(frame: Frame | null, watts: number): number {
  return frame?.reportStepW ?? SHARE * Math.abs(watts)
}

/** The same around a current, mA; `wattsPerAmpere` of the line it flows in. */
export function reportStepMa(frame: Frame, ma: number, wattsPerAmpere: number): number {
  const { reportStepW: watts } = frame
  return watts === null ? Math.abs(ma) * SHARE : Math.ceil((watts * 1000) / wattsPerAmpere)
}

/** What is kept free of a limit of the whole connection beyond the report itself, mA; 0 unless it has to be strict. */
export function strictMarginMa(
  parameters: ControlParameters,
  state: ControlState,
  wattsPerAmpere: number,
): number {
  if (!parameters.reportsChanges || !isStrict(parameters, state)) return 0
  const drawnW = ((state.total?.ma ?? 0) / 1000) * wattsPerAmpere
  const watts = STRICT_MARGIN_W + reportStepW(state.frame, drawnW)
  return Math.ceil((watts * 1000) / wattsPerAmpere)
}

/** Asked for, or no part of the limiter's long band may be spent, or the meter's counter shows losses. */
function isStrict({ strictGap, rideMaxMs }: ControlParameters, { echo }: ControlState): boolean {
  return strictGap ?? (rideMaxMs === 0 || echo.missedAt !== null)
}
