/** The power of a home, second by second, as currents on three slots: phases, or pairs of lines without neutral. */

/** Currents of one stretch of time, A at the nominal voltage; index = second. */
export interface Load {
  readonly seconds: number
  /** In phase with the slot's voltage; negative = production. */
  readonly activeA: readonly [Float32Array, Float32Array, Float32Array]
  /** Lagging the slot's voltage by 90 degrees. */
  readonly reactiveA: readonly [Float32Array, Float32Array, Float32Array]
}

/** A load of nothing. */
export function newLoad(seconds: number): Load {
  const zeros = (): Float32Array => new Float32Array(seconds)
  return {
    seconds,
    activeA: [zeros(), zeros(), zeros()],
    reactiveA: [zeros(), zeros(), zeros()],
  }
}

/** Adds a constant current from second `from` up to but not including `to`, cut to the array. */
export function add(values: Float32Array, from: number, to: number, amperes: number): void {
  const last = Math.min(values.length, Math.round(to))
  for (let s = Math.max(0, Math.round(from)); s < last; s++) values[s]! += amperes
}

/** Adds one array to another, no value of it above `most`. */
export function addAll(values: Float32Array, more: Float32Array, most: number = Infinity): void {
  for (let s = 0; s < values.length; s++) {
    const amperes = more[s]!
    if (amperes !== 0) values[s]! += Math.min(amperes, most)
  }
}
