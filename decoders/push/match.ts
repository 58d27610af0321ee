/** Which profile a list is of, by what it says of its meter. */
import { formatObis } from '../../src/obis.ts'
import { FIRST_NAME } from './layouts/object-list.ts'
import type { PushList } from './list.ts'
import type { ProfileMatch } from './profile.ts'
import { typeOf } from './shape.ts'

/** True if everything that a match names is so. */
export function fits(match: ProfileMatch, list: PushList): boolean {
  const { title, listId, deviceName, meterId, codes, pushSetup, contains } = match
  return (
    begins(list.envelope.systemTitle, title?.toLowerCase()) &&
    begins(list.listId, listId) &&
    (deviceName === null ? list.deviceName === undefined : begins(list.deviceName, deviceName)) &&
    begins(list.meterId, meterId) &&
    (codes ?? []).every((code, i) => shortOf(list, i) === code) &&
    (pushSetup === undefined || pushSetupOf(list) === `${pushSetup}*255`) &&
    (contains === undefined || list.entries.some(e => typeOf(list.tape, e.element) === contains))
  )
}

function begins(text: string | undefined, wanted: string | undefined): boolean {
  return wanted === undefined || text?.startsWith(wanted) === true
}

/** C.D.E of an entry. */
function shortOf(list: PushList, index: number): string | undefined {
  const obis = list.entries[index]?.obis
  return obis?.slice(obis.indexOf(':') + 1, obis.indexOf('*'))
}

/** Logical name that the first descriptor of an object list carries. */
function pushSetupOf({ tape }: PushList): string | undefined {
  return tape.isLogicalName(FIRST_NAME) ? formatObis(tape.bytes, tape.from(FIRST_NAME)) : undefined
}
