/** Who measured, and the meter's clock. */
import { toHex } from '../../src/bytes/hex.ts'
import { isoLocal } from '../../src/dlms/date-time.ts'
import type { Meter, MeterTime } from '../../src/reading.ts'
import { type SmlTape, TYPE } from '../../src/sml/tape.ts'
import { isSame, textOf } from './shape.ts'
import type { SmlValues } from './values.ts'

/** Octet strings that a meter repeats in every telegram, and the meter they tell of. */
export class KnownMeter {
  private meter: Meter | undefined
  private serverId = new Uint8Array(0)
  private listName = new Uint8Array(0)
  private maker: string | undefined

  /** The meter of the list that was read. */
  of(values: SmlValues): Meter {
    const { tape, list } = values
    const maker = sentMaker(values)
    const isKnown =
      maker === this.maker &&
      isElement(this.serverId, tape, list.serverId) &&
      isElement(this.listName, tape, list.listName)
    if (this.meter !== undefined && isKnown) return this.meter
    this.maker = maker
    this.serverId = octets(tape, list.serverId)
    this.listName = octets(tape, list.listName)
    const word = maker === undefined ? flagOf(this.serverId) : makerOf(maker)
    this.meter = {
      ...(this.serverId.length === 0 ? {} : { id: toHex(this.serverId) }),
      ...(word === undefined ? {} : { maker: word }),
      ...(this.listName.length === 0 ? {} : { list: toHex(this.listName) }),
    }
    return this.meter
  }
}

/** Letters or name of the maker in a value of its own, if it is text. */
function sentMaker({ tape, list, shape, registers }: SmlValues): string | undefined {
  if (shape.maker < 0) return undefined
  const { value } = registers[shape.maker]!
  // Octets that are no text have twice as many digits.
  const isText = typeof value === 'string' && value.length <= tape.size(list.value[shape.maker]!)
  return isText ? value : undefined
}

function isElement(known: Uint8Array, tape: SmlTape, i: number): boolean {
  return isSame(known, tape.bytes, tape.from(i), tape.to(i))
}

function octets(tape: SmlTape, i: number): Uint8Array<ArrayBuffer> {
  return tape.bytes.slice(tape.from(i), tape.to(i))
}

/** Three letters of the FLAG register as sent, anything longer as a word. */
function makerOf(text: string): string {
  return /^[A-Z]{3}$/.test(text) ? text : text.toLowerCase()
}

/** The maker's letters in a server id: behind 0A 01 or 09 01 (DIN 43863-5), or behind 06. */
function flagOf(serverId: Uint8Array): string | undefined {
  if (serverId.length !== 10) return undefined
  const isStandard = (serverId[0] === 0x0a || serverId[0] === 0x09) && serverId[1] === 0x01
  if (!isStandard && serverId[0] !== 0x06) return undefined
  const at = isStandard ? 2 : 1
  const letters = textOf(serverId, at, at + 3)
  return /^[A-Z]{3}$/.test(letters) ? letters : undefined
}

/** Choices of a time, which is a list of two: choice and contents. */
const SECONDS_INDEX = 1
const TIMESTAMP = 2
const LOCAL_TIMESTAMP = 3

/**
 * The time in element i, `undefined` if it is absent or of no known form. Some Holley meters send the bare number of
 * seconds without a choice. A local time stamp has two offsets, of the zone and of summer time, which add up.
 */
export function readTime(tape: SmlTape, i: number): MeterTime | undefined {
  if (tape.isNumber(i)) return { seconds: tape.number(i) }
  if (tape.type[i] !== TYPE.list || tape.items[i] !== 2 || !tape.isNumber(i + 1)) return undefined
  const choice = tape.number(i + 1)
  const contents = i + 2
  if (tape.isNumber(contents)) {
    const seconds = tape.number(contents)
    if (choice === SECONDS_INDEX) return { seconds }
    return choice === TIMESTAMP ? civilTime(seconds, 0) : undefined
  }
  if (choice !== LOCAL_TIMESTAMP || tape.type[contents] !== TYPE.list) return undefined
  if (tape.items[contents] !== 3 || ![1, 2, 3].every(k => tape.isNumber(contents + k)))
    return undefined
  return civilTime(tape.number(contents + 1), tape.number(contents + 2) + tape.number(contents + 3))
}

/** Most seconds since 1970 that four octets hold. */
const MAX_UNIX_S = 0xffff_ffff

function civilTime(unixS: number, offsetMin: number): MeterTime | undefined {
  if (unixS < 0 || unixS > MAX_UNIX_S || Math.abs(offsetMin) > 24 * 60) return undefined
  return {
    local: isoLocal(unixS + 60 * offsetMin),
    deviationMin: offsetMin === 0 ? 0 : -offsetMin,
    utc: `${isoLocal(unixS)}Z`,
    status: null,
  }
}
