/** One sentence for each code, with the number that matters. */
import { formatAmperes } from './amperes.ts'
import type { Bound } from './limits.ts'
import type { DecisionCode } from './model.ts'

/** What the sentences are made of; currents in mA. */
export interface Facts {
  readonly cmdMa: number
  readonly minMa: number
  /** What charging resumes with at the earliest. */
  readonly needMa: number
  /** What the tightest line leaves by the newest telegram. */
  readonly freeMa: number
  /** That telegram carried power alone: what was added may be on any line. */
  readonly guessed: boolean
  readonly bound: Bound
  /** How far back headroom counts for what is allowed next. */
  readonly windowS: number
  readonly ageS: number
  /** A reading was heard at all. */
  readonly heard: boolean
  readonly waitS: number
  /** At the minimum for a limited time. */
  readonly riding: boolean
  /** The meter shows less than the vehicle draws. */
  readonly mismatched: boolean
  readonly good: number
  /** What the charge point offers, A. */
  readonly offered: number | null
}

/** Says it. */
export function sentence(code: DecisionCode, facts: Facts): string {
  return SENTENCES[code](facts)
}

const limited = (facts: Facts) => {
  const { bound, cmdMa, freeMa, windowS } = facts
  const by = subject(bound.id)
  if (cmdMa === 0) return `Charging paused by ${by}.`
  const what = `Charging limited to ${formatAmperes(cmdMa)} by ${by}`
  if (isRating(bound.id)) return `${what}.`
  return freeMa > cmdMa + MUCH_MA && bound.ma < freeMa
    ? `${what}, which left ${formatAmperes(bound.ma)} at times in the last ${windowS} s; ${free(facts)} now.`
    : `${what}; ${free(facts)} ${facts.guessed ? '' : 'by the newest reading'}`
        .trimEnd()
        .concat('.')
}

/** More than rounding and the smallest raise. */
const MUCH_MA = 500

const free = ({ freeMa, guessed }: Facts) => `${formatAmperes(freeMa)} free${doubt(guessed)}`

const doubt = (guessed: boolean) =>
  guessed ? ' (all power added since the last currents counted on each line)' : ''

const paused = (facts: Facts) => {
  const { bound, freeMa, needMa, windowS, waitS } = facts
  const by = subject(bound.id)
  const need = formatAmperes(needMa)
  if (freeMa < needMa)
    return `Charging paused by ${by}: ${free(facts)}, ${need} needed to resume${later(waitS)}.`
  return bound.ma < needMa
    ? `Charging paused by ${by}: ${free(facts)} now; resumes when ${need} have been free for ${windowS} s${later(waitS)}.`
    : `Charging paused by ${by}: ${free(facts)} now; resumes with one of the next readings${later(waitS)}.`
}

const ridden = ({ bound, cmdMa, freeMa, guessed, riding, waitS }: Facts) => {
  const by = subject(bound.id)
  const kept = `Kept at ${formatAmperes(cmdMa)}`
  const although = `${kept} although ${by} leaves ${formatAmperes(freeMa)}${doubt(guessed)}`
  if (!riding)
    return waitS > 0
      ? `${although}: it carries this without tripping; cut in ${waitS} s unless it passes.`
      : `${although}: too little to change, and nothing can trip.`
  return freeMa < cmdMa
    ? `${although}: it carries this without tripping; pause in ${waitS} s.`
    : `${kept} until a reading with currents confirms that ${by} leaves more again; pause in ${waitS} s otherwise.`
}

const silence = ({ heard, ageS }: Facts) =>
  heard ? `No meter reading for ${ageS} s` : `No meter reading since the start ${ageS} s ago`

const later = (s: number) => (s > 0 ? `, at the earliest in ${s} s` : '')

const SENTENCES: Readonly<Record<DecisionCode, (facts: Facts) => string>> = {
  OK_FULL: ({ cmdMa }) => `Charging with up to ${formatAmperes(cmdMa)}, the charger's full rating.`,
  LIMIT_FUSE_L1: limited,
  LIMIT_FUSE_L2: limited,
  LIMIT_FUSE_L3: limited,
  LIMIT_POWER: limited,
  LIMIT_14A: limited,
  LIMIT_FLEX_WINDOW: limited,
  LIMIT_UNBALANCE: limited,
  LIMIT_TEMP: limited,
  LIMIT_CABLE: limited,
  LIMIT_USER: limited,
  LIMIT_EXTERNAL: ({ cmdMa, offered }) =>
    `Another controller keeps the charger at ${formatAmperes((offered ?? 0) * 1000)}; ${formatAmperes(cmdMa)} would be allowed.`,
  HOLD_AFTER_CUT: ({ waitS, bound, ...facts }) =>
    `Held at ${formatAmperes(facts.cmdMa)} after a cut by ${subject(bound.id)}; ${free({ waitS, bound, ...facts })} now, raised when that lasts${later(waitS)}.`,
  RIDE_THROUGH: ridden,
  PAUSED_NO_CAPACITY: paused,
  WAIT_SURPLUS: ({ cmdMa }) =>
    cmdMa === 0
      ? 'Charging waits for enough surplus.'
      : `Charging limited to ${formatAmperes(cmdMa)}, which is what the surplus gives.`,
  WAIT_TARIFF: ({ cmdMa }) =>
    cmdMa === 0
      ? 'Charging waits for its planned hours.'
      : `Charging limited to ${formatAmperes(cmdMa)} until its planned hours.`,
  PEAK_BUDGET: ({ cmdMa }) =>
    cmdMa === 0
      ? 'Charging paused to keep the peak below its target.'
      : `Charging limited to ${formatAmperes(cmdMa)} to keep the peak below its target.`,
  STALE_FREEZE: facts =>
    facts.good < 2
      ? `Kept at ${formatAmperes(facts.cmdMa)} until two readings in a row have arrived; ${facts.good} so far.`
      : `${silence(facts)}: nothing is raised.`,
  STALE_MIN: facts => `${silence(facts)}: at most ${formatAmperes(facts.minMa)}.`,
  STALE_FAILSAFE: facts => `${silence(facts)}: fail-safe value ${formatAmperes(facts.cmdMa)}.`,
  MAPPING_UNKNOWN: ({ mismatched, cmdMa, bound }) =>
    mismatched
      ? 'The meter shows less than the vehicle draws: wrong meter, or lines mixed up.'
      : `Charging limited to ${formatAmperes(cmdMa)} by ${subject(bound.id)}: the vehicle loads other lines than known, so every line limits.`,
  CHARGER_IGNORES: ({ cmdMa, offered }) =>
    `The charger offers ${formatAmperes((offered ?? 0) * 1000)} although ${formatAmperes(cmdMa)} was commanded.`,
  CAR_NOT_READY: () => 'The vehicle does not ask for energy.',
  CAR_ASLEEP: () => 'The vehicle does not wake up.',
  INIT: ({ cmdMa, good }) =>
    `Waiting for two good meter readings, ${good} so far; ${cmdMa === 0 ? 'charging waits' : `${formatAmperes(cmdMa)} until then`}.`,
}

/** Limits that do not depend on what the house draws. */
function isRating(id: string): boolean {
  return (
    id === 'cable' || id === 'temperature' || id === 'user' || id === 'charger' || id === 'goal'
  )
}

/** A limit's id in words. */
function subject(id: string): string {
  const line = /^main_fuse_l([123])$/.exec(id)?.[1]
  if (line !== undefined) return `the main fuse on L${line}`
  if (id === 'stale') return 'missing readings'
  if (id === 'goal') return 'the chosen mode'
  return id.replaceAll('_', ' ')
}
