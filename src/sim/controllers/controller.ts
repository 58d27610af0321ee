/** What the closed loop asks of a controller: the product's own and those it is compared with. */
import type { ChargerStatus, Limit } from '../../control/model.ts'
import type { ControlConfig } from '../../control/parameters.ts'
import type { AvailablePower, Instant, Note, Reading } from '../../reading.ts'

/** One controller with one charge point. Instants are ms from the start of the simulation. */
export interface Controller {
  /** A telegram arrived. */
  reading(reading: Reading, now: Instant, notes?: readonly Note[]): void
  /** The charge point reported. */
  charger(status: ChargerStatus, now: Instant): void
  /** Once a second, after everything else; returns what is commanded now, A: 0 = pause. */
  tick(now: Instant, wallMs: number): number
  /** A limit begins; those that cannot be told go on without it. */
  limit?(limit: Limit, now: Instant): void
  /** What the meter says it grants. */
  signal?(signal: AvailablePower, now: Instant): void
  /** Why it commands what it does, for the shares of time and the trace. */
  readonly code: string
  readonly limitedBy: string
}

/** What a controller is told of the place where it works. */
export interface Site {
  /** Continuous limit of each line, A. */
  readonly limitA: readonly number[]
  readonly voltageV: number
  /** Phases of the vehicle. */
  readonly phases: 1 | 3
  /** Lines the vehicle loads, 0 to 2. */
  readonly lines: readonly number[]
  readonly minA: number
  readonly maxA: number
  readonly stepA: number
  /** When within their interval slow loops act, s; they know nothing of the meter's rhythm. */
  readonly offsetS: number
  /** The same for the product's own core, which knows more. */
  readonly config: ControlConfig
}

/** Makes a controller for a place. */
export type ControllerFactory = (site: Site) => Controller
