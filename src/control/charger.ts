/** What the charge point reports: its vehicle's draw, and whether it does as it was told. */
import type { Instant } from '../reading.ts'
import { floorToStep, milliamperes } from './amperes.ts'
import { ratingBound } from './capacity.ts'
import { pause, setCommand } from './command.ts'
import { isTooHot } from './derate.ts'
import { withPhases } from './mapping.ts'
import type { ChargerStatus } from './model.ts'
import { withTelemetry } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Telemetry } from './state.ts'

/** Offers that differ by less are the charge point's own rounding. */
const OFFER_TOLERANCE_MA = 300
/** A lower offer that lasts is someone else's will. */
const EXTERNAL_AFTER_MS = 15_000
/** A higher offer that lasts is disobedience: alarm, and a pause when repeating does not help. */
const IGNORED_AFTER_MS = 10_000
const PAUSED_AFTER_MS = 20_000
/** Least time between repetitions. */
const REPEAT_MS = 3000
const REPEAT_FIRST_MS = 1000
/** A charge point that fell silent no longer proves anything. */
const REPORT_LOST_MS = 30_000
const OVERDRAW_MA = 300
const OVERDRAW_MOST_MA = 1500
const OVERDRAW_MS = 10_000
const STEADY_MA = 500

/** Takes one report. `reassert`: the command has to be said again at once. */
export function hearCharger(
  parameters: ControlParameters,
  state: ControlState,
  charger: ChargerStatus,
  now: Instant,
): { readonly state: ControlState; readonly reassert: boolean } {
  const report = telemetryOf(charger)
  const heard: ControlState = {
    ...state,
    charger,
    telemetry: withTelemetry(state.telemetry, report),
    isHot: isTooHot(parameters, state.isHot, charger),
    mapping: withPhases(parameters, state, report.ma, charger.state === 'A', charger.at),
  }
  const running = holdRunning(parameters, heard, charger, now)
  const offered = compareOffer(running, charger, now)
  const obeyed = stopIgnoring(parameters, offered, charger.at, now)
  return {
    state: withOverdraw(obeyed, now),
    reassert: obeyed.above !== null && isRepeatDue(obeyed, now),
  }
}

/** Someone else keeps the offer below the command: the offer, mA; `null` otherwise. */
export function externalMa(state: ControlState, now: Instant): number | null {
  const { belowSince, charger } = state
  if (belowSince === null || charger === null || charger.offeredA === null) return null
  if (now - charger.at > REPORT_LOST_MS) return null
  const since = Math.max(belowSince, state.changedAt ?? belowSince)
  return now - since > EXTERNAL_AFTER_MS ? milliamperes(charger.offeredA) : null
}

function telemetryOf(charger: ChargerStatus): Telemetry {
  const { at, currentA, state } = charger
  const known = currentA?.every(Number.isFinite) === true ? currentA : null
  return {
    at,
    ma:
      known === null
        ? null
        : [milliamperes(known[0]), milliamperes(known[1]), milliamperes(known[2])],
    charging: state === null || state === 'C' || state === 'D',
  }
}

/** A charge that was running when the program began is held at the minimum, not stopped. */
function holdRunning(
  parameters: ControlParameters,
  state: ControlState,
  charger: ChargerStatus,
  now: Instant,
): ControlState {
  const running = charger.state === 'C' || charger.state === 'D'
  if (state.mode.type !== 'starting' || state.cmdMa > 0 || !running) return state
  const offeredMa = charger.offeredA === null ? parameters.minMa : milliamperes(charger.offeredA)
  const mostMa = Math.min(parameters.minMa, ratingBound(parameters, state).ma)
  const heldMa = floorToStep(Math.min(offeredMa, mostMa), parameters.stepMa)
  return heldMa < parameters.minMa ? state : setCommand(state, heldMa, 'stale', now)
}

function compareOffer(state: ControlState, charger: ChargerStatus, now: Instant): ControlState {
  const { offeredA, state: pilot } = charger
  const connected = pilot === null || pilot === 'B' || pilot === 'C' || pilot === 'D'
  const isQuiet = state.belowSince === null && state.above === null
  if (offeredA === null || !connected)
    return isQuiet ? state : { ...state, belowSince: null, above: null }
  const offeredMa = milliamperes(offeredA)
  const below = offeredMa < state.cmdMa - OFFER_TOLERANCE_MA
  const above = offeredMa > state.cmdMa + OFFER_TOLERANCE_MA
  if (!below && !above && isQuiet) return state
  return {
    ...state,
    belowSince: below ? (state.belowSince ?? now) : null,
    above: above ? (state.above ?? { since: now, alarm: false }) : null,
  }
}

/** Takes the charge away from a charge point that goes on offering more than it was told. */
function stopIgnoring(
  parameters: ControlParameters,
  state: ControlState,
  reportedAt: Instant,
  now: Instant,
): ControlState {
  const { above, cmdMa } = state
  if (above === null) return state
  const ms = reportedAt - Math.max(above.since, state.changedAt ?? above.since)
  const alarm = above.alarm || ms >= IGNORED_AFTER_MS
  const alarmed = alarm === above.alarm ? state : { ...state, above: { ...above, alarm } }
  return alarm && cmdMa > 0 && ms >= PAUSED_AFTER_MS
    ? pause(parameters, alarmed, 'charger', now)
    : alarmed
}

function isRepeatDue(state: ControlState, now: Instant): boolean {
  if (state.issuedAt === null || state.above === null) return false
  const every = now - state.above.since < REPEAT_FIRST_MS ? REPEAT_FIRST_MS : REPEAT_MS
  return now - state.issuedAt >= every
}

/** A vehicle that steadily takes more than commanded gets that much less. */
function withOverdraw(state: ControlState, now: Instant): ControlState {
  const { cmdMa, changedAt, telemetry, charger } = state
  if (charger?.state === 'A') return { ...state, overdrawMa: 0 }
  if (cmdMa === 0 || (changedAt !== null && now - changedAt < OVERDRAW_MS)) return state
  const recent = telemetry.filter(({ at }) => at >= now - OVERDRAW_MS)
  const first = telemetry.findLast(({ at }) => at < now - OVERDRAW_MS)
  const draws = [...(first === undefined ? [] : [first]), ...recent].map(({ ma }) =>
    ma === null ? 0 : Math.max(...ma),
  )
  if (first === undefined || draws.length < 2) return state
  const least = Math.min(...draws)
  if (least <= cmdMa + OVERDRAW_MA || Math.max(...draws) - least > STEADY_MA) return state
  // An offer above the command is disobedience of the charge point, not a habit of the vehicle.
  if (state.above !== null) return state
  const more = Math.min(OVERDRAW_MOST_MA, Math.max(state.overdrawMa, least - cmdMa))
  return { ...state, overdrawMa: more }
}
