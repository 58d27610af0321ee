/**
 * Three-phase electricity as complex numbers: from the power of single loads to what a meter measures. Line 1 is the
 * reference, phase order 1-2-3. Powers are positive for import and for inductive loads.
 */

/** A complex number: voltage, current or apparent power. */
export interface Phasor {
  readonly re: number
  readonly im: number
}

/** Three values, one for each line, phase or pair of lines. */
export type Triple<T = number> = readonly [T, T, T]

const DEGREE = Math.PI / 180

/** Phasor of a magnitude and an angle in degrees. */
export function polar(magnitude: number, degrees: number): Phasor {
  return { re: magnitude * Math.cos(degrees * DEGREE), im: magnitude * Math.sin(degrees * DEGREE) }
}

const plus = (a: Phasor, b: Phasor): Phasor => ({ re: a.re + b.re, im: a.im + b.im })
const minus = (a: Phasor, b: Phasor): Phasor => ({ re: a.re - b.re, im: a.im - b.im })
const negative = (a: Phasor): Phasor => ({ re: -a.re, im: -a.im })

/** Apparent power of a voltage and the current it drives: U times the conjugate of I. */
function apparent(u: Phasor, i: Phasor): Phasor {
  return { re: u.re * i.re + u.im * i.im, im: u.im * i.re - u.re * i.im }
}

/** Current that a load of `p` watts and `q` var draws at `u`: the conjugate of S / U. */
function currentOf(p: number, q: number, u: Phasor): Phasor {
  const square = u.re ** 2 + u.im ** 2
  if (square === 0) return { re: 0, im: 0 }
  return { re: (p * u.re + q * u.im) / square, im: (p * u.im - q * u.re) / square }
}

/** Length of a phasor. */
export function magnitude(a: Phasor): number {
  return Math.hypot(a.re, a.im)
}

/** What a meter sees at one instant. */
export interface Measurement {
  /** RMS line currents, A, never negative. */
  readonly currentsA: Triple
  /** Active power of each measuring element, W: phases 1 to 3, or on three wires element 1, none, element 3. */
  readonly activeW: Triple
  /** Reactive power of each measuring element, var. */
  readonly reactiveVar: Triple
}

/** Loads between each phase and neutral, at the phases' RMS voltages (V). */
export function measureFourWires(
  voltagesV: Triple,
  activeW: Triple,
  reactiveVar: Triple,
): Measurement {
  const current = (i: 0 | 1 | 2): number =>
    voltagesV[i] === 0 ? 0 : Math.hypot(activeW[i], reactiveVar[i]) / voltagesV[i]
  return { currentsA: [current(0), current(1), current(2)], activeW, reactiveVar }
}

/**
 * Loads between the lines of a net without neutral. `voltagesV` is U12, U13, U23; the loads stand between lines 1-2,
 * 2-3 and 3-1. The meter has two elements with line 2 as reference (Aron): U12 with I1, U32 with I3.
 */
export function measureThreeWires(
  voltagesV: Triple,
  activeW: Triple,
  reactiveVar: Triple,
): Measurement {
  const [v12, v13, v23] = voltagesV
  const u12 = polar(v12, 0)
  // U12 + U23 = U13 fixes the angle between the first two by the law of cosines; positive sequence: U23 lags.
  const cosine = (v13 ** 2 - v12 ** 2 - v23 ** 2) / (2 * v12 * v23)
  const u23 = polar(v23, -Math.acos(Math.max(-1, Math.min(1, cosine))) / DEGREE)
  const u31 = negative(plus(u12, u23))
  const i12 = currentOf(activeW[0], reactiveVar[0], u12)
  const i23 = currentOf(activeW[1], reactiveVar[1], u23)
  const i31 = currentOf(activeW[2], reactiveVar[2], u31)
  const [i1, i2, i3] = [minus(i12, i31), minus(i23, i12), minus(i31, i23)]
  const [s1, s3] = [apparent(u12, i1), apparent(negative(u23), i3)]
  return {
    currentsA: [magnitude(i1), magnitude(i2), magnitude(i3)],
    activeW: [s1.re, 0, s3.re],
    reactiveVar: [s1.im, 0, s3.im],
  }
}

const sum = (values: Triple): number => values[0] + values[1] + values[2]

/** A number put into the range of a cosine, then its angle in radians. */
const arccos = (x: number): number => Math.acos(Math.max(-1, Math.min(1, x)))

/**
 * The current of line 2 on three wires from what meters send: magnitudes I1 and I3 (A), total P and Q (W, var), U12
 * and U23 (V), and U13 where it is known. The two element powers and their sum form a triangle; its angles tell how
 * far the two currents are apart. Returns the solution of the positive sequence, and its mirror image.
 */
export function estimateCurrentL2(sent: {
  readonly currentL1A: number
  readonly currentL3A: number
  readonly activeW: number
  readonly reactiveVar: number
  readonly voltageL1L2V: number
  readonly voltageL2L3V: number
  readonly voltageL1L3V?: number
}): { readonly value: number; readonly mirror: number } {
  const {
    currentL1A: i1,
    currentL3A: i3,
    voltageL1L2V: u12,
    voltageL2L3V: u23,
    voltageL1L3V: u13,
  } = sent
  const [a, b] = [u12 * i1, u23 * i3]
  const s = Math.hypot(sent.activeW, sent.reactiveVar)
  if (a === 0 || b === 0 || s === 0) return { value: a === 0 ? i3 : i1, mirror: a === 0 ? i3 : i1 }
  const angles =
    arccos((a ** 2 + s ** 2 - b ** 2) / (2 * a * s)) +
    arccos((b ** 2 + s ** 2 - a ** 2) / (2 * b * s))
  const theta =
    u13 === undefined ? 60 * DEGREE : arccos((u12 ** 2 + u23 ** 2 - u13 ** 2) / (2 * u12 * u23))
  const combine = (angle: number): number =>
    Math.sqrt(Math.max(0, i1 ** 2 + i3 ** 2 + 2 * i1 * i3 * Math.cos(angle)))
  return { value: combine(theta + angles), mirror: combine(theta - angles) }
}

/** Sum over the three elements. */
export function total(measurement: Measurement): {
  readonly activeW: number
  readonly reactiveVar: number
} {
  return { activeW: sum(measurement.activeW), reactiveVar: sum(measurement.reactiveVar) }
}
