/**
 * Several charge points behind one meter. Each has a core of its own that sees the house without the others; what they
 * share is divided by {@link allocate} and handed to each as one more limit, so that the sum never exceeds a line.
 *
 * A cut reaches all with the reading that asks for it. A share grows only as far as the whole hold window left room,
 * and only once the others have come down to theirs.
 */
import type { FieldName, Instant, Reading } from '../reading.ts'
import { allocate, type Claim } from './allocate.ts'
import { amperes } from './amperes.ts'
import { holdMs, ratingBound, resumeWindowMs, siteLimits } from './capacity.ts'
import type { ControlEvent, Limit, LimitCommand } from './model.ts'
import { isLoaded } from './own-lines.ts'
import { ownShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import { type ControlState, initialState, type Step, step } from './step.ts'
import { maximumSince } from './window.ts'

/** State of a site: one core for each charge point, in the order of their parameters. */
export interface SiteState {
  readonly points: readonly ControlState[]
  /** Let in since, for each point; `null` = waiting. */
  readonly admittedAt: readonly (Instant | null)[]
}

/** Result of one event for a site. */
export interface SiteStep {
  readonly state: SiteState
  readonly commands: readonly LimitCommand[]
  readonly steps: readonly Step[]
}

const TURN_MS = 900_000
/** A vehicle that was just let in needs time to wake up. */
const CHANCE_MS = 210_000
const OBEYED_MA = 300
/** What a vehicle uses beyond what it draws, once it had a minute to show it. */
const MORE_MA = 3000
const SHOWN_MS = 60_000
const NEVER = Number.MAX_SAFE_INTEGER
const SHARE_IDS = ['main_fuse_l1', 'main_fuse_l2', 'main_fuse_l3'] as const
const CURRENTS: readonly FieldName[] = ['currentL1A', 'currentL2A', 'currentL3A']

/** State before the first event. Numbers of commands are those of each charge point. */
export function initialSite(
  parameters: readonly ControlParameters[],
  now: Instant,
  firstSeq: number = 1,
): SiteState {
  return {
    points: parameters.map(one => initialState(one, now, firstSeq)),
    admittedAt: parameters.map(() => null),
  }
}

/** One event for all charge points; reports, and limits and goals that name one, go to that one. */
export function siteStep(
  parameters: readonly ControlParameters[],
  site: SiteState,
  event: ControlEvent,
  now: Instant,
): SiteStep {
  const commands: LimitCommand[] = []
  const steps: Step[] = []
  const feed = (states: readonly ControlState[], index: number, told: ControlEvent) => {
    const result = step(parameters[index]!, states[index]!, told, now)
    steps[index] = result
    commands.push(...result.commands)
    return result.state
  }
  // First the shares that follow from the reading, so that cuts are one; then the reading itself.
  const own = site.points.map((state, index) => {
    const told = ofPoint(parameters, site.points, event, index)
    return told === null ? state : feed(site.points, index, told)
  })
  const shared = share(parameters, { ...site, points: own }, now)
  const points = own.map((state, index) => {
    const limit = shared.limits[index]!
    const before = state.limits.find(({ scope, id }) => scope === 'chargePoint' && id === limit.id)
    const same = before?.perPhaseA?.[0] === limit.perPhaseA?.[0]
    if (same) return state
    const others = state.limits.filter(l => !(l.scope === 'chargePoint' && isShare(l.id)))
    return feed(own.with(index, { ...state, limits: others }), index, { type: 'limit', limit })
  })
  const newest = new Map(commands.map(command => [command.chargePoint, command]))
  return {
    state: { points, admittedAt: shared.admittedAt },
    commands: [...newest.values()],
    steps,
  }
}

/** What one charge point's core is told; `null` = nothing. */
function ofPoint(
  parameters: readonly ControlParameters[],
  states: readonly ControlState[],
  event: ControlEvent,
  index: number,
): ControlEvent | null {
  const id = parameters[index]!.chargePoint
  if (event.type === 'charger') return event.charger.chargePoint === id ? event : null
  if (event.type === 'goal' || event.type === 'limit')
    return event.chargePoint === undefined || event.chargePoint === id ? event : null
  if (event.type !== 'reading') return event
  return withoutOthers(parameters, states, event, index)
}

/** The reading without what the other vehicles drew at its moment. While one of them moves nothing is raised. */
function withoutOthers(
  parameters: readonly ControlParameters[],
  states: readonly ControlState[],
  event: Extract<ControlEvent, { type: 'reading' }>,
  index: number,
): ControlEvent {
  const { reading } = event
  const values: { [Name in FieldName]?: number | null } = { ...reading.values }
  let mayRaise = event.mayRaise
  states.forEach((state, other) => {
    if (other === index) return
    const own = ownShare(parameters[other]!, state, reading.receivedAt)
    if (!own.settled) mayRaise = false
    const ma = own.settled ? own.nearestMa : own.mostMa
    CURRENTS.forEach((name, line) => {
      const sent = values[name]
      if (typeof sent === 'number')
        values[name] = Math.max(0, Math.abs(sent) - amperes(ma[line] ?? 0))
    })
    const watts = ma.reduce((sum, one) => sum + amperes(one) * parameters[other]!.voltageV, 0)
    const sent = values.activePowerImportW
    if (typeof sent === 'number') values.activePowerImportW = Math.max(0, sent - watts)
  })
  return { ...event, mayRaise, reading: { ...reading, values } as Reading }
}

/** Shares as limits. */
function share(
  parameters: readonly ControlParameters[],
  site: SiteState,
  now: Instant,
): { readonly limits: readonly Limit[]; readonly admittedAt: SiteState['admittedAt'] } {
  const claims = site.points.map((state, index) =>
    claimOf(parameters[index]!, site, state, index, now),
  )
  const wanting = claims.filter(claim => claim !== null)
  const turn = Math.floor(now / TURN_MS)
  const least = (of: (p: ControlParameters, s: ControlState, line: number) => number | null) =>
    (parameters[0]?.fuseMa ?? []).map((_, line) =>
      Math.min(
        ...site.points.map((s, i) => of(parameters[i]!, s, line) ?? Number.POSITIVE_INFINITY),
      ),
    )
  const nowShares = allocate(wanting, least(capacityNow), turn)
  const laterShares = allocate(
    wanting,
    least((p, s, line) => capacitySince(p, s, line, now)),
    turn,
  )
  const disobeyed = site.points.map((s, i) => {
    const drawn = Math.max(...(s.telemetry.at(-1)?.ma ?? [0]))
    return drawn > Math.min(s.cmdMa, nowShares[parameters[i]!.chargePoint] ?? 0) + OBEYED_MA
  })
  const shares = site.points.map((state, index) => {
    const id = parameters[index]!.chargePoint
    const allowed = nowShares[id] ?? 0
    const waits = disobeyed.some((is, other) => is && other !== index)
    const grown = waits ? 0 : (laterShares[id] ?? 0)
    return Math.min(allowed, Math.max(state.cmdMa, grown))
  })
  return {
    limits: shares.map((ma, index) => limitOf(parameters[index]!, claims[index] ?? null, ma)),
    admittedAt: shares.map((ma, index) => (ma > 0 ? (site.admittedAt[index] ?? now) : null)),
  }
}

function claimOf(
  parameters: ControlParameters,
  site: SiteState,
  state: ControlState,
  index: number,
  now: Instant,
): Claim | null {
  if (state.charger?.state === 'A' || state.frame === null) return null
  const at = site.admittedAt[index] ?? null
  const drawn = Math.max(...(state.telemetry.at(-1)?.ma ?? [0]))
  const shown =
    state.changedAt !== null && now - state.changedAt >= SHOWN_MS && state.charger?.state === 'C'
  const own = ratingBound(parameters, withoutShare(state)).ma
  const { goal, deliveredWh } = state.goals
  return {
    id: parameters.chargePoint,
    lines: parameters.fuseMa.flatMap((_, line) =>
      isLoaded(parameters, state, line) ? [line] : [],
    ),
    minMa: parameters.minMa,
    mostMa:
      shown && parameters.metered
        ? Math.min(own, Math.max(parameters.minMa, drawn + MORE_MA))
        : own,
    stepMa: parameters.stepMa,
    priority: 0,
    readyBy: goal?.readyByMs ?? null,
    energyWh: deliveredWh,
    isProtected: at !== null && now - at < CHANCE_MS,
  }
}

function capacityNow(
  parameters: ControlParameters,
  state: ControlState,
  line: number,
): number | null {
  const site = siteLimits(parameters, state).find(limit => limit.line === line)
  const base = state.view?.baseMa[line] ?? null
  return site === undefined || base === null ? null : site.limit.ma - site.marginMa - base
}

function capacitySince(
  parameters: ControlParameters,
  state: ControlState,
  line: number,
  now: Instant,
): number | null {
  const site = siteLimits(parameters, state).find(limit => limit.line === line)
  const backMs = state.cmdMa === 0 ? resumeWindowMs(parameters, state) : holdMs(parameters, state)
  const base = maximumSince(state.history[line] ?? [], now - backMs)
  return site === undefined || base === null ? null : site.limit.ma - site.marginMa - base
}

function limitOf(parameters: ControlParameters, claim: Claim | null, ma: number): Limit {
  const a = amperes(claim === null ? parameters.maxMa : ma)
  const id = SHARE_IDS[claim?.lines[0] ?? 0] ?? 'main_fuse_l1'
  return { id, scope: 'chargePoint', perPhaseA: [a, a, a], expires: NEVER }
}

function withoutShare(state: ControlState): ControlState {
  const keep = ({ scope, id }: Limit) => !(scope === 'chargePoint' && isShare(id))
  return { ...state, inForce: state.inForce.filter(keep) }
}

function isShare(id: string): boolean {
  return (SHARE_IDS as readonly string[]).includes(id)
}
