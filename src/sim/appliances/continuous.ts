/** What never stops: stand-by and lights with their noise, production of a roof, and courses made for tests. */
import type { Setting } from './appliance.ts'
import { add, type Load } from './load.ts'
import { count, deviate, draw } from './spread.ts'

/** A course over a whole day. `watts` is its power where it has one. */
export type Continuous = (load: Load, setting: Setting, watts: number, next: () => number) => void

/** Difference of 10 s samples 0.1 A: two independent values of 0.07 A. */
const NOISE_A = 0.07
const NOISE_STEP_S = 3
const BASE_STEP_S = 200

/** Stand-by and lights, shared unequally: steps of up to 30 W every 200 s and noise. `watts` is all of it. */
export const base: Continuous = (load, { voltageV, slots }, watts, next) => {
  const shares = slots.map(() => draw([0.7, 1.3], next))
  const sum = shares.reduce((a, b) => a + b, 0)
  slots.forEach((slot, k) => {
    const values = load.activeA[slot - 1]!
    const mean = (watts * shares[k]!) / sum / voltageV
    let step = 0
    for (let s = 0; s < load.seconds; ) {
      if (next() < NOISE_STEP_S / BASE_STEP_S) step = draw([-30, 30], next) / voltageV
      const value = Math.max(0.05, mean + step + NOISE_A * deviate(next))
      for (const end = s + NOISE_STEP_S; s < end && s < load.seconds; s++) values[s]! += value
    }
  })
}

const SUNRISE_S = 6 * 3600
const SUNSET_S = 19 * 3600
const DAY_S = 86_400
const CLOUD_S = 120

/** A roof of `watts` at its best: a sine from 6 to 19 h under clouds that come and go every two minutes or so. */
export const pv: Continuous = (load, { voltageV, startS, slots }, watts, next) => {
  let sky = 1
  for (let s = 0; s < load.seconds; s++) {
    if (next() < 1 / CLOUD_S) sky = next() < 0.5 ? draw([0.25, 0.55], next) : draw([0.8, 1], next)
    const at = ((startS + s) % DAY_S) - SUNRISE_S
    const height = Math.sin((Math.PI * at) / (SUNSET_S - SUNRISE_S))
    if (at < 0 || at > SUNSET_S - SUNRISE_S) continue
    const amperes = (watts * sky * height) / (voltageV * slots.length)
    for (const slot of slots) load.activeA[slot - 1]![s]! -= amperes
  }
}

const DRIFT_S = 7200

/** Up to `watts` and down again within four hours, slower than any step. */
export const drift: Continuous = (load, { voltageV, slots }, watts) => {
  for (let s = 0; s < load.seconds; s++) {
    const phase = (s % (2 * DRIFT_S)) / DRIFT_S
    const amperes = (watts * (phase < 1 ? phase : 2 - phase)) / (voltageV * slots.length)
    for (const slot of slots) load.activeA[slot - 1]![s]! += amperes
  }
}

/** Fractions of an ampere that a meter of whole amperes hides, the last just below a whole. */
const TENTHS = [0.1, 0.3, 0.5, 0.7, 0.9, 0.98] as const

/** Constant for about half an hour each, at every fraction of an ampere above a whole number up to `watts`. */
export const plateau: Continuous = (load, { voltageV, slots }, watts, next) => {
  const most = Math.max(1, Math.floor(watts / voltageV))
  for (let s = 0; s < load.seconds; ) {
    const lasts = draw([1200, 2400], next)
    const whole = count(most / 2, next) % most
    const amperes = whole + TENTHS[Math.floor(next() * TENTHS.length)]!
    for (const slot of slots) add(load.activeA[slot - 1]!, s, s + lasts, amperes)
    s += Math.round(lasts)
  }
}
