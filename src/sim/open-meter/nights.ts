/**
 * Nights of the pilot of ARERA 541/2020, second by second: a home with a contract for 3 kW, its meter letting 6.05 kW
 * through in the hours of band F3, and the same home without that, whose wallbox knows the contract alone.
 */
import type { ControlConfig } from '../../control/parameters.ts'
import type { Decoder } from '../../decoder.ts'
import { houseDay, type LoadSpec } from '../appliances/index.ts'
import { random } from '../random.ts'
import { VEHICLES } from '../vehicle.ts'
import { OpenHome } from './open-home.ts'

/** What is run. */
export interface NightsOptions {
  /** First evening, as epoch ms of midnight UTC of its date. */
  readonly from: number
  readonly nights: number
  readonly seed: number
  /** The contract takes part. */
  readonly hasNights: boolean
  /** What the wallbox may offer and the vehicle take, A. */
  readonly maxA: number
  /** Share of frames that get lost. */
  readonly loss: number
  /** How far the meter's clock is ahead, s. */
  readonly aheadS: number
  /** A new decoder for each night. */
  readonly decoder: () => Decoder
  readonly control?: NonNullable<ControlConfig['control']>
  /** Called after each night. */
  readonly progress?: (night: number) => void
}

/** Sums over all nights. */
export interface NightsResult {
  readonly trips: number
  /** Without the vehicle: more appliances at once than the contract allows. */
  readonly houseTrips: number
  readonly energyWh: number
  readonly changesPerHour: number
  /** Highest share of the limiter's time that was spent while the vehicle drew; 1 opens. */
  readonly damage: number
}

const VOLTS = 230
const CONTRACT_W = 3000
const LATENCY_S = 4
/** From 22:00 to 08:00, an hour of day on both sides of the night. */
const BEGINS_S = 22 * 3600
const SECONDS = 10 * 3600
const DAY_MS = 86_400_000

/** Ordinary evenings and mornings of a home without a heat pump. */
const LOADS: readonly LoadSpec[] = [
  { appliance: 'base', power_w: 300 },
  { appliance: 'fridge' },
  { appliance: 'kettle', per_day: 2 },
  { appliance: 'oven', per_day: 0.5 },
  { appliance: 'hob', per_day: 1 },
  { appliance: 'washing_machine' },
  { appliance: 'dishwasher' },
  { appliance: 'water_tank' },
]

/** Runs the nights one after the other, each from its evening on. */
export function runNights(options: NightsOptions): NightsResult {
  const { from, nights, seed, hasNights, maxA, loss, aheadS, progress } = options
  const config: ControlConfig = {
    installation: {
      phases: 1,
      mainFuseA: 40,
      limiter: 'italy',
      contractedPowerW: CONTRACT_W,
      night541: hasNights,
    },
    chargePoint: { phases: 1, maxA },
    meter: { reportsChanges: true, latencyS: LATENCY_S },
    control: options.control ?? {},
  }
  let [trips, houseTrips, energyWh, changes, damage] = [0, 0, 0, 0, 0]
  for (let night = 0; night < nights; night++) {
    const model = { loads: LOADS, voltageV: VOLTS, startS: BEGINS_S, slots: [1] as const }
    const load = houseDay(model, seed, night, SECONDS).activeA[0]
    const next = random(Math.imul(seed + 3, 0x27d4eb2f) ^ night)
    const home = new OpenHome({
      meter: {
        contractedW: CONTRACT_W,
        hasNights,
        aheadS,
        startMs: romeMs(from + night * DAY_MS + BEGINS_S * 1000),
      },
      decoder: options.decoder(),
      car: { ...VEHICLES['single_phase']!, maxA },
      config,
      houseW: second => load[second]! * VOLTS,
      latencyS: LATENCY_S,
      loses: () => next() < loss,
    })
    for (let second = 0; second < SECONDS; second++) {
      home.step()
      if (home.carA > 0) damage = Math.max(damage, home.meter.limiter.damage)
    }
    trips += home.trips
    houseTrips += home.houseTrips
    energyWh += home.energyWh
    changes += home.changes
    progress?.(night + 1)
  }
  return {
    trips,
    houseTrips,
    energyWh,
    changesPerHour: (changes * 3600) / (nights * SECONDS),
    damage,
  }
}

/** Epoch ms of a wall clock's time in Rome, given as if it was UTC; never in the hour of a change of clocks. */
function romeMs(localMs: number): number {
  const winter = localMs - 3_600_000
  const shown = new Intl.DateTimeFormat('en-GB', {
    timeZone: 'Europe/Rome',
    hourCycle: 'h23',
    hour: '2-digit',
  }).format(winter)
  return Number(shown) === new Date(localMs).getUTCHours() ? winter : winter - 3_600_000
}
