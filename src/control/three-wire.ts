/**
 * Line 2 of a three-wire net from frame to frame: the arithmetic is `it-net.ts`, here is what one frame alone cannot
 * decide. Currents and powers are not sampled together, so single frames are absurd now and then.
 */
import { estimateL2, type PhaseOrder, safeL2, solution, type ThreeWire } from '../it-net.ts'
import { type Instant, netPowerW, netReactivePowerVar, type Values } from '../reading.ts'
import { milliamperes } from './amperes.ts'
import type { ControlState } from './state.ts'

type Memory = NonNullable<ControlState['secondLine']>

/** The current of line 2, mA. */
export interface SecondLineCurrent {
  readonly ma: number
  /** For cuts. */
  readonly cutMa: number
  /** An estimate that needs an extra margin; false for exact values and for the bound. */
  readonly computed: boolean
  readonly memory: Memory | null
}

/** Below this a current of 0.1 A resolution says nothing about angles. */
const LEAST_CURRENT_A = 0.5
/** An estimate further above both measured lines than this has to come twice before it cuts. */
const OUTLIER_A = 2
/** How long the last estimate serves while the triangle does not close. */
const HELD_MS = 30_000

/** `null` where not even a bound is possible: a measured line is missing. */
export function secondLine(
  memory: Memory | null,
  values: Values,
  voltageV: number,
  order: PhaseOrder,
  at: Instant,
): SecondLineCurrent | null {
  const i1 = number(values.currentL1A)
  const i3 = number(values.currentL3A)
  if (i1 === null || i3 === null) return null
  const p = number(netPowerW(values))
  const q = number(netReactivePowerVar(values))
  const boundMa = milliamperes(Math.abs(i1) + Math.abs(i3))
  const bound = { ma: boundMa, cutMa: boundMa, computed: false, memory }
  if (p === null || Math.min(Math.abs(i1), Math.abs(i3)) < LEAST_CURRENT_A) return bound

  const u13 = number(values.voltageL1L3V)
  const net: ThreeWire = {
    u12: positive(values.voltageL1L2V) ?? voltageV,
    u23: positive(values.voltageL2L3V) ?? voltageV,
    ...(u13 === null ? {} : { u13 }),
    i1,
    i3,
    p,
    q,
  }
  const line = estimateL2(net, order)
  if (line.method !== 'it-triangle') {
    if (q === null || memory === null || at - memory.at > HELD_MS) return bound
    const heldMa = memory.ma + milliamperes(Math.max(0, p - memory.powerW) / voltageV)
    const ma = Math.min(boundMa, heldMa)
    return { ma, cutMa: ma, computed: true, memory }
  }

  const ma = milliamperes(safeL2(line))
  const largest = Math.max(Math.abs(i1), Math.abs(i3))
  const outlier = solution(line) > largest + OUTLIER_A
  const believed = !outlier || memory?.outlier === true
  const cutMa = believed ? ma : Math.min(ma, milliamperes(largest + OUTLIER_A))
  const recentMa = memory?.recentMa ?? []
  return { ma, cutMa, computed: true, memory: { at, ma: cutMa, powerW: p, outlier, recentMa } }
}

/** Median of the newest three values, so that one absurd frame moves nothing; the largest of fewer. */
export function medianOfThree(
  recentMa: readonly number[],
  newestMa: number,
): { readonly ma: number; readonly recentMa: readonly number[] } {
  const three = [...recentMa.slice(-2), newestMa]
  const sorted = [...three].sort((a, b) => a - b)
  const ma = three.length < 3 ? sorted.at(-1)! : sorted[1]!
  return { ma, recentMa: three.slice(-2) }
}

function number(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}

function positive(value: number | null | undefined): number | null {
  const known = number(value)
  return known !== null && known > 0 ? known : null
}
