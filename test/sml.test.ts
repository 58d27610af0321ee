/** SML above the transport: elements, messages, lists. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { sml } from '../decoders/sml.ts'
import { BytePattern } from '../src/bytes/pattern.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { DecodeError } from '../src/errors.ts'
import { parseRecording } from '../src/io/capture-file.ts'
import { asciiBytes, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import {
  encodeElement,
  integer,
  kermitBitwise,
  type SmlData,
  typeLength,
  unsigned,
} from '../src/sim/encode/sml-encoder.ts'
import {
  encodeSmlTelegram,
  octets,
  type SmlTelegram,
  type SmlValue,
  secondsIndex,
  text,
} from '../src/sim/encode/sml-telegram.ts'
import { crc16kermit } from '../src/sml/kermit.ts'
import { SmlTape, TYPE } from '../src/sml/tape.ts'
import { contract, fixtures } from './decoder-contract.ts'
import fc from './property.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/sml/', import.meta.url))

t.test('contract', async t => {
  const all = fixtures('sml')
  t.ok(all.length >= 40, 'the fixtures were visited')
  await contract(t, sml, 'sml', all)
})

t.test('the recording', async t => {
  const { recordings } = JSON.parse(readFileSync(`${FIXTURES}index.json`, 'utf8'))
  t.equal(recordings.length, 1)
  const { file, expected } = recordings[0]
  const recording = parseRecording(readFileSync(`${FIXTURES}${file}`))
  const decoder = sml.create({})
  const powers = [...recording.chunks].flatMap(({ bytes, atMs }) =>
    decoder.push(bytes, atMs).map(e => {
      if (e.type !== 'reading') return e
      t.equal(e.reading.receivedAt, atMs, 'the instant of its last byte')
      return e.reading.values.activePowerImportW
    }),
  )
  t.same(powers, expected.active_power_import_w)
})

t.test('bytes that repeat but in free places', async t => {
  const pattern = new BytePattern()
  const fits = (hex: string): boolean => pattern.fits(fromHex(hex), 0, hex.length / 2)
  t.notOk(fits(''), 'nothing was learned')
  pattern.learn(fromHex('ff0102030405ff'), 1, 6)
  t.ok(fits('0102030405'))
  t.notOk(fits('0102030406'))
  pattern.free(1, 4)
  t.ok(fits('01aabbcc05'))
  pattern.fix(2, 3)
  t.notOk(fits('01aabbcc05'))
  t.ok(fits('01aa03cc05'))
  t.notOk(fits('01aa03cc'), 'less')
  t.notOk(fits('01aa03cc0500'), 'more')
  pattern.learn(fromHex('0102030405060708'), 0, 8)
  pattern.learn(fromHex('0102030405'), 0, 5)
  t.ok(fits('0102030405'), 'what was learned before leaves no trace')
  pattern.forget()
  t.notOk(fits('0102030405'))
})

t.test('KERMIT', async t => {
  const digits = asciiBytes('123456789')
  t.equal(crc16kermit(digits), 0x2189)
  t.equal(kermitBitwise(digits), 0x2189)
  t.equal(crc16kermit(fromHex(`00${toHex(digits)}00`), 1, 10), 0x2189, 'over a part')
})

/** What is scanned of one element: contents as number, text in hex or list. */
function scan(bytes: Uint8Array): unknown {
  const tape = new SmlTape()
  const end = tape.scan(bytes, 0, bytes.length, 0)
  if (end !== bytes.length) return `ends at ${end}`
  const element = (i: number): unknown => {
    if (tape.isNumber(i)) return tape.big(i)
    if (tape.type[i] === TYPE.boolean) return bytes[tape.start[i]!] !== 0
    if (tape.type[i] === TYPE.octetString)
      return toHex(bytes.subarray(tape.start[i]!, tape.end[i]!))
    const items: unknown[] = []
    for (let item = i + 1; item < tape.next[i]!; item = tape.next[item]!) items.push(element(item))
    return items
  }
  return element(0)
}

