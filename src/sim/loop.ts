/**
 * The closed loop: home, vehicle, meter, charge point and a controller, second by second. In each second the vehicle
 * moves, the meter measures, the charge point reports what it knew a second ago, telegrams arrive, the controller
 * decides; what it decides is offered from the next second on.
 */
import type { ChargerStatus } from '../control/model.ts'
import type { DecoderDefinition } from '../decoder.ts'
import { houseDay } from './appliances/index.ts'
import { addAll } from './appliances/load.ts'
import type { Controller, ControllerFactory, Site } from './controllers/controller.ts'
import { Judge, type Powers } from './judge.ts'
import { eventMeter } from './meters/event.ts'
import type { Meter, MeterSetting } from './meters/meter.ts'
import { openMeter } from './meters/open-meter.ts'
import { periodicMeter } from './meters/periodic.ts'
import { telegramMeter } from './meters/telegrams.ts'
import type { Tally } from './metrics.ts'
import { type EnergyRegisters, NO_ENERGY } from './norway/electrical.ts'
import { isOpenMeter } from './open-meter/kind.ts'
import { random } from './random.ts'
import { recordedLoad } from './recording.ts'
import { carWatts, isWithin, type Scenario } from './scenario.ts'
import { carLines, recordedStretch, type Stretch, stretchOf } from './supply.ts'
import { Vehicle } from './vehicle.ts'
import { startOf } from './wall-time.ts'

/** One second of a trace; arrays have one entry for each line, A. */
export interface TraceRow {
  readonly second: number
  readonly baseA: readonly number[]
  readonly carA: readonly number[]
  readonly limitA: number
  readonly code: string
  readonly limitedBy: string
  readonly damage: readonly number[]
}

/** How a scenario is run. */
export interface RunOptions {
  readonly controller: ControllerFactory
  readonly seed: number
  readonly days: number
  readonly decoders?: readonly DecoderDefinition[]
  /** Called every second. */
  readonly trace?: (row: TraceRow) => void
  /** Called at the end of each day. */
  readonly progress?: (day: number) => void
}

const DAY_S = 86_400
const tenth = (value: number): number => Math.round(value * 10) / 10

/** Runs the days of one seed and adds what happened to `tally`. */
export function runScenario(scenario: Scenario, options: RunOptions, tally: Tally): void {
  const { supply, config } = scenario
  const { trace } = options
  const startMs = startOf(scenario.timeZone, scenario.startS)
  const controller = options.controller(siteOf(scenario, options.seed))
  const car = new Vehicle(scenario.car, carWatts(scenario))
  const meter = meterOf(scenario, options, startMs)
  const lines = carLines(supply)
  const judge = new Judge(scenario, tally)
  const perLine = new Float64Array(3)
  const chargePoint = config.chargePoint?.id ?? '1'
  let energy: EnergyRegisters = NO_ENERGY
  let offeredA = 0
  let report = reportOf(scenario, chargePoint, car, 0, 0)
  const cpu = process.cpuUsage()

  // An Open Meter says so itself.
  if (scenario.availablePowerW !== undefined && !isOpenMeter(scenario.meter))
    controller.signal?.(
      {
        availablePowerW: scenario.availablePowerW,
        source: 'simulated',
        receivedAt: 0,
        integrity: 'checksum',
      },
      0,
    )
  for (let day = 0; day < options.days; day++) {
    const home = stretchOfDay(scenario, options.seed, day)
    for (let s = 0; s < scenario.seconds; s++) {
      const second = day * scenario.seconds + s
      const now = second * 1000
      const ofDay = (scenario.startS + s) % DAY_S
      const wallMs = startMs + day * DAY_S * 1000 + s * 1000

      car.step(offeredA)
      perLine.fill(0)
      for (let k = 0; k < lines.length; k++) {
        const phase = supply.carPhases === 1 ? 0 : k
        perLine[lines[k]!] = car.amperes[phase]!
      }
      const powers = announce(scenario, controller, ofDay, s === 0, now)
      judge.second(home, s, car, perLine, powers)

      const truth = () => home.measure(s, car.amperes, energy)
      const arrivals = meter.step(second, truth)
      controller.charger(report, now)
      report = reportOf(scenario, chargePoint, car, offeredA, now)
      for (const { reading, at, notes, signal } of arrivals) {
        const begun = performance.now()
        if (reading !== undefined) controller.reading(reading, Math.min(at, now), notes)
        if (signal !== undefined) controller.signal?.(signal, Math.min(at, now))
        tally.reactionsMs.push(performance.now() - begun)
      }
      const limitA = controller.tick(now, wallMs)
      judge.command(limitA, controller.code, car.wishA > 0)
      if (!scenario.ignores.some(spell => isWithin(spell, ofDay)))
        offeredA = permitted(scenario, limitA)
      energy = counted(energy, home.watts(s) + car.mean() * carWatts(scenario))
      trace?.({
        second,
        baseA: judge.baseA.slice(),
        carA: [...perLine.subarray(0, scenario.devices.length)],
        limitA,
        code: controller.code,
        limitedBy: controller.limitedBy,
        damage: judge.damage.slice(),
      })
    }
    options.progress?.(day + 1)
  }
  judge.end()
  const { user, system } = process.cpuUsage(cpu)
  tally.cpuS += (user + system) / 1e6
}

