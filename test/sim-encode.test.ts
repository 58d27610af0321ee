import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { type AxdrData, encodeData } from '../src/sim/encode/axdr-encoder.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeDateTime, localTime } from '../src/sim/encode/cosem-date-time.ts'
import { encodeDataNotification } from '../src/sim/encode/data-notification.ts'
import { crcBitwise, encodeFrame, encodeSegments } from '../src/sim/encode/hdlc-encoder.ts'
import { aidon, aidonSe, embriq } from '../src/sim/norway/aidon.ts'
import { kaifa, kaifaSe, kaifaSeObis } from '../src/sim/norway/kaifa.ts'
import { kamstrup, kamstrupDkCt } from '../src/sim/norway/kamstrup.ts'
import {
  encodePdu,
  encodeTelegram,
  type HanProfile,
  type HanValues,
  type TelegramInput,
} from '../src/sim/norway/telegram.ts'

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'))

t.test('crc has the check value of CRC-16/X-25 and leaves its residue', async t => {
  const digits = ascii('123456789')
  t.equal(crcBitwise(digits), 0x906e)
  t.equal(crcBitwise(concat(digits, [0x6e, 0x90])) ^ 0xffff, 0xf0b8)
})

const data: [name: string, data: AxdrData, hex: string][] = [
  ['null-data', { tag: 'null-data' }, '00'],
  ['array', { tag: 'array', items: [{ tag: 'unsigned', value: 7 }] }, '01011107'],
  ['structure', { tag: 'structure', items: [] }, '0200'],
  ['boolean', { tag: 'boolean', value: true }, '0301'],
  ['bit-string', { tag: 'bit-string', bits: 5, bytes: Uint8Array.of(0xa8) }, '0405a8'],
  ['double-long', { tag: 'double-long', value: -2 }, '05fffffffe'],
  ['double-long-unsigned', { tag: 'double-long-unsigned', value: 733 }, '06000002dd'],
  ['octet-string', { tag: 'octet-string', bytes: Uint8Array.of(1, 2) }, '09020102'],
  ['visible-string', { tag: 'visible-string', bytes: ascii('6534') }, '0a0436353334'],
  ['utf8-string', { tag: 'utf8-string', bytes: Uint8Array.of(0xc3, 0xb8) }, '0c02c3b8'],
  ['integer', { tag: 'integer', value: -1 }, '0fff'],
  ['long', { tag: 'long', value: -10 }, '10fff6'],
  ['unsigned', { tag: 'unsigned', value: 255 }, '11ff'],
  ['long-unsigned', { tag: 'long-unsigned', value: 2500 }, '1209c4'],
  ['long64', { tag: 'long64', value: -1n }, '14ffffffffffffffff'],
  ['long64-unsigned', { tag: 'long64-unsigned', value: 2n ** 53n }, '150020000000000000'],
  ['enum', { tag: 'enum', value: 27 }, '161b'],
  ['float32', { tag: 'float32', value: 1.5 }, '173fc00000'],
  ['float64', { tag: 'float64', value: -2 }, '18c000000000000000'],
  ['date', { tag: 'date', bytes: fromHex('07e6 0b 07 01') }, '1a07e60b0701'],
  ['time', { tag: 'time', bytes: fromHex('092c26ff') }, '1b092c26ff'],
  ['long length', { tag: 'octet-string', bytes: new Uint8Array(200) }, `0981c8${'00'.repeat(200)}`],
]

t.test('every type of A-XDR is written with its tag', async t => {
  for (const [name, value, hex] of data) t.equal(toHex(encodeData(value)), hex, name)
  t.equal(
    toHex(encodeData({ tag: 'octet-string', bytes: new Uint8Array(300) })).slice(0, 8),
    '0982012c',
  )
})

t.test('what does not fit its type is refused, not cut', async t => {
  for (const value of [-1, 70_000, 1.5])
    t.throws(() => encodeData({ tag: 'long-unsigned', value }), RangeError, String(value))
  t.throws(() => encodeData({ tag: 'date-time', bytes: new Uint8Array(11) }), RangeError)
  t.throws(() => encodeFrame(new Uint8Array(2040), aidon.link), RangeError)
  t.throws(() => fromHex('7e0'), RangeError)
})

