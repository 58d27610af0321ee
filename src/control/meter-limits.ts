/**
 * Limits that the meter itself tells, beside what it measures:
 *
 * | said                            | limit           | counts                                              |
 * |---------------------------------|-----------------|-----------------------------------------------------|
 * | its breaker is not connected    | `meter_breaker` | always: nothing may be drawn                        |
 * | threshold of its limiter        | `meter_limiter` | where the installation is configured to follow it   |
 * | current thresholds of the phases | `meter_fuse`   | likewise                                            |
 *
 * Thresholds are advice about the connection and often left at a default, so nobody follows them unasked; sentinels
 * (999 A, 0) never become fields. What the meter said stays until it says something else: silence never lifts a limit.
 */
import type { Instant, Reading } from '../reading.ts'
import { withLimit } from './limits.ts'
import type { Limit } from './model.ts'

/** What of the meter's own thresholds is to be followed. */
export interface MeterLimitOptions {
  /** `meter`: limiter and current thresholds bound the connection. */
  readonly limiter: 'ignore' | 'meter'
  /** False for readings whose protection was skipped: they may lower a limit, not lift or raise one. */
  readonly mayRaise?: boolean
}

/** Beyond any uptime; a number that survives JSON, unlike infinity. */
const NEVER = Number.MAX_SAFE_INTEGER

/** Active power that a limit of apparent power leaves at least, where the power factor is not known. */
const POWER_FACTOR = 0.95

/** C.D.E of the limiter's threshold and of the first phase's current threshold. */
const LIMITER = ':17.0.0*'
const FUSE = ':31.4.0*'

/**
 * Limits in the words of one reading. One that the meter no longer has comes without a value and expires at once, so
 * that it replaces the one before it.
 */
export function limitsOfReading(
  reading: Reading,
  options: MeterLimitOptions = { limiter: 'ignore' },
): readonly Limit[] {
  const { breaker, receivedAt } = reading
  const limits: Limit[] = []
  if (breaker === 'connected') limits.push(lifted('meter_breaker', receivedAt))
  else if (breaker !== undefined)
    limits.push({ id: 'meter_breaker', perPhaseA: [0, 0, 0], expires: NEVER })
  if (options.limiter === 'meter') limits.push(...limiterOf(reading), ...fuseOf(reading))
  return limits
}

/**
 * The limits in force with those of a reading; the same array where it changes nothing, as it mostly does.
 */
export function withMeterLimits(
  limits: readonly Limit[],
  reading: Reading,
  options?: MeterLimitOptions,
): readonly Limit[] {
  return limitsOfReading(reading, options).reduce((all, limit) => {
    const known = all.find(({ id }) => id === limit.id)
    const isLifted = limit.expires !== NEVER
    if (known === undefined ? isLifted : !isLifted && isSame(known, limit)) return all
    if (options?.mayRaise === false && known !== undefined && !isLower(limit, known)) return all
    return isLifted ? all.filter(({ id }) => id !== limit.id) : withLimit(all, limit)
  }, limits)
}

function limiterOf(reading: Reading): readonly Limit[] {
  const { limiterThresholdW, limiterThresholdVa, limiterThresholdA } = reading.values
  const totalW = limiterThresholdW ?? scaled(limiterThresholdVa)
  const id = 'meter_limiter'
  if (isThreshold(totalW)) return [{ id, totalW, expires: NEVER }]
  if (isThreshold(limiterThresholdA)) return [{ id, ...onEveryPhase(limiterThresholdA) }]
  return said(reading, LIMITER) ? [lifted(id, reading.receivedAt)] : []
}

function fuseOf(reading: Reading): readonly Limit[] {
  const { fuseThresholdA } = reading.values
  const id = 'meter_fuse'
  if (isThreshold(fuseThresholdA)) return [{ id, ...onEveryPhase(fuseThresholdA) }]
  return said(reading, FUSE) ? [lifted(id, reading.receivedAt)] : []
}

function scaled(apparentVa: number | null | undefined): number | null | undefined {
  return typeof apparentVa === 'number' ? Math.floor(apparentVa * POWER_FACTOR) : apparentVa
}

function isThreshold(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0
}

function onEveryPhase(ampere: number): Pick<Limit, 'perPhaseA' | 'expires'> {
  return { perPhaseA: [ampere, ampere, ampere], expires: NEVER }
}

function lifted(id: string, at: Instant): Limit {
  return { id, expires: at }
}

/** True if the telegram carried this code, whatever it said. */
function said({ registers }: Reading, code: string): boolean {
  return registers.some(({ obis }) => obis.includes(code))
}

function isLower(a: Limit, b: Limit): boolean {
  const { totalW = Number.POSITIVE_INFINITY, perPhaseA: [ampere] = [Number.POSITIVE_INFINITY] } = a
  return totalW < (b.totalW ?? 0) || ampere < (b.perPhaseA?.[0] ?? 0)
}

function isSame(a: Limit, b: Limit): boolean {
  return a.totalW === b.totalW && a.perPhaseA?.[0] === b.perPhaseA?.[0]
}