const elements: [name: string, hex: string, value: unknown][] = [
  ['octet string', '0301ff', '01ff'],
  ['absent', '01', ''],
  ['a length of two octets', `8302${'5a'.repeat(48)}`, '5a'.repeat(48)],
  ['a length of four octets', `80808004`, ''],
  ['a list of twenty', `f104${'01'.repeat(20)}`, Array(20).fill('')],
  ['false and true', '73 4200 4201 42ff', [false, true, true]],
  ['one octet, unsigned', '62ff', 255n],
  ['one octet, signed', '52ff', -1n],
  ['two octets', '538b28', -29_912n],
  ['three octets, signed', '54ff0000', -65_536n],
  ['three octets, unsigned', '64ff0000', 16_711_680n],
  ['five octets', '560005007ad0', 83_917_520n],
  ['seven octets', '58ffffffffffff00', -256n],
  ['eight octets', '698000000000000001', 2n ** 63n + 1n],
  ['eight octets, signed', '598000000000000000', -(2n ** 63n)],
  ['a number with a length of two octets', 'e00380', 128n],
]
for (const [name, hex, value] of elements)
  t.test(`element: ${name}`, async t => t.same(scan(fromHex(hex)), value))

const refusals: [name: string, hex: string, code: string, offset: number][] = [
  ['nothing', '', 'DATA_TRUNCATED', 0],
  ['contents that are missing', '6500', 'DATA_TRUNCATED', 0],
  ['a list with too few octets', '7401', 'DATA_TRUNCATED', 0],
  ['a list cut behind its elements', '72 01 6301', 'DATA_TRUNCATED', 2],
  ['a list that announces 65535', 'ff8f8f0f01', 'DATA_BAD_VALUE', 0],
  ['a list of 256', `f18000${'01'.repeat(256)}`, 'DATA_BAD_VALUE', 0],
  ['a string of 1025', `848004${'00'.repeat(1025)}`, 'DATA_BAD_VALUE', 0],
  ['a length that goes on', '82', 'DATA_TRUNCATED', 0],
  ['a length of five octets', '8080808001', 'DATA_BAD_VALUE', 0],
  ['a length with type bits', '8312', 'DATA_BAD_VALUE', 1],
  ['a type that does not exist', '1200', 'DATA_UNKNOWN_TAG', 0],
  ['another one', '3200', 'DATA_UNKNOWN_TAG', 0],
  ['an integer of nine octets', '5a000000000000000000', 'DATA_BAD_VALUE', 0],
  ['an integer without octets', '61', 'DATA_BAD_VALUE', 0],
  ['a boolean of two octets', '430000', 'DATA_BAD_VALUE', 0],
  ['a length below its own octets', '8001', 'DATA_BAD_VALUE', 0],
  ['an end that ends no message', '00', 'DATA_BAD_VALUE', 0],
  ['an end too deep', '717100', 'DATA_BAD_VALUE', 2],
  ['lists nine deep', `${'71'.repeat(9)}01`, 'DATA_TOO_DEEP', 8],
  ['nothing but lists', '71'.repeat(4000), 'DATA_TOO_DEEP', 8],
]
for (const [name, hex, code, offset] of refusals)
  t.test(`refused: ${name}`, async t => {
    try {
      scan(fromHex(hex))
      t.fail('was accepted')
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      t.same([error.code, error.offset], [code, offset], error.message)
    }
  })

t.test('the limits themselves are allowed', async t => {
  t.same(scan(fromHex(`${'71'.repeat(8)}01`)), [[[[[[[['']]]]]]]], 'eight deep')
  t.equal((scan(fromHex(`ff0f${'01'.repeat(255)}`)) as unknown[]).length, 255)
  t.equal((scan(fromHex(`848003${'00'.repeat(1024)}`)) as string).length, 2048)
  t.equal(
    (scan(fromHex(`ff0f${`7f${'01'.repeat(15)}`.repeat(255)}`)) as unknown[]).length,
    255,
    'the tape grows',
  )
})