t.test('date-time has deviation, status and weekday as sent', async t => {
  const clock = { local: '2022-10-16T16:14:10', deviationMin: null, status: null }
  t.equal(toHex(encodeDateTime(clock)), '07e60a1007100e0aff8000ff', 'Sunday is 7')
  t.equal(toHex(encodeDateTime(clock, 0)), '07e60a1000100e0aff8000ff', 'Sunday is 0')
  t.equal(
    toHex(encodeDateTime({ local: '2021-03-23T18:50:00', deviationMin: -60, status: 0 })),
    '07e5031702123200ffffc400',
  )
  t.throws(() => encodeDateTime({ ...clock, local: 'today' }), RangeError)
})

t.test('meter clocks follow their rule through both changes of civil time', async t => {
  const cases: [utc: string, civil: string, fixed: string][] = [
    ['2026-03-29T00:59:59Z', '2026-03-29T01:59:59', '2026-03-29T01:59:59'],
    ['2026-03-29T01:00:00Z', '2026-03-29T03:00:00', '2026-03-29T02:00:00'],
    ['2026-10-25T00:59:59Z', '2026-10-25T02:59:59', '2026-10-25T01:59:59'],
    ['2026-10-25T01:00:00Z', '2026-10-25T02:00:00', '2026-10-25T02:00:00'],
  ]
  for (const [utc, civil, fixed] of cases) {
    t.equal(localTime(Date.parse(utc), 'civil'), civil, `civil ${utc}`)
    t.equal(localTime(Date.parse(utc), 'utc+1'), fixed, `fixed ${utc}`)
  }
})

t.test('the four encodings of the header date-time', async t => {
  const dateTime = encodeDateTime({ local: '2022-11-07T09:44:38', deviationMin: null, status: 0 })
  const encode = (dateTimeEncoding: 'absent' | 'plain' | 'octet-string' | 'date-time') =>
    toHex(
      encodeDataNotification({
        invokeIdAndPriority: 0x40000000,
        dateTimeEncoding,
        dateTime,
        body: { tag: 'null-data' },
      }),
    )
  const clock = '07e60b0701092c26ff800000'
  t.equal(encode('absent'), '0f400000000000')
  t.equal(encode('plain'), `0f400000000c${clock}00`)
  t.equal(encode('octet-string'), `0f40000000090c${clock}00`)
  t.equal(encode('date-time'), `0f4000000019${clock}00`)
})

t.test('segments carry the bit of format type 3 but the last', async t => {
  const information = Uint8Array.from({ length: 250 }, (_, i) => i)
  const frames = encodeSegments(information, kaifa.link, 100)
  t.same(
    frames.map(frame => [frame[1]! & 0xf8, frame.length]),
    [
      [0xa8, 100 + 12],
      [0xa8, 100 + 12],
      [0xa0, 50 + 12],
    ],
  )
  const empty = encodeFrame(new Uint8Array(0), kaifa.link)
  t.equal(empty.length, 10, 'without information there is one check field only')
})

const worked: [name: string, profile: HanProfile, input: TelegramInput, hex: string][] = [
  [
    'Kaifa list 1',
    kaifa,
    {
      meter: { id: '', model: 'MA304H3E', wiring: '3P3W' },
      list: 1,
      values: { '1.7.0': 549 },
      clock: { local: '2022-11-07T09:44:38', deviationMin: null, status: 0 },
    },
    `7e a027 01 0201 10 5a87 e6e700 0f 40000000 090c 07e60b0701092c26ff800000
     0201 06 00000225 f2b5 7e`,
  ],
  [
    'Aidon list 1',
    aidon,
    { meter: { id: '', model: '6534', wiring: '3P4W' }, list: 1, values: { '1.7.0': 733 } },
    `7e a02a 41 0883 13 0413 e6e700 0f 40000000 00 0101 0203 0906 0100010700ff
     06 000002dd 0202 0f00 161b 5cf6 7e`,
  ],
]
for (const [name, profile, input, hex] of worked)
  t.test(`worked frame: ${name}`, async t => {
    t.equal(toHex(encodeTelegram(profile, input)), toHex(fromHex(hex)))
  })

t.test('a list that lacks a value, a clock or does not exist is refused', async t => {
  const meter = { id: '', model: '6534', wiring: '3P4W' } as const
  t.throws(() => encodeTelegram(aidon, { meter, list: 1, values: {} }), /1-0:1\.7\.0\*255/)
  t.throws(() => encodeTelegram(aidonSe, { meter, list: 3, values: {} }), /clock/)
  t.throws(() => encodeTelegram(kamstrup, { meter, list: 1, values: {} }), /list 1/)
  t.throws(() => encodeTelegram(kaifa, { meter, list: 1, values: { '1.7.0': 1 } }), /date-time/)
})

