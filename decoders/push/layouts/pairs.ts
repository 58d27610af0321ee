/**
 * Lists in which each value follows its code, flat or in structures:
 *
 * | seen on                | contents                                                                  |
 * |------------------------|---------------------------------------------------------------------------|
 * | Kamstrup, Kaifa Sweden | list id, then code, value, code, value …                                  |
 * | Netz NÖ                | clock, then code, value, {scaler, unit} …, at the end the meter's number  |
 * | Kaifa, Aidon, Iskra    | structures of code, value and maybe {scaler, unit}; the first may be flat |
 * | Landis+Gyr E450        | clock, then code, value …                                                 |
 *
 * Structures mean nothing but the one of scaler and unit. Six octets are a code only where a code must stand and if
 * they can be one: Iskra sends the text "160456" as a value. What stands without a code is told by place and type.
 */
import { type AxdrTape, TAG } from '../../../src/dlms/axdr.ts'
import { obisKey } from '../../../src/obis.ts'
import { isContainer, isScalerUnit, type Layout, scalerUnit } from './layout.ts'

interface Pair {
  readonly name: number
  readonly value: number
  /** Element of scaler and unit, -1 where they are not sent. */
  readonly scale: number
}

/** Elements of a list; -1 for what it does not have. */
interface Found {
  readonly pairs: Pair[]
  /** Values that are arrays or structures: profile buffers and the like. */
  readonly passed: number[]
  listId: number
  clock: number
  meterId: number
}

export const pairs: Layout = {
  recognise: tape => find(tape) !== undefined,
  read: (list, scaleOf) => {
    const { tape } = list
    const { pairs, passed, listId, clock, meterId } = find(tape)!
    if (listId >= 0) list.listId = list.textOf(listId)
    if (clock >= 0) list.clockElement = clock
    if (meterId >= 0) list.meterId = list.textOf(meterId)
    for (const { name, value, scale } of pairs) {
      const key = obisKey(tape.bytes, tape.from(name))
      list.add(name, value, scale >= 0 ? scalerUnit(tape, scale) : scaleOf(key))
    }
    for (const element of passed) list.skip(element)
  },
}

/** The pairs of a list, `undefined` if it is no list of pairs. */
function find(tape: AxdrTape): Found | undefined {
  const found: Found = { pairs: [], passed: [], listId: -1, clock: -1, meterId: -1 }
  if (!isContainer(tape, 0)) return undefined
  for (let i = 1; i < tape.count; ) {
    if (isCode(tape, i)) {
      const value = i + 1
      if (value === tape.count) return undefined
      i = tape.next(value)
      if (isContainer(tape, value)) {
        found.passed.push(value)
        continue
      }
      const scale = isScalerUnit(tape, i) ? i : -1
      found.pairs.push({ name: value - 1, value, scale })
      if (scale >= 0) i = tape.next(i)
    } else {
      if (!isContainer(tape, i) && !isUncoded(tape, i, found)) return undefined
      i++
    }
  }
  return found.pairs.length > 0 ? found : undefined
}

/** Group A tells the medium, 0 to 15, and group F is always sent as 255. */
function isCode(tape: AxdrTape, element: number): boolean {
  if (!tape.isLogicalName(element)) return false
  const at = tape.from(element)
  return tape.bytes[at]! <= 0x0f && tape.bytes[at + 5] === 0xff
}

/** Takes what may stand without a code: list id or clock before the first one, the meter's number behind the last. */
function isUncoded(tape: AxdrTape, element: number, found: Found): boolean {
  const tag = tape.tag[element]
  if (tag === TAG.nullData) return true
  if (found.pairs.length === 0) {
    if (tag === TAG.visibleString) found.listId = element
    else if (tape.isDateTime(element)) found.clock = element
    else return false
    return true
  }
  found.meterId = element
  return tape.isString(element) && element === tape.count - 1
}
