/**
 * Charging sessions, from plugging in to unplugging, as a pure reducer over what the core was told and what it said.
 * Plain data at every moment: whoever keeps it writes it ahead once a minute and after a loss of power goes on from
 * there. Times are wall-clock epoch ms, `null` where the clock was not known.
 */
import type { Instant } from '../reading.ts'
import type { ChargerStatus, DecisionCode } from './model.ts'

/** A stretch of the wall clock with its price per kWh. */
export interface Price {
  readonly fromMs: number
  readonly untilMs: number
  readonly perKwh: number
}

/** One session; energies in Wh, powers in W. */
export interface Session {
  readonly id: string
  readonly chargePoint: string
  readonly pluggedAt: number | null
  readonly unpluggedAt: number | null
  readonly firstChargeAt: number | null
  readonly lastChargeAt: number | null
  readonly energyWh: number
  /** False where the energy was computed from commands, not measured. */
  readonly energyMetered: boolean
  readonly energyGridWh: number
  readonly energyPvWh: number
  readonly cost: number | null
  readonly costBySlot: readonly {
    readonly fromMs: number
    readonly wh: number
    readonly cost: number
  }[]
  readonly currency: string | null
  readonly powerMaxW: number
  readonly chargingS: number
  /** Energy in the billing window that took most. */
  readonly peakWh: number
  readonly pauses: number
  readonly changes: number
  readonly secondsByCode: Readonly<Record<string, number>>
  readonly stopReason: 'unplugged' | 'restart' | null
  readonly meterStartWh: number | null
  readonly meterEndWh: number | null
  readonly user: string | null
}

/** The running session, and what the next second is measured against. */
export interface SessionState {
  readonly current: Session | null
  readonly at: Instant | null
  readonly limitA: number
  readonly window: { readonly index: number; readonly wh: number } | null
  readonly count: number
}

/** What one second tells. */
export interface SessionFacts {
  readonly now: Instant
  readonly wallMs: number | null
  readonly charger: ChargerStatus
  /** Power the vehicle takes where the charge point does not measure, W. */
  readonly assumedW: number
  readonly limitA: number
  readonly code: DecisionCode
  /** Net power of the connection, positive = import; `null` = not known. */
  readonly netW: number | null
  readonly meterWh: number | null
  readonly prices?: readonly Price[]
  readonly currency?: string
  /** Length of the billing window. */
  readonly windowMs?: number
  readonly user?: string
}

/** What one second gives: the state, and a session that ended with it. */
export interface SessionStep {
  readonly state: SessionState
  readonly ended: Session | null
}

/** Gaps are not charged for. */
const LONGEST_STEP_MS = 10_000
const DRAWS_W = 100
const HOUR_MS = 3_600_000

/** Before the first session. */
export const NO_SESSION: SessionState = {
  current: null,
  at: null,
  limitA: 0,
  window: null,
  count: 0,
}

/** Takes one second. */
export function sessionStep(state: SessionState, facts: SessionFacts): SessionStep {
  const { charger, now } = facts
  const { state: pilot } = charger
  const isPlugged = pilot === 'B' || pilot === 'C' || pilot === 'D'
  // A fault, or a charge point that cannot tell, ends nothing.
  if (pilot === 'A' && state.current !== null) {
    const ended = { ...close(state.current, facts), stopReason: 'unplugged' as const }
    return { state: { ...state, current: null, at: now, window: null }, ended }
  }
  if (state.current === null)
    return isPlugged
      ? { state: opened(state, facts), ended: null }
      : { state: { ...state, at: now, limitA: facts.limitA }, ended: null }
  return { state: counted(state, state.current, facts), ended: null }
}

/** A session found after a restart whose vehicle is gone, or of another process: ended where it was last known. */
export function recovered(session: Session): Session {
  return {
    ...session,
    unpluggedAt: session.unpluggedAt ?? session.lastChargeAt,
    stopReason: 'restart',
  }
}

/** Mean power while it charged, W. */
export function meanPowerW({ energyWh, chargingS }: Session): number {
  return chargingS === 0 ? 0 : (energyWh * 3600) / chargingS
}

