/** Three-phase nets without neutral (IT): how they are recognised, and the current that no transformer measures. */
import { estimateL2 } from '../../src/it-net.ts'
import {
  type Derived,
  type FieldName,
  type Grid,
  netPowerW,
  netReactivePowerVar,
  type Values,
} from '../../src/reading.ts'
import type { ModelRow, Wiring } from './family.ts'
import type { PushList } from './list.ts'

/** Wiring that the user or the model table names, else what the list shows; see {@link shownWiring}. */
export function wiringOf(list: PushList, grid: 'TN' | 'IT' | undefined): Wiring | undefined {
  if (grid !== undefined) return grid === 'IT' ? '3P3W' : '3P4W'
  return list.row?.wiring ?? shownWiring(list)
}

/**
 * Powers of single phases need a neutral; a second line without current or voltage beside two with is a three-wire
 * meter.
 */
function shownWiring(list: PushList): Wiring | undefined {
  if (!Number.isNaN(list.raw('41.7.0')) || !Number.isNaN(list.raw('42.7.0'))) return '3P4W'
  const [i1, i2, i3] = [list.raw('31.7.0'), list.raw('51.7.0'), list.raw('71.7.0')]
  const [u1, u2, u3] = [list.raw('32.7.0'), list.raw('52.7.0'), list.raw('72.7.0')]
  const isIdle = (x: number): boolean => Number.isNaN(x) || x === 0
  if (!isIdle(i1) && !isIdle(i3) && !isIdle(u1) && !isIdle(u3) && (isIdle(i2) || isIdle(u2)))
    return '3P3W'
  return undefined
}

/** In three-wire nets a zero of the unmeasured line, or of the voltage between the measured ones, is no value. */
export function meansNotMeasured(field: FieldName, row: ModelRow | undefined): boolean {
  return field === 'voltageL1L3V' || (field === 'currentL2A' && row?.measuresL2 !== true)
}

/** The word for a wiring; `null` where the list does not tell. */
export function gridOf(wiring: Wiring | undefined): Grid {
  if (wiring === '3P4W') return 'TN'
  return wiring === '3P3W' ? 'IT' : null
}

/** Current of the line without a transformer, from the two measured elements; to 0.01 A. */
export function deriveL2(values: Values): Derived | undefined {
  const { currentL1A: i1, currentL3A: i3, voltageL1L2V: u12, voltageL2L3V: u23 } = values
  if (typeof i1 !== 'number' || typeof i3 !== 'number') return undefined
  const p = netPowerW(values)
  const q = netReactivePowerVar(values)
  const u13 = values.voltageL1L3V
  const { method, estimate } = estimateL2({
    i1,
    i3,
    u12: u12 ?? 0,
    u23: u23 ?? 0,
    ...(typeof u13 === 'number' ? { u13 } : {}),
    p: p ?? 0,
    q: p === undefined || q === undefined || !u12 || !u23 ? null : q,
  })
  const value = hundredths(estimate)
  return method === 'it-triangle'
    ? { value, method, uncertainty: hundredths(Math.max(1, 0.03 * estimate)) }
    : { value, method }
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100
}
