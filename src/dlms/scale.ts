/**
 * Scaler and unit of COSEM registers (Blue Book 4.3.2: value = raw * 10 ** scaler).
 */

const POWERS: readonly number[] = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9]

/**
 * `raw * 10 ** scaler` without floating-point noise: negative scalers divide, so that 2307 at -1 is 230.7 and not
 * 230.70000000000002. Scalers beyond ±9 give NaN, which no caller lets through.
 */
export function scaled(raw: number, scaler: number): number {
  if (scaler === 0) return raw
  const power = POWERS[scaler < 0 ? -scaler : scaler]
  if (power === undefined) return Number.NaN
  return scaler < 0 ? raw / power : raw * power
}

/** Unit enumeration (Blue Book table 4) to the spelling of registers; what is not listed has no unit here. */
export const UNITS: Readonly<Record<number, string>> = {
  7: 's',
  8: 'deg',
  13: 'm3',
  14: 'm3',
  27: 'W',
  28: 'VA',
  29: 'var',
  30: 'Wh',
  31: 'VAh',
  32: 'varh',
  33: 'A',
  35: 'V',
  44: 'Hz',
  56: '%',
  255: '',
}
