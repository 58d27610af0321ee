/** A vehicle on a charging cable: how its current follows what the control pilot offers. Plain data and functions. */

/** How a vehicle behaves. Amperes per phase, times in ms. */
export interface CarModel {
  /** What its own charger takes at most, A. */
  readonly maxA: number
  /** From a changed offer to the first change of current, ms (IEC 61851-1 Annex A allows 5 s). */
  readonly delayMs: number
  /** From an offer after a pause to the first current, ms. */
  readonly resumeMs: number
  readonly upAPerS: number
  readonly downAPerS: number
  /** Follows whole amperes only. */
  readonly wholeAmperes: boolean
}

/** An ordinary vehicle with an 11 kW charger. */
export const ORDINARY_CAR: CarModel = {
  maxA: 16,
  delayMs: 2000,
  resumeMs: 12_000,
  upAPerS: 2,
  downAPerS: 6,
  wholeAmperes: false,
}

/** Below this the control pilot cannot offer anything (IEC 61851-1, Annex A). */
export const LEAST_OFFER_A = 6

/** What a vehicle remembers. Offers wait in the order given until they take effect. */
export interface CarState {
  readonly atMs: number
  readonly currentA: number
  /** The last offer it was given, A. */
  readonly offerA: number
  /** The current it is moving to, A. */
  readonly targetA: number
  readonly pending: readonly { readonly atMs: number; readonly targetA: number }[]
}

/** A vehicle at rest, just plugged in. */
export function newCar(atMs: number): CarState {
  return { atMs, currentA: 0, offerA: 0, targetA: 0, pending: [] }
}

function wanted(model: CarModel, offerA: number): number {
  if (offerA < LEAST_OFFER_A) return 0
  const amperes = Math.min(offerA, model.maxA)
  return model.wholeAmperes ? Math.floor(amperes) : amperes
}

function ramp(model: CarModel, currentA: number, targetA: number, ms: number): number {
  if (targetA >= currentA) return Math.min(targetA, currentA + (model.upAPerS * ms) / 1000)
  return Math.max(targetA, currentA - (model.downAPerS * ms) / 1000)
}

/** The vehicle at `nowMs`, if no other offer was made since its last step. Time never runs backwards. */
export function stepCar(model: CarModel, state: CarState, nowMs: number): CarState {
  let { atMs, currentA, targetA } = state
  const due = state.pending.filter(change => change.atMs <= nowMs)
  for (const change of due) {
    currentA = ramp(model, currentA, targetA, Math.max(0, change.atMs - atMs))
    atMs = Math.max(atMs, change.atMs)
    targetA = change.targetA
  }
  currentA = ramp(model, currentA, targetA, Math.max(0, nowMs - atMs))
  return {
    ...state,
    atMs: Math.max(atMs, nowMs),
    currentA,
    targetA,
    pending: state.pending.slice(due.length),
  }
}

/** Tells the vehicle at `nowMs` what the control pilot offers now, A; the same offer again changes nothing. */
export function offerCar(
  model: CarModel,
  state: CarState,
  offerA: number,
  nowMs: number,
): CarState {
  const car = stepCar(model, state, nowMs)
  if (offerA === car.offerA) return car
  const resumes = car.offerA < LEAST_OFFER_A && offerA >= LEAST_OFFER_A
  const last = car.pending.at(-1)?.atMs ?? nowMs
  // A pause is obeyed after the usual delay even while a resumption is waiting.
  const stops = offerA < LEAST_OFFER_A
  const atMs = nowMs + (resumes ? model.resumeMs : model.delayMs)
  const change = { atMs: stops ? atMs : Math.max(last, atMs), targetA: wanted(model, offerA) }
  const kept = stops ? car.pending.filter(({ atMs: other }) => other < atMs) : car.pending
  return { ...car, offerA, pending: [...kept, change] }
}
