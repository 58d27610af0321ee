/** What the core remembers between two events. Plain data: it survives JSON and gives the same future. */
import type { Instant } from '../reading.ts'
import type { Countdown } from './countdown.ts'
import type { Echo, FieldGroup, Frame, Mapping, Mode, Raise, Telemetry, Total } from './facts.ts'
import { type GoalState, NO_GOALS } from './goals/model.ts'
import { type Granted, NOTHING_GRANTED } from './limiter.ts'
import type { Bound } from './limits.ts'
import type { ChargerStatus, Limit } from './model.ts'
import type { ControlParameters } from './parameters.ts'
import type { Window } from './window.ts'

export type {
  Echo,
  FieldGroup,
  Frame,
  Mapping,
  Mode,
  Raise,
  Telemetry,
  Total,
} from './facts.ts'

/** Everything the core remembers. */
export interface ControlState {
  readonly since: Instant
  /** Number of the next command. */
  readonly seq: number
  readonly cmdMa: number
  /** When `cmdMa` last changed, and when it was last sent. */
  readonly changedAt: Instant | null
  readonly issuedAt: Instant | null
  readonly mode: Mode
  /** Back-off of raises and of resuming. */
  readonly k: number
  readonly kp: number
  readonly holdUntil: Instant | null
  /** Last cut that counted for the back-off; last pause. */
  readonly backOffAt: Instant | null
  readonly pausedAt: Instant | null
  /** A ride whose time was up: what made it necessary may last as long when it comes again. */
  readonly rodeOutAt: Instant | null
  /** Newest starts of charging within the hour. */
  readonly starts: readonly Instant[]
  /** The last cut of any size: when, and the line currents that caused it. */
  readonly cut: { readonly at: Instant; readonly lineMa: readonly (number | null)[] } | null
  /** Lines have been above their limits in every frame since. */
  readonly overloadSince: Instant | null
  /** The command has been more than the lines leave, without a cut, since. */
  readonly excessSince: Instant | null
  /** How far each line's main device is on the way to tripping; 1 trips. */
  readonly damage: readonly number[]
  /** Largest rises of the house from one frame to the next, for each line. */
  readonly steps: readonly Window[]
  readonly raise: Raise | null
  /** A raise that was undone at once: what survived, and what seemed free when it was made. */
  readonly failed: { readonly ma: number; readonly capMa: number; readonly at: Instant } | null
  /** Id and code of the limit behind the last change of the command. */
  readonly boundBy: string
  /** Accepted readings in a row that may raise a current. */
  readonly good: number
  readonly frame: Frame | null
  /** What the newest decision was based on: {@link frame}, or the same with the power that was added since. */
  readonly view: Frame | null
  readonly total: Total | null
  /** Largest base of the last minutes for each line, for raises; the whole connection last. */
  readonly history: readonly Window[]
  readonly currents: FieldGroup
  readonly power: FieldGroup
  /** First power without any current, and whether the lines are taken from it. */
  readonly powerSince: Instant | null
  readonly powerOnly: boolean
  /** Last power that told the lines: not while production may hide load. */
  readonly powerLinesAt: Instant | null
  /** The connection has exported: small line currents then prove nothing. */
  readonly exported: boolean
  /** Frames in a row whose moment the vehicle was moving in. */
  readonly unsettled: { readonly since: Instant; readonly count: number } | null
  /** Memory of the line a three-wire meter does not send. */
  readonly secondLine: {
    readonly at: Instant
    readonly ma: number
    readonly powerW: number
    /** The newest estimate stood out above both measured lines. */
    readonly outlier: boolean
    /** The estimated bases before the newest, for the median. */
    readonly recentMa: readonly number[]
  } | null
  /** Identical telegrams in a row, and the vehicle's least and most draw meanwhile. */
  readonly repeated: {
    readonly since: Instant
    readonly values: readonly (number | null)[]
    readonly leastMa: number | null
    readonly mostMa: number | null
  } | null
  /** Frames in a row that showed less than the vehicle alone. */
  readonly undershoot: number
  readonly energy: { readonly at: Instant; readonly wh: number } | null
  /** Readings that were ignored, and why the newest one was. */
  readonly rejected: { readonly count: number; readonly reason: string | null }
  readonly charger: ChargerStatus | null
  readonly telemetry: readonly Telemetry[]
  /** Commands in force lately, oldest first. */
  readonly commands: readonly (readonly [at: Instant, ma: number])[]
  /** The charge point has offered less than commanded since. */
  readonly belowSince: Instant | null
  /** The charge point has offered more than commanded since; `alarm` once that was too long. */
  readonly above: { readonly since: Instant; readonly alarm: boolean } | null
  /** What the vehicle takes beyond the command. */
  readonly overdrawMa: number
  readonly mapping: Mapping
  readonly limits: readonly Limit[]
  /** The same as they count now. */
  readonly inForce: readonly Limit[]
  /** The wall clock of the newest tick; `null` while it is not known to be right. */
  readonly wall: { readonly at: Instant; readonly ms: number } | null
  /** The newest time a meter's clock showed, epoch ms. */
  readonly meterClock: { readonly at: Instant; readonly ms: number } | null
  /** What the meter told of its limiter. */
  readonly granted: Granted
  /** The newest countdown to a disconnection. */
  readonly countdown: Countdown | null
  /** The house on each line, mean over a minute. */
  readonly meanBaseMa: readonly (number | null)[]
  /** The charge point became too hot and has not cooled down. */
  readonly isHot: boolean
  /** Share of the long band of a meter's limiter that was spent; 1 disconnects. */
  readonly limiterDamage: number
  readonly goals: GoalState
  /** What the goals wish at most; `null` = as much as is safe. */
  readonly wish: Bound | null
  /** Last tick, for meters that report changes. */
  readonly tickAt: Instant | null
  /** Echoes of a meter that reports changes: due, seen, lost; the vehicle's draw at the last report. */
  readonly echo: {
    readonly due: Echo | null
    /** How often in a row the vehicle was slowed down for an answer; 0 = no question is open. */
    readonly asked: number
    /** An echo is missing: silence tells nothing until the next report. */
    readonly isDoubted: boolean
    readonly came: number
    readonly lost: number
    readonly answeredAt: Instant | null
    readonly drawMa: number
    /** When the meter's own counter showed a lost report within the last hour. */
    readonly missedAt: Instant | null
  }
}

