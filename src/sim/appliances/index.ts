/** Every load a scenario can name, and a day of a home made of them. */
import { random } from '../random.ts'
import { type Appliance, play, type Setting, type Stage } from './appliance.ts'
import { base, type Continuous, drift, plateau, pv } from './continuous.ts'
import { HEATING } from './heating.ts'
import { HOUSEHOLD } from './household.ts'
import { KITCHEN } from './kitchen.ts'
import { type Load, newLoad } from './load.ts'
import type { Spread } from './spread.ts'

/** Appliances by the names of scenario files. */
export const APPLIANCES: Readonly<Record<string, Appliance>> = {
  ...KITCHEN,
  ...HOUSEHOLD,
  ...HEATING,
}

/** Courses by the names of scenario files, with the power of those that name none, W. */
export const CONTINUOUS: Readonly<Record<string, readonly [course: Continuous, watts: number]>> = {
  base: [base, 450],
  pv: [pv, 5500],
  drift: [drift, 9000],
  plateau: [plateau, 3000],
}

/** One line of a scenario's loads. What is absent is as in the table. */
export interface LoadSpec {
  /** Name of an appliance or course, or `household` for everything an ordinary home has. */
  readonly appliance: string
  /** The slot it hangs on: phase, or pair 1-2, 2-3, 3-1 of a net without neutral. */
  readonly phase?: 1 | 2 | 3
  readonly per_day?: number
  readonly power_w?: number
  readonly on_s?: Spread
  readonly off_s?: Spread
  /** Factor of all uses a day; of a household 2 is a busy day. */
  readonly rate?: number
}

/** Appliances of an ordinary home. */
const ORDINARY: readonly string[] = [
  'fridge',
  'freezer',
  'kettle',
  'microwave',
  'oven',
  'hob',
  'coffee_machine',
  'dishwasher',
  'washing_machine',
  'tumble_dryer',
  'iron',
  'hair_dryer',
  'vacuum_cleaner',
  'panel_heater',
  'small_load',
]

/** One day in ten a home does everything twice as often. */
const BUSY_CHANCE = 0.1

/** Everything that may stand as `appliance`. */
export const LOAD_NAMES: readonly string[] = [
  'household',
  ...Object.keys(CONTINUOUS),
  ...Object.keys(APPLIANCES),
]

/** What a home is. */
export interface HouseModel {
  readonly loads: readonly LoadSpec[]
  readonly voltageV: number
  /** Seconds from midnight to the first second. */
  readonly startS: number
  readonly slots: readonly (1 | 2 | 3)[]
}

/** One stretch of up to a day, by seed and number of the day; always the same for the same arguments. */
export function houseDay(model: HouseModel, seed: number, day: number, seconds = 86_400): Load {
  const load = newLoad(seconds)
  const root = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(day + 1, 0x85ebca6b)
  const { voltageV, startS, slots } = model
  const busy = random(root)() < BUSY_CHANCE ? 2 : 1
  model.loads.flatMap(expanded).forEach((spec, k) => {
    const next = random(root ^ Math.imul(k + 7, 0xc2b2ae35))
    // Neighbouring seeds begin alike.
    for (let i = 0; i < 3; i++) next()
    const setting: Setting = { voltageV, startS, slots, rate: (spec.rate ?? 1) * busy }
    const course = CONTINUOUS[spec.appliance]
    if (course === undefined) play(fitted(spec), load, setting, next)
    else course[0](load, onPhase(setting, spec.phase), spec.power_w ?? course[1], next)
  })
  return load
}

function onPhase(setting: Setting, phase: 1 | 2 | 3 | undefined): Setting {
  return phase === undefined || !setting.slots.includes(phase)
    ? setting
    : { ...setting, slots: [phase] }
}

function expanded(spec: LoadSpec): readonly LoadSpec[] {
  if (spec.appliance !== 'household') return [spec]
  const { power_w = CONTINUOUS['base']![1], rate = 1 } = spec
  return [{ appliance: 'base', power_w }, ...ORDINARY.map(appliance => ({ appliance, rate }))]
}

/** The appliance of the table with what the scenario says otherwise. */
function fitted(spec: LoadSpec): Appliance {
  const found = APPLIANCES[spec.appliance]
  if (found === undefined) throw new RangeError(`no appliance '${spec.appliance}'`)
  const { phase, per_day, power_w, on_s, off_s } = spec
  const factor = power_w === undefined ? 1 : power_w / nominal(found)
  const adapt = (stage: Stage): Stage => ({
    ...stage,
    powerW: scaled(stage.powerW, factor),
    ...(on_s === undefined ? {} : { onS: on_s }),
    ...(off_s === undefined ? {} : { offS: off_s }),
  })
  return {
    ...found,
    ...(per_day === undefined ? {} : { perDay: per_day }),
    ...(phase === undefined ? {} : { phases: [phase] }),
    programs: found.programs.map(([weight, stages]) => [weight, stages.map(adapt)] as const),
  }
}

/** Its power in the table, W: that of its first stage unless it is named. */
function nominal({ nominalW, programs }: Appliance): number {
  if (nominalW !== undefined) return nominalW
  const power = programs[0]![1][0]!.powerW
  if (typeof power === 'number') return power
  return power.length === 3 ? power[1] : (power[0] + power[1]) / 2
}

function scaled(spread: Spread, factor: number): Spread {
  if (typeof spread === 'number') return spread * factor
  const [a, b, c] = spread
  return c === undefined ? [a * factor, b * factor] : [a * factor, b * factor, c * factor]
}