const data: fc.Arbitrary<SmlData> = fc.letrec<{ any: SmlData }>(tie => ({
  any: fc.oneof(
    { depthSize: 'small', maxDepth: 6 },
    fc.uint8Array({ maxLength: 300 }).map(bytes => ({ tag: 'octet-string', bytes }) as const),
    fc.boolean().map(value => ({ tag: 'boolean', value }) as const),
    fc.integer({ min: 1, max: 8 }).chain(size =>
      fc.oneof(
        fc
          .bigInt({ min: -(2n ** BigInt(8 * size - 1)), max: 2n ** BigInt(8 * size - 1) - 1n })
          .map(value => ({ tag: 'integer', value, size }) as const),
        fc
          .bigInt({ min: 0n, max: 2n ** BigInt(8 * size) - 1n })
          .map(value => ({ tag: 'unsigned', value, size }) as const),
      ),
    ),
    fc.array(tie('any'), { maxLength: 20 }).map(items => ({ tag: 'list', items }) as const),
  ),
})).any

const plainly = (element: SmlData): unknown =>
  element.tag === 'list'
    ? element.items.map(plainly)
    : element.tag === 'octet-string'
      ? toHex(element.bytes)
      : element.value

t.test('what is encoded is scanned', async t => {
  fc.assert(
    fc.property(data, element => {
      t.same(scan(encodeElement(element)), plainly(element))
    }),
    { numRuns: 500 },
  )
  t.throws(() => typeLength('list', 16, 1), RangeError)
})

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>

function readings(bytes: Uint8Array, decoder = sml.create({})): ReadingEvent[] {
  return [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)].filter(
    e => e.type === 'reading',
  )
}

const TST = fromHex('0a01545354000000007b')
const telegram = (values: readonly SmlValue[], more: Partial<SmlTelegram> = {}): Uint8Array =>
  encodeSmlTelegram({ serverId: TST, transaction: 0x1001, values, ...more })

