/** The parts of the state: what was heard, done, and learned. Plain data. */
import type { Instant } from '../reading.ts'

/** What the law is doing. */
export type Mode =
  /** Fewer than two accepted readings since the beginning. A charge found running is held at the minimum. */
  | { readonly type: 'starting' }
  | { readonly type: 'charging' }
  /** At the minimum although less is free, while the main device can never trip. */
  | { readonly type: 'riding'; readonly since: Instant; readonly forMs: number }
  /** At 0 for at least `waitMs`; `by` is the limit that forced it. */
  | {
      readonly type: 'paused'
      readonly since: Instant
      readonly waitMs: number
      readonly by: string
    }

/** The newest telegram that told the currents of all lines that count. Arrays have one entry for each line. */
export interface Frame {
  readonly at: Instant
  /** Line current, negative = export where the sign is known. */
  readonly lineMa: readonly (number | null)[]
  /** The house without the vehicle, for cuts. */
  readonly baseMa: readonly (number | null)[]
  /** The same where currents may not be subtracted (three-wire nets), for what happens at the minimum. */
  readonly rideBaseMa: readonly (number | null)[]
  /** The line current was computed from others: an extra margin applies. */
  readonly computed: readonly boolean[]
  /** Volts that a watt on one line is divided by. */
  readonly voltageV: readonly number[]
  readonly powerW: number | null
  /** The least the vehicle can have had in {@link powerW}. */
  readonly vehicleW: number
  /** The power that was added since the last currents is put on every line, which is too much on most of them. */
  readonly guessed: boolean
  /** Step from one report to the next, W, of a meter that reports changes and names it. */
  readonly reportStepW: number | null
}

/** The whole connection as one more line: net power divided by the watts one ampere of charging takes. */
export interface Total {
  readonly at: Instant
  readonly ma: number
  readonly baseMa: number
  readonly wattsPerAmpere: number
}

/** One group of fields and how often it comes. */
export interface FieldGroup {
  /** Last accepted telegram that carried it. */
  readonly at: Instant | null
  /** Newest intervals between those, ms. */
  readonly intervals: readonly number[]
  /** Their median; `null` while there are too few. */
  readonly usualMs: number | null
}

/** One report of the charge point. */
export interface Telemetry {
  readonly at: Instant
  /** Draw on the charge point's own phases; `null` = it does not measure. */
  readonly ma: readonly [number, number, number] | null
  /** The vehicle may draw (states C and D, or state not told). */
  readonly charging: boolean
}

/** The last raise, and whether the meter showed it. */
export interface Raise {
  readonly at: Instant
  readonly fromMa: number
  readonly toMa: number
  /** The vehicle was drawing nothing: it may take a while to begin. */
  readonly fromRest: boolean
  /** What could be used when it was made. */
  readonly capMa: number
  /** Line currents before it. */
  readonly lineMa: readonly (number | null)[]
  readonly followed: boolean
}

/** What is known of the lines the vehicle loads; phases and lines are sets of bits. */
export interface Mapping {
  /** Phases of the charge point the vehicle has drawn on since it was plugged in, and since when these. */
  readonly phases: number
  readonly since: Instant | null
  /** Lines that limit; `null` = every line of the charge point. */
  readonly used: number | null
  /** Lines by phases, where three steps agreed. */
  readonly learned: Readonly<Record<string, number>>
  readonly pending: {
    readonly phases: number
    readonly lines: number
    readonly steps: number
  } | null
  /** The frame before the step that is being watched, and how many frames ago it was the newest. */
  readonly reference: {
    readonly ownMa: readonly number[]
    readonly lineMa: readonly (number | null)[]
    readonly seen: number
  } | null
  /** Steps contradict what was known: every line limits. */
  readonly alarm: boolean
}

/** A report that a change of the vehicle must cause. */
export interface Echo {
  readonly by: Instant
  /** The vehicle drew more, not less. */
  readonly rose: boolean
}
