/** What the installation leaves for the vehicle: limit, margin and house taken together. */
import type { Instant } from '../reading.ts'
import { deviceBounds } from './derate.ts'
import { type Bound, type LineLimit, lineLimit, ratings, smallest, totalLimit } from './limits.ts'
import { isLoaded } from './own-lines.ts'
import type { ControlParameters } from './parameters.ts'
import { strictMarginMa } from './report-step.ts'
import { lineCadence } from './staleness.ts'
import type { ControlState, Frame } from './state.ts'
import { maximumSince } from './window.ts'

/** Deepest back-off: six cuts that counted, each within minutes of the one before. */
export const MOST_K = 6
/** A load that comes back for ever is followed 20 times an hour at most. */
const RELENTLESS_FACTOR = 1.5

/** A limit that house and vehicle share. The line after the last stands for the whole connection. */
export interface SiteLimit {
  readonly line: number
  readonly limit: LineLimit
  /** What may not be used: the margin, more where the line current is computed, and the vehicle's overdraw. */
  readonly marginMa: number
}

/** What one line leaves for the vehicle. */
export interface HouseBound extends Bound {
  readonly line: number
}

/** What each loaded line and the whole connection leave for the vehicle, given the house's share on them. */
export function houseBounds(
  parameters: ControlParameters,
  state: ControlState,
  baseMa: (line: number) => number | null,
): readonly HouseBound[] {
  const bounds: HouseBound[] = []
  for (const { line, limit, marginMa } of siteLimits(parameters, state)) {
    const base = baseMa(line)
    if (base === null) continue
    bounds.push({ id: limit.id, code: limit.code, ma: limit.ma - marginMa - base, line })
  }
  return bounds
}

/** The same from the largest house share since an instant; `null` while a line is not known. */
export function windowBound(
  parameters: ControlParameters,
  state: ControlState,
  since: Instant,
): Bound | null {
  let tightest: Bound | null = null
  for (const { line, limit, marginMa } of siteLimits(parameters, state)) {
    const base = maximumSince(state.history[line] ?? [], since)
    if (base === null) return null
    const ma = limit.ma - marginMa - base
    if (tightest === null || ma < tightest.ma) tightest = { id: limit.id, code: limit.code, ma }
  }
  return tightest
}

/** How long headroom must last before a raise, ms. */
export function holdMs(parameters: ControlParameters, state: ControlState): number {
  const t0Ms = parameters.t0Ms ?? Math.max(15_000, 2 * lineCadence(parameters, state))
  const mostMs = state.k === MOST_K ? longestHoldMs(parameters) : parameters.tMaxMs
  return Math.min(t0Ms * 2 ** state.k, mostMs)
}

/** The longest {@link holdMs} there is, ms. */
export function longestHoldMs(parameters: ControlParameters): number {
  return RELENTLESS_FACTOR * parameters.tMaxMs
}

/** How far back the house must have left room before charging resumes, ms. */
export function resumeWindowMs(parameters: ControlParameters, state: ControlState): number {
  const waitMs = state.mode.type === 'paused' ? state.mode.waitMs : 0
  return Math.max(waitMs, parameters.resume0Ms)
}

/** Smallest bound of the charge point itself. */
export function ratingBound(parameters: ControlParameters, state: ControlState): Bound {
  const own = ratings(parameters, state.inForce, vehicleWattsPerAmpere(parameters, state))
  const bounds = [...own, ...deviceBounds(parameters, state)] as const
  return state.wish === null ? smallest(bounds) : smallest([...bounds, state.wish])
}

/** A line that counts carries more than its limit. */
export function isOverloaded(
  parameters: ControlParameters,
  state: ControlState,
  view: Frame | null,
): boolean {
  return siteLimits(parameters, state).some(({ line, limit }) => {
    const ma = line < parameters.fuseMa.length ? view?.lineMa[line] : state.total?.ma
    return ma !== undefined && ma !== null && ma > limit.ma
  })
}

/** Limits that house and vehicle share: each loaded line, and the connection as a whole where watts are limited. */
export function siteLimits(
  parameters: ControlParameters,
  state: ControlState,
): readonly SiteLimit[] {
  const { fuseMa, computedLineMa } = parameters
  const marginMa = parameters.marginMa + state.overdrawMa
  const limits: SiteLimit[] = []
  for (let line = 0; line < fuseMa.length; line++) {
    if (!isLoaded(parameters, state, line)) continue
    const more = state.frame?.computed[line] === true ? computedLineMa : 0
    const limit = lineLimit(parameters, state.inForce, line)
    limits.push({ line, limit, marginMa: marginMa + more })
  }
  const factor = parameters.reportsChanges ? parameters.limiterFactor : 1
  const perAmpere = wattsPerAmpere(parameters, state)
  const total = totalLimit(state.inForce, perAmpere, factor)
  if (total !== null) {
    const strictMa = strictMarginMa(parameters, state, perAmpere)
    limits.push({ line: fuseMa.length, limit: total, marginMa: Math.max(marginMa, strictMa) })
  }
  return limits
}

/** Looks up a line's base; the line after the last is the whole connection. */
export function baseOf(
  state: ControlState,
  lines: readonly (number | null)[] = [],
): (line: number) => number | null {
  const whole = state.history.length - 1
  return line => (line === whole ? (state.total?.baseMa ?? null) : (lines[line] ?? null))
}

/**
 * Watts one ampere of the command takes, by the measured voltage and the phases the vehicle uses: those of the charge
 * point until it has shown which.
 */
export function vehicleWattsPerAmpere(parameters: ControlParameters, state: ControlState): number {
  const { used } = state.mapping
  const volts = state.frame?.voltageV ?? parameters.fuseMa.map(() => parameters.voltageV)
  const isIt =
    state.total !== null && volts.length === 3 && state.total.wattsPerAmpere < 2 * volts[0]!
  if (isIt) return parameters.phases === 1 ? Math.max(...volts) : Math.sqrt(3) * Math.max(...volts)
  const ofLines = volts.filter((_, line) =>
    used === null ? parameters.lineOf.includes(line) : (used & (1 << line)) !== 0,
  )
  return parameters.phases === 1 ? Math.max(...ofLines) : ofLines.reduce((a, b) => a + b, 0)
}

function wattsPerAmpere(parameters: ControlParameters, state: ControlState): number {
  return state.total?.wattsPerAmpere ?? parameters.phases * parameters.voltageV
}
