/**
 * A simulated Open Meter on its in-home channel (Chain2): it says little, and when something happens. Frames and names
 * are those that gateways pass on; what a real meter sends when is known from such frames only.
 *
 * | frame | sent                                                                     |
 * |-------|--------------------------------------------------------------------------|
 * | CF1   | 20 s after each quarter of an hour of its clock, with what flowed then   |
 * | CF20  | at the beginning, and when the available power changes                   |
 * | CF21  | when the power crosses a multiple of the gap, at most every two seconds  |
 * | CF22  | when the available power is exceeded, and when the band of that changes  |
 * | CF23  | when the lever was lifted after a disconnection                          |
 */
import { isNight } from '../../italy/calendar.ts'
import { Limiter, type LimiterBand, WIDE_BANDS } from './limiter.ts'

/** What a meter is. */
export interface OpenMeterOptions {
  readonly contractedW: number
  /** The contract takes part in 541/2020. */
  readonly hasNights?: boolean
  readonly bands?: readonly LimiterBand[]
  /** Step of the reports, W; a tenth of the contracted power. */
  readonly gapW?: number
  /** How far its clock is before the true time, s. */
  readonly aheadS?: number
  /** First instant, epoch ms of the true time. */
  readonly startMs: number
}

/** What flows, W; only one of them above 0. */
export interface Flow {
  readonly importW: number
  readonly exportW?: number
}

/** One frame as it leaves the meter. */
export interface OpenFrame {
  readonly cf: number
  readonly meter: 'M1'
  /** Names and units of gateways. */
  readonly payload: { readonly [name: string]: number | string }
}

const QUARTER_MS = 900_000
const LEAST_GAP_MS = 2000
/** As in published frames. */
const QUARTER_DELAY_MS = 20_000
/** A supply point and a meter that belong to nobody. */
const CONTRACT = {
  CustomerCode: 'Non Disponibile',
  POD: 'IT999E00000042  ',
  PESSE: 0,
  Vendor: 'Nessun Venditore S.p.A.',
  Phone: '+39 000 0000042',
  StartContract: '255/255/65535 [255]',
}
const METER = { DataPlate: '99E4E5KA900000042', K: 0 }

/** Holds registers, counters and the limiter. Time is an argument: epoch ms of the true time. */
export class OpenMeter {
  readonly limiter: Limiter
  private readonly gapW: number
  private readonly contractedW: number
  private readonly aheadMs: number
  private readonly counters = new Map<number, number>()
  private atMs: number
  private quarter: number
  private importWh = 8_000_000
  private exportWh = 2_000_000
  private quarterWh = 0
  private previousWh = 0
  private reportedW: number | undefined
  private reportedAtMs = Number.NEGATIVE_INFINITY
  private availableW: number | undefined
  private band = 0
  private openedAtMs: number | undefined
  /** The quarter hour that is to be told, and when. */
  private due: { readonly frame: OpenFrame; readonly atMs: number } | undefined

  constructor(options: OpenMeterOptions) {
    const { contractedW, hasNights = false, bands = WIDE_BANDS, gapW, aheadS = 20 } = options
    this.limiter = new Limiter({ contractedW, hasNights, bands })
    this.contractedW = contractedW
    this.gapW = gapW ?? 0.1 * contractedW
    this.aheadMs = aheadS * 1000
    this.atMs = options.startMs
    this.quarter = Math.floor(this.clock(options.startMs) / QUARTER_MS)
  }

  /** Lets time pass until `epochMs` with what flows at its end; returns the frames of that moment. */
  step(epochMs: number, flow: Flow): readonly OpenFrame[] {
    const seconds = Math.max(0, epochMs - this.atMs) / 1000
    const clockMs = this.clock(epochMs)
    this.atMs = epochMs
    if (this.limiter.isOpen) {
      this.openedAtMs ??= epochMs
      return NOTHING
    }
    this.count(flow, seconds)
    this.limiter.pass(flow.importW, clockMs, seconds)
    const frames: OpenFrame[] = []
    if (this.openedAtMs !== undefined) frames.push(this.interruption(epochMs))
    this.contract(epochMs, frames)
    this.overload(epochMs, flow, frames)
    this.change(epochMs, flow, frames)
    this.measures(epochMs, flow, frames)
    return frames
  }

  /** Its clock at a true time, epoch ms. */
  clock(epochMs: number): number {
    return epochMs + this.aheadMs
  }

