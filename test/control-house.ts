/** A house second by second around the core: vehicle, meter with latency, charge point that reports a second late. */
import type { ControlConfig } from '../src/control/parameters.ts'
import { Core, currents } from './control-harness.ts'

export interface Plant {
  readonly baseA: (s: number) => number
  readonly cadenceS: number
  readonly latencyS: number
  /** What the core believes of the latency, when that is wrong. */
  readonly believedLatencyS?: number
  readonly delayS?: number
  readonly rampA?: number
  readonly carStepA?: number
  readonly carMaxA?: number
  readonly metered?: boolean
  readonly resumeS?: number
  readonly stepA?: number
  readonly resolutionA?: number
  readonly truncate?: boolean
  /** Called each second after the core. */
  readonly observe?: (core: Core, s: number) => void
}

/** Runs for `seconds` and returns the core, the instants at which the command changed, and the true line current. */
export function run(plant: Plant, seconds: number, config: ControlConfig = {}) {
  const { baseA, cadenceS, latencyS, delayS = 2, rampA = 2, carMaxA = 16, resumeS = 12 } = plant
  const core = new Core({
    ...config,
    chargePoint: {
      maxA: 16,
      stepA: plant.stepA ?? 0.1,
      metered: plant.metered ?? true,
      ...config.chargePoint,
    },
    meter: { latencyS: plant.believedLatencyS ?? latencyS, cadenceS, ...config.meter },
  })
  const changes: { s: number; from: number; to: number }[] = []
  const line: number[] = []
  const offers: number[] = []
  let car = 0
  let telemetry = 0
  let awakeAt = Number.POSITIVE_INFINITY
  let previous = 0
  const change = (s: number) => {
    if (core.cmd !== previous) changes.push({ s, from: previous, to: core.cmd })
    previous = core.cmd
  }
  for (let s = 0; s < seconds; s++) {
    const offer = offers[s - delayS] ?? 0
    if (offer < 6) awakeAt = Number.POSITIVE_INFINITY
    else if (awakeAt === Number.POSITIVE_INFINITY) awakeAt = s + resumeS
    const wanted = s < awakeAt ? 0 : Math.min(offer, carMaxA)
    const stepped = plant.carStepA ? Math.floor(wanted / plant.carStepA) * plant.carStepA : wanted
    car = stepped > car ? Math.min(stepped, car + rampA) : Math.max(stepped, car - 3 * rampA)
    line.push(baseA(s) + car)
    core.charger(s, plant.metered === false ? null : telemetry, {
      at: Math.max(0, s - 1) * 1000,
      state: offer >= 6 && s >= awakeAt ? 'C' : 'B',
    })
    telemetry = Math.round(car * 1000) / 1000
    change(s)
    if (s % cadenceS === 0 && s >= latencyS) {
      const resolution = plant.resolutionA ?? 0.1
      const whole = plant.truncate === true ? Math.floor : Math.round
      const sample = whole(line[s - latencyS]! / resolution) * resolution
      core.read(s, currents(sample, sample, sample))
    } else core.tick(s)
    change(s)
    offers.push(core.cmd)
    plant.observe?.(core, s)
  }
  return { core, changes, line }
}
