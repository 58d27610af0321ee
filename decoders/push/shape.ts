/** The types of a list as text: what a profile of positions is recognised by, and what a report of an unknown list needs. */
import { type AxdrTape, TAG, TAG_NAMES } from '../../src/dlms/axdr.ts'

/** Types beyond so many runs are not told: such a list is not positional. */
const MOST_RUNS = 40

/** Elements directly inside an array or structure. */
export function childrenOf(tape: AxdrTape, element: number): readonly number[] {
  const children: number[] = []
  const end = tape.next(element)
  for (let i = element + 1; i < end; i = tape.next(i)) children.push(i)
  return children
}

/**
 * Type of an element: its DLMS name, for arrays and structures with those of their elements, `array(long-unsigned)`.
 * With `lengths` strings tell theirs, `octet-string(12)`.
 */
export function typeOf(tape: AxdrTape, element: number, lengths = false): string {
  const tag = tape.tag[element]!
  const name = TAG_NAMES[tag]!
  if (tag === TAG.array || tag === TAG.structure)
    return `${name}(${typesIn(tape, element, lengths)})`
  return lengths && tape.isString(element)
    ? `${name}(${tape.end[element]! - tape.start[element]!})`
    : name
}

/** The whole list in one line, `structure of 4 elements: octet-string(8), unsigned, double-long-unsigned x2`. */
export function shapeOf(tape: AxdrTape): string {
  return `${TAG_NAMES[tape.tag[0]!]} of ${tape.items[0]} elements: ${typesIn(tape, 0, true)}`
}

/** Types of the elements inside, equal ones counted. */
function typesIn(tape: AxdrTape, element: number, lengths: boolean): string {
  const types = childrenOf(tape, element).map(child => typeOf(tape, child, lengths))
  const parts: string[] = []
  for (let i = 0; i < types.length; ) {
    let next = i + 1
    while (types[next] === types[i]) next++
    if (parts.length === MOST_RUNS) return `${parts.join(', ')}, …`
    parts.push(next - i > 1 ? `${types[i]} x${next - i}` : types[i]!)
    i = next
  }
  return parts.join(', ')
}
