/** A way in which pushed lists say what their values are. */
import { type AxdrTape, TAG } from '../../../src/dlms/axdr.ts'
import { UNITS } from '../../../src/dlms/scale.ts'
import type { PushList, Scale } from '../list.ts'

export interface Layout {
  /** Answers from the shape alone. */
  recognise(tape: AxdrTape): boolean
  /** Adds every entry; throws DecodeError where the list breaks its own order. */
  read(list: PushList, scaleOf: ScaleOf): void
}

/** Scale of a C.D.E key where the list does not say it; `undefined` = the numbers of each telegram tell. */
export type ScaleOf = (key: number) => Scale | undefined

/** True for arrays and structures. */
export function isContainer(tape: AxdrTape, element: number): boolean {
  const tag = tape.tag[element]
  return tag === TAG.array || tag === TAG.structure
}

/** True for a structure of scaler (integer) and unit (enum). */
export function isScalerUnit(tape: AxdrTape, element: number): boolean {
  return (
    element < tape.count &&
    tape.tag[element] === TAG.structure &&
    tape.items[element] === 2 &&
    tape.tag[element + 1] === TAG.integer &&
    tape.tag[element + 2] === TAG.enum
  )
}

/** What {@link isScalerUnit} recognised. */
export function scalerUnit(tape: AxdrTape, element: number): Scale {
  return {
    scaler: tape.value[element + 1]!,
    unit: UNITS[tape.value[element + 2]!] ?? '',
    isSent: true,
  }
}
