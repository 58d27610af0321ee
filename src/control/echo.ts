/**
 * Whether reports of a meter that reports changes arrive.
 * A report that was lost would make silence lie. Every change of the vehicle beyond the report step must come back as a
 * report, its echo; echoes that come and that do not tell how much is lost. A raise without an echo is taken back, a
 * cut without one ends at the minimum and then at 0. Where reports get lost, or it is not known yet, the core asks by a
 * cut large enough to be reported even if a load has started unseen, and once more where no answer comes.
 */
import type { Instant } from '../reading.ts'
import { milliamperes } from './amperes.ts'
import { pause, setCommand } from './command.ts'
import { wattsPerAmpere } from './lines.ts'
import { isMetered } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { reportStepW } from './report-step.ts'
import type { ControlState, Echo } from './state.ts'

const ECHO_MS = 7000
const ECHO_EXTRA_W = 50
/** Of the report step: more than it, so that the answer is certain. */
const PROBE_FACTOR = 1.3
const PROBE_LEAST_MA = 1000
/** Share of lost reports from which silence is not trusted. */
const LOSS = 0.02
const ECHOES_TO_TRUST = 20
/** Older echoes fade, over some two hundred. */
const ECHO_MEMORY = 0.995

/**
 * Takes a real report: what was due is answered. `missed`: reports lost since the last one by the meter's own count,
 * which tells more than an echo; `undefined` where it does not count.
 */
export function echoed(
  state: ControlState,
  missed: number | undefined,
  now: Instant,
): ControlState['echo'] {
  const { echo } = state
  const told = { ...echo, due: null, asked: 0, isDoubted: false }
  const answered = echo.due === null ? told : { ...told, answeredAt: now }
  if (missed === undefined && echo.due === null) return told
  const lost = Math.min(missed ?? 0, MOST_MISSED)
  const fade = ECHO_MEMORY ** (1 + lost)
  return {
    ...answered,
    came: echo.came * fade + 1,
    lost: echo.lost * fade + lost,
    missedAt: lost > 0 ? now : echo.missedAt,
  }
}

/** A counter that jumped further tells no more. */
const MOST_MISSED = 20

/** Expects an echo once the vehicle has moved by more than the report step since the last report. */
export function expectEcho(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { frame, total, echo, telemetry } = state
  if (!parameters.reportsChanges || frame === null || echo.due !== null) return state
  if (!isMetered(parameters, state, now)) return state
  const draw = Math.max(...(telemetry.at(-1)?.ma ?? [0]))
  const perAmpere = wattsPerAmpere(parameters, frame.voltageV, false)
  const watts = ((total?.ma ?? 0) / 1000) * (total?.wattsPerAmpere ?? perAmpere)
  const movedW = Math.abs(((draw - echo.drawMa) / 1000) * perAmpere)
  if (movedW <= reportStepW(frame, watts) + ECHO_EXTRA_W) return state
  const due: Echo = { by: now + parameters.latencyMs + ECHO_MS, rose: draw > echo.drawMa }
  return { ...state, echo: { ...echo, due } }
}

/** A lost report makes careful for so long. */
const CAREFUL_MS = 3_600_000

/** Forgets what the meter's counter showed long ago. */
export function forgetMissed(state: ControlState, now: Instant): ControlState {
  const { echo } = state
  if (echo.missedAt === null || now - echo.missedAt < CAREFUL_MS) return state
  return { ...state, echo: { ...echo, missedAt: null } }
}

/** What a missing echo forces, and the question asked where reports get lost. */
export function judgeEcho(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): ControlState {
  const { echo, cmdMa, frame } = state
  if (!parameters.reportsChanges || frame === null) return state
  if (echo.due !== null && now >= echo.due.by) {
    const missed = {
      ...echo,
      due: null,
      isDoubted: true,
      lost: echo.lost * ECHO_MEMORY + 1,
      came: echo.came * ECHO_MEMORY,
    }
    const silent: ControlState = { ...state, echo: { ...missed, drawMa: drawOf(state) } }
    if (cmdMa === 0) return silent
    // The answer may have been lost, or drowned in more than was thought possible: asked once more, twice as loud.
    if (echo.asked === 1 && cmdMa > parameters.minMa) return probe(parameters, silent, now)
    if (echo.due.rose && echo.asked === 0) {
      const back = Math.max(parameters.minMa, Math.min(cmdMa, state.raise?.fromMa ?? cmdMa))
      return setCommand(silent, back, state.boundBy, now)
    }
    if (cmdMa > parameters.minMa) return setCommand(silent, parameters.minMa, state.boundBy, now)
    return echo.asked > 0 ? silent : pause(parameters, silent, state.boundBy, now)
  }
  return probeDue(parameters, state, now) ? probe(parameters, state, now) : state
}

/** Share of the reports that may get lost: as if the next one were; 1 while too few echoes were seen. */
export function lossEstimate({ echo }: ControlState): number {
  const seen = echo.came + echo.lost
  return seen < ECHOES_TO_TRUST * 0.8 ? 1 : (echo.lost + 1) / (seen + 1)
}

function probeDue(parameters: ControlParameters, state: ControlState, now: Instant): boolean {
  const { frame, echo, cmdMa, changedAt } = state
  if (frame === null || echo.due !== null || cmdMa <= parameters.minMa) return false
  if (parameters.probeMs === 0 || lossEstimate(state) <= LOSS) return false
  const quietSince = Math.max(frame.at, changedAt ?? frame.at, echo.answeredAt ?? frame.at)
  return now - quietSince >= parameters.probeMs && isThreatened(parameters, state)
}

/** A load that started unseen would exceed what the limiter bears for long. */
function isThreatened({ hiddenW, limiterFactor }: ControlParameters, state: ControlState): boolean {
  const { total } = state
  const limitW = leastPowerW(state)
  if (total === null || limitW === null) return true
  return (total.ma / 1000) * total.wattsPerAmpere + hiddenW > limitW * limiterFactor
}

/** Smallest limit of the whole connection in watts; `null` without one. */
function leastPowerW({ inForce }: ControlState): number | null {
  const watts = inForce.flatMap(({ totalW, scope }) =>
    totalW === undefined || scope === 'chargePoint' ? [] : [totalW],
  )
  return watts.length === 0 ? null : Math.min(...watts)
}

function probe(parameters: ControlParameters, state: ControlState, now: Instant): ControlState {
  const { total, cmdMa, echo } = state
  const perAmpere = total?.wattsPerAmpere ?? parameters.phases * parameters.voltageV
  const watts = ((total?.ma ?? 0) / 1000) * perAmpere
  const stepW = reportStepW(state.frame, watts + parameters.hiddenW)
  const lessMa = Math.max(PROBE_LEAST_MA, milliamperes((PROBE_FACTOR * stepW) / perAmpere))
  const target = Math.floor((cmdMa - lessMa) / parameters.stepMa) * parameters.stepMa
  const asked = setCommand(state, Math.max(parameters.minMa, target), state.boundBy, now)
  return { ...asked, echo: { ...echo, asked: echo.asked + 1, drawMa: drawOf(state) } }
}

function drawOf(state: ControlState): number {
  return Math.max(...(state.telemetry.at(-1)?.ma ?? [0]))
}
