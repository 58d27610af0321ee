/** The octets of one SML message with their meaning. */
import { toHex } from '../../src/bytes/hex.ts'
import { UNITS } from '../../src/dlms/scale.ts'
import { formatObis } from '../../src/obis.ts'
import { SmlList } from '../../src/sml/get-list.ts'
import { checkOf, readEnvelope, TAG } from '../../src/sml/message.ts'
import { type SmlTape, TYPE } from '../../src/sml/tape.ts'
import { titleOf } from './codes.ts'
import type { Add } from './explain.ts'
import { readTime } from './meter.ts'
import { textOf } from './shape.ts'
import { describeStatus, readStatus } from './status.ts'
import { numberOf } from './values.ts'

/** Name and elements of the bodies that a meter pushes, by tag. */
const BODIES: Readonly<Record<number, readonly [name: string, parts: readonly string[]]>> = {
  [TAG.openResponse]: [
    'open response',
    ['codepage', 'client id', 'request file id', 'server id', 'time', 'SML version'],
  ],
  [TAG.closeResponse]: ['close response', ['signature']],
  [TAG.getListResponse]: [
    'GetList response',
    ['client id', 'server id', 'list name', 'time', 'values', 'signature', 'gateway time'],
  ],
}

/** Explains the message on the tape. Throws DATA_BAD_VALUE before the first row if it is none. */
export function explainMessage(tape: SmlTape, add: Add): void {
  const tag = readEnvelope(tape)
  const isList = tape.number(tag) === TAG.getListResponse
  const list = new SmlList()
  if (isList) list.read(tape, tag + 1)
  const { at, start, end, next } = tape
  const [group, body] = [next[1]!, tag - 1]
  const crc = next[body]!
  const [name, parts] = BODIES[tape.number(tag)] ?? ['another message', []]
  add(0, at[0]!, start[0]!, 'message, list of 6')
  element(tape, 1, 1, 'transaction id', add)
  element(tape, group, 1, 'group number', add)
  element(tape, next[group]!, 1, 'abort on error', add)
  add(1, at[body]!, start[body]!, 'body, list of 2')
  add(2, at[tag]!, end[tag]!, name)
  const contents = tag + 1
  if (tape.type[contents] !== TYPE.list) element(tape, contents, 2, 'contents', add)
  else {
    add(2, at[contents]!, start[contents]!, `list of ${tape.items[contents]}`)
    let part = contents + 1
    for (let i = 0; i < tape.items[contents]!; i++, part = next[part]!) {
      if (!isList || parts[i] !== 'values') element(tape, part, 3, parts[i] ?? 'element', add)
      else {
        add(3, at[part]!, start[part]!, `values, list of ${list.count}`)
        for (let value = 0; value < list.count; value++) explainValue(tape, list, value, add)
      }
    }
  }
  const check = checkOf(tape)
  add(
    1,
    at[crc]!,
    end[crc]!,
    `message checksum${check === undefined ? ', wrong' : `, right${check === 'kermit' ? ' as KERMIT' : ''}`}`,
  )
  add(1, at[next[crc]!]!, end[next[crc]!]!, 'end of the message')
}

function explainValue(tape: SmlTape, list: SmlList, i: number, add: Add): void {
  const { bytes, at, start, end, next } = tape
  const name = list.name[i]!
  const status = list.status[i]!
  const time = next[status]!
  const unit = next[time]!
  const scaler = next[unit]!
  const value = list.value[i]!
  const title = titleOf(bytes, tape.from(name))
  const unitText = UNITS[list.unit[i]!] ?? ''
  const row = (element: number, meaning: string): void =>
    add(5, at[element]!, end[element]!, meaning)
  add(4, at[name - 1]!, start[name - 1]!, 'value, list of 7')
  row(name, `${formatObis(bytes, tape.from(name))}${title === '' ? '' : ` ${title}`}`)
  const flags = readStatus(tape, status)
  row(
    status,
    flags === undefined ? `status ${valueText(tape, status)}` : `status: ${describeStatus(flags)}`,
  )
  element(tape, time, 5, 'time', add)
  row(
    unit,
    tape.isAbsent(unit) ? 'unit none' : `unit ${list.unit[i]}${unitText && ` (${unitText})`}`,
  )
  row(scaler, `scaler ${tape.isAbsent(scaler) ? 'none' : list.scaler[i]}`)
  row(
    value,
    tape.isNumber(value)
      ? `value ${tape.big(value)}: ${numberOf(tape, value, list.scaler[i]!)}${unitText && ` ${unitText}`}`
      : `value ${valueText(tape, value)}`,
  )
  element(tape, next[value]!, 5, 'signature', add)
}

/** One element, times in words, with all it contains. */
function element(tape: SmlTape, i: number, depth: number, name: string, add: Add): void {
  const time = name.endsWith('time') ? readTime(tape, i) : undefined
  const text =
    time === undefined
      ? valueText(tape, i)
      : 'seconds' in time
        ? `${time.seconds} s of running`
        : `${time.local}, UTC ${time.utc}`
  add(depth, tape.at[i]!, tape.end[i]!, `${name} ${text}`)
}

function valueText(tape: SmlTape, i: number): string {
  const [start, end] = [tape.from(i), tape.to(i)]
  if (tape.isAbsent(i)) return 'none'
  if (tape.isNumber(i)) return String(tape.big(i))
  if (tape.type[i] === TYPE.boolean) return String(tape.bytes[start] !== 0)
  if (tape.type[i] === TYPE.list) return `list of ${tape.items[i]}`
  const text = textOf(tape.bytes, start, end)
  return text === toHex(tape.bytes, start, end) ? shortened(text) : `"${text}"`
}

/** Hex digits that fit into a row. */
function shortened(digits: string): string {
  return digits.length <= 32 ? digits : `${digits.slice(0, 32)}…`
}
