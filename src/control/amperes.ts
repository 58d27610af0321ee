/** Currents as integers. Milliamperes inside, amperes at the border, one division on the way out. */

/** Amperes to milliamperes, rounded to the nearest. */
export function milliamperes(amperes: number): number {
  return Math.round(amperes * 1000)
}

/** Milliamperes to amperes without float noise: 13200 gives 13.2. */
export function amperes(ma: number): number {
  return ma / 1000
}

/** Down to the step grid; values below 0 give 0. */
export function floorToStep(ma: number, stepMa: number): number {
  return Math.max(0, Math.floor(ma / stepMa) * stepMa)
}

/** The smallest of the known values, `null` when none is known. */
export function least(values: readonly (number | null)[]): number | null {
  return values.reduce((a, b) => (a === null ? b : b === null ? a : Math.min(a, b)), null)
}

/** The largest of the known values, `null` when none is known. */
export function greatest(values: readonly (number | null)[]): number | null {
  return values.reduce((a, b) => (a === null ? b : b === null ? a : Math.max(a, b)), null)
}

/** As people read it: one decimal, `13.2 A`. */
export function formatAmperes(ma: number): string {
  return `${(Math.round(ma / 100) / 10).toFixed(1)} A`
}
