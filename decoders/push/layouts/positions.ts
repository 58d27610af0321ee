/**
 * Lists of values alone, in an order that their maker documents (Iskra in Slovenia and Croatia, Landis+Gyr in
 * Burgenland, Wiener Netze). The number of items tells nothing: two lists of nine and two of twelve differ only in
 * their types, so the types of all items together are what such a list is known by.
 */
import { type AxdrTape, TAG } from '../../../src/dlms/axdr.ts'
import { CATALOGUE, keyOf } from '../../../src/obis.ts'
import type { ProfileItem, ProfileList } from '../profile.ts'
import { childrenOf, typeOf } from '../shape.ts'
import { isContainer, type Layout } from './layout.ts'

/** The layout of the lists of one profile. */
export function positions(lists: readonly ProfileList[]): Layout {
  const known = lists.map(({ items }) =>
    items.map(item => ({ ...item, types: item.type.split('|') })),
  )
  const find = (tape: AxdrTape): readonly ProfileItem[] | undefined => {
    const elements = tape.tag[0] === TAG.structure ? childrenOf(tape, 0) : []
    return known.find(
      items =>
        items.length === elements.length &&
        items.every(({ types, length }, k) => {
          const element = elements[k]!
          const size = tape.end[element]! - tape.start[element]!
          return types.includes(typeOf(tape, element)) && (length ?? size) === size
        }),
    )
  }
  return {
    recognise: tape => find(tape) !== undefined,
    read: (list, scaleOf) => {
      const { tape } = list
      const elements = childrenOf(tape, 0)
      for (const [k, { obis }] of find(tape)!.entries()) {
        const element = elements[k]!
        if (obis === undefined) {
          list.skip(element)
          continue
        }
        const key = keyOf(obis.slice(obis.indexOf(':') + 1))
        const value = isContainer(tape, element) ? element + 1 : element
        list.put(`${obis}*255`, CATALOGUE.get(key), value, scaleOf(key))
      }
    },
  }
}
