/**
 * What the lines leave, shared between charge points. Who fits with the minimum is let in, in order; then all are raised
 * together until one has what it can use or a line is full. What rounding leaves goes to the first.
 */
import { floorToStep } from './amperes.ts'

/** One charge point that wants current. */
export interface Claim {
  readonly id: string
  /** Lines its vehicle loads. */
  readonly lines: readonly number[]
  readonly minMa: number
  /** What it can use at most: rating, wish, or what the vehicle has shown to draw. */
  readonly mostMa: number
  readonly stepMa: number
  /** Smaller is earlier. */
  readonly priority: number
  /** Epoch or monotonic ms until which it wants to be ready; `null` = no hurry. */
  readonly readyBy: number | null
  readonly energyWh: number
  /** Let in a moment ago: stays until it had a chance to begin. */
  readonly isProtected: boolean
}

/** Shares in mA by charge point; 0 = has to wait. Never more on a line than it has. */
export function allocate(
  claims: readonly Claim[],
  capacityMa: readonly number[],
  turn: number = 0,
): Readonly<Record<string, number>> {
  const order = inOrder(claims, turn)
  const left = [...capacityMa]
  const take = (claim: Claim, ma: number) => {
    for (const line of claim.lines) left[line] = (left[line] ?? 0) - ma
  }
  const shares: Record<string, number> = Object.fromEntries(claims.map(({ id }) => [id, 0]))
  const admitted = order.filter(claim => {
    const fits =
      claim.mostMa >= claim.minMa && claim.lines.every(l => (left[l] ?? 0) >= claim.minMa)
    if (fits) take(claim, claim.minMa)
    return fits
  })
  for (const { id, minMa } of admitted) shares[id] = minMa

  let rising = admitted
  while (rising.length > 0) {
    const counts = left.map((_, line) => rising.filter(({ lines }) => lines.includes(line)).length)
    const perLine = left.map((ma, line) =>
      counts[line]! > 0 ? ma / counts[line]! : Number.POSITIVE_INFINITY,
    )
    const toMost = rising.map(({ id, mostMa }) => mostMa - shares[id]!)
    const more = Math.max(0, Math.floor(Math.min(...perLine, ...toMost)))
    for (const claim of rising) {
      shares[claim.id] = shares[claim.id]! + more
      take(claim, more)
    }
    const before = rising.length
    rising = rising.filter(
      ({ id, mostMa, lines }) =>
        shares[id]! < mostMa && lines.every(line => left[line]! >= rising.length),
    )
    if (rising.length === before) break
  }

  for (const claim of admitted) {
    const even = Math.max(claim.minMa, floorToStep(shares[claim.id]!, claim.stepMa))
    take(claim, even - shares[claim.id]!)
    shares[claim.id] = even
  }
  const [first] = admitted
  if (first !== undefined) {
    const room = Math.min(first.mostMa - shares[first.id]!, ...first.lines.map(line => left[line]!))
    // Equals stay equal: only what is less than a step for each is left over.
    const extra = floorToStep(Math.max(0, room), first.stepMa)
    if (admitted.length === 1 || extra > 0)
      shares[first.id] = shares[first.id]! + Math.min(extra, first.stepMa)
  }
  return shares
}

/** Protected ones first, then by priority, hurry, and least energy; those that tie take turns. */
function inOrder(claims: readonly Claim[], turn: number): readonly Claim[] {
  const rank = (claim: Claim) =>
    (claims.findIndex(({ id }) => id === claim.id) + turn) % Math.max(1, claims.length)
  const byReady = (a: Claim, b: Claim) => {
    const [x, y] = [a.readyBy ?? Number.MAX_VALUE, b.readyBy ?? Number.MAX_VALUE]
    return x - y
  }
  return [...claims].sort(
    (a, b) =>
      Number(b.isProtected) - Number(a.isProtected) ||
      a.priority - b.priority ||
      byReady(a, b) ||
      rank(a) - rank(b) ||
      a.energyWh - b.energyWh,
  )
}
