/**
 * Bounds of the charge point and its connection that change while it runs: temperature, cable, its own rating, and the
 * unbalance that the grid operator permits between lines (4.6 kVA in Germany, VDE-AR-N 4100 5.5.2; 3.7 kVA in Austria
 * and Switzerland).
 */
import type { Instant } from '../reading.ts'
import { floorToStep, milliamperes } from './amperes.ts'
import type { Bound } from './limits.ts'
import type { ChargerStatus } from './model.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Frame } from './state.ts'

/** Means over a minute: grid codes do not care for less. */
const MEAN_MS = 60_000
/** These bounds move slowly; whole amperes keep the pilot still. */
const GRID_MA = 1000

/** What the charge point itself bounds now. */
export function deviceBounds(parameters: ControlParameters, state: ControlState): readonly Bound[] {
  const { charger, isHot } = state
  const bounds: Bound[] = []
  const add = (id: string, code: Bound['code'], amperes: number | null | undefined) => {
    if (amperes === undefined || amperes === null || !(amperes >= 0)) return
    bounds.push({ id, code, ma: milliamperes(amperes) })
  }
  add('charger', 'OK_FULL', charger?.maxA)
  add('cable', 'LIMIT_CABLE', charger?.cableA)
  const hot = temperatureMa(parameters, charger, isHot)
  if (hot !== null) bounds.push({ id: 'temperature', code: 'LIMIT_TEMP', ma: hot })
  const unbalance = unbalanceMa(parameters, state)
  if (unbalance !== null) bounds.push({ id: 'unbalance', code: 'LIMIT_UNBALANCE', ma: unbalance })
  return bounds
}

/** Too hot to charge at all, until it has cooled down a good deal. */
export function isTooHot(
  { pauseAboveC, resumeBelowC }: ControlParameters,
  was: boolean,
  charger: ChargerStatus,
): boolean {
  const { temperatureC } = charger
  if (temperatureC === undefined || temperatureC === null || !Number.isFinite(temperatureC))
    return was
  return temperatureC > pauseAboveC || (was && temperatureC >= resumeBelowC)
}

/** Full current up to the first temperature, the minimum from the second on. */
function temperatureMa(
  { derateFromC, derateToC, minMa, maxMa }: ControlParameters,
  charger: ChargerStatus | null,
  isHot: boolean,
): number | null {
  if (isHot) return 0
  const c = charger?.temperatureC
  if (c === undefined || c === null || !(c > derateFromC)) return null
  const part = Math.min(1, (c - derateFromC) / (derateToC - derateFromC))
  return Math.max(minMa, floorToStep(maxMa - part * (maxMa - minMa), GRID_MA))
}

/** The house on each line as a mean over a minute. */
export function meanBase(
  before: ControlState['meanBaseMa'],
  frame: Frame,
  sinceMs: number,
): ControlState['meanBaseMa'] {
  const share = 1 - Math.exp(-sinceMs / MEAN_MS)
  return frame.baseMa.map((ma, line) => {
    const was = before[line] ?? null
    return ma === null || was === null ? ma : was + (ma - was) * share
  })
}

/** Least of what the vehicle may draw on its lines so that no line carries more than the others and the tolerance. */
function unbalanceMa(parameters: ControlParameters, state: ControlState): number | null {
  const { unbalanceMa: tolerance, fuseMa, lineOf } = parameters
  if (tolerance === null || fuseMa.length < 3) return null
  const isUsed = (line: number) =>
    lineOf.includes(line) &&
    (state.mapping.used === null || (state.mapping.used & (1 << line)) !== 0)
  const { meanBaseMa } = state
  const loaded = meanBaseMa.filter((_, line) => isUsed(line)).map(ma => ma ?? 0)
  const others = meanBaseMa.filter((_, line) => !isUsed(line)).map(ma => ma ?? 0)
  if (loaded.length === 0 || others.length === 0) return null
  const room = Math.min(...others) + tolerance - Math.max(...loaded)
  return floorToStep(room, GRID_MA)
}

/** Elapsed since the frame before, ms; a gap counts as nothing known. */
export function sinceFrame(state: ControlState, at: Instant): number {
  return state.frame === null ? Number.POSITIVE_INFINITY : at - state.frame.at
}
