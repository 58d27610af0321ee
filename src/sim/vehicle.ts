/** A vehicle second by second, with the habits that make a controller's life hard: whole amperes, phases that start apart, a full battery. */
import { LEAST_OFFER_A } from './car.ts'
import type { Triple } from './phasor.ts'

/** How a vehicle behaves; A per phase, s. */
export interface VehicleModel {
  readonly phases: 1 | 3
  readonly maxA: number
  /** From a changed offer to the first change of current (IEC 61851-1 Annex A allows 5 s). */
  readonly delayS: number
  /** From an offer after a pause to the first current. */
  readonly resumeS: number
  readonly upAPerS: number
  readonly downAPerS: number
  readonly wholeAmperes: boolean
  /** How much later than the first each phase begins. */
  readonly staggerS: Triple
  /** Battery: after this energy it takes less and less, for so long; Wh, min. */
  readonly taper?: { readonly afterWh: number; readonly minutes: number }
}

const TOGETHER: Triple = [0, 0, 0]
const ORDINARY: VehicleModel = {
  phases: 3,
  maxA: 16,
  delayS: 2,
  resumeS: 12,
  upAPerS: 2,
  downAPerS: 6,
  wholeAmperes: false,
  staggerS: TOGETHER,
}

/** Vehicles by the names of scenario files. */
export const VEHICLES: Readonly<Record<string, VehicleModel>> = {
  ordinary: ORDINARY,
  slow: {
    ...ORDINARY,
    delayS: 5,
    resumeS: 30,
    upAPerS: 1,
    downAPerS: 2,
    wholeAmperes: true,
  },
  // Its own charger or its settings allow no more.
  limited: { ...ORDINARY, maxA: 6.9 },
  nearly_full: { ...ORDINARY, taper: { afterWh: 20_000, minutes: 90 } },
  // Its phases start one after the other and end within a second.
  staggered: { ...ORDINARY, staggerS: [0, 17, 24], upAPerS: 0.6, downAPerS: 16 },
  single_phase: { ...ORDINARY, phases: 1, maxA: 32, upAPerS: 1 },
}

/** Longest delay that can be simulated, s. */
const MOST_DELAY_S = 64

/** Holds what the vehicle remembers. One step is one second. */
export class Vehicle {
  /** Draw on its own phases at the last step, A. */
  readonly amperes: [number, number, number] = [0, 0, 0]
  private readonly model: VehicleModel
  private readonly wattsPerAmpere: number
  private readonly offers = new Float64Array(MOST_DELAY_S)
  private second = 0
  private awakeAt = Infinity
  private energyWh = 0
  private fullSince: number | undefined

  /** `wattsPerAmpere`: W that one ampere on all its phases takes. */
  constructor(model: VehicleModel, wattsPerAmpere: number) {
    this.model = model
    this.wattsPerAmpere = wattsPerAmpere
  }

  /** Most it would draw now if it was offered everything, A. */
  get wishA(): number {
    const { taper, maxA } = this.model
    if (taper === undefined || this.fullSince === undefined) return maxA
    return maxA * Math.max(0, 1 - (this.second - this.fullSince) / (taper.minutes * 60))
  }

  /** It draws, or could at once: state C of IEC 61851-1. */
  get isCharging(): boolean {
    return this.second >= this.awakeAt && this.wishA > 0
  }

  /** Takes what the control pilot offers in this second, A, and moves its current. */
  step(offeredA: number): void {
    const { delayS, resumeS, taper, wholeAmperes, staggerS, upAPerS, downAPerS } = this.model
    const now = this.second
    this.offers[now % MOST_DELAY_S] = offeredA
    const delay = Math.min(Math.round(delayS), MOST_DELAY_S - 1)
    const offer = now < delay ? 0 : this.offers[(now - delay) % MOST_DELAY_S]!
    if (offer < LEAST_OFFER_A) this.awakeAt = Infinity
    else if (this.awakeAt === Infinity) this.awakeAt = now + Math.max(0, resumeS - delay)

    const wanted = Math.min(offer, this.wishA)
    const target = wholeAmperes ? Math.floor(wanted) : wanted
    for (let phase = 0; phase < this.model.phases; phase++) {
      const awake = now >= this.awakeAt + staggerS[phase]!
      const aim = awake ? target : 0
      const at = this.amperes[phase]!
      this.amperes[phase] = aim > at ? Math.min(aim, at + upAPerS) : Math.max(aim, at - downAPerS)
    }
    this.energyWh += (this.mean() * this.wattsPerAmpere) / 3600
    if (taper !== undefined && this.energyWh >= taper.afterWh) this.fullSince ??= now
    this.second += 1
  }

  /** Mean of its phases, A. */
  mean(): number {
    const [a, b, c] = this.amperes
    return this.model.phases === 1 ? a : (a + b + c) / 3
  }
}
