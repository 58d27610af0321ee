/** From the charge point's phases to the grid's lines. */
import type { Instant } from '../reading.ts'
import { establishedPhases, linesOf } from './mapping.ts'
import type { ControlParameters } from './parameters.ts'
import type { ControlState } from './state.ts'

/**
 * The vehicle's current on each line. Where it uses some phases and their lines are not known, it counts on every line:
 * that is right on the lines it uses, and the others do not limit it in truth. `uncertain`: nothing is certain yet, so
 * that the least it can have on any line is nothing.
 */
export function onLines(
  parameters: ControlParameters,
  state: ControlState,
  perPhase: readonly number[],
  uncertain: boolean = false,
): readonly number[] {
  const lines = parameters.fuseMa.map(() => 0)
  if (uncertain) return lines
  const largest = Math.max(...perPhase)
  const phases = parameters.phases === 1 ? 1 : state.mapping.phases
  const partial = phases !== 0 && phases !== 7
  // Where the lines are configured each phase keeps its own current.
  const isStatedThree = parameters.phases === 3 && isStated(parameters, state)
  const used = partial && !isStatedThree ? linesOf(parameters, state, phases) : null
  if (used !== null) return lines.map((_, line) => ((used & (1 << line)) === 0 ? 0 : largest))
  if (state.mapping.alarm && partial) return lines.map(() => largest)
  const direct = parameters.phases === 3 && (!partial || isStatedThree)
  parameters.lineOf.forEach((line, phase) => {
    if (line < lines.length) lines[line] = direct ? (perPhase[phase] ?? 0) : largest
  })
  return lines
}

/** Some phases of unknown lines, and more may follow. */
export function isUncertain(
  parameters: ControlParameters,
  state: ControlState,
  now: Instant,
): boolean {
  const { phases } = state.mapping
  if (parameters.phases === 1 || phases === 0 || phases === 7) return false
  const known = isStated(parameters, state) || linesOf(parameters, state, phases) !== null
  return !known && establishedPhases(state, now) === 0
}

/** Lines that the charge point can load. */
export function canLoad(parameters: ControlParameters, line: number): boolean {
  return parameters.lineOf.includes(line)
}

/** Lines that limit: those the vehicle uses, every line of the charge point while that is not known. In doubt all. */
export function isLoaded(
  parameters: ControlParameters,
  { mapping }: ControlState,
  line: number,
): boolean {
  if (mapping.alarm) return true
  return mapping.used === null ? canLoad(parameters, line) : (mapping.used & (1 << line)) !== 0
}

/** Configured, and not contradicted nor learned otherwise. */
function isStated(parameters: ControlParameters, { mapping }: ControlState): boolean {
  return (
    parameters.linesKnown && !mapping.alarm && mapping.learned[String(mapping.phases)] === undefined
  )
}
