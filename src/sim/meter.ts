/**
 * A simulated HAN meter: samples the electrical state and sends telegrams by the schedule of its make. Time is an
 * argument throughout: epoch ms of the simulated world.
 */
import { localTime, type MeterClock } from './encode/cosem-date-time.ts'
import { encodeFrame } from './encode/hdlc-encoder.ts'
import { type ElectricalState, type EnergyRegisters, hanValues } from './norway/electrical.ts'
import {
  encodePdu,
  type HanProfile,
  type HanValues,
  type ListNumber,
  type MeterIdentity,
  type Schedule,
  type TelegramInput,
} from './norway/telegram.ts'
import { byteTimeMs } from './uart.ts'

const HOUR_MS = 3_600_000

/** One telegram on the wire. */
export interface Emission {
  /** What it says. */
  readonly input: TelegramInput
  readonly bytes: Uint8Array
  /** When the values were measured, epoch ms. */
  readonly sampledAtMs: number
  /** When the first start bit falls, epoch ms. */
  readonly startsAtMs: number
  /** Time of one byte on the line, ms; byte i is complete at `startsAtMs + (i + 1) * byteMs`. */
  readonly byteMs: number
}

/** Instant at which the last byte of an emission is complete, epoch ms. */
export function endsAtMs({ startsAtMs, bytes, byteMs }: Emission): number {
  return startsAtMs + bytes.length * byteMs
}

/** Which list a schedule has at `epochMs`, `undefined` for none. */
export function listAt(schedule: Schedule, epochMs: number): ListNumber | undefined {
  if (schedule.hourlyAtMs !== undefined && epochMs % HOUR_MS === schedule.hourlyAtMs) return 3
  if (epochMs % schedule.listMs === 0) return schedule.mainList
  if (schedule.powerMs !== undefined && epochMs % schedule.powerMs === 0) return 1
  return undefined
}

/** First instant at or after `epochMs` at which a schedule has a list. */
export function nextDue(schedule: Schedule, epochMs: number): number {
  const every = (period: number, offset = 0): number =>
    Math.ceil((epochMs - offset) / period) * period + offset
  return Math.min(
    every(schedule.listMs),
    schedule.powerMs === undefined ? Infinity : every(schedule.powerMs),
    schedule.hourlyAtMs === undefined ? Infinity : every(HOUR_MS, schedule.hourlyAtMs),
  )
}

/** What a simulated meter is and measures. */
export interface MeterOptions {
  readonly profile: HanProfile
  readonly meter: MeterIdentity
  /** Electrical truth; asked for sample instants in ascending order. */
  readonly state: (epochMs: number) => ElectricalState
  /** First instant at which it may sample, epoch ms. */
  readonly startMs: number
  /** Time between sampling and sending, ms; that of the profile if absent. */
  readonly latencyMs?: number
  /** The numbers of a list, where the meter sends more than others. */
  readonly values?: (profile: HanProfile, state: ElectricalState) => HanValues
  /** LLC header and APDU as the meter protects them; in clear if absent. */
  readonly protect?: (pdu: Uint8Array) => Uint8Array
}

/** Holds what a meter remembers: its next due instant and the registers of the last full hour. */
export class SimulatedMeter {
  private readonly options: MeterOptions
  private readonly latencyMs: number
  private dueMs: number
  private hourly: EnergyRegisters | undefined

  constructor(options: MeterOptions) {
    this.options = options
    this.latencyMs = options.latencyMs ?? options.profile.latencyMs
    this.dueMs = nextDue(options.profile.schedule, options.startMs)
  }

  /** Next sample instant, epoch ms. */
  get wakeAt(): number {
    return this.dueMs
  }

  /** Telegrams sampled until `nowMs`, in order; each is sent after its latency. Calling it early gives none. */
  next(nowMs: number): readonly Emission[] {
    const emissions: Emission[] = []
    while (this.dueMs <= nowMs) {
      emissions.push(this.sample(this.dueMs))
      this.dueMs = nextDue(this.options.profile.schedule, this.dueMs + 1)
    }
    return emissions
  }

  private sample(atMs: number): Emission {
    const { profile, meter, state: stateAt, values = hanValues, protect } = this.options
    const list = listAt(profile.schedule, atMs)!
    const state = stateAt(atMs)
    if (atMs % HOUR_MS === 0) this.hourly = state.energy
    const atHour = list === 3 && profile.schedule.hourlyClock === 'hour'
    const energy =
      profile.schedule.hourlyAtMs === undefined ? state.energy : (this.hourly ?? state.energy)
    const input: TelegramInput = {
      meter,
      list,
      values: values(profile, { ...state, energy }),
      clock: this.clock(atHour ? atMs - (atMs % HOUR_MS) : atMs),
      headerClock: this.clock(atMs),
    }
    const pdu = encodePdu(profile, input)
    return {
      input,
      bytes: encodeFrame(protect?.(pdu) ?? pdu, profile.link),
      sampledAtMs: atMs,
      startsAtMs: atMs + this.latencyMs,
      byteMs: byteTimeMs(profile.serial),
    }
  }

  private clock(epochMs: number): MeterClock {
    const { rule, deviationMin, status } = this.options.profile.clock
    return { local: localTime(epochMs, rule), deviationMin, status }
  }
}

/** Bytes that a receiver hands over together. */
export interface Delivery {
  /** When the last of them was handed over, epoch ms. */
  readonly atMs: number
  readonly bytes: Uint8Array
}

/**
 * An emission as an adapter hands it over: at every `everyMs` what has become complete. 0 gives each byte at its own
 * instant.
 */
export function deliveries(emission: Emission, everyMs: number): readonly Delivery[] {
  const { startsAtMs, bytes, byteMs } = emission
  const result: Delivery[] = []
  let from = 0
  for (let step = 1; from < bytes.length; step++) {
    const to =
      everyMs === 0 ? step : Math.min(bytes.length, Math.floor((step * everyMs) / byteMs + 1e-9))
    if (to === from) continue
    const atMs = everyMs === 0 ? startsAtMs + to * byteMs : startsAtMs + step * everyMs
    result.push({ atMs, bytes: bytes.subarray(from, to) })
    from = to
  }
  return result
}
