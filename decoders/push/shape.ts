/** The types of a list as text: what a profile of positions is recognised by, and what a report of an unknown list needs. */
import { type AxdrTape, TAG, TAG_NAMES } from '../../src/dlms/axdr.ts'

/** Types beyond so many runs are not told: such a list is not positional. */
const MOST_RUNS = 40

/** Type of an element: its DLMS name, for arrays and structures with those of their elements, `array(long-unsigned)`. */
export function typeOf(tape: AxdrTape, element: number): string {
  const tag = tape.tag[element]!
  const name = TAG_NAMES[tag]!
  if (tag !== TAG.array && tag !== TAG.structure) return name
  return `${name}(${runs(childTypes(tape, element))})`
}

/** Types of the elements of an array or structure. */
export function childTypes(tape: AxdrTape, element: number): string[] {
  const types: string[] = []
  const end = tape.next(element)
  for (let i = element + 1; i < end; i = tape.next(i)) types.push(typeOf(tape, i))
  return types
}

/** The whole list in one line, `structure of 4 elements: octet-string, unsigned, double-long-unsigned x2`. */
export function shapeOf(tape: AxdrTape): string {
  return `${TAG_NAMES[tape.tag[0]!]} of ${tape.items[0]} elements: ${runs(childTypes(tape, 0))}`
}

/** Types in order, equal ones counted. */
function runs(types: readonly string[]): string {
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