/** Index names of recorded values by OBIS groups C.D.E. */
const FIELDS: { readonly [field: string]: string } = {
  active_power_import_W: '1.7.0',
  active_power_export_W: '2.7.0',
  reactive_power_import_var: '3.7.0',
  reactive_power_export_var: '4.7.0',
  active_energy_import_Wh: '1.8.0',
  active_energy_export_Wh: '2.8.0',
  reactive_energy_import_varh: '3.8.0',
  reactive_energy_export_varh: '4.8.0',
  ...Object.fromEntries(
    [1, 2, 3].flatMap(phase => [
      [`current_L${phase}_A`, `${20 * phase + 11}.7.0`],
      [`voltage_L${phase}_V`, `${20 * phase + 12}.7.0`],
      [`active_power_import_L${phase}_W`, `${20 * phase + 1}.7.0`],
      [`active_power_export_L${phase}_W`, `${20 * phase + 2}.7.0`],
      [`reactive_power_import_L${phase}_var`, `${20 * phase + 3}.7.0`],
      [`reactive_power_export_L${phase}_var`, `${20 * phase + 4}.7.0`],
    ]),
  ),
}

interface RecordedClock {
  readonly local: string
  readonly deviation_min: number | null
  readonly clock_status: number
}
interface Recording {
  readonly id: string
  readonly file: string
  readonly type: string
  readonly model: string | null
  readonly expected: {
    readonly grammar: string
    readonly vendor_list_number: string
    readonly wiring: string | null
    readonly hdlc?: { readonly source: string }
    readonly clock?: RecordedClock
    readonly apdu_time?: RecordedClock
    readonly fields: { readonly [name: string]: number | string }
  }
}

const clockOf = (clock: RecordedClock) => ({
  local: clock.local,
  deviationMin: clock.deviation_min,
  status: clock.clock_status,
})

/** The simulated family that ought to speak like the recorded meter. */
function profileOf({ id, expected }: Recording): HanProfile {
  if (expected.grammar === 'kaifa-obis') return kaifaSeObis
  if (expected.grammar === 'kamstrup') return id.includes('ct-dk') ? kamstrupDkCt : kamstrup
  if (expected.grammar === 'aidon')
    return id.startsWith('aidon-se') ? aidonSe : id.startsWith('embriq') ? embriq : aidon
  return expected.hdlc?.source === '0001' ? kaifaSe : kaifa
}

function inputOf({ expected, model }: Recording): TelegramInput {
  const { fields, clock, apdu_time: header, wiring } = expected
  const { meter_id: meterId, meter_model: meterModel } = fields
  const values: HanValues = Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) =>
      typeof value === 'number' ? [[FIELDS[name] ?? name, value]] : [],
    ),
  )
  const listClock = clock ?? header
  return {
    meter: {
      id: String(meterId ?? ''),
      model: String(meterModel ?? model ?? ''),
      wiring: (wiring ?? '1P').slice(0, 4) as TelegramInput['meter']['wiring'],
    },
    list: '1.7.0' in values && Object.keys(values).length === 1 ? 1 : clock === undefined ? 2 : 3,
    values,
    ...(listClock === undefined ? {} : { clock: clockOf(listClock) }),
    ...(header === undefined ? {} : { headerClock: clockOf(header) }),
  }
}

const RECORDINGS = new URL('../../shared/captures/norway/', import.meta.url)

const recordings = existsSync(RECORDINGS)
  ? (JSON.parse(readFileSync(new URL('index.json', RECORDINGS), 'utf8')).captures as Recording[])
  : undefined

const ENCODERS: readonly [type: string, count: number, encode: typeof encodeTelegram][] = [
  ['frame', 42, encodeTelegram],
  ['llc-pdu', 7, encodePdu],
]
const skip =
  recordings === undefined ? 'The recordings of real meters are not on this machine.' : false

for (const [type, count, encode] of ENCODERS)
  t.test(`recordings of type ${type} are reproduced byte for byte`, { skip }, async t => {
    const matching = (recordings ?? []).filter(recording => recording.type === type)
    for (const recording of matching) {
      const text = readFileSync(new URL(recording.file, RECORDINGS), 'utf8')
      const recorded = toHex(fromHex(text.replaceAll(/#.*/g, '')))
      t.equal(toHex(encode(profileOf(recording), inputOf(recording))), recorded, recording.id)
    }
    t.equal(matching.length, count, 'all were visited')
  })