const NEVER_HEARD: FieldGroup = { at: null, intervals: [], usualMs: null }

/**
 * State before the first event: nothing offered. `firstSeq` numbers the first command; pass epoch milliseconds, so that
 * numbers are not used again after a restart.
 */
export function initialState(
  parameters: ControlParameters,
  now: Instant,
  firstSeq: number = 1,
): ControlState {
  const limits = contracted(parameters)
  return {
    since: now,
    seq: firstSeq,
    cmdMa: 0,
    changedAt: null,
    issuedAt: null,
    mode: { type: 'starting' },
    k: 0,
    kp: 0,
    holdUntil: null,
    backOffAt: null,
    pausedAt: null,
    rodeOutAt: null,
    starts: [],
    cut: null,
    overloadSince: null,
    excessSince: null,
    damage: parameters.fuseMa.map(() => 0),
    steps: parameters.fuseMa.map(() => []),
    raise: null,
    failed: null,
    boundBy: 'stale',
    good: 0,
    frame: null,
    view: null,
    total: null,
    history: [...parameters.fuseMa, 0].map(() => []),
    currents: NEVER_HEARD,
    power: NEVER_HEARD,
    powerSince: null,
    powerOnly: false,
    powerLinesAt: null,
    exported: parameters.production,
    unsettled: null,
    secondLine: null,
    repeated: null,
    undershoot: 0,
    energy: null,
    rejected: { count: 0, reason: null },
    charger: null,
    telemetry: [],
    commands: [[now, 0]],
    belowSince: null,
    above: null,
    overdrawMa: 0,
    mapping: {
      phases: 0,
      since: null,
      used: null,
      learned: {},
      pending: null,
      reference: null,
      alarm: false,
    },
    limits,
    inForce: limits,
    wall: null,
    meterClock: null,
    granted: NOTHING_GRANTED,
    countdown: null,
    meanBaseMa: parameters.fuseMa.map(() => null),
    isHot: false,
    limiterDamage: 0,
    goals: NO_GOALS,
    wish: null,
    tickAt: null,
    echo: {
      due: null,
      asked: 0,
      isDoubted: false,
      came: 0,
      lost: 0,
      answeredAt: null,
      drawMa: 0,
      missedAt: null,
    },
  }
}

/** The contract as configured is a limit like any other. */
function contracted({ contractedPowerW }: ControlParameters): readonly Limit[] {
  return contractedPowerW === null
    ? []
    : [{ id: 'contracted_power', totalW: contractedPowerW, expires: Number.MAX_SAFE_INTEGER }]
}
