/** Numbers that look random and are the same for the same seed, on every machine. */

/** A generator of numbers in 0 up to but not including 1 (Mulberry32). */
export function random(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let x = Math.imul(state ^ (state >>> 15), state | 1)
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61)
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32
  }
}

/** The `index`-th number of a seed without walking through those before it. */
export function randomAt(seed: number, index: number): number {
  return random(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))()
}
