/** Runs a scenario over seeds and days: what the command `simulate`, the tests and the benchmark share. */
import type { DecoderDefinition } from '../decoder.ts'
import type { ControllerFactory } from './controllers/controller.ts'
import { runScenario, type TraceRow } from './loop.ts'
import { type Metrics, metricsOf, Tally } from './metrics.ts'
import type { Scenario } from './scenario.ts'

/** What is run. */
export interface SimulateOptions {
  readonly controller: ControllerFactory
  readonly seeds: readonly number[]
  readonly days: number
  readonly decoders?: readonly DecoderDefinition[]
  /** Every second of the first seed. */
  readonly trace?: (row: TraceRow) => void
  /** Called at the end of each day with how many of all are done. */
  readonly progress?: (done: number, all: number) => void
}

/** Sums over all seeds and days. */
export function simulate(scenario: Scenario, options: SimulateOptions): Metrics {
  const { seeds, days, controller, decoders, trace, progress } = options
  const tally = new Tally()
  seeds.forEach((seed, k) => {
    const run = {
      controller,
      seed,
      days,
      ...(decoders === undefined ? {} : { decoders }),
      ...(trace === undefined || k > 0 ? {} : { trace }),
      progress: (day: number) => progress?.(k * days + day, seeds.length * days),
    }
    runScenario(scenario, run, tally)
  })
  return metricsOf(tally)
}
