/**
 * What the vehicle itself drew at the moment the meter sampled.
 *
 * The house without the car is meter minus car, and everything depends on taking both at the same time: a loop that
 * subtracts the current of now from a sample of two seconds ago mistakes its own raise for a load and takes it back.
 */
import type { Instant } from '../reading.ts'
import { isUncertain, onLines } from './own-lines.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Telemetry } from './state.ts'

/** The vehicle's current on each line at one moment; 0 on lines the charge point does not hang on. */
export interface OwnShare {
  /** Least it can have been: for raises. */
  readonly leastMa: readonly number[]
  /** Least and most it can have been in the whole time it may need to follow. */
  readonly lowestMa: readonly number[]
  readonly mostMa: readonly number[]
  /** Value nearest to the moment. */
  readonly nearestMa: readonly number[]
  /** The same on the charge point's own phases, as it told; `null` = not told. */
  readonly phaseMa: readonly number[] | null
  /** It did not move around that moment. */
  readonly settled: boolean
  /** The charge point's own meter told it, rather than the commands. */
  readonly metered: boolean
}

/** Telemetry older than this against the sample is as good as none. */
const TELEMETRY_LOST_MS = 20_000
/** Window for raises on both sides of the sample. */
const RAISE_WINDOW_MS = 1000
/** Spread up to which the vehicle counts as settled. */
const SETTLED_MA = 500
/** How long a vehicle may take to begin after charging was resumed. */
const RESUME_RESPONSE_MS = 45_000
/** Ring buffer. */
const KEPT_MS = 60_000

/** The charge point measures and did so lately. */
export function isMetered(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): boolean {
  const newest = state.telemetry.at(-1)
  return (
    parameters.metered &&
    newest !== undefined &&
    newest.ma !== null &&
    now - newest.at <= TELEMETRY_LOST_MS
  )
}

/** The vehicle's share in a telegram that arrived at `at`, whose values may be older than it looks by up to `ageMs`. */
export function ownShare(
  parameters: ControlParameters,
  state: ControlState,
  at: Instant,
  ageMs: number = 0,
): OwnShare {
  if (ageMs > 0)
    return either(ownShare(parameters, state, at - ageMs), ownShare(parameters, state, at))
  const sampledAt = at - parameters.latencyMs
  return isMetered(parameters, state, sampledAt)
    ? measured(parameters, state, sampledAt, at)
    : fromCommands(parameters, state, sampledAt)
}

/** What holds at both moments. */
function either(before: OwnShare, after: OwnShare): OwnShare {
  const each = (
    pick: (...values: number[]) => number,
    of: (share: OwnShare) => readonly number[],
  ): readonly number[] => of(after).map((ma, line) => pick(ma, of(before)[line] ?? ma))
  const lowestMa = each(Math.min, share => share.lowestMa)
  const mostMa = each(Math.max, share => share.mostMa)
  const isSame = mostMa.every((ma, line) => ma - lowestMa[line]! <= SETTLED_MA)
  return {
    ...after,
    leastMa: each(Math.min, share => share.leastMa),
    lowestMa,
    mostMa,
    settled: before.settled && after.settled && isSame,
  }
}

/** Appends one report and forgets what is older than the ring buffer. Out of order: ignored. */
export function withTelemetry(
  telemetry: readonly Telemetry[],
  report: Telemetry,
): readonly Telemetry[] {
  const newest = telemetry.at(-1)
  if (newest !== undefined && report.at <= newest.at) return telemetry
  return [...telemetry.filter(({ at }) => at >= report.at - KEPT_MS), report]
}

/** Appends a command and keeps the one that was in force when the ring buffer begins. */
export function withCommand(
  commands: ControlState['commands'],
  at: Instant,
  ma: number,
): ControlState['commands'] {
  const first = commands.findLastIndex(entry => entry[0] <= at - KEPT_MS)
  return [...commands.slice(Math.max(0, first)), [at, ma]]
}

