/** Goals and what is remembered of them; plain data. */
import type { Instant } from '../../reading.ts'
import type { ControlParameters } from '../parameters.ts'
import type { ControlState } from '../state.ts'

/** A stretch of the wall clock, epoch ms, with its price per kWh where it has one. */
export interface Slot {
  readonly fromMs: number
  readonly untilMs: number
  readonly price?: number
}

/** What a person wants. */
export interface Goal {
  /** `schedule`: in the slots named; `tariff`: in the cheapest of them. */
  readonly mode: 'fast' | 'pv' | 'minpv' | 'schedule' | 'tariff' | 'off'
  readonly slots?: readonly Slot[]
  /** Epoch ms until which `energyWh` must be in the vehicle: what is missing is then charged at once. */
  readonly readyByMs?: number
  /** From when the goal was set. */
  readonly energyWh?: number
  /** The minimum instead of a pause, for vehicles that do not wake up. */
  readonly keepAwake?: boolean
  /** Import that is fine while charging from surplus, W. */
  readonly allowedImportW?: number
  readonly reserveW?: number
  /** Starts that prices cause come this much later, so that not all homes start at once; drawn by whoever sets it. */
  readonly delayS?: number
}

/** What the core remembers of goals. */
export interface GoalState {
  readonly goal: Goal | null
  readonly at: Instant | null
  readonly deliveredWh: number
  readonly solar: {
    /** Smoothed, W. */
    readonly surplusW: number | null
    /** Enough for the minimum since; too little for it since. */
    readonly enoughSince: Instant | null
    readonly lackSince: Instant | null
    /** Last start or stop, and last change of the wish. */
    readonly switchedAt: Instant | null
    readonly trackedAt: Instant | null
    /** 0 = waiting; `null` = not begun. */
    readonly wishMa: number | null
  }
  readonly peak: {
    /** Number of the billing window, and what it took so far, with and without the vehicle. */
    readonly window: number | null
    readonly usedWh: number
    readonly baseWh: number
    /** The house over a minute and over a quarter of an hour, W. */
    readonly minuteW: number | null
    readonly quarterW: number | null
    readonly pausedAt: Instant | null
    readonly wishMa: number | null
  }
  readonly plan: { readonly madeMs: number; readonly slots: readonly Slot[] } | null
}

/** What a goal is judged by at one tick. */
export interface GoalFacts {
  readonly parameters: ControlParameters
  readonly state: ControlState
  /** Watts one ampere of the command takes. */
  readonly wattsPerAmpere: number
  readonly drawW: number
  readonly wallMs: number | null
  readonly sinceMs: number
  readonly now: Instant
}

/** Before the first goal. */
export const NO_GOALS: GoalState = {
  goal: null,
  at: null,
  deliveredWh: 0,
  solar: {
    surplusW: null,
    enoughSince: null,
    lackSince: null,
    switchedAt: null,
    trackedAt: null,
    wishMa: null,
  },
  peak: {
    window: null,
    usedWh: 0,
    baseWh: 0,
    minuteW: null,
    quarterW: null,
    pausedAt: null,
    wishMa: null,
  },
  plan: null,
}
