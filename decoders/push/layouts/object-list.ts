/**
 * Lists that first name their objects and then give one value for each (Landis+Gyr and Iskra in Switzerland):
 *
 * | element | contents                                                                            |
 * |---------|-------------------------------------------------------------------------------------|
 * | 1       | array of {class u16, logical name, attribute i8, data index u16}                    |
 * | 2 …     | value of the second object and so on: the array is the value of the first, the push |
 * |         | setup's own list. Where there is one element more, the values begin with the first. |
 *
 * The values have no scalers. A reader of pairs takes the descriptors for pairs and finds 0 W: this layout goes first.
 */
import { type AxdrTape, TAG } from '../../../src/dlms/axdr.ts'
import { obisKey } from '../../../src/obis.ts'
import type { Scale } from '../list.ts'
import { isContainer, isScalerUnit, type Layout, scalerUnit } from './layout.ts'

/** Interface classes (Blue Book). */
const [EXTENDED_REGISTER, PUSH_SETUP, DISCONNECT_CONTROL, LIMITER] = [4, 40, 70, 71]
/** Attribute of a register that holds scaler and unit. */
const SCALER_UNIT = 3

/** One object of the list: its descriptor, and the element of its value, -1 for the list itself. */
interface Listed {
  readonly classId: number
  readonly name: number
  readonly attribute: number
  readonly isWhole: boolean
  readonly value: number
}

export const objectList: Layout = {
  recognise: tape =>
    tape.tag[0] === TAG.structure && tape.tag[1] === TAG.array && isDescriptor(tape, 2),
  read: (list, scaleOf) => {
    const { tape } = list
    const scales = new Map<number, Scale>()
    const listed = objects(tape)
    if (listed === undefined)
      throw list.fault(1, `${tape.items[1]} objects and ${tape.items[0]! - 1} values`)
    const keyOf = ({ name }: Listed): number => obisKey(tape.bytes, tape.from(name))
    for (const object of listed)
      if (isScale(tape, object)) scales.set(keyOf(object), scalerUnit(tape, object.value))
    for (const object of listed) {
      const { name, value } = object
      if (value < 0) continue
      if (
        holdsValue(object.classId, object.attribute) &&
        object.isWhole &&
        !isContainer(tape, value)
      )
        list.add(name, value, scales.get(keyOf(object)) ?? scaleOf(keyOf(object)))
      else if (!isScale(tape, object)) list.skip(value)
    }
  },
}

/** Element of the logical name of the first descriptor. */
export const FIRST_NAME = 4

function isDescriptor(tape: AxdrTape, i: number): boolean {
  return (
    i + 4 < tape.count &&
    tape.tag[i] === TAG.structure &&
    tape.items[i] === 4 &&
    tape.tag[i + 1] === TAG.longUnsigned &&
    tape.isLogicalName(i + 2) &&
    tape.tag[i + 3] === TAG.integer &&
    tape.tag[i + 4] === TAG.longUnsigned
  )
}

/** The objects with their values; `undefined` if there are not as many of both. */
function objects(tape: AxdrTape): readonly Listed[] | undefined {
  const count = tape.items[1]!
  const surplus = tape.items[0]! - count
  if (surplus !== 0 && surplus !== 1) return undefined
  const listed: Listed[] = []
  let value = surplus === 1 ? tape.next(1) : -1
  for (let k = 0; k < count; k++) {
    const i = 2 + 5 * k
    if (!isDescriptor(tape, i)) return undefined
    listed.push({
      classId: tape.value[i + 1]!,
      name: i + 2,
      attribute: tape.value[i + 3]!,
      isWhole: tape.value[i + 4] === 0,
      value,
    })
    value = tape.next(value < 0 ? 1 : value)
  }
  return listed
}

/** True for the attribute in which an object of a class keeps what it is for. */
export function holdsValue(classId: number, attribute: number): boolean {
  if (classId === PUSH_SETUP) return false
  if (classId === LIMITER) return attribute === 3
  return attribute === 2 || (classId === DISCONNECT_CONTROL && attribute === 3)
}

function isScale(tape: AxdrTape, { classId, attribute, value }: Listed): boolean {
  return classId <= EXTENDED_REGISTER && attribute === SCALER_UNIT && isScalerUnit(tape, value)
}