function measured(
  parameters: ControlParameters,
  state: ControlState,
  sampledAt: Instant,
  now: Instant,
): OwnShare {
  const around = (ms: number) => samplesAround(state.telemetry, sampledAt, ms)
  const window = parameters.reportsChanges ? 2 * RAISE_WINDOW_MS : RAISE_WINDOW_MS
  const least = extreme(around(window), Math.min)
  const wide = around(parameters.settleMs)
  const lowest = extreme(wide, Math.min)
  let highest = extreme(wide, Math.max)
  if (mayAlreadyFollow(parameters, state, sampledAt, now)) {
    const used = parameters.phases === 1 ? 1 : 3
    highest = highest.map((ma, phase) => (phase < used ? Math.max(ma, state.cmdMa) : ma))
  }
  const nearest = wide.reduce((a, b) =>
    Math.abs(b.at - sampledAt) < Math.abs(a.at - sampledAt) ? b : a,
  )
  return {
    leastMa: onLines(parameters, state, least, isUncertain(parameters, state, sampledAt)),
    lowestMa: onLines(parameters, state, lowest),
    mostMa: onLines(parameters, state, highest),
    nearestMa: onLines(parameters, state, nearest.ma ?? [0, 0, 0]),
    phaseMa: nearest.ma,
    settled: highest.every((ma, phase) => ma - lowest[phase]! <= SETTLED_MA),
    metered: true,
  }
}

/**
 * The sample may be newer than the charge point's newest report. Shortly after a raise the vehicle may then already
 * draw what was commanded.
 */
function mayAlreadyFollow(
  parameters: ControlParameters,
  state: ControlState,
  sampledAt: Instant,
  now: Instant,
): boolean {
  const { raise, telemetry } = state
  if (raise === null || (telemetry.at(-1)?.at ?? sampledAt) >= sampledAt) return false
  const responseMs = raise.fromRest
    ? RESUME_RESPONSE_MS
    : parameters.responseMs + parameters.settleMs
  return now - raise.at <= responseMs
}

/** Reports within `ms` of the moment, and the next one on a side that has none. Never empty. */
function samplesAround(telemetry: readonly Telemetry[], at: Instant, ms: number): Telemetry[] {
  const inside = telemetry.filter(sample => Math.abs(sample.at - at) <= ms && sample.ma !== null)
  if (!inside.some(sample => sample.at <= at)) {
    const before = telemetry.findLast(sample => sample.at < at - ms && sample.ma !== null)
    if (before !== undefined) inside.unshift(before)
  }
  if (!inside.some(sample => sample.at >= at)) {
    const after = telemetry.find(sample => sample.at > at + ms && sample.ma !== null)
    if (after !== undefined) inside.push(after)
  }
  return inside.length > 0 ? inside : [telemetry.at(-1)!]
}

function extreme(
  samples: readonly Telemetry[],
  pick: (...values: number[]) => number,
): readonly number[] {
  return [0, 1, 2].map(phase => pick(...samples.map(sample => sample.ma?.[phase] ?? 0)))
}

/** Without a meter at the charge point: what was commanded while a vehicle was charging, 0 otherwise. */
function fromCommands(
  parameters: ControlParameters,
  state: ControlState,
  sampledAt: Instant,
): OwnShare {
  const from = sampledAt - parameters.responseMs
  const first = Math.max(
    0,
    state.commands.findLastIndex(entry => entry[0] <= from),
  )
  const inForce = state.commands
    .slice(first)
    .filter((entry, index) => index === 0 || entry[0] <= sampledAt)
    .map(entry => entry[1])
  const states = chargingBetween(state.telemetry, from, sampledAt)
  const offeredMa = state.charger?.offeredA == null ? Infinity : state.charger.offeredA * 1000
  const capped = state.belowSince === null ? Infinity : offeredMa
  const least = states.always ? Math.min(...inForce, capped) : 0
  const most = states.ever ? Math.min(Math.max(...inForce), capped) : 0
  const nearest = states.latest ? Math.min(inForce.at(-1) ?? 0, capped) : 0
  const lines = (ma: number) => onLines(parameters, state, [ma, ma, ma])
  return {
    leastMa: lines(least),
    lowestMa: lines(least),
    mostMa: lines(most),
    nearestMa: lines(nearest),
    phaseMa: null,
    settled: most - least <= SETTLED_MA,
    metered: false,
  }
}

/** Whether the vehicle could draw: at some time, all the time, at the end. A charge point that never told: yes. */
function chargingBetween(
  telemetry: readonly Telemetry[],
  from: Instant,
  to: Instant,
): { readonly ever: boolean; readonly always: boolean; readonly latest: boolean } {
  const first = telemetry.findLastIndex(({ at }) => at <= from)
  const told = telemetry
    .slice(Math.max(0, first))
    .filter(({ at }, index) => index === 0 || at <= to)
    .map(({ charging }) => charging)
  if (told.length === 0) return { ever: true, always: true, latest: true }
  return {
    ever: told.some(Boolean),
    always: told.every(Boolean),
    latest: told.at(-1) ?? true,
  }
}
