/** What a closed-loop run is judged by. */

/** What runs collect; several are added up into one {@link Metrics}. */
export class Tally {
  seconds = 0
  trips = 0
  damageMost = 0
  energyWs = 0
  clairvoyantWs = 0
  changes = 0
  stops = 0
  overloadAs = 0
  cpuS = 0
  /** Lengths of the spells above the never-trip current, s. */
  readonly spells: number[] = []
  readonly reactionsMs: number[] = []
  readonly codes: Map<string, number> = new Map()
}

/** The object of `ampacity simulate`, without its name tags. */
export interface Metrics {
  readonly trips: number
  readonly d_max: number
  readonly energy_wh: number
  readonly clairvoyant_wh: number
  /** `null` where a controller that knows everything could not charge either. */
  readonly energy_ratio: number | null
  readonly changes_per_hour: number
  readonly stops_per_day: number
  readonly above_int_s_p95: number
  readonly above_int_s_max: number
  readonly overload_as: number
  readonly reaction_ms_p99: number
  readonly cpu_s_per_day: number
  readonly code_share: { readonly [code: string]: number }
}

const HOUR_S = 3600
const DAY_S = 86_400

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

/** Smallest value that is not below a share of all; 0 for none. */
export function quantile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!
}

/** Sums, rates and quantiles of everything collected. */
export function metricsOf(tally: Tally): Metrics {
  const { seconds, energyWs, clairvoyantWs, spells, reactionsMs, codes } = tally
  const shares = [...codes].sort((a, b) => b[1] - a[1])
  return {
    trips: tally.trips,
    d_max: rounded(tally.damageMost, 4),
    energy_wh: rounded(energyWs / HOUR_S, 1),
    clairvoyant_wh: rounded(clairvoyantWs / HOUR_S, 1),
    energy_ratio: clairvoyantWs === 0 ? null : rounded(energyWs / clairvoyantWs, 4),
    changes_per_hour: rounded((tally.changes * HOUR_S) / seconds, 3),
    stops_per_day: rounded((tally.stops * DAY_S) / seconds, 3),
    above_int_s_p95: quantile(spells, 0.95),
    above_int_s_max: quantile(spells, 1),
    overload_as: rounded(tally.overloadAs, 1),
    reaction_ms_p99: rounded(quantile(reactionsMs, 0.99), 3),
    cpu_s_per_day: rounded((tally.cpuS * DAY_S) / seconds, 3),
    code_share: Object.fromEntries(shares.map(([code, s]) => [code, rounded(s / seconds, 5)])),
  }
}
