/**
 * Kaifa, Norway (Kaifa HAN OBIS codes KFM_001) and Sweden.
 *
 * Positional: a structure without codes, whose length tells the list. With codes (Sweden): a structure of pairs
 * {logical name, value}. Neither carries scalers; both use those of {@link SCALERS}. List 1 is one number alone.
 *
 * Deviations: MA304H3E sends U13 as 0 and does send I2, the reverse of what the document prints; MA304T4 sends its
 * energies as 64-bit integers. Norwegian meters keep civil time, Swedish ones UTC+1 all year.
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { type AxdrTape, TAG } from '../src/dlms/axdr.ts'
import { readDateTime } from '../src/dlms/date-time.ts'
import { CATALOGUE, keyOf } from '../src/obis.ts'
import { defineHan } from './push/definition.ts'
import type { Family, Scaling } from './push/family.ts'
import type { PushList } from './push/list.ts'
import type { HanOptions } from './push/options.ts'

/** Powers of ten of both grammars (the document's own units are wrong: it says kW and A). */
const SCALERS: Readonly<Record<string, number>> = {
  '31.7.0': -3,
  '51.7.0': -3,
  '71.7.0': -3,
  '32.7.0': -1,
  '52.7.0': -1,
  '72.7.0': -1,
}

const IDENTITY = ['1-0:0.2.129', '0-0:96.1.0', '0-0:96.1.7']
const POWERS = ['1-0:1.7.0', '1-0:2.7.0', '1-0:3.7.0', '1-0:4.7.0']
const ONE_PHASE = ['1-0:31.7.0', '1-0:32.7.0']
const THREE_PHASES = [
  '1-0:31.7.0',
  '1-0:51.7.0',
  '1-0:71.7.0',
  '1-0:32.7.0',
  '1-0:52.7.0',
  '1-0:72.7.0',
]
const HOURLY = ['0-0:1.0.0', '1-0:1.8.0', '1-0:2.8.0', '1-0:3.8.0', '1-0:4.8.0']

/** Codes of the positional lists by their number of elements. */
const POSITIONS: Readonly<Record<number, readonly string[]>> = {
  1: ['1-0:1.7.0'],
  9: [...IDENTITY, ...POWERS, ...ONE_PHASE],
  13: [...IDENTITY, ...POWERS, ...THREE_PHASES],
  14: [...IDENTITY, ...POWERS, ...ONE_PHASE, ...HOURLY],
  18: [...IDENTITY, ...POWERS, ...THREE_PHASES, ...HOURLY],
}

const CODED = withMeanings(POSITIONS)

function withMeanings(positions: typeof POSITIONS) {
  return new Map(
    Object.entries(positions).map(([count, codes]) => [
      Number(count),
      codes.map(code => ({
        obis: `${code}*255`,
        meaning: CATALOGUE.get(keyOf(code.slice(code.indexOf(':') + 1)))!,
      })),
    ]),
  )
}

/** List ids begin with the maker's prefix; the regulator's letter announced the second. */
function isListId(tape: AxdrTape, element: number): boolean {
  return tape.tag[element] === TAG.octetString && /^(KFM_|KAIFA_)/.test(tape.text(element))
}

const SCALING: Scaling = { scalers: SCALERS, notes: [] }

/** The Kaifa grammars. */
export const KAIFA: Family = {
  id: 'no-kaifa',
  recognise: (tape, { headerTime }) => {
    if (tape.tag[0] !== TAG.structure) return false
    const items = tape.items[0]!
    // Only Kaifa sends a bare number, and always with a date-time in the header.
    if (items === 1) return tape.tag[1] === TAG.doubleLongUnsigned && headerTime >= 0
    if (tape.isLogicalName(1)) return items % 2 === 0 && isListId(tape, 2)
    return CODED.has(items) && isListId(tape, 1)
  },
  read: list => {
    const { tape } = list
    const items = tape.items[0]!
    if (items > 1 && tape.isLogicalName(1)) {
      for (let i = 1; i <= items; i += 2) {
        if (!tape.isLogicalName(i)) throw list.fault(i, 'expected a logical name of six octets')
        list.add(i, i + 1)
      }
      return
    }
    const codes = CODED.get(items)!
    for (let i = 0; i < items; i++) {
      const { obis, meaning } = codes[i]!
      const element = i + 1
      const isField = meaning.role === 'field'
      if (isField ? !tape.isNumber(element) : !tape.isString(element))
        throw list.fault(element, `${obis} is no ${isField ? 'number' : 'octet string'}`)
      list.put(obis, meaning, element)
    }
  },
  maker: () => 'kaifa',
  models: [
    { model: /^MA105/, wiring: '1P' },
    { model: /^MA304H3/, wiring: '3P3W', measuresL2: true },
    { model: /^MA304T3/, wiring: '3P3W' },
    { model: /^MA304[HT]4/, wiring: '3P4W' },
  ],
  signedCurrents: false,
  zone: list => (isSwedish(list) ? 'utc+1' : 'civil'),
  scaling: () => SCALING,
}

/** Swedish meters: their number range, their HDLC source address, or a clock that says CET. */
function isSwedish(list: PushList): boolean {
  const { source, headerTime } = list.envelope
  if (list.meterId?.startsWith('734') === true || source === 0x0001) return true
  const at = list.clock >= 0 ? list.clock : headerTime
  return at >= 0 && readDateTime(list.tape.bytes, at)?.deviationMin === -60
}

/** Decoder of Kaifa lists. */
export const kaifa: DecoderDefinition<HanOptions> = defineHan('Kaifa, Norway and Sweden', [KAIFA])
