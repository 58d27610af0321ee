/** The data of a list, element by element. */
import { hex } from '../../../src/bytes/hex.ts'
import { type AxdrTape, TAG, TAG_NAMES } from '../../../src/dlms/axdr.ts'
import { isoLocal, readDateTime } from '../../../src/dlms/date-time.ts'
import { describedBy } from '../../../src/dlms/described.ts'
import { UNITS } from '../../../src/dlms/scale.ts'
import { CATALOGUE, formatObis, obisKey } from '../../../src/obis.ts'
import type { Rows } from './rows.ts'

/** Explains every element of a scanned tape. `isDescribed`: its descriptors have no tags. */
export function explainTape(rows: Rows, tape: AxdrTape, depth: number, isDescribed: boolean): void {
  for (let i = 0; i < tape.count; i++) {
    const [at, start, end] = [tape.base + tape.at[i]!, tape.from(i), tape.to(i)]
    const level = tape.depth[i]! + depth
    const tag = tape.tag[i]!
    const type = TAG_NAMES[tag]!
    if (tag === TAG.array || tag === TAG.structure || tag === TAG.compactArray)
      rows.add(level, at, start, `${type} of ${tape.items[i]}`)
    else if (isDescribed && level === depth + 3 && tape.tag[i - 1] === TAG.structure) {
      const { classId, attribute } = describedBy(tape, i)
      const described = `class ${classId}, ${codeText(tape.bytes, start)}, attribute ${attribute}`
      rows.add(level, at, end + 1, described)
    } else if (tape.isLogicalName(i) && tape.bytes[end - 1] === 0xff)
      rows.add(level, at, end, codeText(tape.bytes, start))
    else rows.add(level, at, end, `${type} ${valueText(tape, i)}`)
  }
}

/** A logical name and what it stands for. */
export function codeText(bytes: Uint8Array, at: number): string {
  const title = CATALOGUE.get(obisKey(bytes, at))?.title
  return `${formatObis(bytes, at)}${title === undefined ? '' : ` ${title}`}`
}

function valueText(tape: AxdrTape, i: number): string {
  const [start, end] = [tape.from(i), tape.to(i)]
  if (tape.tag[i] === TAG.enum) {
    const unit = UNITS[tape.value[i]!]
    return unit === undefined ? String(tape.value[i]) : `${tape.value[i]} (unit ${unit || 'none'})`
  }
  if (tape.isNumber(i)) return String(tape.exact(i))
  if (tape.isDateTime(i)) return clockText(tape.bytes, start)
  if (tape.isString(i) && tape.isPrintable(i)) return `"${tape.text(i)}"`
  return end > start ? hex(tape.bytes[start]!) + (end - start > 1 ? '…' : '') : ''
}

/** A date-time as sent. */
export function clockText(bytes: Uint8Array, at: number): string {
  const time = readDateTime(bytes, at)
  if (time === undefined) return 'not specified'
  const deviation = time.deviationMin === null ? 'not specified' : `${time.deviationMin} min`
  return `${isoLocal(time.localS)}, deviation ${deviation}`
}
