/**
 * The closed loop behind a simulated meter: home, wallbox and vehicle on one supply. What the vehicle draws appears in
 * the line currents, so that a controller sees what its commands do.
 */
import type { PilotState } from '../control/model.ts'
import { type CarModel, type CarState, newCar, ORDINARY_CAR, offerCar, stepCar } from './car.ts'
import { type Home, home } from './home.ts'
import {
  type ElectricalState,
  type EnergyRegisters,
  electricalState,
  NO_ENERGY,
} from './norway/electrical.ts'
import type { Wiring } from './norway/telegram.ts'
import { type Triple, total } from './phasor.ts'
import {
  commandWallbox,
  newWallbox,
  ORDINARY_WALLBOX,
  pilotState,
  stepWallbox,
  type WallboxModel,
  type WallboxState,
} from './wallbox.ts'

/** What a household is made of; times in epoch ms of the simulated world. */
export interface HouseholdOptions {
  readonly wiring: Wiring
  readonly startMs: number
  readonly home?: Home
  readonly car?: CarModel
  readonly wallbox?: WallboxModel
  /** Where a single-phase wallbox hangs: phase, or on three wires pair 1-2, 2-3, 3-1. */
  readonly carSlot?: 0 | 1 | 2
  /** Voltage without load, V: phase to neutral, on three wires line to line. */
  readonly nominalV?: number
  /** Resistance of the supply line, ohm; it lowers the voltage under load. */
  readonly lineOhm?: number
  /** Registers at the start. */
  readonly energy?: EnergyRegisters
  readonly pluggedIn?: boolean
}

/** Longest step of time, ms: finer than any ramp a controller could notice. */
const STEP_MS = 200
const MS_PER_HOUR = 3_600_000

/** What a wallbox says of itself. */
export interface ChargePointState {
  readonly state: PilotState
  readonly offeredA: number
  /** Of the charge point's own phases. */
  readonly currentA: Triple
  readonly powerW: number
}

const sum = (values: Triple): number => values[0] + values[1] + values[2]
const triple = (f: (i: 0 | 1 | 2) => number): Triple => [f(0), f(1), f(2)]

/** Holds the state of wallbox and vehicle and the energy registers. */
export class Household {
  readonly wallboxModel: WallboxModel
  private readonly options: HouseholdOptions
  private readonly home: Home
  private readonly carModel: CarModel
  private readonly nominalV: number
  private atMs: number
  private car: CarState
  private wallbox: WallboxState
  private energy: EnergyRegisters

  constructor(options: HouseholdOptions) {
    this.options = options
    this.home = options.home ?? home(1)
    this.carModel = options.car ?? ORDINARY_CAR
    this.wallboxModel = options.wallbox ?? ORDINARY_WALLBOX
    this.nominalV = options.nominalV ?? 231
    this.atMs = options.startMs
    this.car = newCar(options.startMs)
    this.wallbox = newWallbox(this.wallboxModel, options.startMs, options.pluggedIn ?? true)
    this.energy = options.energy ?? NO_ENERGY
  }

  /** Lets time pass until `epochMs`; an instant already passed changes nothing. */
  advance(epochMs: number): void {
    while (this.atMs < epochMs) {
      const nextMs = Math.min(epochMs, this.atMs + STEP_MS)
      this.count(nextMs - this.atMs)
      this.wallbox = stepWallbox(this.wallboxModel, this.wallbox, nextMs)
      const offerA = this.wallbox.pluggedIn ? this.wallbox.offeredA : 0
      this.car = offerCar(this.carModel, stepCar(this.carModel, this.car, nextMs), offerA, nextMs)
      this.atMs = nextMs
    }
  }

  /** What a meter measures at `epochMs`. */
  electrical(epochMs: number): ElectricalState {
    this.advance(epochMs)
    return this.measure()
  }

  /** Tells the wallbox at `epochMs` to offer at most `limitA` for the next `validForMs`. */
  command(limitA: number, validForMs: number, epochMs: number): void {
    this.advance(epochMs)
    this.wallbox = commandWallbox(this.wallboxModel, this.wallbox, limitA, validForMs, this.atMs)
  }

  /** What the wallbox says of itself at `epochMs`. */
  chargePoint(epochMs: number): ChargePointState {
    this.advance(epochMs)
    const { currentA } = this.car
    const phases = this.options.wiring === '1P' ? 1 : this.wallboxModel.phases
    return {
      state: pilotState(this.wallbox, currentA),
      offeredA: this.wallbox.offeredA,
      currentA: triple(i => (i < phases ? currentA : 0)),
      powerW: sum(this.carPower()),
    }
  }

  /** Power of the vehicle on each phase, or on three wires on each pair; W. */
  private carPower(): Triple {
    const perSlot = this.nominalV * this.car.currentA
    const slot = this.options.carSlot ?? (this.options.wiring === '3P3W' ? 2 : 0)
    if (this.wallboxModel.phases === 1 || this.options.wiring === '1P')
      return triple(i => (i === slot ? perSlot : 0))
    // On three wires a line carries the currents of two pairs, 60 degrees apart.
    return triple(() => (this.options.wiring === '3P3W' ? perSlot / Math.sqrt(3) : perSlot))
  }

  private measure(): ElectricalState {
    const { wiring, startMs, lineOhm = 0.08 } = this.options
    const load = this.home.at(this.atMs - startMs)
    const car = this.carPower()
    const add = (values: Triple, more: Triple): Triple =>
      wiring === '1P' ? [sum(values) + sum(more), 0, 0] : triple(i => values[i] + more[i])
    const activeW = add(load.activeW, car)
    const reactiveVar = add(load.reactiveVar, [0, 0, 0])
    const unloaded: Triple = wiring === '1P' ? [this.nominalV, 0, 0] : triple(() => this.nominalV)
    const { currentsA: a } = electricalState(wiring, unloaded, activeW, reactiveVar)
    // U12 falls with the currents of lines 1 and 2, U13 with 1 and 3, U23 with 2 and 3.
    const flowing: Triple = wiring === '3P3W' ? [a[0] + a[1], a[0] + a[2], a[1] + a[2]] : a
    const voltages = triple(i => (unloaded[i] === 0 ? 0 : unloaded[i] - lineOhm * flowing[i]))
    return electricalState(wiring, voltages, activeW, reactiveVar, this.energy)
  }

  private count(ms: number): void {
    const { activeW, reactiveVar } = total(this.measure())
    const hours = ms / MS_PER_HOUR
    this.energy = {
      activeImportWh: this.energy.activeImportWh + Math.max(0, activeW) * hours,
      activeExportWh: this.energy.activeExportWh + Math.max(0, -activeW) * hours,
      reactiveImportVarh: this.energy.reactiveImportVarh + Math.max(0, reactiveVar) * hours,
      reactiveExportVarh: this.energy.reactiveExportVarh + Math.max(0, -reactiveVar) * hours,
    }
  }
}
