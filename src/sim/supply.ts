/**
 * The connection of a home with a charge point on it: what flows in each line while the vehicle draws, for nets with
 * and without a neutral alike. Every line is turned so that the vehicle's current is real: its amperes are then added
 * to one number.
 */
import type { Load } from './appliances/load.ts'
import { type ElectricalState, type EnergyRegisters, electricalState } from './norway/electrical.ts'
import type { Wiring } from './norway/telegram.ts'
import type { Triple } from './phasor.ts'

/** Where the charge point hangs. */
export interface SupplyModel {
  readonly wiring: Wiring
  /** Phase to neutral, on three wires line to line; V. */
  readonly voltageV: number
  readonly carPhases: 1 | 3
  /** Line (on three wires the pair 1-2, 2-3, 3-1) of the charge point's first phase, 0 to 2. */
  readonly firstLine: 0 | 1 | 2
}

/** A stretch of time on one supply; index = second. */
export interface Stretch {
  readonly seconds: number
  /** The home alone, A for each line: along the vehicle's current there, and across it. */
  readonly along: readonly Float32Array[]
  readonly across: readonly Float32Array[]
  /** Net active power of the home alone, W. */
  watts(second: number): number
  /** What a meter measures while the vehicle draws `carA` on its own phases. */
  measure(second: number, carA: Triple, energy: EnergyRegisters): ElectricalState
}

const DEGREE = Math.PI / 180
/** Angles of U12, U23, U31 on three wires. */
const PAIR_ANGLES = [0, -120, 120] as const
/** Angles of the line currents of a balanced load on three wires. */
const BALANCED_ANGLES = [-30, -150, 90] as const

/** Number of lines that can be overloaded. */
export function linesOf(wiring: Wiring): number {
  return wiring === '1P' ? 1 : 3
}

/** Lines the vehicle loads, in the order of the charge point's own phases. */
export function carLines(model: SupplyModel): readonly number[] {
  const { wiring, carPhases, firstLine } = model
  if (wiring === '1P') return [0]
  if (carPhases === 3) return [0, 1, 2].map(phase => (firstLine + phase) % 3)
  return wiring === '3P3W' ? [firstLine, (firstLine + 1) % 3] : [firstLine]
}

/** W that one ampere of the vehicle takes on all its phases together. */
export function wattsPerAmpere({ wiring, voltageV, carPhases }: SupplyModel): number {
  if (carPhases === 1 || wiring === '1P') return voltageV
  return wiring === '3P3W' ? Math.sqrt(3) * voltageV : 3 * voltageV
}

/** A home given by the load on its slots. */
export function stretchOf(model: SupplyModel, load: Load): Stretch {
  const lines =
    model.wiring === '3P3W'
      ? threeWires(model, load)
      : { along: load.activeA, across: load.reactiveA }
  return {
    seconds: load.seconds,
    ...lines,
    watts: second => sumAt(load.activeA, second) * model.voltageV,
    measure: (second, carA, energy) => measured(model, load, second, carA, energy),
  }
}

/**
 * A home of which only the line currents are known. With a neutral they are taken as active; without one the vehicle's
 * current is added to them, which is the most it can make of them.
 */
export function recordedStretch(model: SupplyModel, load: Load): Stretch {
  if (model.wiring !== '3P3W') return stretchOf(model, load)
  const loaded = carLines(model)
  return {
    seconds: load.seconds,
    along: load.activeA,
    across: load.reactiveA,
    watts: second => (sumAt(load.activeA, second) * model.voltageV) / Math.sqrt(3),
    measure(second, carA, energy) {
      const line = (i: 0 | 1 | 2): number =>
        load.activeA[i][second]! + (loaded.includes(i) ? carA[0] : 0)
      const amperes: Triple = [line(0), line(1), line(2)]
      const volts = model.voltageV
      const watts = (amperes[0] + amperes[1] + amperes[2]) * (volts / Math.sqrt(3))
      return {
        currentsA: [Math.abs(amperes[0]), Math.abs(amperes[1]), Math.abs(amperes[2])],
        activeW: [watts, 0, 0],
        reactiveVar: [0, 0, 0],
        voltagesV: [volts, volts, volts],
        energy,
      }
    },
  }
}

function sumAt(lines: readonly Float32Array[], second: number): number {
  let sum = 0
  for (const values of lines) sum += values[second]!
  return sum
}

function threeWires(model: SupplyModel, load: Load): Pick<Stretch, 'along' | 'across'> {
  const along = [0, 1, 2].map(() => new Float32Array(load.seconds))
  const across = [0, 1, 2].map(() => new Float32Array(load.seconds))
  for (const line of [0, 1, 2]) {
    const turn = carAngle(model, line)
    // Line 1 carries what flows from 1 to 2, less what flows from 3 to 1; and so on around.
    for (const [pair, sign] of [
      [line, 1],
      [(line + 2) % 3, -1],
    ] as const) {
      const angle = (PAIR_ANGLES[pair]! - turn) * DEGREE
      const [cos, sin] = [sign * Math.cos(angle), sign * Math.sin(angle)]
      const [active, reactive] = [load.activeA[pair]!, load.reactiveA[pair]!]
      const [re, im] = [along[line]!, across[line]!]
      for (let s = 0; s < load.seconds; s++) {
        re[s]! += active[s]! * cos + reactive[s]! * sin
        im[s]! += active[s]! * sin - reactive[s]! * cos
      }
    }
  }
  return { along, across }
}

/** Direction of the vehicle's current in a line of a net without neutral, degrees. */
function carAngle({ carPhases, firstLine }: SupplyModel, line: number): number {
  if (carPhases === 3) return BALANCED_ANGLES[line]!
  // Out through the first line of its pair, back through the other.
  return PAIR_ANGLES[firstLine]! + (line === (firstLine + 1) % 3 ? 180 : 0)
}

/** Most that the vehicle can draw in a line without its current rising above `limitA`; negative = too much without it. */
export function roomIn(limitA: number, along: number, across: number): number {
  return Math.sqrt(Math.max(0, limitA * limitA - across * across)) - along
}

function measured(
  model: SupplyModel,
  load: Load,
  second: number,
  carA: Triple,
  energy: EnergyRegisters,
): ElectricalState {
  const { wiring, voltageV, carPhases, firstLine } = model
  const volts =
    wiring === '1P' ? ([voltageV, 0, 0] as const) : ([voltageV, voltageV, voltageV] as const)
  const slot = (i: 0 | 1 | 2): readonly [number, number] => {
    const own = carPhases === 1 ? (i === firstLine ? carA[0] : 0) : carA[(i - firstLine + 3) % 3]!
    // On three wires a line carries the currents of two pairs, 60 degrees apart.
    const share = wiring === '3P3W' && carPhases === 3 ? own / Math.sqrt(3) : own
    return [(load.activeA[i][second]! + share) * voltageV, load.reactiveA[i][second]! * voltageV]
  }
  const [a, b, c] = [slot(0), slot(1), slot(2)]
  return electricalState(wiring, volts, [a[0], b[0], c[0]], [a[1], b[1], c[1]], energy)
}
