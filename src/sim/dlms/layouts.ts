/** The forms in which meters put their lists: bodies of a data-notification, as bytes. */
import { type AxdrData, encodeData, lengthBytes, structure } from '../encode/axdr-encoder.ts'
import { concat, integerBytes } from '../encode/bytes.ts'
import { type Item, logicalName, scalerUnit } from './items.ts'

/** A form; the items are those of the list in its order. */
export type Layout = (items: readonly Item[]) => Uint8Array

const name = (obis: string): AxdrData => ({ tag: 'octet-string', bytes: logicalName(obis) })
const isNumber = ({ value, data }: Item): boolean =>
  typeof value === 'number' && data.tag !== 'enum'

/** Codes and values one behind the other; what has no code stands alone. */
export const flatPairs: Layout = items =>
  encodeData(
    structure(
      ...items.flatMap(item => (item.obis === '' ? [item.data] : [name(item.obis), item.data])),
    ),
  )

/** The same with scaler and unit behind each number (Netz NÖ). */
export const flatTriples: Layout = items =>
  encodeData(
    structure(
      ...items.flatMap(item => [
        ...(item.obis === '' ? [] : [name(item.obis)]),
        item.data,
        ...(isNumber(item) ? [scalerUnit(item)] : []),
      ]),
    ),
  )

/** A structure for each object; `flatFirst`: but for the first (Kaifa). */
export function structures(flatFirst: boolean): Layout {
  return items =>
    encodeData(
      structure(
        ...items.flatMap((item, i) => {
          const parts = [name(item.obis), item.data, ...(isNumber(item) ? [scalerUnit(item)] : [])]
          return flatFirst && i === 0 ? parts : [structure(...parts)]
        }),
      ),
    )
}

/** Values alone. */
export const positions: Layout = items => encodeData(structure(...items.map(({ data }) => data)))

const PUSH_SETUP = 40

/** Descriptors of all objects, then their values; `ownName`: the push setup's name is one of them. */
export function objectList(pushSetup: string, ownName: boolean): Layout {
  const descriptor = (classId: number, obis: string, attribute: number): AxdrData =>
    structure(
      { tag: 'long-unsigned', value: classId },
      name(obis),
      { tag: 'integer', value: attribute },
      { tag: 'long-unsigned', value: 0 },
    )
  return items => {
    const descriptors = [
      descriptor(PUSH_SETUP, pushSetup, 2),
      ...(ownName ? [descriptor(PUSH_SETUP, pushSetup, 1)] : []),
      ...items.map(({ classId, obis, attribute }) => descriptor(classId, obis, attribute)),
    ]
    return encodeData(
      structure(
        { tag: 'array', items: descriptors },
        ...(ownName ? [name(pushSetup)] : []),
        ...items.map(({ data }) => data),
      ),
    )
  }
}

/** Each value behind a descriptor without tags (Czech Republic). */
export const descriptors: Layout = items =>
  concat(
    [0x02, 0x02, 0x16, 0x01, 0x01],
    lengthBytes(items.length),
    ...items.map(({ classId, obis, attribute, data }) =>
      concat(
        [0x02, 0x02],
        integerBytes(classId, 2),
        logicalName(obis),
        [attribute],
        encodeData(data),
      ),
    ),
  )
