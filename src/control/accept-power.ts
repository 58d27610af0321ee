/**
 * Telegrams that carry power and no current.
 *
 * Between telegrams with currents they may only cut: what was proven to have been added since the last currents is put
 * on every line. A meter that never sends currents is worked with on its power alone, all of it on every line.
 */
import type { Instant } from '../reading.ts'
import type { Accepted, Report } from './accept.ts'
import { milliamperes } from './amperes.ts'
import { echoed } from './echo.ts'
import { atSample, goodReadings, remembered, vehicleW, withTotal } from './house.ts'
import type { LineReading } from './lines.ts'
import { ownShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Frame } from './state.ts'

/** Without any current for this long a meter is taken for one that sends power alone. */
const POWER_ONLY_AFTER_MS = 30_000
const POWER_ONLY_FACTOR = 0.85

/** Power alone. Until currents have failed to come for a while it is only remembered. */
export function acceptPower(
  parameters: ControlParameters,
  state: ControlState,
  lines: LineReading,
  powerW: number,
  { trusted, stepW, missed, ageMs }: Report,
  at: Instant,
): Accepted {
  const share = ownShare(parameters, state, at, ageMs)
  const { mid, unsettled } = atSample(state, share, at)
  const told = withTotal(parameters, { ...state, unsettled }, lines, share, mid, trusted, at)
  const nothing = { state: told, kind: 'none', view: null, raises: false } as const
  if (state.currents.at !== null) {
    // Import alone that says 0 may hide any amount of export.
    if (state.frame?.powerW == null || (powerW === 0 && state.exported)) return nothing
    const rise =
      powerW - state.frame.powerW - (vehicleW(parameters, lines, mid) - state.frame.vehicleW)
    const view = withRise(state.frame, rise, mid, at)
    return { state: { ...told, view }, kind: 'fast', view, raises: false }
  }

  const powerSince = state.powerSince ?? at
  // Production behind the meter hides load: then power alone proves nothing.
  const isAlone = parameters.reportsChanges || at - powerSince >= POWER_ONLY_AFTER_MS
  const usable = isAlone && !state.exported && powerW > 0
  if (!usable) return { ...nothing, state: { ...told, powerSince } }
  const base = (own: readonly number[]) =>
    lines.voltageV.map(volts =>
      milliamperes(
        Math.max(0, powerW - vehicleW(parameters, lines, own)) / (POWER_ONLY_FACTOR * volts),
      ),
    )
  const baseMa = base(mid)
  const frame: Frame = {
    at,
    lineMa: baseMa.map((ma, line) => ma + mid[line]!),
    baseMa,
    rideBaseMa: baseMa,
    computed: baseMa.map(() => false),
    voltageV: lines.voltageV,
    powerW,
    vehicleW: vehicleW(parameters, lines, mid),
    guessed: false,
    reportStepW: stepW,
  }
  const next: ControlState = {
    ...told,
    powerSince,
    powerOnly: true,
    powerLinesAt: trusted ? at : state.powerLinesAt,
    frame,
    view: frame,
    history: remembered(parameters, told, base(share.leastMa), at),
    good: trusted ? goodReadings(parameters, state, at) : state.good,
    ...(parameters.reportsChanges
      ? { echo: { ...echoed(state, missed, at), drawMa: Math.max(...(share.phaseMa ?? [0])) } }
      : {}),
  }
  return { state: next, kind: 'frame', view: frame, raises: trusted }
}

/**
 * A frame with power added on every line. While the vehicle was moving, the frame counts with the least it can have
 * drawn and this telegram with the most, so that only a rise that is proven counts.
 */
function withRise(frame: Frame, watts: number, ownMa: readonly number[], at: Instant): Frame {
  const rise = (line: number) => milliamperes(Math.max(0, watts) / frame.voltageV[line]!)
  const more = (values: Frame['baseMa']) =>
    values.map((ma, line) => (ma === null ? null : ma + rise(line)))
  const baseMa = more(frame.baseMa)
  const lineMa = baseMa.map((ma, line) => (ma === null ? null : ma + ownMa[line]!))
  const rideBaseMa = more(frame.rideBaseMa)
  return { ...frame, at, lineMa, baseMa, rideBaseMa, guessed: watts > 0 }
}
