/**
 * The limiter of a simulated Italian meter: what it lets through for ever, and how long it waits above that. By default
 * the wide bands of the first agreement (1.33 times the contracted power for three hours, two minutes above), in the
 * hours of ARERA 541/2020 as if the contract was for 5.5 kW.
 */
import { isNight } from '../../italy/calendar.ts'

/** One band above the available power: up to this share of the contracted power it waits so long, s. */
export interface LimiterBand {
  /** Absent in the last one. */
  readonly upTo?: number
  readonly seconds: number
}

/** How a meter limits. */
export interface LimiterModel {
  readonly contractedW: number
  /** The contract takes part in 541/2020. */
  readonly hasNights: boolean
  readonly bands: readonly LimiterBand[]
}

/** Bands of the first agreement, of 2003. */
export const WIDE_BANDS: readonly LimiterBand[] = [
  { upTo: 1.33, seconds: 10_800 },
  { seconds: 120 },
]

const TOLERANCE = 1.1
const NIGHT_CONTRACT_W = 5500
/** Time in which a limiter that did not open forgets, s. */
const FORGETS_S = 300

/** Holds how far it is on the way to opening. */
export class Limiter {
  isOpen = false
  /** 1 opens. */
  damage = 0
  private readonly model: LimiterModel

  constructor(model: LimiterModel) {
    this.model = model
  }

  /** Power that may flow for ever at a time of the meter's clock, W. */
  availableW(clockMs: number): number {
    return Math.round(this.contractW(clockMs) * TOLERANCE)
  }

  /** Seconds until it opens if the power stays; `undefined` where it never does. */
  countdownS(watts: number, clockMs: number): number | undefined {
    const total = this.waitS(watts, clockMs)
    return total === undefined ? undefined : Math.max(0, Math.ceil((1 - this.damage) * total))
  }

  /** Which band a power lies in, 0 = below all. */
  band(watts: number, clockMs: number): number {
    if (watts <= this.availableW(clockMs)) return 0
    const share = watts / this.contractW(clockMs)
    const found = this.model.bands.findIndex(({ upTo = Infinity }) => share <= upTo)
    return found < 0 ? this.model.bands.length : found + 1
  }

  /** Lets so many seconds pass at a power. */
  pass(watts: number, clockMs: number, seconds: number): void {
    const waitS = this.waitS(watts, clockMs)
    if (waitS === undefined) {
      if (this.damage > 0) this.damage *= Math.exp(-seconds / FORGETS_S)
      return
    }
    this.damage += seconds / waitS
    if (this.damage >= 1) this.isOpen = true
  }

  /** Somebody lifts the lever. */
  close(): void {
    this.isOpen = false
    this.damage = 0
  }

  private waitS(watts: number, clockMs: number): number | undefined {
    const band = this.band(watts, clockMs)
    return band === 0
      ? undefined
      : this.model.bands[Math.min(band, this.model.bands.length) - 1]?.seconds
  }

  private contractW(clockMs: number): number {
    const { contractedW, hasNights } = this.model
    return hasNights && isNight(clockMs) ? Math.max(contractedW, NIGHT_CONTRACT_W) : contractedW
  }
}
