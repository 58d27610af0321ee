/** Judges every second of a run: what the devices suffer, what a controller that knows everything would have charged. */

import type { Tally } from './metrics.ts'
import { damageAfter } from './protection.ts'
import { carWatts, type Scenario } from './scenario.ts'
import { carLines, roomIn, type Stretch } from './supply.ts'
import type { Vehicle } from './vehicle.ts'

/** Least power that limits from outside grant now, W; `Infinity` = none. */
export interface Powers {
  readonly siteW: number
  readonly pointW: number
}

/** Draws below this are stand-by, A. */
const DRAWING_A = 0.5

/** Holds the damage of the devices and the last command. */
export class Judge {
  /** Damage of each device, 0 to 1. */
  readonly damage: number[]
  /** Current of the home alone on each device in this second, A. */
  readonly baseA: number[]
  private readonly scenario: Scenario
  private readonly tally: Tally
  private readonly watts: number
  private readonly loaded: readonly number[]
  private aboveS = 0
  private limitA = 0

  constructor(scenario: Scenario, tally: Tally) {
    this.scenario = scenario
    this.tally = tally
    this.watts = carWatts(scenario)
    // A limiter watches the whole connection.
    this.loaded = scenario.isLimiter ? [0] : carLines(scenario.supply)
    this.damage = scenario.devices.map(() => 0)
    this.baseA = scenario.devices.map(() => 0)
  }

  /** Takes what flows in second `s`; `powers` are granted besides what the devices allow. */
  second(home: Stretch, s: number, car: Vehicle, carA: Float64Array, powers: Powers): void {
    const { tally, scenario, loaded } = this
    const { devices, isLimiter, supply, car: model, minA, maxA } = scenario
    let room = Math.min(car.wishA, maxA, model.maxA, powers.pointW / this.watts)
    let above = false
    for (let line = 0; line < devices.length; line++) {
      const along = isLimiter ? sumOf(home.along, s) : home.along[line]![s]!
      const across = isLimiter ? sumOf(home.across, s) : home.across[line]![s]!
      this.baseA[line] = signed(along, across)
    }
    for (const line of loaded) {
      const device = devices[line]!
      const along = isLimiter ? sumOf(home.along, s) : home.along[line]![s]!
      const across = isLimiter ? sumOf(home.across, s) : home.across[line]![s]!
      const own = isLimiter ? (car.mean() * this.watts) / supply.voltageV : carA[line]!
      const amperes = Math.hypot(along + own, across)
      const share = isLimiter ? this.watts / supply.voltageV : 1
      room = Math.min(room, roomIn(device.limitA, along, across) / share)
      const damage = damageAfter(device, this.damage[line]!, amperes, 1)
      this.damage[line] = damage >= 1 ? 0 : damage
      if (own <= DRAWING_A) continue
      tally.damageMost = Math.max(tally.damageMost, damage)
      if (damage >= 1) tally.trips += 1
      if (amperes > device.neverTripA) above = true
      if (amperes > device.limitA) tally.overloadAs += Math.min(own, amperes - device.limitA)
    }
    room = Math.min(room, (powers.siteW - home.watts(s)) / this.watts)
    if (above) this.aboveS += 1
    else this.endSpell()
    if (room >= minA) tally.clairvoyantWs += room * this.watts
    tally.energyWs += car.mean() * this.watts
    tally.seconds += 1
  }

  /** Takes the command of this second. */
  command(limitA: number, code: string, wants: boolean): void {
    const { tally } = this
    if (limitA !== this.limitA) {
      tally.changes += 1
      if (limitA === 0 && wants) tally.stops += 1
    }
    this.limitA = limitA
    tally.codes.set(code, (tally.codes.get(code) ?? 0) + 1)
  }

  /** Ends what still goes on. */
  end(): void {
    this.endSpell()
  }

  private endSpell(): void {
    if (this.aboveS > 0) this.tally.spells.push(this.aboveS)
    this.aboveS = 0
  }
}

function sumOf(lines: readonly Float32Array[], s: number): number {
  let sum = 0
  for (const line of lines) sum += line[s]!
  return sum
}

function signed(along: number, across: number): number {
  const amperes = Math.hypot(along, across)
  return along < 0 ? -amperes : amperes
}
