/** What a grid signal limits. */
import type { AvailablePower } from '../reading.ts'
import type { Limit } from './model.ts'
import { epochMs } from './wall.ts'

/** Beyond any uptime; a number that survives JSON, unlike infinity. */
const NEVER = Number.MAX_SAFE_INTEGER

/**
 * Limits in the words of the contract. They stay until the next signal replaces them: a signal that is not repeated
 * never becomes "unlimited". Where a meter says what it lets through, that counts and not the contracted power it tells
 * beside it. A signal with a time counts only in it; outside it, and while the clock is not known, at most the
 * contracted power does.
 */
export function limitsOfSignal(signal: AvailablePower): readonly Limit[] {
  const { availablePowerW, contractedPowerW, validFrom, validUntil } = signal
  const limits: Limit[] = []
  const contracted = isPower(contractedPowerW) ? contractedPowerW : null
  if (!isPower(availablePowerW))
    return contracted === null
      ? []
      : [{ id: 'contracted_power', totalW: contracted, expires: NEVER }]
  // In place of the contract as it was known before.
  if (contracted !== null) limits.push({ id: 'contracted_power', expires: NEVER })
  const fromMs = validFrom === undefined ? 0 : epochMs(validFrom)
  const untilMs = validUntil === undefined ? NEVER : epochMs(validUntil)
  const timed = validFrom !== undefined || validUntil !== undefined
  if (!timed || contracted === null || fromMs === null || untilMs === null) {
    const totalW =
      timed && contracted !== null ? Math.min(availablePowerW, contracted) : availablePowerW
    limits.push({ id: 'available_power', totalW, expires: NEVER })
  } else {
    const windows = [{ fromMs, untilMs, totalW: availablePowerW }]
    limits.push({ id: 'available_power', totalW: contracted, windows, expires: NEVER })
  }
  return limits
}

function isPower(value: number | null | undefined): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0
}
