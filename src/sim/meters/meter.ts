/** A simulated meter at the level of readings: when it measures, what is lost on the way, what arrives when. */
import type { AvailablePower, Instant, Note, Reading } from '../../reading.ts'
import type { ElectricalState } from '../norway/electrical.ts'
import { isWithin, type MeterModel } from '../scenario.ts'

/** One telegram that arrived: what it measured, what it grants. */
export interface Arrival {
  readonly at: Instant
  readonly reading?: Reading
  readonly notes?: readonly Note[]
  readonly signal?: AvailablePower
}

/** What it can measure in this second. */
export type Truth = () => ElectricalState

/** A meter with its way to the controller. */
export interface Meter {
  /** Takes one second of the simulation, 0, 1, …; gives what arrived since the last, in order. */
  step(second: number, truth: Truth): readonly Arrival[]
}

/** What every kind needs. */
export interface MeterSetting {
  readonly model: MeterModel
  readonly wiring: '1P' | '3P3W' | '3P4W'
  /** Seconds from midnight to the first second. */
  readonly startS: number
  readonly next: () => number
}

/** Telegrams on their way, with what happens to them. */
export class Transit {
  private readonly setting: MeterSetting
  private readonly queue: Arrival[] = []

  constructor(setting: MeterSetting) {
    this.setting = setting
  }

  /** Whether a telegram of this second gets lost. */
  loses(second: number): boolean {
    const { model, startS, next } = this.setting
    const lost = model.loss > 0 && next() < model.loss
    return lost || model.outages.some(spell => isWithin(spell, (startS + second) % 86_400))
  }

  /** Whether the meter repeats itself in this second. */
  freezes(second: number): boolean {
    const { model, startS } = this.setting
    return model.frozen.some(spell => isWithin(spell, (startS + second) % 86_400))
  }

  send(arrival: Arrival): void {
    this.queue.push(arrival)
  }

  /** Takes out what has arrived by a second. */
  arrived(second: number): readonly Arrival[] {
    const { queue } = this
    if (queue.length === 0 || queue[0]!.at > second * 1000) return NOTHING
    let many = 1
    while (many < queue.length && queue[many]!.at <= second * 1000) many++
    return queue.splice(0, many)
  }
}

const NOTHING: readonly Arrival[] = []
