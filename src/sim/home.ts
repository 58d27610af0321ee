/**
 * A small home: a base load and a handful of appliances, each a function of time and seed. Nothing is remembered, so any
 * instant can be asked for in any order.
 */
import type { Triple } from './phasor.ts'
import { randomAt } from './random.ts'

/** Power of the home at one instant, W and var: of phases 1 to 3, or on three wires of pairs 1-2, 2-3, 3-1. */
export interface HomeLoad {
  readonly activeW: Triple
  readonly reactiveVar: Triple
  /** Names of the appliances that draw now. */
  readonly running: readonly string[]
}

/** A home. */
export interface Home {
  /** Load at `tMs` after the start of the simulation. */
  at(tMs: number): HomeLoad
}

/** What one appliance does in each of its periods; times in s. */
export interface Appliance {
  readonly name: string
  /** Index of its phase, or of its pair of lines. */
  readonly slot: 0 | 1 | 2
  readonly activeW: number
  readonly reactiveVar: number
  /** Start of the first run. */
  readonly firstS: number
  /** Length of a period; each begins with one run. */
  readonly everyS: number
  /** Least and greatest length of a run. */
  readonly runS: readonly [least: number, most: number]
  /** Later runs begin up to this much later in their period. */
  readonly jitterS: number
  /** After this time of a run the thermostat takes over: on and off for so long. */
  readonly pulse?: { readonly afterS: number; readonly onS: number; readonly offS: number }
}

/** Appliances with the powers and times of ordinary ones; the kettle starts half a minute in, the oven after four. */
export const ORDINARY_APPLIANCES: readonly Appliance[] = [
  {
    name: 'kettle',
    slot: 0,
    activeW: 2200,
    reactiveVar: 0,
    firstS: 30,
    everyS: 480,
    runS: [60, 90],
    jitterS: 120,
  },
  {
    name: 'oven',
    slot: 1,
    activeW: 2800,
    reactiveVar: 20,
    firstS: 240,
    everyS: 7200,
    runS: [2400, 3600],
    jitterS: 1200,
    pulse: { afterS: 180, onS: 40, offS: 80 },
  },
  {
    name: 'hob',
    slot: 2,
    activeW: 3200,
    reactiveVar: -180,
    firstS: 780,
    everyS: 5400,
    runS: [900, 1500],
    jitterS: 1800,
    pulse: { afterS: 200, onS: 9, offS: 8 },
  },
  {
    name: 'washing machine',
    slot: 2,
    activeW: 2000,
    reactiveVar: 60,
    firstS: 1200,
    everyS: 14_400,
    runS: [600, 1080],
    jitterS: 3600,
  },
  {
    name: 'water heater',
    slot: 0,
    activeW: 2000,
    reactiveVar: 0,
    firstS: 1500,
    everyS: 9000,
    runS: [1200, 3000],
    jitterS: 3600,
  },
]

/** Whether `appliance` draws at `tS`. */
function isOn(appliance: Appliance, seed: number, tS: number): boolean {
  const { firstS, everyS, jitterS, runS, pulse } = appliance
  const run = Math.floor((tS - firstS) / everyS)
  if (run < 0) return false
  const startS = firstS + run * everyS + (run === 0 ? 0 : jitterS * randomAt(seed, 2 * run))
  const sinceS = tS - startS
  const lengthS = runS[0] + (runS[1] - runS[0]) * randomAt(seed, 2 * run + 1)
  if (sinceS < 0 || sinceS >= lengthS) return false
  if (pulse === undefined || sinceS < pulse.afterS) return true
  return (sinceS - pulse.afterS) % (pulse.onS + pulse.offS) >= pulse.offS
}

const BASE_W = 450
/** Stand-by and lights change in steps of this length, s. */
const BASE_STEP_S = 200

/** Base load of a phase at `tS`: unequal over the phases, with small steps and a flicker each second. */
function baseW(seed: number, slot: number, tS: number): number {
  const share = 0.7 + 0.6 * randomAt(seed, 1000 + slot)
  const step = 60 * randomAt(seed, 10_000 * (slot + 1) + Math.floor(tS / BASE_STEP_S)) - 30
  const flicker = 16 * randomAt(seed, 10_000_000 * (slot + 1) + Math.floor(tS)) - 8
  return (BASE_W * share) / 3 + step + flicker
}

/** The home of a seed. */
export function home(seed: number, appliances: readonly Appliance[] = ORDINARY_APPLIANCES): Home {
  return {
    at(tMs: number): HomeLoad {
      const tS = tMs / 1000
      const running = appliances.filter((appliance, i) => isOn(appliance, seed + 101 * (i + 1), tS))
      const sum = (slot: number, quantity: 'activeW' | 'reactiveVar'): number =>
        running.reduce((total, load) => total + (load.slot === slot ? load[quantity] : 0), 0)
      const active = (slot: number): number => baseW(seed, slot, tS) + sum(slot, 'activeW')
      // Electronics and small motors: a little inductive.
      const reactive = (slot: number): number =>
        0.1 * baseW(seed, slot, tS) + sum(slot, 'reactiveVar')
      return {
        activeW: [active(0), active(1), active(2)],
        reactiveVar: [reactive(0), reactive(1), reactive(2)],
        running: running.map(({ name }) => name),
      }
    },
  }
}
