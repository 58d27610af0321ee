/** What a configuration may leave unsaid where the meter is an Italian one: its gateways bring it with them. */
import type { Config } from '../config.ts'

/** From the meter's event to the reading, s: the power line, and the polls of a gateway that is polled. */
const LATENCY_S: Readonly<Record<string, number>> = { 'it-sinapsi': 7 }
const PUSHED_LATENCY_S = 4

/** Silence after which something is wrong with meter or gateway, ms: a report is due every quarter of an hour. */
export const ITALIAN_SILENCE_MS = 1_200_000

/**
 * The configuration with the defaults of an Italian home: one phase, a meter that reports changes and limits by the
 * contract. What was written stays. `decoder`: id of the one in use.
 */
export function withItalianDefaults(config: Config, decoder: string): Config {
  if (!decoder.startsWith('it-')) return config
  const { installation = {}, chargePoint = {}, meter = {} } = config
  const phases = installation.phases ?? 1
  const contract =
    installation.contractedPowerW === undefined
      ? {}
      : { contractedPowerW: installation.contractedPowerW }
  return {
    ...config,
    installation: { phases, limiter: 'italy', ...installation },
    chargePoint: { phases, ...chargePoint },
    meter: {
      reportsChanges: true,
      latencyS: LATENCY_S[decoder] ?? PUSHED_LATENCY_S,
      ...meter,
      options: { ...contract, ...meter.options },
    },
  }
}