t.test('the worked example of the specification, octet by octet', async t => {
  const bytes = telegram(
    [
      { obis: '1-0:96.50.1*1', value: text('TST') },
      { obis: '1-0:96.1.0*255', value: octets(TST) },
      {
        obis: '1-0:1.8.0*255',
        status: unsigned(0x1c0104, 4),
        unit: 30,
        scaler: -1,
        value: unsigned(12_345_678, 4),
      },
      { obis: '1-0:2.8.0*255', unit: 30, scaler: -1, value: unsigned(42) },
      { obis: '1-0:16.7.0*255', unit: 27, scaler: 0, value: integer(4231, 2) },
    ],
    {
      listName: fromHex('0100620affff'),
      sensorTime: secondsIndex(100_000),
      fileId: fromHex('0001'),
    },
  )
  t.equal(bytes.length, 232)
  const rows = new Map(
    sml.explain!(bytes).map(({ offset, length, meaning }) => [
      offset,
      [toHex(bytes.subarray(offset, offset + length)), meaning],
    ]),
  )
  const expected: [offset: number, hex: string, meaning: string][] = [
    [0, '1b1b1b1b', 'escape'],
    [4, '01010101', 'start of a frame, SML transport version 1'],
    [8, '76', 'message, list of 6'],
    [9, '0500001001', 'transaction id 00001001'],
    [14, '6200', 'group number 0'],
    [16, '6200', 'abort on error 0'],
    [18, '72', 'body, list of 2'],
    [19, '630101', 'open response'],
    [22, '76', 'list of 6'],
    [23, '01', 'codepage none'],
    [24, '01', 'client id none'],
    [25, '030001', 'request file id 0001'],
    [28, '0b0a01545354000000007b', 'server id 0a01545354000000007b'],
    [39, '72620165000186a0', 'time 100000 s of running'],
    [47, '6201', 'SML version 1'],
    [49, '634e38', 'message checksum, right'],
    [52, '00', 'end of the message'],
    [53, '76', 'message, list of 6'],
    [54, '0500001002', 'transaction id 00001002'],
    [63, '72', 'body, list of 2'],
    [64, '630701', 'GetList response'],
    [67, '77', 'list of 7'],
    [68, '01', 'client id none'],
    [69, '0b0a01545354000000007b', 'server id 0a01545354000000007b'],
    [80, '070100620affff', 'list name 0100620affff'],
    [87, '72620165000186a0', 'time 100000 s of running'],
    [95, '75', 'values, list of 5'],
    [96, '77', 'value, list of 7'],
    [97, '07010060320101', '1-0:96.50.1*1 maker'],
    [108, '04545354', 'value "TST"'],
    [137, '77', 'value, list of 7'],
    [138, '070100010800ff', '1-0:1.8.0*255 active energy import'],
    [145, '65001c0104', 'status: import, voltage on L1 L2 L3'],
    [150, '01', 'time none'],
    [151, '621e', 'unit 30 (Wh)'],
    [153, '52ff', 'scaler -1'],
    [155, '6500bc614e', 'value 12345678: 1234567.8 Wh'],
    [160, '01', 'signature none'],
    [175, '622a', 'value 42: 4.2 Wh'],
    [192, '531087', 'value 4231: 4231 W'],
    [196, '01', 'signature none'],
    [197, '01', 'gateway time none'],
    [198, '63f99b', 'message checksum, right'],
    [201, '00', 'end of the message'],
    [202, '76', 'message, list of 6'],
    [213, '630201', 'close response'],
    [216, '71', 'list of 1'],
    [217, '01', 'signature none'],
    [218, '6370f3', 'message checksum, right'],
    [221, '00', 'end of the message'],
    [222, '0000', 'fill'],
    [224, '1b1b1b1b', 'escape'],
    [228, '1a02', 'end of the frame, 2 fill bytes'],
    [230, 'e8d1', 'frame checksum, right'],
  ]
  for (const [offset, hex, meaning] of expected)
    t.same(rows.get(offset), [hex, meaning], `octet ${offset}`)
  t.equal(readings(bytes)[0]?.reading.values.activePowerImportW, 4231)
})

t.test('any list comes back', async t => {
  const number = fc
    .integer({ min: 1, max: 6 })
    .chain(size =>
      fc
        .integer({ min: 0, max: 2 ** Math.min(47, 8 * size - 1) - 1 })
        .chain(value =>
          fc.constantFrom(integer(value, size), integer(-value, size), unsigned(value, size)),
        ),
    )
  const value: fc.Arbitrary<SmlValue> = fc.record(
    {
      obis: fc
        .array(fc.nat(255), { minLength: 6, maxLength: 6 })
        .map(([a, b, c, d, e, f]) => `${a}-${b}:${c}.${d}.${e}*${f}`),
      status: fc.nat(0xffff).map(word => unsigned(word)),
      time: fc.nat(0xffff).map(secondsIndex),
      unit: fc.constantFrom(27, 30, 255),
      scaler: fc.integer({ min: -6, max: 0 }),
      value: fc.oneof(number, fc.uint8Array({ minLength: 1, maxLength: 40 }).map(octets)),
    },
    { requiredKeys: ['obis', 'value'] },
  )
  const decoder = sml.create({})
  fc.assert(
    fc.property(fc.array(value, { maxLength: 12 }), values => {
      const found = readings(telegram(values), decoder)[0]!.reading.registers
      t.equal(found.length, values.length)
      for (const [i, { obis, status, scaler = 0, unit = 255, value }] of values.entries()) {
        const register = found[i]!
        t.equal(register.obis, obis)
        t.equal(register.unit, { 27: 'W', 30: 'Wh', 255: '' }[unit])
        t.equal(register.status, status?.tag === 'unsigned' ? status.value : undefined)
        if (value.tag === 'octet-string') t.type(register.value, 'string')
        else if (value.tag !== 'list') t.equal(register.value, Number(`${value.value}e${scaler}`))
      }
    }),
    { numRuns: 300 },
  )
})
