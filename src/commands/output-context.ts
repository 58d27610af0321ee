/** What the factories of outputs have in common. */
import type { Config } from '../config.ts'
import type { Clock } from '../io/ports.ts'

export interface OutputContext {
  readonly config: Config
  readonly clock: Clock
  /** Paths of files that belong to the configuration are seen from here. */
  readonly folder: string
  /** What several outputs share, such as one serial line for several boxes; by name. */
  readonly shared: Map<string, unknown>
}

/** The current to leave behind, A; 0 = pause. */
export function failsafeOf(config: Config): number {
  return config.control?.failsafeA ?? 0
}
