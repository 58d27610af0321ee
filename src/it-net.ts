/**
 * The line a three-wire meter does not measure.
 *
 * Nets without neutral (IT and TT, 3 x 230 V) are metered with two elements (Aron): U12 with I1 and U32 with I3. As
 * phasors I2 = -(I1 + I3), but meters send magnitudes only. The element powers have the magnitudes A = U12 I1 and
 * B = U23 I3 and add up to S = P + jQ: a triangle, whose angles give the angle between I1 and I3.
 *
 * | quantity | meaning                                       |
 * |----------|-----------------------------------------------|
 * | alpha    | angle between A and S                         |
 * | beta     | angle between B and S                         |
 * | phi      | angle of S: atan2(Q, P), inductive positive   |
 * | theta    | angle between U12 and U23, 60 degrees nominal |
 *
 * A triangle can be laid down on either side of S. The second solution (the mirror) belongs to the negative phase
 * sequence; on real houses it is almost never the right one, but where ordinary loads could produce it as well it has
 * to be reckoned with.
 */
import type { DerivedMethod } from './reading.ts'

/** What a three-wire meter sends: V line to line, A (signs do not matter), W and var with import positive. */
export interface ThreeWire {
  readonly u12: number
  readonly u23: number
  /** Corrects the angle between the two measured voltages; 60 degrees without it. */
  readonly u13?: number
  readonly i1: number
  readonly i3: number
  readonly p: number
  /** `null` = not sent: then nothing better than the bound is possible. */
  readonly q: number | null
}

/** What can be said about the current of line 2, A. */
export interface SecondLine {
  /**
   * `it-triangle`: the estimate below. `it-kirchhoff`: exact, because one of the other lines is idle. `it-bound`: no
   * triangle (not closed, or a quantity is missing), `estimate` is the upper bound |I1| + |I3|.
   */
  readonly method: Extract<DerivedMethod, 'it-triangle' | 'it-kirchhoff' | 'it-bound'>
  readonly estimate: number
  /** The other solution of the triangle; `null` where there is none. */
  readonly mirror: number | null
  /** Ordinary (ohmic to moderately inductive) loads could give the mirror solution too. */
  readonly mirrorFits: boolean
  /** False when currents and powers cannot belong to the same moment. */
  readonly closes: boolean
  /** Bounds that hold whatever the angles are: | |I1| - |I3| | and |I1| + |I3|. */
  readonly lower: number
  readonly upper: number
}

/** How far S may miss the triangle's sides before currents and powers are taken for different moments. */
const CLOSURE = 0.03

/** Which side the triangle is laid down on: `3-2-1` where terminals of the meter were swapped. */
export type PhaseOrder = '1-2-3' | '3-2-1'

/** Current of line 2 of a three-wire net from the other two and the powers. Inputs are finite; voltages above 0. */
export function estimateL2(net: ThreeWire, order: PhaseOrder = '1-2-3'): SecondLine {
  const i1 = Math.abs(net.i1)
  const i3 = Math.abs(net.i3)
  const bounds = { lower: Math.abs(i1 - i3), upper: i1 + i3 }
  const rest = { mirror: null, mirrorFits: false, ...bounds }
  if (i1 === 0 || i3 === 0)
    return { method: 'it-kirchhoff', estimate: i1 + i3, closes: true, ...rest }
  const bound = { method: 'it-bound', estimate: bounds.upper, ...rest } as const
  if (net.q === null) return { ...bound, closes: false }

  const a = net.u12 * i1
  const b = net.u23 * i3
  const s = Math.hypot(net.p, net.q)
  const closes = s <= (1 + CLOSURE) * (a + b) && s >= (1 - CLOSURE) * Math.abs(a - b)
  if (!closes || !(s > 0)) return { ...bound, closes }

  const side = order === '1-2-3' ? 1 : -1
  const alpha = side * acos((a * a + s * s - b * b) / (2 * a * s))
  const beta = side * acos((b * b + s * s - a * a) / (2 * b * s))
  const theta = voltageAngle(net)
  const line = (angle: number): number =>
    Math.sqrt(Math.max(0, i1 * i1 + i3 * i3 + 2 * i1 * i3 * Math.cos(angle)))
  return {
    method: 'it-triangle',
    estimate: line(theta + alpha + beta),
    mirror: line(theta - alpha - beta),
    mirrorFits: mirrorFits(degrees(Math.atan2(net.q, net.p)), degrees(alpha), degrees(beta)),
    closes,
    ...bounds,
  }
}

/**
 * The value to hold against a fuse, A: the larger of the solutions that are possible, and 1 A or 3 % for what P and Q
 * do not show (harmonics), never more than the bound.
 */
export function safeL2(line: SecondLine): number {
  if (line.method !== 'it-triangle') return line.upper
  const x = solution(line)
  return Math.min(line.upper, x + Math.max(1, 0.03 * x))
}

/** The larger of the solutions that ordinary loads allow, without any addition, A. */
export function solution(line: SecondLine): number {
  return line.mirrorFits ? Math.max(line.estimate, line.mirror ?? 0) : line.estimate
}

/** Angles that I1 and I3 of the mirror solution would have, degrees; loads lag by up to about 45. */
function mirrorFits(phi: number, alpha: number, beta: number): boolean {
  const first = wrap(30 - phi + alpha)
  const third = wrap(90 - phi - beta)
  return first >= -75 && first <= 35 && third >= 45 && third <= 155
}

function voltageAngle({ u12, u23, u13 }: ThreeWire): number {
  if (u13 === undefined || !(u13 > 0)) return Math.PI / 3
  return acos((u12 * u12 + u23 * u23 - u13 * u13) / (2 * u12 * u23))
}

function acos(x: number): number {
  return Math.acos(Math.min(1, Math.max(-1, x)))
}

function degrees(radians: number): number {
  return (radians * 180) / Math.PI
}

/** Into -180 (excluded) to 180. */
function wrap(angle: number): number {
  const turned = ((angle % 360) + 360) % 360
  return turned > 180 ? turned - 360 : turned
}
