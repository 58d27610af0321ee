/** What of a telegram is the house and what the vehicle, and what is remembered of it. */
import type { Instant } from '../reading.ts'
import { longestHoldMs } from './capacity.ts'
import { type LineReading, wattsPerAmpere } from './lines.ts'
import type { OwnShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { freshness, heard } from './staleness.ts'
import type { ControlState } from './state.ts'
import { remember } from './window.ts'

/** The vehicle's share at the moment of a sample. */
interface SharedSample {
  /** For cuts. */
  readonly mid: readonly number[]
  /** The least it can have been. */
  readonly least: readonly number[]
  readonly unsettled: ControlState['unsettled']
}

/** Back-off and holds look back this far at most. */
const LEAST_HISTORY_MS = 120_000
/** A moving vehicle excuses so many frames in a row, or so long, whichever is more. */
const UNSETTLED_FRAMES = 2
const UNSETTLED_MS = 10_000

/**
 * The vehicle's share for cuts. While it was moving around the sample the most it can have drawn counts, so that a
 * frame cuts only what the raw total proves; the next settled frame corrects it.
 */
export function atSample(state: ControlState, share: OwnShare, at: Instant): SharedSample {
  const { nearestMa } = share
  if (share.settled) return { mid: nearestMa, least: nearestMa, unsettled: null }
  const unsettled = {
    since: state.unsettled?.since ?? at,
    count: (state.unsettled?.count ?? 0) + 1,
  }
  const excused = unsettled.count <= UNSETTLED_FRAMES || at - unsettled.since <= UNSETTLED_MS
  return excused
    ? { mid: share.mostMa, least: share.lowestMa, unsettled }
    : { mid: nearestMa, least: nearestMa, unsettled }
}

/** The whole connection as one more line, for limits in watts. */
export function withTotal(
  parameters: ControlParameters,
  state: ControlState,
  lines: LineReading,
  share: OwnShare,
  mid: readonly number[],
  trusted: boolean,
  at: Instant,
): ControlState {
  const perAmpere = wattsPerAmpere(parameters, lines.voltageV, lines.threeWire)
  const ma = Math.round((lines.powerW! * 1000) / perAmpere)
  const index = parameters.fuseMa.length
  const history = state.history.map((window, line) =>
    line === index
      ? remember(window, at, ma - mean(parameters, share.leastMa), historyMs(parameters))
      : window,
  )
  return {
    ...state,
    total: { at, ma, baseMa: ma - mean(parameters, mid), wattsPerAmpere: perAmpere },
    history,
    power: trusted ? heard(state.power, at) : state.power,
  }
}

export function remembered(
  parameters: ControlParameters,
  state: ControlState,
  baseMa: readonly (number | null)[],
  at: Instant,
): ControlState['history'] {
  return state.history.map((window, line) => {
    const ma = baseMa[line] ?? null
    return ma === null ? window : remember(window, at, ma, historyMs(parameters))
  })
}

function historyMs(parameters: ControlParameters): number {
  return Math.max(LEAST_HISTORY_MS, longestHoldMs(parameters), parameters.resumeMaxMs)
}

/** Two good readings are needed after a silence, so the first one after it counts as one. */
export function goodReadings(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): number {
  const { level } = freshness(parameters, state, now)
  const lost = level === 'minimum' || level === 'failsafe'
  return lost && state.currents.at !== null ? 1 : state.good + 1
}

/** Watts of the vehicle's currents. */
export function vehicleW(
  parameters: ControlParameters,
  lines: LineReading,
  ownMa: readonly number[],
): number {
  const perAmpere = wattsPerAmpere(parameters, lines.voltageV, lines.threeWire)
  return (mean(parameters, ownMa) * perAmpere) / 1000
}

/** Mean over the lines the charge point hangs on, whole mA. */
function mean(parameters: ControlParameters, ownMa: readonly number[]): number {
  const used = parameters.lineOf
  return Math.round(used.reduce((sum, line) => sum + (ownMa[line] ?? 0), 0) / used.length)
}
