/**
 * Protection devices as curves of tripping time over current. For control and for judging a run the fastest device
 * that its standard permits counts.
 *
 * | device     | points: multiple of the rating, s            | source                                       |
 * |------------|----------------------------------------------|----------------------------------------------|
 * | gG fuse    | 1.25, 3600 · gate of 10 s · gate of 0.1 s    | IEC 60269-1, table of gates                  |
 * | MCB-B      | 1.13, 3600 · 2.55, 1 · 3, 0.01               | IEC 60898-1                                  |
 * | MCB-C      | 1.13, 3600 · 2.55, 1 · 5, 0.01               | IEC 60898-1                                  |
 * | SLS-E      | 1.05, 7200 · 1.2, 1800 · 2, 30 · 5, 0.05     | DIN VDE 0641-21; the middle points are assumed |
 * | limiter    | bands of power, each with its time           | the meter's contract                         |
 */

/** Devices by the names of scenario files. */
export type Device = 'gG' | 'MCB-B' | 'MCB-C' | 'SLS-E' | 'limiter'

/** Current and the time after which the device opens, s; in ascending order of current. */
export type TripPoint = readonly [amperes: number, seconds: number]

/** One band of a limiter: up to this current it waits so long. Without a bound it is the last, without a time it waits for ever. */
export interface Band {
  readonly upToA?: number
  readonly seconds?: number
}

/** One device on one line. */
export interface Protection {
  /** What may flow continuously, A: rating, or the first band of a limiter. */
  readonly limitA: number
  /** Up to this current it never opens, A. */
  readonly neverTripA: number
  /** Time until it opens at a constant current, s; `Infinity` up to {@link neverTripA}. */
  tripTime(amperes: number): number
}

/** Least currents at which a gG fuse may open after 10 s and after 0.1 s, A, by rating (IEC 60269-1). */
const GG_GATES: readonly (readonly [ratingA: number, tenSeconds: number, tenth: number])[] = [
  [16, 33, 85],
  [20, 42, 110],
  [25, 52, 150],
  [32, 75, 200],
  [40, 95, 260],
  [50, 125, 350],
  [63, 160, 450],
  [80, 215, 610],
]

const BREAKERS: Readonly<Record<'MCB-B' | 'MCB-C' | 'SLS-E', readonly TripPoint[]>> = {
  'MCB-B': [
    [1.13, 3600],
    [2.55, 1],
    [3, 0.01],
  ],
  'MCB-C': [
    [1.13, 3600],
    [2.55, 1],
    [5, 0.01],
  ],
  'SLS-E': [
    [1.05, 7200],
    [1.2, 1800],
    [2, 30],
    [5, 0.05],
  ],
}

/** A fuse or breaker of a rating, A. Ratings between those of the table are scaled from the next lower one. */
export function protection(device: Exclude<Device, 'limiter'>, ratingA: number): Protection {
  const points =
    device === 'gG'
      ? ggPoints(ratingA)
      : BREAKERS[device].map(([factor, s]): TripPoint => [factor * ratingA, s])
  return {
    limitA: ratingA,
    neverTripA: points[0]![0],
    tripTime: amperes => curve(points, amperes),
  }
}

/** A meter that limits, as bands in ascending order. */
export function limiter(bands: readonly Band[]): Protection {
  const limitA = bands[0]?.upToA ?? 0
  return {
    limitA,
    neverTripA: limitA,
    tripTime: amperes =>
      bands.find(({ upToA = Infinity }) => amperes <= upToA)?.seconds ?? Infinity,
  }
}

function ggPoints(ratingA: number): readonly TripPoint[] {
  const [rating, ten, tenth] = GG_GATES.findLast(([a]) => a <= ratingA) ?? GG_GATES[0]!
  const scale = ratingA / rating
  return [
    [1.25 * ratingA, 3600],
    [ten * scale, 10],
    [tenth * scale, 0.1],
  ]
}

/** Straight lines between the points on logarithmic axes; beyond the last its time. */
function curve(points: readonly TripPoint[], amperes: number): number {
  if (amperes <= points[0]![0]) return Infinity
  for (let k = 1; k < points.length; k++) {
    const [toA, toS] = points[k]!
    if (amperes > toA) continue
    const [fromA, fromS] = points[k - 1]!
    const share = Math.log(amperes / fromA) / Math.log(toA / fromA)
    return fromS * (toS / fromS) ** share
  }
  return points.at(-1)![1]
}

/** Time in which a device that did not open forgets, s. */
const COOLING_S = 300

/** Damage after `seconds` at a current: 0 = cold, at 1 the device opens. */
export function damageAfter(
  device: Protection,
  damage: number,
  amperes: number,
  seconds: number,
): number {
  if (amperes > device.neverTripA) {
    const time = device.tripTime(amperes)
    if (time !== Infinity) return damage + seconds / time
  }
  return damage === 0 ? 0 : damage * Math.exp(-seconds / COOLING_S)
}
