/** What a closed-loop run is made of: the form with every default filled in. */
import type { ControlConfig } from '../control/parameters.ts'
import type { LoadSpec } from './appliances/index.ts'
import { contractedW, isOpenMeter } from './open-meter/kind.ts'
import { limiter, type Protection, protection } from './protection.ts'
import type { Recording } from './recording.ts'
import type {
  CarSpec,
  ChargePointSpec,
  DailySpell,
  LimitSpec,
  MeterSpec,
  ScenarioFile,
} from './scenario-form.ts'
import { carLines, linesOf, type SupplyModel, wattsPerAmpere } from './supply.ts'
import { VEHICLES, type VehicleModel } from './vehicle.ts'

/** A spell in seconds after midnight; it may pass midnight. */
export interface Spell {
  readonly fromS: number
  readonly untilS: number
}

/** One window of a limit. */
export interface LimitWindow extends Spell {
  readonly id: string
  readonly w: number
  readonly scope: 'site' | 'chargePoint'
}

/** The meter with its defaults. */
export interface MeterModel {
  readonly kind: 'periodic' | 'event' | 'telegrams'
  readonly decoder: string
  readonly intervalS: number
  readonly latencyS: number
  readonly toldLatencyS: number
  readonly resolutionA: number
  readonly truncates: boolean
  readonly phasePowers: boolean
  /** Line 2 is sent too where there is no neutral; real meters there leave it out. */
  readonly measuresL2: boolean
  readonly loss: number
  readonly outages: readonly Spell[]
  readonly frozen: readonly Spell[]
}

/** A scenario ready to run. */
export interface Scenario {
  readonly id: string
  readonly title: string
  readonly startS: number
  readonly seconds: number
  readonly timeZone: string
  readonly supply: SupplyModel
  /** One for each line; of a limiter one for the whole connection. */
  readonly devices: readonly Protection[]
  readonly isLimiter: boolean
  /** What the limiter's meter tells of itself, W. */
  readonly availablePowerW: number | undefined
  readonly loads: readonly LoadSpec[]
  readonly house: Recording | undefined
  readonly meter: MeterModel
  readonly car: VehicleModel
  readonly minA: number
  readonly maxA: number
  readonly stepA: number
  readonly metered: boolean
  readonly ignores: readonly Spell[]
  readonly limits: readonly LimitWindow[]
  /** For the product's own core. */
  readonly config: ControlConfig
}

const DAY_S = 86_400
const USUAL_MAX_A = 16

/** Seconds after midnight of `18:30`. */
export function secondsOf(time: string): number {
  const [hours = 0, minutes = 0] = time.split(':').map(Number)
  return (hours * 60 + minutes) * 60
}

/** Whether a second of the day lies within a spell; it may pass midnight, and ends where it began after a whole day. */
export function isWithin({ fromS, untilS }: Spell, secondOfDay: number): boolean {
  return (secondOfDay - fromS + DAY_S) % DAY_S < ((untilS - fromS + DAY_S) % DAY_S || DAY_S)
}

/** Fills in the defaults; expects a file that was checked, with `extends` resolved and its recording read. */
export function scenarioOf(file: ScenarioFile, recording?: Recording): Scenario {
  const { supply: supplied = {}, charge_points: [point = {}] = [], limits = [] } = file
  const device = supplied.device ?? 'gG'
  const ratings = supplied.rating_a ?? [25, 25, 25]
  const voltageV = file.voltage_v ?? 230
  const wiring = ratings.length === 1 ? '1P' : file.grid === 'IT' ? '3P3W' : '3P4W'
  const car = vehicleOf(point)
  const firstLine = wiring === '1P' ? 0 : (((point.first_line ?? 1) - 1) as 0 | 1 | 2)
  const phases = wiring === '1P' ? 1 : (point.phases ?? car.phases)
  const supply: SupplyModel = { wiring, voltageV, carPhases: phases, firstLine }
  const isLimiter = device === 'limiter'
  const bands = (supplied.bands ?? [{ up_to_w: 3300 }]).map(({ up_to_w, seconds }) => ({
    ...(up_to_w === undefined ? {} : { upToA: up_to_w / voltageV }),
    ...(seconds === undefined ? {} : { seconds }),
  }))
  const availablePowerW = isLimiter ? supplied.bands?.[0]?.up_to_w : undefined
  const meter = meterOf(file.meter ?? {}, isLimiter, recording !== undefined)
  const [minA, maxA, stepA] = [
    point.min_a ?? 6,
    point.max_a ?? Math.max(USUAL_MAX_A, car.maxA),
    point.step_a ?? 0.1,
  ]
  const metered = point.metered ?? true
  const pv = file.pv === undefined ? [] : [pvLoad(file.pv)]
  return {
    id: file.id ?? 'unnamed',
    title: file.title ?? '',
    startS: secondsOf(file.start ?? '12:00'),
    seconds: Math.round((file.hours ?? 24) * 3600),
    timeZone: file.time_zone ?? 'Europe/Oslo',
    supply,
    devices: isLimiter ? [limiter(bands)] : ratings.map(rating => protection(device, rating)),
    isLimiter,
    availablePowerW,
    // A recorded house stands alone unless loads are named too.
    loads: [...(file.loads ?? (file.house ? [] : [{ appliance: 'household' }])), ...pv],
    house: recording,
    meter,
    car: { ...car, phases },
    minA,
    maxA,
    stepA,
    metered,
    ignores: (point.ignores ?? []).map(spellOf),
    limits: limits.flatMap(windowsOf),
    config: {
      installation: {
        phases: linesOf(wiring) === 1 ? 1 : 3,
        grid: wiring === '3P3W' ? 'IT' : 'TN',
        mainFuseA: ratings,
        ...(isLimiter ? {} : { device }),
        ...(isOpenMeter(meter) && availablePowerW !== undefined
          ? { limiter: 'italy' as const, contractedPowerW: contractedW(availablePowerW) }
          : {}),
        voltageV,
      },
      chargePoint: {
        id: point.id ?? '1',
        phases,
        lines: point.told_lines ?? carLines(supply).map(line => line + 1),
        minA,
        maxA,
        stepA,
        metered,
      },
      meter: {
        latencyS: meter.toldLatencyS,
        resolutionA: meter.resolutionA,
        truncates: meter.truncates,
        reportsChanges: meter.kind === 'event' || isOpenMeter(meter),
      },
      control: file.control ?? {},
    },
  }
}

