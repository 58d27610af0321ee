/**
 * The list of values in a GetList response (BSI TR-03109-1, annex IVb), a list of seven:
 *
 *     client id | server id | list name | sensor time | values | signature | gateway time
 *
 * and each of its values a list of seven:
 *
 *     name, six octets | status | time | unit | scaler | value | signature
 *
 * What is optional may be absent. Value = number x 10 ** scaler in the unit; an absent scaler is 0.
 */
import { type SmlTape, TYPE } from './tape.ts'

/** Most values of a list: no longer one gets on the tape. */
const MAX_ENTRIES = 255
const NAME_OCTETS = 6
/** No unit was sent; the DLMS unit codes are 0 to 255. */
export const NO_UNIT = -1

/** Where the parts of one list stand on its tape. */
export class SmlList {
  /** Elements of the list's head; each may be absent. */
  serverId = 0
  listName = 0
  sensorTime = 0
  /** Values in the list. */
  count = 0
  /** Elements of value i. */
  readonly name: Uint32Array = new Uint32Array(MAX_ENTRIES)
  readonly status: Uint32Array = new Uint32Array(MAX_ENTRIES)
  readonly value: Uint32Array = new Uint32Array(MAX_ENTRIES)
  /** DLMS unit code of value i, {@link NO_UNIT} if absent. */
  readonly unit: Int16Array = new Int16Array(MAX_ENTRIES)
  /** Power of ten of value i. */
  readonly scaler: Int16Array = new Int16Array(MAX_ENTRIES)

  /** Reads the list whose contents are element `contents`. Throws DATA_BAD_VALUE. */
  read(tape: SmlTape, contents: number): void {
    const { next } = tape
    requireList(tape, contents, 'GetList response')
    this.serverId = next[contents + 1]!
    this.listName = next[this.serverId]!
    this.sensorTime = next[this.listName]!
    const values = next[this.sensorTime]!
    if (tape.type[this.serverId] !== TYPE.octetString)
      throw tape.fault(this.serverId, 'the server id is no octet string')
    if (tape.type[values] !== TYPE.list) throw tape.fault(values, 'a list of values expected')
    this.count = tape.items[values]!
    let entry = values + 1
    for (let i = 0; i < this.count; i++, entry = next[entry]!) this.entry(tape, i, entry)
  }

  private entry(tape: SmlTape, i: number, entry: number): void {
    const { next, type } = tape
    requireList(tape, entry, 'value')
    const name = entry + 1
    if (type[name] !== TYPE.octetString || tape.size(name) !== NAME_OCTETS)
      throw tape.fault(name, `a name of ${NAME_OCTETS} octets expected`)
    const status = next[name]!
    const unit = next[next[status]!]!
    const scaler = next[unit]!
    this.name[i] = name
    this.status[i] = status
    this.value[i] = next[scaler]!
    this.unit[i] = small(tape, unit, 'unit') ?? NO_UNIT
    this.scaler[i] = small(tape, scaler, 'scaler') ?? 0
  }
}

function requireList(tape: SmlTape, i: number, what: string): void {
  if (tape.type[i] !== TYPE.list || tape.items[i] !== 7)
    throw tape.fault(i, `no ${what}: a list of seven expected`)
}

/** An integer of one octet, `undefined` if it is absent. */
function small(tape: SmlTape, i: number, what: string): number | undefined {
  if (tape.isAbsent(i)) return undefined
  if (!tape.isNumber(i) || tape.size(i) !== 1)
    throw tape.fault(i, `the ${what} is no integer of one octet`)
  return tape.number(i)
}
