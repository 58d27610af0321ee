/**
 * Limits and their minimum. The main fuse and the charger's rating are limits like any other: the result is the
 * smallest, none can raise another, and the smallest one gives the command its name.
 */
import { milliamperes } from './amperes.ts'
import type { DecisionCode, Limit } from './model.ts'
import type { ControlParameters } from './parameters.ts'

/** One value the command may not exceed, and whose it is. */
export interface Bound {
  readonly id: string
  readonly code: DecisionCode
  readonly ma: number
}

/** What a line may carry. */
export interface LineLimit extends Bound {
  /** Carried for ever without tripping anything; the limit itself where that is not known. */
  readonly neverTripMa: number
}

const FUSE_IDS = ['main_fuse_l1', 'main_fuse_l2', 'main_fuse_l3'] as const
const FUSE_CODES = ['LIMIT_FUSE_L1', 'LIMIT_FUSE_L2', 'LIMIT_FUSE_L3'] as const

/** Codes of limits with a known id; any other id is someone's own limit. */
const CODES: Readonly<Record<string, DecisionCode>> = {
  main_fuse_l1: 'LIMIT_FUSE_L1',
  main_fuse_l2: 'LIMIT_FUSE_L2',
  main_fuse_l3: 'LIMIT_FUSE_L3',
  contracted_power: 'LIMIT_POWER',
  available_power: 'LIMIT_POWER',
  meter_limiter: 'LIMIT_POWER',
  meter_fuse: 'LIMIT_POWER',
  meter_breaker: 'LIMIT_POWER',
  flex_window: 'LIMIT_FLEX_WINDOW',
  section_14a: 'LIMIT_14A',
  unbalance: 'LIMIT_UNBALANCE',
  temperature: 'LIMIT_TEMP',
  cable: 'LIMIT_CABLE',
  external: 'LIMIT_EXTERNAL',
}

/** Code of a limit by its id. */
export function codeOf(id: string): DecisionCode {
  return CODES[id] ?? 'LIMIT_USER'
}

/** The smallest, the first of equal ones; there must be one. */
export function smallest<B extends Bound>(bounds: readonly [B, ...B[]]): B {
  return bounds.reduce((a, b) => (b.ma < a.ma ? b : a))
}

/** Effective limit of one line: the least of fuse and site limits, with the never-trip current behind it. */
export function lineLimit(
  parameters: ControlParameters,
  limits: readonly Limit[],
  line: number,
): LineLimit {
  const fuseMa = parameters.fuseMa[line] ?? 0
  let least: LineLimit = {
    id: FUSE_IDS[line] ?? 'main_fuse_l1',
    code: FUSE_CODES[line] ?? 'LIMIT_FUSE_L1',
    ma: fuseMa,
    neverTripMa: parameters.neverTripMa[line] ?? fuseMa,
  }
  for (const { id, scope, perPhaseA } of limits) {
    if (perPhaseA === undefined || scope === 'chargePoint') continue
    const ma = milliamperes(perPhaseA[line] ?? 0)
    if (ma >= least.ma) continue
    least = { id, code: codeOf(id), ma, neverTripMa: Math.min(least.neverTripMa, ma) }
  }
  return least
}

/**
 * Least limit of the connection's power as current of the charge point, mA; `null` when there is none. `factor`: how
 * much more a meter's limiter bears for hours.
 */
export function totalLimit(
  limits: readonly Limit[],
  wattsPerAmpere: number,
  factor: number = 1,
): LineLimit | null {
  return limits.reduce<LineLimit | null>((least, { id, scope, totalW }) => {
    if (totalW === undefined || scope === 'chargePoint') return least
    const ma = Math.floor((totalW * 1000) / wattsPerAmpere)
    return least === null || ma < least.ma
      ? { id, code: codeOf(id), ma, neverTripMa: Math.floor(ma * factor) }
      : least
  }, null)
}

/** What bounds the command whatever the house does: the charger's rating and limits on the charge point itself. */
export function ratings(
  parameters: ControlParameters,
  limits: readonly Limit[],
  wattsPerAmpere: number,
): readonly [Bound, ...Bound[]] {
  const own = limits.flatMap(({ id, scope, perPhaseA, totalW }): Bound[] => {
    if (scope !== 'chargePoint') return []
    const bounds: number[] = []
    if (perPhaseA !== undefined) bounds.push(milliamperes(Math.min(...perPhaseA)))
    if (totalW !== undefined) bounds.push(Math.floor((totalW * 1000) / wattsPerAmpere))
    return bounds.map(ma => ({ id, code: codeOf(id), ma }))
  })
  return [{ id: 'charger', code: 'OK_FULL', ma: parameters.maxMa }, ...own]
}

/** Replaces the limit of the same id. */
export function withLimit(limits: readonly Limit[], limit: Limit): readonly Limit[] {
  return [...limits.filter(({ id }) => id !== limit.id), limit]
}