  private count({ importW, exportW = 0 }: Flow, seconds: number): void {
    const wh = (importW * seconds) / 3600
    this.importWh += wh
    this.quarterWh += wh
    this.exportWh += (exportW * seconds) / 3600
  }

  private contract(epochMs: number, frames: OpenFrame[]): void {
    const availableW = this.limiter.availableW(this.clock(epochMs))
    if (availableW === this.availableW) return
    this.availableW = availableW
    frames.push(
      this.event(20, epochMs, {
        ...CONTRACT,
        ContractPower: this.contractedW,
        AvailablePower: availableW,
        FreezingDay: '01/255/65535 [255]',
        Gap: this.gapW,
        ...METER,
      }),
    )
  }

  private overload(epochMs: number, { importW }: Flow, frames: OpenFrame[]): void {
    const clockMs = this.clock(epochMs)
    const band = this.limiter.band(importW, clockMs)
    if (band === this.band) return
    this.band = band
    const countdownS = this.limiter.countdownS(importW, clockMs)
    if (countdownS === undefined) return
    frames.push(
      this.event(22, epochMs, {
        InstantPower: Math.round(importW),
        AvailablePower: this.limiter.availableW(clockMs),
        SwitchOffCountdownSeconds: countdownS,
      }),
    )
    this.report(epochMs, importW)
  }

  private change(epochMs: number, { importW, exportW = 0 }: Flow, frames: OpenFrame[]): void {
    const netW = importW - exportW
    const step = (watts: number) => Math.floor(watts / this.gapW)
    const isSame = this.reportedW !== undefined && step(netW) === step(this.reportedW)
    if (isSame || epochMs - this.reportedAtMs < LEAST_GAP_MS) return
    frames.push(
      exportW > 0
        ? this.event(51, epochMs, {
            InstantPower: 0,
            ProdInstantPower: Math.round(exportW),
            Gap: this.gapW,
          })
        : this.event(21, epochMs, { InstantPower: Math.round(importW) }),
    )
    this.report(epochMs, netW)
  }

  private measures(epochMs: number, { importW, exportW }: Flow, frames: OpenFrame[]): void {
    const clockMs = this.clock(epochMs)
    const quarter = Math.floor(clockMs / QUARTER_MS)
    if (this.due !== undefined && clockMs >= this.due.atMs) {
      frames.push(this.due.frame)
      this.due = undefined
    }
    if (quarter === this.quarter) return
    this.quarter = quarter
    const atMs = quarter * QUARTER_MS + QUARTER_DELAY_MS
    const production =
      exportW === undefined
        ? {}
        : { InstantProdPower: Math.round(exportW), TotalProdActEnergy: Math.floor(this.exportWh) }
    const payload = {
      MessagePosixTimestamp: atMs / 1000,
      MeasurePosixTimestamp: (quarter * QUARTER_MS) / 1000,
      TariffCode: isNight(clockMs) ? 3 : 1,
      CurrQuartActEnergy: Math.round(this.quarterWh),
      PrevQuartActEnergy: Math.round(this.previousWh),
      InstantPower: Math.round(importW),
      QuartAveragePower: Math.round(this.quarterWh * 4),
      TotalActEnergy: Math.floor(this.importWh),
      ...production,
    }
    this.due = { frame: { cf: 1, meter: 'M1', payload }, atMs }
    this.previousWh = this.quarterWh
    this.quarterWh = 0
  }

  private interruption(epochMs: number): OpenFrame {
    const seconds = Math.round((epochMs - this.openedAtMs!) / 1000)
    this.openedAtMs = undefined
    this.reportedW = undefined
    return this.event(23, epochMs, { OutageDuration: seconds })
  }

  private report(epochMs: number, watts: number): void {
    this.reportedW = watts
    this.reportedAtMs = epochMs
  }

  private event(cf: number, epochMs: number, more: OpenFrame['payload']): OpenFrame {
    const counter = (this.counters.get(cf) ?? 0) + 1
    this.counters.set(cf, counter)
    const seconds = Math.floor(this.clock(epochMs) / 1000)
    return {
      cf,
      meter: 'M1',
      payload: {
        MessagePosixTimestamp: seconds + 1,
        EventType: 1,
        EventPosixTimestamp: seconds,
        EventsCounter: counter,
        ...more,
      },
    }
  }
}

const NOTHING: readonly OpenFrame[] = []
