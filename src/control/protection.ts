/**
 * What fuses and breakers carry, and for how long. The fastest device its standard permits counts.
 *
 * | device | points: multiple of the rating, s        | source                                          |
 * |--------|------------------------------------------|-------------------------------------------------|
 * | gG     | 1.25, 3600; gates of 10 s and of 0.1 s   | IEC 60269-1: conventional currents and gates    |
 * | MCB-B  | 1.13, 3600; 2.55, 1; 3, 0.01             | IEC 60898-1                                     |
 * | MCB-C  | 1.13, 3600; 2.55, 1; 5, 0.01             | IEC 60898-1                                     |
 * | SLS-E  | 1.05, 7200; 1.2, 1800; 2, 30; 5, 0.05    | DIN VDE 0641-21; the two in the middle assumed  |
 *
 * Between the points log-log; up to the first one for ever.
 */

/** Current in mA and the least time to tripping at it in ms, currents rising. */
export type TripCurve = readonly (readonly [ma: number, ms: number])[]

/** Kind of the device that protects the connection. */
export type MainDevice = 'gG' | 'MCB-B' | 'MCB-C' | 'SLS-E'

/** Points as multiples of the rating; gG has its gates besides. */
const POINTS: Readonly<Record<MainDevice, TripCurve>> = {
  gG: [[1.25, 3_600_000]],
  'MCB-B': [
    [1.13, 3_600_000],
    [2.55, 1000],
    [3, 10],
  ],
  'MCB-C': [
    [1.13, 3_600_000],
    [2.55, 1000],
    [5, 10],
  ],
  'SLS-E': [
    [1.05, 7_200_000],
    [1.2, 1_800_000],
    [2, 30_000],
    [5, 50],
  ],
}

/** Rating, and the least currents at which a gG fuse may open within 10 s and 0.1 s, A (IEC 60269-1). */
const GG_GATES: readonly (readonly [ratingA: number, tenS: number, tenthS: number])[] = [
  [16, 33, 85],
  [20, 42, 110],
  [25, 52, 150],
  [32, 75, 200],
  [40, 95, 260],
  [50, 125, 350],
  [63, 160, 450],
  [80, 215, 610],
]

/** Time in which damage fades where nothing heats, ms. */
const FADES_MS = 300_000

/** The curve of a device. Ratings between those of the standard are scaled from the next lower one. */
export function tripCurve(device: MainDevice, ratingMa: number): TripCurve {
  const curve = POINTS[device].map(([factor, ms]) => [Math.floor(factor * ratingMa), ms] as const)
  if (device !== 'gG') return curve
  const [ratingA, tenS, tenthS] =
    GG_GATES.findLast(([a]) => a * 1000 <= ratingMa) ?? (GG_GATES[0] as (typeof GG_GATES)[number])
  const scale = ratingMa / ratingA
  return [...curve, [Math.floor(tenS * scale), 10_000], [Math.floor(tenthS * scale), 100]]
}

/** Least time to tripping at a constant current, ms; `Infinity` up to the first point. */
export function tripTimeMs(curve: TripCurve, ma: number): number {
  const next = curve.findIndex(([point]) => ma <= point)
  if (next === 0) return Number.POSITIVE_INFINITY
  const last = curve.at(-1)
  if (next < 0) return last?.[1] ?? 0
  const [a, b] = [curve[next - 1]!, curve[next]!]
  const part = Math.log(ma / a[0]) / Math.log(b[0] / a[0])
  return a[1] * (b[1] / a[1]) ** part
}

/** The current that is carried for a time at least, mA: the reverse of {@link tripTimeMs}. */
export function carriedMa(curve: TripCurve, ms: number): number {
  const next = curve.findIndex(([, point]) => point <= ms)
  if (next === 0) return curve[0]?.[0] ?? 0
  if (next < 0) return curve.at(-1)?.[0] ?? 0
  const [a, b] = [curve[next - 1]!, curve[next]!]
  const part = Math.log(ms / a[1]) / Math.log(b[1] / a[1])
  return Math.floor(a[0] * (b[0] / a[0]) ** part)
}

/** Damage after `forMs` more at a current: 1 trips; it fades while nothing heats. */
export function damaged(damage: number, curve: TripCurve, ma: number, forMs: number): number {
  const tripMs = tripTimeMs(curve, ma)
  return Number.isFinite(tripMs)
    ? damage + forMs / tripMs
    : damage * Math.exp(-Math.max(0, forMs) / FADES_MS)
}