/** What a controller may know of the place. */
export function siteOf(scenario: Scenario, seed: number): Site {
  const { supply, devices, isLimiter, minA, maxA, stepA, config } = scenario
  const lines = supply.wiring === '1P' ? 1 : 3
  return {
    limitA: Array.from({ length: lines }, (_, line) => devices[isLimiter ? 0 : line]!.limitA),
    voltageV: supply.voltageV,
    phases: supply.carPhases,
    lines: carLines(supply),
    minA,
    maxA,
    stepA,
    offsetS: (7 * seed + 2) % 10,
    config,
  }
}

function stretchOfDay(scenario: Scenario, seed: number, day: number): Stretch {
  const { house, loads, supply, startS, seconds } = scenario
  const slots = supply.wiring === '1P' ? ([1] as const) : ([1, 2, 3] as const)
  const model = { loads, voltageV: supply.voltageV, startS, slots }
  if (house === undefined) return stretchOf(supply, houseDay(model, seed, day, seconds))
  const load = recordedLoad(house, day * seconds, seconds)
  if (loads.length > 0) {
    const more = houseDay(model, seed, day, seconds)
    for (const slot of [0, 1, 2] as const) addAll(load.activeA[slot], more.activeA[slot])
  }
  return recordedStretch(supply, load)
}

function meterOf(scenario: Scenario, options: RunOptions, startMs: number): Meter {
  const { meter: model, supply, startS } = scenario
  const next = random(Math.imul(options.seed + 11, 0x27d4eb2f))
  const setting: MeterSetting = { model, wiring: supply.wiring, startS, next }
  switch (model.kind) {
    case 'periodic':
      return periodicMeter(setting)
    case 'event':
      return eventMeter(setting)
    case 'telegrams':
      return isOpenMeter(model)
        ? openMeter(setting, startMs, scenario.availablePowerW ?? 0, options.decoders ?? [])
        : telegramMeter(setting, startMs, options.decoders ?? [])
  }
}

/** Tells of limits that begin now; returns the least power that site and charge point may take, W. */
function announce(
  { limits }: Scenario,
  controller: Controller,
  ofDay: number,
  isFirst: boolean,
  now: number,
): Powers {
  let [siteW, pointW] = [Infinity, Infinity]
  for (const limit of limits) {
    if (!isWithin(limit, ofDay)) continue
    if (limit.scope === 'site') siteW = Math.min(siteW, limit.w)
    else pointW = Math.min(pointW, limit.w)
    if (ofDay !== limit.fromS && !isFirst) continue
    const seconds = (limit.untilS - ofDay + DAY_S) % DAY_S || DAY_S
    controller.limit?.(
      { id: limit.id, scope: limit.scope, totalW: limit.w, expires: now + seconds * 1000 },
      now,
    )
  }
  return { siteW, pointW }
}

function reportOf(
  { metered, supply }: Scenario,
  chargePoint: string,
  car: Vehicle,
  offeredA: number,
  at: number,
): ChargerStatus {
  const [a, b, c] = car.amperes
  return {
    chargePoint,
    at,
    state: car.isCharging ? 'C' : 'B',
    offeredA,
    currentA: metered ? [tenth(a), tenth(b), tenth(c)] : null,
    powerW: metered ? Math.round((a + b + c) * supply.voltageV) : null,
  }
}

/** What the control pilot makes of a command: nothing between 0 and the minimum, nothing above the maximum. */
function permitted({ minA, maxA, stepA }: Scenario, limitA: number): number {
  const stepped = Math.floor(limitA / stepA + 1e-6) * stepA
  return stepped < minA - 1e-9 ? 0 : Math.min(stepped, maxA)
}

/** The meter's registers a second later. */
function counted(energy: EnergyRegisters, watts: number): EnergyRegisters {
  const wh = watts / 3600
  return wh >= 0
    ? { ...energy, activeImportWh: energy.activeImportWh + wh }
    : { ...energy, activeExportWh: energy.activeExportWh - wh }
}
