/**
 * What goes into the control core and what comes out. Plain data throughout: it can be logged, stored, restored and
 * compared. Amperes at this border, integer milliamperes inside (`…Ma`).
 */
import type { AvailablePower, Instant, Reading } from '../reading.ts'
import type { Goal } from './goals/model.ts'

export type { Goal, Slot } from './goals/model.ts'

/** Letters of IEC 61851-1: A no vehicle, B connected, C charging, D charging with ventilation, E and F faults. */
export type PilotState = 'A' | 'B' | 'C' | 'D' | 'E' | 'F'

/** What a charge point says of itself. `null` = it cannot tell. */
export interface ChargerStatus {
  readonly chargePoint: string
  /** When it was measured. */
  readonly at: Instant
  readonly state: PilotState | null
  /** What the control pilot offers the vehicle now, A. */
  readonly offeredA: number | null
  /** What the vehicle draws on the charge point's own phases 1 to 3, A; `null` for an unmetered charge point. */
  readonly currentA: readonly [number, number, number] | null
  readonly powerW: number | null
  /** Inside, degrees Celsius. */
  readonly temperatureC?: number | null
  /** What the cable carries by its coding, A. */
  readonly cableA?: number | null
  /** What it can offer at most, where it tells, A. */
  readonly maxA?: number | null
}

/** Why the command is what it is (control core, section 10). */
export type DecisionCode =
  | 'OK_FULL'
  | 'LIMIT_FUSE_L1'
  | 'LIMIT_FUSE_L2'
  | 'LIMIT_FUSE_L3'
  | 'LIMIT_POWER'
  | 'LIMIT_14A'
  | 'LIMIT_FLEX_WINDOW'
  | 'LIMIT_UNBALANCE'
  | 'LIMIT_TEMP'
  | 'LIMIT_CABLE'
  | 'LIMIT_USER'
  | 'LIMIT_EXTERNAL'
  | 'HOLD_AFTER_CUT'
  | 'RIDE_THROUGH'
  | 'PAUSED_NO_CAPACITY'
  | 'WAIT_SURPLUS'
  | 'WAIT_TARIFF'
  | 'PEAK_BUDGET'
  | 'STALE_FREEZE'
  | 'STALE_MIN'
  | 'STALE_FAILSAFE'
  | 'MAPPING_UNKNOWN'
  | 'CHARGER_IGNORES'
  | 'CAR_NOT_READY'
  | 'CAR_ASLEEP'
  | 'INIT'

/** A value that a limit has for a time of the wall clock. */
export interface LimitWindow {
  /** Epoch ms. */
  readonly fromMs: number
  readonly untilMs: number
  readonly perPhaseA?: readonly [number, number, number]
  readonly totalW?: number
}

/** A bound from outside: of the grid, the contract, the law, or a person. None can raise another. */
export interface Limit {
  /** One of the ids of the contract (`available_power`, `section_14a`, `user` …) or a name of one's own. */
  readonly id: string
  /** What it is held against: the whole connection (default), or the charge point alone. */
  readonly scope?: 'site' | 'chargePoint'
  readonly perPhaseA?: readonly [number, number, number]
  readonly totalW?: number
  /** Values by time of day; outside them the limit's own value counts, if it has one. */
  readonly windows?: readonly LimitWindow[]
  /** Seconds a lower value applies before, and after, its window; 20 and 30 when absent. */
  readonly guardS?: { readonly before: number; readonly after: number }
  /** Monotonic instant from which it no longer counts as heard. */
  readonly expires: Instant
  /** What counts from then on, until it is heard again; without it only the other limits remain. */
  readonly onExpiry?: {
    readonly perPhaseA?: readonly [number, number, number]
    readonly totalW?: number
  }
}

/** The command for one charge point: at most `limitA` per phase for the next `validForS`. */
export interface LimitCommand {
  /** Never reused, also not after a restart: starts from epoch milliseconds. */
  readonly seq: number
  readonly chargePoint: string
  /** A per phase: 0 = pause, otherwise at least the minimum; on the step grid. */
  readonly limitA: number
  readonly phases: 1 | 3 | null
  readonly code: DecisionCode
  /** Id of the limit that is the arg-min: `main_fuse_l1` …, `charger`, `stale`, … (contract, section 3). */
  readonly limitedBy: string
  /** One sentence for a person, with the number that matters. */
  readonly text: string
  /** For each line what charging may use there, A: limit − margin − house without the car; `null` = not known. */
  readonly headroomA: readonly (number | null)[]
  /** The output must fall to its safe value when no newer command came for this long, s. */
  readonly validForS: number
  /** Age of the oldest value used, s; `null` before the first reading. */
  readonly readingAgeS: number | null
  /** Instant of the decision. */
  readonly at: Instant
}

/** What the core is told. */
export type ControlEvent =
  /** `mayRaise` is false for readings whose protection was skipped or whose scale is still a guess. */
  | { readonly type: 'reading'; readonly reading: Reading; readonly mayRaise: boolean }
  | { readonly type: 'signal'; readonly signal: AvailablePower }
  | { readonly type: 'charger'; readonly charger: ChargerStatus }
  /** `chargePoint`: for this one alone, where there are several. */
  | { readonly type: 'limit'; readonly limit: Limit; readonly chargePoint?: string }
  | { readonly type: 'goal'; readonly goal: Goal; readonly chargePoint?: string }
  /** Once a second. The wall clock is data here, absent while it is not known to be right. */
  | { readonly type: 'tick'; readonly wallMs: number | undefined }
