/** Lists in which a descriptor without tags stands before each value; see `src/dlms/described.ts` for their bytes. */
import { TAG } from '../../../src/dlms/axdr.ts'
import { describedBy } from '../../../src/dlms/described.ts'
import { obisKey } from '../../../src/obis.ts'
import { isContainer, type Layout } from './layout.ts'
import { holdsValue } from './object-list.ts'

/** Elements of the kind and of the array behind it. */
const [KIND, ARRAY] = [1, 2]

export const descriptors: Layout = {
  recognise: tape =>
    tape.tag[0] === TAG.structure &&
    tape.tag[KIND] === TAG.enum &&
    tape.tag[ARRAY] === TAG.array &&
    tape.isLogicalName(ARRAY + 2) &&
    // Nothing but a descriptor is an octet string without length octets of its own.
    tape.start[ARRAY + 2]! === tape.at[ARRAY + 2]! + 2 &&
    tape.bytes[tape.base + tape.at[ARRAY + 2]!] === 0,
  read: (list, scaleOf) => {
    const { tape } = list
    for (let i = ARRAY + 1; i < tape.count; i = tape.next(i)) {
      const [name, value] = [i + 1, i + 2]
      const { classId, attribute } = describedBy(tape, name)
      if (holdsValue(classId, attribute) && !isContainer(tape, value))
        list.add(name, value, scaleOf(obisKey(tape.bytes, tape.from(name))))
      else list.skip(value)
    }
  },
}
