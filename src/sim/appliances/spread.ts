/** Random quantities as people describe them: a number, a range, or three quantiles. */

/** Exactly; evenly between two; or 10th, 50th and 90th percentile of a skewed quantity above 0. */
export type Spread =
  | number
  | readonly [least: number, most: number]
  | readonly [p10: number, p50: number, p90: number]

/** Standard deviations between the median and the 90th percentile. */
const Z90 = 1.2816
/** Tails end here, standard deviations: the rarest of a thousand. */
const MOST_Z = 2.2

/** A normal deviate, cut at ±2.2 (sum of six even numbers). */
export function deviate(next: () => number): number {
  const z = (next() + next() + next() + next() + next() + next() - 3) * Math.SQRT2
  return Math.max(-MOST_Z, Math.min(MOST_Z, z))
}

/** One value. Between three quantiles it is log-normal with different halves. */
export function draw(spread: Spread, next: () => number): number {
  if (typeof spread === 'number') return spread
  const [a, b, c] = spread
  if (c === undefined) return a + (b - a) * next()
  const z = deviate(next)
  return z < 0 ? b * (b / a) ** (z / Z90) : b * (c / b) ** (z / Z90)
}

/** How often something happens that happens `mean` times on average (Poisson). */
export function count(mean: number, next: () => number): number {
  const least = Math.exp(-mean)
  let times = 0
  for (let product = next(); product > least; product *= next()) times += 1
  return times
}

/** Index of one of several weights, each as likely as it is heavy. */
export function chooseWeighted(weights: readonly number[], next: () => number): number {
  let rest = next() * weights.reduce((a, b) => a + b, 0)
  for (let k = 0; k < weights.length; k++) {
    rest -= weights[k]!
    if (rest < 0) return k
  }
  return weights.length - 1
}