function opened(state: SessionState, facts: SessionFacts): SessionState {
  const { now, wallMs, charger, limitA, meterWh } = facts
  const current: Session = {
    id: `${charger.chargePoint}-${wallMs ?? Math.round(now)}-${state.count + 1}`,
    chargePoint: charger.chargePoint,
    pluggedAt: wallMs,
    unpluggedAt: null,
    firstChargeAt: null,
    lastChargeAt: null,
    energyWh: 0,
    energyMetered: charger.powerW !== null || charger.currentA !== null,
    energyGridWh: 0,
    energyPvWh: 0,
    cost: facts.prices === undefined ? null : 0,
    costBySlot: [],
    currency: facts.currency ?? null,
    powerMaxW: 0,
    chargingS: 0,
    peakWh: 0,
    pauses: 0,
    changes: 0,
    secondsByCode: {},
    stopReason: null,
    meterStartWh: meterWh,
    meterEndWh: meterWh,
    user: facts.user ?? null,
  }
  return { current, at: now, limitA, window: null, count: state.count + 1 }
}

function counted(state: SessionState, session: Session, facts: SessionFacts): SessionState {
  const { now, wallMs, charger, limitA, code, netW, meterWh } = facts
  const ms = state.at === null ? 0 : Math.max(0, Math.min(now - state.at, LONGEST_STEP_MS))
  const isMetered = charger.powerW !== null
  const watts = Math.max(0, charger.powerW ?? facts.assumedW)
  const wh = (watts * ms) / HOUR_MS
  const isCharging = watts > DRAWS_W
  // What the connection imports is counted to the vehicle first.
  const gridWh = netW === null ? wh : Math.min(wh, (Math.max(0, netW) * ms) / HOUR_MS)
  const price = facts.prices?.find(p => wallMs !== null && wallMs >= p.fromMs && wallMs < p.untilMs)
  const cost = price === undefined ? 0 : (wh / 1000) * price.perKwh
  const window = windowOf(state, facts, wh)
  const current: Session = {
    ...session,
    firstChargeAt: session.firstChargeAt ?? (isCharging ? wallMs : null),
    lastChargeAt: isCharging ? wallMs : session.lastChargeAt,
    energyWh: session.energyWh + wh,
    energyMetered: session.energyMetered && isMetered,
    energyGridWh: session.energyGridWh + gridWh,
    energyPvWh: session.energyPvWh + wh - gridWh,
    cost: session.cost === null ? null : session.cost + cost,
    costBySlot:
      price === undefined ? session.costBySlot : withCost(session, price.fromMs, wh, cost),
    currency: session.currency ?? facts.currency ?? null,
    powerMaxW: Math.max(session.powerMaxW, watts),
    chargingS: session.chargingS + (isCharging ? ms / 1000 : 0),
    peakWh: Math.max(session.peakWh, window?.wh ?? 0),
    pauses: session.pauses + (state.limitA > 0 && limitA === 0 ? 1 : 0),
    changes: session.changes + (state.limitA === limitA ? 0 : 1),
    secondsByCode: {
      ...session.secondsByCode,
      [code]: (session.secondsByCode[code] ?? 0) + ms / 1000,
    },
    meterStartWh: session.meterStartWh ?? meterWh,
    meterEndWh: meterWh ?? session.meterEndWh,
    user: session.user ?? facts.user ?? null,
  }
  return { ...state, current, at: now, limitA, window }
}

function close(session: Session, { wallMs, meterWh }: SessionFacts): Session {
  return { ...session, unpluggedAt: wallMs, meterEndWh: meterWh ?? session.meterEndWh }
}

function windowOf(state: SessionState, facts: SessionFacts, wh: number): SessionState['window'] {
  if (facts.wallMs === null) return state.window
  const index = Math.floor(facts.wallMs / (facts.windowMs ?? HOUR_MS))
  const same = state.window?.index === index ? state.window.wh : 0
  return { index, wh: same + wh }
}

function withCost(
  { costBySlot }: Session,
  fromMs: number,
  wh: number,
  cost: number,
): Session['costBySlot'] {
  const last = costBySlot.at(-1)
  if (last?.fromMs !== fromMs) return [...costBySlot, { fromMs, wh, cost }]
  return [...costBySlot.slice(0, -1), { fromMs, wh: last.wh + wh, cost: last.cost + cost }]
}
