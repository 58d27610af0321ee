/**
 * What an appliance is to its supply: a table of programs, each a sequence of stages in which it pulses. One function
 * plays them all.
 */
import { type Course, moment } from './course.ts'
import { add, addAll, type Load, newLoad } from './load.ts'
import { chooseWeighted, count, draw, type Spread } from './spread.ts'

/** Part of a program. It is one pulse, a number of pulses, or pulses for a time. */
export interface Stage {
  /** Pause before it, s. */
  readonly waitS?: Spread
  /** It takes place with this probability. */
  readonly chance?: number
  readonly powerW: Spread
  /** Length of a pulse, s; each is drawn anew. */
  readonly onS: Spread
  /** Pause after a pulse, s. */
  readonly offS?: Spread
  /** From the start of a pulse to that of the next, s; instead of `offS`. */
  readonly everyS?: Spread
  readonly pulses?: Spread
  readonly forS?: Spread
}

/** Alternatives with their weights. */
export type Programs = readonly (readonly [weight: number, stages: readonly Stage[]])[]

/** A kind of appliance. */
export interface Appliance {
  /** Uses a day; `always` = it runs on its own from a random point of its cycle. */
  readonly perDay: number | 'always'
  readonly when: Course
  /**
   * Slots it may hang on, 1 to 3; one is drawn for each use. `three` = all of them at once, power shared;
   * `each` = one of it on every slot.
   */
  readonly phases: readonly (1 | 2 | 3)[] | 'three' | 'each'
  /** What scenarios scale by when they name a power, W. */
  readonly nominalW?: number
  readonly programs: Programs
  /** First second of a pulse as a multiple of its power. */
  readonly inrush?: Spread
  readonly powerFactor?: number
  /** Parts that run at the same time, each with a program of its own, on its slots in turn. */
  readonly zones?: Spread
  /** Most that all parts together draw on a slot, W. */
  readonly mostW?: number
  /** Pulses and pauses are multiples of this, s. */
  readonly gridS?: number
}

/** Where and when it is played. */
export interface Setting {
  /** V of a slot. */
  readonly voltageV: number
  /** Seconds from midnight to index 0. */
  readonly startS: number
  /** Factor of all uses a day. */
  readonly rate: number
  /** Slots that exist. */
  readonly slots: readonly (1 | 2 | 3)[]
}

/** Longest part of a cycle that may have passed before the first second. */
const BEFORE_S = 7200

/** Adds a day of the appliance to `load`. The same `next` gives the same day. */
export function play(appliance: Appliance, load: Load, setting: Setting, next: () => number): void {
  const { perDay, when, mostW } = appliance
  // What is limited together is drawn apart and added in the end.
  const target = mostW === undefined ? load : newLoad(load.seconds)
  if (perDay === 'always') {
    const homes =
      appliance.phases === 'each' ? setting.slots.map(slot => [slot]) : [appliance.phases]
    for (const phases of homes)
      use({ ...appliance, phases }, target, -next() * BEFORE_S, setting, next)
  } else {
    const uses = count(perDay * setting.rate, next)
    for (let k = 0; k < uses; k++)
      use(appliance, target, moment(when, setting.startS, next), setting, next)
  }
  if (mostW === undefined) return
  for (const slot of [0, 1, 2] as const)
    addAll(load.activeA[slot], target.activeA[slot], mostW / setting.voltageV)
}

function use(
  appliance: Appliance,
  load: Load,
  startS: number,
  setting: Setting,
  next: () => number,
): void {
  const { phases, zones } = appliance
  const parts = Math.round(draw(zones ?? 1, next))
  for (let part = 0; part < parts; part++) {
    const slots =
      typeof phases === 'string' ? setting.slots : [slotOf(phases, part, parts, setting, next)]
    const stages = chosen(appliance.programs, next)
    let atS = startS + (part === 0 ? 0 : 120 * next())
    for (const stage of stages) atS = playStage(appliance, stage, load, slots, atS, setting, next)
  }
}

/** Parts go round the slots; a home with one phase has everything on it. */
function slotOf(
  phases: readonly (1 | 2 | 3)[],
  part: number,
  parts: number,
  { slots }: Setting,
  next: () => number,
): 1 | 2 | 3 {
  const wanted =
    parts > 1 ? phases[part % phases.length]! : phases[Math.floor(next() * phases.length)]!
  return slots.includes(wanted) ? wanted : slots[0]!
}

function chosen(programs: Programs, next: () => number): readonly Stage[] {
  const weights = programs.map(([weight]) => weight)
  return programs[chooseWeighted(weights, next)]![1]
}

/** Returns the end of the stage, s. */
function playStage(
  appliance: Appliance,
  stage: Stage,
  load: Load,
  slots: readonly (1 | 2 | 3)[],
  startS: number,
  setting: Setting,
  next: () => number,
): number {
  const { inrush, powerFactor = 1, gridS = 1 } = appliance
  const { chance = 1, waitS = 0, onS, offS = 0, everyS, forS } = stage
  if (next() >= chance) return startS
  const amperes = draw(stage.powerW, next) / (setting.voltageV * slots.length)
  const reactive = amperes * Math.tan(Math.acos(powerFactor))
  const grid = (seconds: number): number => Math.max(1, Math.round(seconds / gridS)) * gridS
  let atS = startS + draw(waitS, next)
  if (gridS > 1) atS = Math.ceil(atS / gridS) * gridS
  const endS = forS === undefined ? Infinity : atS + draw(forS, next)
  let left = forS === undefined ? Math.max(1, Math.round(draw(stage.pulses ?? 1, next))) : Infinity
  for (; left > 0 && atS < endS && atS < load.seconds; left--) {
    const lastsS = Math.min(grid(draw(onS, next)), endS - atS)
    for (const slot of slots) {
      add(load.activeA[slot - 1]!, atS, atS + lastsS, amperes)
      if (reactive > 0) add(load.reactiveA[slot - 1]!, atS, atS + lastsS, reactive)
      if (inrush !== undefined)
        add(load.activeA[slot - 1]!, atS, atS + 1, amperes * (draw(inrush, next) - 1))
    }
    const pauseS =
      everyS === undefined ? draw(offS, next) : Math.max(4, draw(everyS, next) - lastsS)
    atS += lastsS + (pauseS > 0 ? grid(pauseS) : 0)
  }
  return Math.min(atS, endS)
}