/** W that one ampere of the vehicle takes on all its phases. */
export function carWatts(scenario: Scenario): number {
  return wattsPerAmpere(scenario.supply)
}

function vehicleOf(point: ChargePointSpec): VehicleModel {
  const { car = {} } = point
  const model = VEHICLES[car.model ?? 'ordinary'] ?? VEHICLES['ordinary']!
  return {
    phases: point.phases ?? model.phases,
    // Whoever names no vehicle means one that takes what the charge point can give.
    maxA: car.max_a ?? (car.model === undefined ? (point.max_a ?? model.maxA) : model.maxA),
    delayS: car.delay_s ?? model.delayS,
    resumeS: car.resume_s ?? model.resumeS,
    upAPerS: car.up_a_per_s ?? model.upAPerS,
    downAPerS: car.down_a_per_s ?? model.downAPerS,
    wholeAmperes: car.whole_amperes ?? model.wholeAmperes,
    staggerS: car.stagger_s ?? model.staggerS,
    ...taperOf(car, model),
  }
}

function taperOf({ taper }: CarSpec, model: VehicleModel): Pick<VehicleModel, 'taper'> {
  if (taper === undefined) return model.taper === undefined ? {} : { taper: model.taper }
  return { taper: { afterWh: taper.after_wh, minutes: taper.minutes } }
}

function meterOf(spec: MeterSpec, isLimiter: boolean, isRecorded: boolean): MeterModel {
  const kind = spec.kind ?? 'periodic'
  const truncates = spec.truncate ?? false
  const latencyS = spec.latency_s ?? (kind === 'event' ? 4 : 2)
  return {
    kind,
    decoder: spec.decoder ?? 'no-kamstrup',
    intervalS: spec.interval_s ?? 10,
    latencyS,
    toldLatencyS: spec.told_latency_s ?? latencyS,
    resolutionA: spec.resolution_a ?? (truncates ? 1 : isLimiter ? 0.01 : 0.1),
    truncates,
    phasePowers: spec.phase_powers ?? false,
    measuresL2: isRecorded,
    loss: spec.loss ?? 0,
    outages: (spec.outages ?? []).map(spellOf),
    frozen: (spec.frozen ?? []).map(spellOf),
  }
}

function pvLoad({ peak_w, phase }: NonNullable<ScenarioFile['pv']>): LoadSpec {
  return { appliance: 'pv', power_w: peak_w ?? 5500, ...(phase === undefined ? {} : { phase }) }
}

function spellOf({ from, minutes }: DailySpell): Spell {
  const fromS = secondsOf(from)
  return { fromS, untilS: (fromS + minutes * 60) % DAY_S }
}

const KINDS = {
  section_14a: 'section_14a',
  available_power: 'available_power',
  flex_window: 'flex_window',
  user: 'user',
} as const

function windowsOf(spec: LimitSpec): readonly LimitWindow[] {
  const kind = spec.kind ?? (spec.id === '14a' ? 'section_14a' : 'flex_window')
  const one =
    spec.w === undefined
      ? []
      : [{ from: spec.from ?? '00:00', until: spec.until ?? '24:00', w: spec.w }]
  return [...one, ...(spec.schedule ?? [])].map(({ from, until, w }) => ({
    id: KINDS[kind],
    fromS: secondsOf(from),
    untilS: secondsOf(until),
    w,
    // Paragraph 14a limits the device, everything else the connection.
    scope: kind === 'section_14a' ? 'chargePoint' : 'site',
  }))
}
