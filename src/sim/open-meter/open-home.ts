/**
 * A home behind an Open Meter in a closed loop, second by second: house and vehicle, the meter with its breaker, its
 * frames as JSON on their way through a gateway, the real decoder and the real control core.
 */
import type { ControlConfig } from '../../control/parameters.ts'
import type { Decoder } from '../../decoder.ts'
import { ampacity } from '../controllers/ampacity.ts'
import type { Controller } from '../controllers/controller.ts'
import { Vehicle, type VehicleModel } from '../vehicle.ts'
import { AlfaRegisters } from './alfa-registers.ts'
import { chain2GateText } from './chain2gate-text.ts'
import { type OpenFrame, OpenMeter, type OpenMeterOptions } from './open-meter.ts'

/** What a home is made of. */
export interface OpenHomeOptions {
  readonly meter: OpenMeterOptions
  readonly decoder: Decoder
  readonly car: VehicleModel
  readonly config: ControlConfig
  /** The house alone in each second, W; below 0 it produces. */
  readonly houseW: (second: number) => number
  /** From the meter to the decoder, s. */
  readonly latencyS: number
  /** Whether a frame gets lost. */
  readonly loses?: (frame: OpenFrame, second: number) => boolean
  /** A gateway that is polled in place of one that pushes: how often, s, and the bytes of one round. */
  readonly poll?: {
    readonly everyS: number
    readonly bytes: (registers: AlfaRegisters) => Uint8Array
  }
}

const VOLTS = 230
/** Draws below this are stand-by, A. */
const DRAWING_A = 0.5
const UTF8 = new TextEncoder()
const tenth = (value: number): number => Math.round(value * 10) / 10

/** One phase, one vehicle. */
export class OpenHome {
  readonly meter: OpenMeter
  /** What is commanded, A. */
  limitA = 0
  /** What flows at the connection, W. */
  netW = 0
  /** What went into the vehicle, Wh. */
  energyWh = 0
  /** How often the breaker opened while the vehicle was drawing. */
  trips = 0
  /** How often it opened by the house alone. */
  houseTrips = 0
  /** Commands other than the one before. */
  changes = 0
  private readonly options: OpenHomeOptions
  private readonly controller: Controller
  private readonly car: Vehicle
  private readonly registers = new AlfaRegisters()
  private readonly underway: { readonly frame: OpenFrame; readonly at: number }[] = []
  private second = 0

  constructor(options: OpenHomeOptions) {
    this.options = options
    const { config } = options
    this.meter = new OpenMeter(options.meter)
    this.car = new Vehicle(options.car, VOLTS)
    const { minA = 6, maxA = 16, stepA = 0.1 } = config.chargePoint ?? {}
    const site = { limitA: [40], voltageV: VOLTS, phases: 1, lines: [0], offsetS: 0 } as const
    this.controller = ampacity({ ...site, minA, maxA, stepA, config })
  }

  /** Current of the vehicle, A. */
  get carA(): number {
    return this.car.amperes[0]
  }

  /** Why the command is what it is. */
  get code(): string {
    return this.controller.code
  }

  /** Lets a second pass; somebody lifts the lever of an open breaker at once. */
  step(): void {
    const { options, meter, controller } = this
    const { second } = this
    const now = second * 1000
    const epochMs = options.meter.startMs + now
    this.car.step(this.limitA)
    this.netW = options.houseW(second) + this.carA * VOLTS
    const flow = this.netW >= 0 ? { importW: this.netW } : { importW: 0, exportW: -this.netW }
    for (const frame of meter.step(epochMs, flow))
      if (options.loses?.(frame, second) !== true) {
        this.underway.push({ frame, at: now + options.latencyS * 1000 })
      }
    if (meter.limiter.isOpen) {
      if (this.carA > DRAWING_A) this.trips++
      else this.houseTrips++
      meter.limiter.close()
    }
    controller.charger(
      {
        chargePoint: options.config.chargePoint?.id ?? '1',
        at: now,
        state: this.car.isCharging ? 'C' : 'B',
        offeredA: this.limitA,
        currentA: [tenth(this.carA), 0, 0],
        powerW: Math.round(this.carA * VOLTS),
      },
      now,
    )
    while (this.underway[0] !== undefined && this.underway[0].at <= now)
      this.arrive(this.underway.shift()!.frame, now)
    if (options.poll !== undefined && second % options.poll.everyS === 0)
      this.hear(options.poll.bytes(this.registers), now)
    const limitA = controller.tick(now, epochMs)
    if (limitA !== this.limitA) this.changes++
    this.limitA = limitA
    this.energyWh += (this.carA * VOLTS) / 3600
    this.second++
  }

  /** At the gateway: passed on, or kept until somebody asks. */
  private arrive(frame: OpenFrame, now: number): void {
    const { poll, meter } = this.options
    if (poll !== undefined) this.registers.take(frame)
    else this.hear(UTF8.encode(chain2GateText(frame, meter.startMs + now)), now)
  }

  private hear(bytes: Uint8Array, now: number): void {
    for (const event of this.options.decoder.push(bytes, now)) {
      if (event.type === 'reading') this.controller.reading(event.reading, now, event.notes)
      if (event.type === 'signal') this.controller.signal?.(event.signal, now)
    }
  }
}
