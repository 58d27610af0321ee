/**
 * Which grid lines the vehicle loads. Electricians rotate the phases of charge points, and many vehicles use one phase
 * of three; only lines the vehicle uses need to limit it.
 *
 * Learned from the charge point's own steps: where its current moves by 3 A or more and stays, the meter's lines that
 * move along are its lines. Three steps in a row must say the same. A step that says otherwise ends what was configured
 * or learned, and every line limits again. Not in three-wire nets, where currents add as phasors.
 *
 * Phases and lines are sets of bits: 1 = first, 2 = second, 4 = third.
 */
import type { Instant } from '../reading.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState, Mapping } from './state.ts'

const STEP_MA = 3000
/** Share of the step that a line must show, and must not show, to be told apart. */
const MOVES = 0.7
const RESTS = 0.3
const STEPS_TO_LEARN = 3
/** What a phase draws at least while the vehicle charges on it. */
const DRAWS_MA = 1000
/** Some vehicles start their phases one after the other. */
const ESTABLISHED_MS = 60_000

/** Phases 1 to 3 that carry a current. */
function phasesOf(perPhaseMa: readonly number[]): number {
  return perPhaseMa.reduce((set, ma, phase) => set | (ma > DRAWS_MA ? 1 << phase : 0), 0)
}

/** The phases the vehicle uses, once that has been the same for a minute; 0 before. */
export function establishedPhases({ mapping }: ControlState, now: Instant): number {
  return mapping.since !== null && now - mapping.since >= ESTABLISHED_MS ? mapping.phases : 0
}

/** The lines of these phases; `null` = not known. All three phases are all lines. */
export function linesOf(
  parameters: ControlParameters,
  state: ControlState,
  phases: number,
): number | null {
  const all = setOf(parameters.lineOf)
  if (parameters.phases === 3 && phases === 7) return all
  if (state.mapping.alarm) return null
  const learned = state.mapping.learned[String(phases)]
  if (learned !== undefined) return learned
  if (!parameters.linesKnown) return null
  if (parameters.phases === 1) return all
  return setOf(parameters.lineOf.filter((_, phase) => (phases & (1 << phase)) !== 0))
}

/** Notes what the charge point reports: the phases since the vehicle was plugged in. */
export function withPhases(
  parameters: ControlParameters,
  state: ControlState,
  perPhaseMa: readonly number[] | null,
  isGone: boolean,
  at: Instant,
): Mapping {
  const { mapping } = state
  if (isGone) return { ...mapping, phases: 0, since: null, used: null, reference: null }
  const drawn = phasesOf(perPhaseMa ?? [])
  const phases = mapping.phases | (parameters.phases === 1 ? Math.min(1, drawn) : drawn)
  if (phases !== mapping.phases) return { ...mapping, phases, since: at, used: null }
  const established = establishedPhases(state, at)
  const used = established === 0 ? null : linesOf(parameters, state, established)
  return used === mapping.used ? mapping : { ...mapping, used }
}

/** Learns from one settled frame: the vehicle on its own phases, and the lines. */
export function learn(
  parameters: ControlParameters,
  mapping: Mapping,
  ownMa: readonly number[],
  lineMa: readonly (number | null)[],
): Mapping {
  const { reference } = mapping
  const fresh = { ownMa, lineMa, seen: 1 }
  if (reference === null) return { ...mapping, reference: fresh }
  const moved = ownMa.map((ma, phase) => ma - (reference.ownMa[phase] ?? 0))
  const step = moved.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a), 0)
  if (Math.abs(step) < STEP_MA) return { ...mapping, reference: fresh }
  // The step has to last: it is judged by the second frame that shows it.
  if (reference.seen === 1) return { ...mapping, reference: { ...reference, seen: 2 } }
  const next = { ...mapping, reference: fresh }
  const phases = setWhere(moved, ma => ma / step > MOVES)
  const others = setWhere(moved, ma => Math.abs(ma / step) > RESTS)
  const shares = lineMa.map((ma, line) => ((ma ?? 0) - (reference.lineMa[line] ?? 0)) / step)
  const lines = setWhere(shares, share => share > MOVES)
  const doubtful = shares.some(share => share >= RESTS && share <= MOVES)
  const expected = parameters.phases === 1 ? 1 : count(phases)
  if (phases === 7 || phases !== others || doubtful || count(lines) !== expected) return next
  return judge(parameters, next, phases, lines)
}

function judge(
  parameters: ControlParameters,
  mapping: Mapping,
  phases: number,
  lines: number,
): Mapping {
  const key = String(phases)
  const { pending, learned } = mapping
  const same = pending?.phases === phases && pending.lines === lines
  const steps = same ? pending.steps + 1 : 1
  const noted = { ...mapping, pending: { phases, lines, steps } }
  const known = learned[key] ?? presumed(parameters, phases)
  if (steps >= STEPS_TO_LEARN)
    return { ...noted, learned: { ...learned, [key]: lines }, alarm: false }
  // One step is enough to doubt: every line then limits, which is safe.
  if (known === null || known === lines) return noted
  const { [key]: _, ...rest } = learned
  return { ...noted, learned: rest, used: null, alarm: true }
}

/** As configured. */
function presumed(parameters: ControlParameters, phases: number): number | null {
  const { linesKnown, lineOf } = parameters
  if (!linesKnown) return null
  if (parameters.phases === 1) return setOf(lineOf)
  return setOf(lineOf.filter((_, phase) => (phases & (1 << phase)) !== 0))
}

function setOf(indexes: readonly number[]): number {
  return indexes.reduce((set, index) => set | (1 << index), 0)
}

function setWhere(values: readonly number[], is: (value: number) => boolean): number {
  return values.reduce((set, value, index) => set | (is(value) ? 1 << index : 0), 0)
}

function count(set: number): number {
  return (set & 1) + ((set >> 1) & 1) + ((set >> 2) & 1)
}
