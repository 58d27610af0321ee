/** A scenario as a person writes it: one JSON object in which everything has a default. */
import type { ControlConfig } from '../control/parameters.ts'
import type { LoadSpec } from './appliances/index.ts'
import type { Triple } from './phasor.ts'
import type { Device } from './protection.ts'

/** Part of a day that comes back every day. */
export interface DailySpell {
  readonly from: string
  readonly minutes: number
}

/** Band of a limiter as scenarios write it: up to this power it waits so long. */
export interface BandSpec {
  readonly up_to_w?: number
  readonly seconds?: number
}

/** A recorded house. Columns name those of the file. */
export interface HouseSpec {
  readonly csv: string
  readonly columns?: {
    readonly t_s?: string
    readonly current_l1_a?: string
    readonly current_l2_a?: string
    readonly current_l3_a?: string
  }
  /** Begin again at its end; default true. */
  readonly repeat?: boolean
  /** Factor of every current. */
  readonly scale?: number
}

/** How the meter reports. */
export interface MeterSpec {
  readonly kind?: 'periodic' | 'event' | 'telegrams'
  /** Of `telegrams`: id of the decoder, whose maker's lists are sent. */
  readonly decoder?: string
  readonly interval_s?: number
  readonly latency_s?: number
  /** What the controller is told of the latency, where that is wrong. */
  readonly told_latency_s?: number
  readonly resolution_a?: number
  readonly truncate?: boolean
  /** Powers of each phase are sent too, so that export is seen. */
  readonly phase_powers?: boolean
  /** Share of telegrams that are lost. */
  readonly loss?: number
  readonly outages?: readonly DailySpell[]
  /** Times when it repeats its last values. */
  readonly frozen?: readonly DailySpell[]
}

/** How the vehicle behaves: a model by name, and what differs from it. */
export interface CarSpec {
  readonly model?: string
  readonly max_a?: number
  readonly delay_s?: number
  readonly up_a_per_s?: number
  readonly down_a_per_s?: number
  readonly whole_amperes?: boolean
  readonly resume_s?: number
  readonly stagger_s?: Triple
  readonly taper?: { readonly after_wh: number; readonly minutes: number }
}

/** One charge point with its vehicle. */
export interface ChargePointSpec {
  readonly id?: string
  readonly phases?: 1 | 3
  readonly first_line?: 1 | 2 | 3
  /** Lines the controller is told, where it is told any. */
  readonly told_lines?: readonly number[]
  readonly min_a?: number
  readonly max_a?: number
  readonly step_a?: number
  readonly metered?: boolean
  /** Times when commands are not obeyed. */
  readonly ignores?: readonly DailySpell[]
  readonly car?: CarSpec
}

/** A limit from outside, once or in turns, the same every day. */
export interface LimitSpec {
  readonly id: string
  readonly kind?: 'available_power' | 'section_14a' | 'flex_window' | 'user'
  readonly from?: string
  readonly until?: string
  readonly w?: number
  readonly schedule?: readonly {
    readonly from: string
    readonly until: string
    readonly w: number
  }[]
}

/** A scenario file. Everything has a default. */
export interface ScenarioFile {
  readonly id?: string
  readonly title?: string
  /** Name of a shipped scenario; what is not said here is as there. Lists are replaced as a whole. */
  readonly extends?: string
  readonly start?: string
  /** Length of a simulated day, h. */
  readonly hours?: number
  readonly time_zone?: string
  readonly voltage_v?: number
  readonly grid?: 'TN' | 'IT'
  readonly supply?: {
    readonly device?: Device
    /** One entry for each line. */
    readonly rating_a?: readonly number[]
    readonly bands?: readonly BandSpec[]
  }
  readonly loads?: readonly LoadSpec[]
  readonly house?: HouseSpec
  readonly pv?: { readonly peak_w?: number; readonly phase?: 1 | 2 | 3 }
  readonly meter?: MeterSpec
  readonly charge_points?: readonly ChargePointSpec[]
  readonly limits?: readonly LimitSpec[]
  readonly control?: NonNullable<ControlConfig['control']>
}
