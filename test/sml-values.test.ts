/** What the values of an SML list mean: fields, notes, and what is derived; telegram after telegram. */
import t, { type Test } from 'tap'
import { describeStatus, isExporting } from '../decoders/sml/status.ts'
import { sml } from '../decoders/sml.ts'
import type { Decoder, DecoderEvent } from '../src/decoder.ts'
import { readingPayload } from '../src/payload.ts'
import { concat, fromHex } from '../src/sim/encode/bytes.ts'
import { integer, list, type SmlData, unsigned } from '../src/sim/encode/sml-encoder.ts'
import {
  encodeSmlTelegram,
  octets,
  type SmlTelegram,
  type SmlValue,
  secondsIndex,
} from '../src/sim/encode/sml-telegram.ts'
import { fixtureBytes, fixtures } from './decoder-contract.ts'
import fc from './property.ts'

const TST = fromHex('0a01545354000000007b')
const MODERN_IMPORT = 0x1c0104
const MODERN_EXPORT = 0x1c0904
const STANDSTILL = 0x1c0004

function telegram(values: readonly SmlValue[], more: Partial<SmlTelegram> = {}): Uint8Array {
  return encodeSmlTelegram({ serverId: TST, transaction: 1, values, ...more })
}

/** One value of a list, with a status word if there is one. */
function value(
  code: string,
  unit: number,
  scaler: number,
  data: SmlData,
  status?: number,
): SmlValue {
  const obis = code.includes(':') ? code : `1-0:${code}*255`
  const word = status === undefined ? {} : { status: unsigned(status) }
  return { obis, unit, scaler, value: data, ...word }
}

const watts = (code: string, data: SmlData, scaler = 0): SmlValue => value(code, 27, scaler, data)
const energy = (code: string, raw: number, status?: number, scaler = -1): SmlValue =>
  value(code, 30, scaler, integer(raw, 5), status)

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>

function read(bytes: Uint8Array, decoder: Decoder = sml.create({})): ReadingEvent {
  const events = [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)]
  const [event] = events
  if (events.length !== 1 || event?.type !== 'reading') throw new Error(JSON.stringify(events))
  return event
}

/** Net power, whether by what was sent, and the notes. */
function power(values: readonly SmlValue[], more: Partial<SmlTelegram> = {}): unknown {
  const { reading, notes = [] } = read(telegram(values, more))
  const { activePowerImportW, activePowerExportW } = reading.values
  return [activePowerImportW, activePowerExportW, ...notes]
}

const dzg = (serial: number): Partial<SmlTelegram> => ({
  serverId: concat(
    fromHex('0a01445a4700'),
    Uint8Array.of(serial >>> 24, serial >>> 16, serial >>> 8, serial),
  ),
})

const powers: [
  name: string,
  values: SmlValue[],
  expected: unknown[],
  more?: Partial<SmlTelegram>,
][] = [
  ['16.7.0 imports', [watts('16.7.0', integer(500, 2))], [500, 0]],
  ['16.7.0 exports', [watts('16.7.0', integer(-500, 2))], [0, 500]],
  ['zero is zero', [watts('16.7.0', integer(0, 2))], [0, 0]],
  ['unsigned', [watts('16.7.0', unsigned(40_000, 2))], [40_000, 0]],
  [
    '16.7.0 before everything else',
    [watts('1.7.0', unsigned(1)), watts('15.7.0', unsigned(2)), watts('16.7.0', integer(3, 1))],
    [3, 0],
  ],
  ['the first of two', [watts('16.7.0', integer(3, 1)), watts('16.7.0', integer(4, 1))], [3, 0]],
  [
    '15.7.0, modern and importing',
    [energy('1.8.0', 1, MODERN_IMPORT), watts('15.7.0', unsigned(70))],
    [70, 0, 'absolute_power'],
  ],
  [
    '15.7.0, modern and exporting',
    [energy('1.8.0', 1, MODERN_EXPORT), watts('15.7.0', unsigned(70))],
    [0, 70, 'absolute_power'],
  ],
  [
    '15.7.0, old and exporting',
    [energy('1.8.0', 1, 0x1b0), watts('15.7.0', unsigned(70))],
    [0, 70, 'absolute_power'],
  ],
  [
    '15.7.0 with the status of the export register',
    [energy('1.8.0', 1), energy('2.8.0', 1, 0x1a2), watts('15.7.0', unsigned(70))],
    [0, 70, 'absolute_power'],
  ],
  [
    '15.7.0 with the status of a tariff',
    [energy('1.8.1', 1, 0x1a2), watts('15.7.0', unsigned(70))],
    [0, 70, 'absolute_power'],
  ],
  ['15.7.0 without status', [watts('15.7.0', unsigned(70))], [70, 0, 'absolute_power']],
  ['1.7.0 alone says nothing of export', [watts('1.7.0', unsigned(70))], [70, undefined]],
  ['2.7.0 alone says nothing of import', [watts('2.7.0', unsigned(70))], [undefined, 70]],
  [
    '1.7.0 less 2.7.0, without noise',
    [watts('1.7.0', unsigned(3), -1), watts('2.7.0', unsigned(1), -1)],
    [0.2, 0],
  ],
  ['1.7.0 with a sign', [watts('1.7.0', integer(-70, 1))], [0, 70]],
  ['1.7.1', [watts('1.7.1', integer(-56_321_916, 4), -4)], [0, 5632.1916]],
  ['no power', [energy('1.8.0', 1)], [undefined, undefined]],
  [
    'a power without value',
    [{ obis: '1-0:16.7.0*255', unit: 27, value: octets(new Uint8Array(0)) }],
    [null, null],
  ],
  ['another unit', [value('16.7.0', 29, 0, integer(5, 1))], [undefined, undefined]],
  ['no unit', [{ obis: '1-0:16.7.0*255', value: integer(5, 1) }], [5, 0]],
  ['another channel', [value('1-1:16.7.0*255', 27, 0, integer(5, 1))], [undefined, undefined]],
  ['a value of the past', [value('1-0:16.7.0*1', 27, 0, integer(5, 1))], [undefined, undefined]],

  [
    'sign fault in one octet',
    [energy('1.8.0', 1, MODERN_IMPORT), watts('16.7.0', integer(-1, 1), -2)],
    [2.55, 0, 'power_sign_corrected'],
  ],
  [
    'sign fault in three octets',
    [energy('1.8.0', 1, MODERN_IMPORT), watts('16.7.0', integer(-1, 3), -2)],
    [167_772.15, 0, 'power_sign_corrected'],
  ],
  [
    'no sign fault in four octets',
    [energy('1.8.0', 1, MODERN_IMPORT), watts('16.7.0', integer(-1, 4), -2)],
    [0, 0.01],
  ],
  [
    'no sign fault while the meter says export',
    [energy('1.8.0', 1, MODERN_EXPORT), watts('16.7.0', integer(-3, 1))],
    [0, 3],
  ],
  [
    'no sign fault at standstill',
    [energy('1.8.0', 1, STANDSTILL), watts('16.7.0', integer(-3, 1))],
    [0, 3],
  ],
  [
    'no sign fault in the old layout',
    [energy('1.8.0', 1, 0x182), watts('16.7.0', integer(-3, 1))],
    [0, 3],
  ],
  [
    'sign fault without status: a serial number known for it',
    [watts('16.7.0', integer(-29_912, 2), -2)],
    [356.24, 0, 'power_sign_corrected'],
    dzg(42_000_000),
  ],
  [
    'the last serial number known for it',
    [watts('16.7.0', integer(-29_912, 2), -2)],
    [356.24, 0, 'power_sign_corrected'],
    dzg(58_999_999),
  ],
  [
    'another serial number',
    [watts('16.7.0', integer(-29_912, 2), -2)],
    [0, 299.12],
    dzg(49_000_000),
  ],
  ['another maker', [watts('16.7.0', integer(-29_912, 2), -2)], [0, 299.12]],
]
for (const [name, values, expected, more] of powers)
  t.test(`power: ${name}`, async t => t.same(power(values, more), expected))

/** Fields, derived values and notes of one telegram. */
function said(values: readonly SmlValue[]): { [key: string]: unknown } {
  const { reading, notes } = read(telegram(values))
  const { decoder, integrity, meter, ...rest } = readingPayload(reading, notes)
  return rest
}

const locked = ['meter_locked']
const meanings: [name: string, values: SmlValue[], said: { [key: string]: unknown }][] = [
  ['nothing', [], {}],
  [
    'whole kWh alone',
    [energy('1.8.0', 7, undefined, 3)],
    { active_energy_import_wh: 7000, notes: locked },
  ],
  [
    'tens of kWh',
    [energy('2.8.0', 7, undefined, 4)],
    { active_energy_export_wh: 70_000, notes: locked },
  ],
  [
    'one energy is finer',
    [energy('1.8.0', 7, undefined, 3), energy('2.8.0', 7)],
    { active_energy_import_wh: 7000, active_energy_export_wh: 0.7 },
  ],
  [
    'whole kWh with power',
    [energy('1.8.0', 7, undefined, 3), watts('16.7.0', integer(5, 1))],
    { active_energy_import_wh: 7000, active_power_import_w: 5, active_power_export_w: 0 },
  ],
  [
    'whole kWh with power of a phase',
    [energy('1.8.0', 7, undefined, 3), watts('36.7.0', integer(-5, 1))],
    { active_energy_import_wh: 7000, active_power_import_l1_w: 0, active_power_export_l1_w: 5 },
  ],
  ['an energy that is negative', [energy('1.8.0', -7)], {}],
  [
    'an energy without value',
    [{ obis: '1-0:1.8.0*255', unit: 30, value: octets(new Uint8Array(0)) }],
    { active_energy_import_wh: null },
  ],
  [
    'tariffs of different scalers, without noise',
    [
      energy('1.8.1', 1, undefined, -1),
      energy('1.8.2', 2, undefined, -3),
      energy('1.8.4', 3, undefined, 0),
    ],
    {
      active_energy_import_t1_wh: 0.1,
      active_energy_import_t2_wh: 0.002,
      active_energy_import_t4_wh: 3,
      derived: { active_energy_import_wh: { value: 3.102, method: 'tariff-sum' } },
    },
  ],
  [
    'a total beside its tariffs',
    [energy('1.8.0', 9), energy('1.8.1', 1)],
    { active_energy_import_wh: 0.9, active_energy_import_t1_wh: 0.1 },
  ],
  [
    'a tariff without value',
    [energy('1.8.1', 1), { obis: '1-0:1.8.2*255', unit: 30, value: octets(new Uint8Array(0)) }],
    { active_energy_import_t1_wh: 0.1, active_energy_import_t2_wh: null },
  ],
  [
    'a current with a sign is a magnitude',
    [value('31.7.0', 33, -2, integer(-512, 2))],
    { current_l1_a: 5.12 },
  ],
  [
    'powers of phases by direction',
    [watts('21.7.0', unsigned(5)), watts('42.7.0', unsigned(6))],
    { active_power_import_l1_w: 5, active_power_export_l2_w: 6 },
  ],
]
for (const [name, values, expected] of meanings)
  t.test(`meaning: ${name}`, async t => t.same(said(values), expected))

t.test('registers: scalers out of the ordinary', async t => {
  const cases: [scaler: number, data: SmlData, value: unknown][] = [
    [-9, integer(1, 1), 1e-9],
    [-12, integer(-5, 1), -5e-12],
    [9, integer(5, 1), 5e9],
    [12, integer(5, 1), 5e12],
    [20, integer(-5, 1), '-500000000000000000000'],
    [20, integer(0, 1), 0],
    [-1, { tag: 'unsigned', value: 2n ** 64n - 1n, size: 8 }, '1844674407370955161.5'],
    [-21, { tag: 'integer', value: -(2n ** 63n), size: 8 }, '-0.009223372036854775808'],
    [0, { tag: 'unsigned', value: 2n ** 53n, size: 8 }, '9007199254740992'],
    [0, { tag: 'unsigned', value: 2n ** 53n - 1n, size: 8 }, 2 ** 53 - 1],
    [2, { tag: 'unsigned', value: 2n ** 53n - 1n, size: 8 }, '900719925474099100'],
  ]
  for (const [scaler, data, expected] of cases) {
    const { reading } = read(telegram([value('96.8.0', 255, scaler, data)]))
    t.equal(reading.registers[0]?.value, expected, `scaler ${scaler}`)
  }
})

t.test('registers: octets as text and as hex', async t => {
  const cases: [hex: string, value: string | null][] = [
    ['545354', 'TST'],
    ['5453542000', 'TST'],
    ['54535480', '54535480'],
    ['0000', '0000'],
    ['2020', '2020'],
    ['00545354', '00545354'],
    ['', null],
  ]
  for (const [hex, expected] of cases) {
    const entry = { obis: '1-0:96.1.0*255', value: octets(fromHex(hex)) }
    t.equal(read(telegram([entry])).reading.registers[0]?.value, expected, hex)
  }
})

t.test('status words of any width', async t => {
  const status = (word: number | bigint, size: number): number | undefined =>
    read(
      telegram([
        {
          ...energy('1.8.0', 1),
          status: { tag: 'unsigned', value: word, size },
        },
      ]),
    ).reading.registers[0]?.status
  t.equal(status(0x82, 1), 0x82)
  t.equal(status(MODERN_IMPORT, 3), MODERN_IMPORT)
  t.equal(status(0xffff_ffff, 4), 0xffff_ffff)
  t.equal(status(MODERN_IMPORT, 8), MODERN_IMPORT)
  t.equal(status(2n ** 63n + 4n, 8), undefined, 'more than a number holds')
  const wide = { tag: 'unsigned', value: 2n ** 63n + 0x904n, size: 8 } as const
  t.same(
    power([{ ...energy('1.8.0', 1), status: wide }, watts('15.7.0', unsigned(9))]),
    [0, 9, 'absolute_power'],
    'its low bits count all the same',
  )
})

t.test('status words in words', async t => {
  t.equal(describeStatus(0x1c0104), 'import, voltage on L1 L2 L3')
  t.equal(describeStatus(0x1c0004), 'standstill, voltage on L1 L2 L3')
  t.equal(describeStatus(0x1c6904), 'export, L2 L3 export, voltage on L1 L2 L3')
  t.equal(describeStatus(0x100504), 'import, voltage on L3, terminal cover was opened')
  t.match(describeStatus(0x1c8104), /phases not in the order L1 L2 L3/)
  t.match(describeStatus(0x000104), /voltage on no phase/)
  t.equal(describeStatus(0x182), 'old layout, no export')
  t.equal(describeStatus(0x1a2), 'old layout, export')
  for (const word of [0x1b0, 0x1a2, 0x101a2, 0x1c6904, 0x1c7904]) t.ok(isExporting(word))
  for (const word of [0x182, 0x10100, 0x80, 0x1c0104, 0x1c8104]) t.notOk(isExporting(word))
})

t.test('makers and clocks', async t => {
  const meter = (hex: string, more: Partial<SmlTelegram> = {}): unknown =>
    read(telegram([], { serverId: fromHex(hex), ...more })).reading.meter
  t.same(meter('0a01545354000000007b'), { id: '0a01545354000000007b', maker: 'TST' })
  t.same(meter('09015453540100000001'), { id: '09015453540100000001', maker: 'TST' })
  t.same(meter('06545354010000000001'), { id: '06545354010000000001', maker: 'TST' })
  t.same(meter('01a815545354000001'), { id: '01a815545354000001' })
  t.same(meter('0a0154530000000000ff'), { id: '0a0154530000000000ff' })
  t.same(meter('', { listName: fromHex('01') }), { list: '01' })

  const time = (sensorTime: SmlData): unknown =>
    read(telegram([], { sensorTime })).reading.meterTime
  const utc = {
    local: '2026-01-15T18:00:00',
    deviationMin: 0,
    utc: '2026-01-15T18:00:00Z',
    status: null,
  }
  t.same(time(secondsIndex(4_294_967_295)), { seconds: 4_294_967_295 })
  t.same(time(unsigned(5)), { seconds: 5 })
  t.same(time(list(unsigned(2), unsigned(1_768_500_000, 4))), utc)
  t.equal(time(list(unsigned(4), unsigned(1))), undefined, 'no known choice')
  t.equal(time(list(unsigned(3), list(unsigned(1)))), undefined)
  t.equal(time(list(unsigned(3), list(unsigned(1), integer(32_000, 2), integer(0, 2)))), undefined)
  t.equal(time(list(unsigned(2), integer(-1, 4))), undefined)
  t.equal(time({ tag: 'boolean', value: true }), undefined)
})

/** Ways in which a telegram can differ from the one before it. */
const change: fc.Arbitrary<(values: SmlValue[]) => SmlValue[]> = fc.oneof(
  fc.tuple(fc.nat(9), fc.integer({ min: -1000, max: 1000 })).map(
    ([i, raw]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { value: integer(raw, raw >= -128 && raw < 128 ? 1 : 2) }),
  ),
  fc.tuple(fc.nat(9), fc.integer({ min: -3, max: 3 })).map(
    ([i, scaler]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { scaler }),
  ),
  fc.tuple(fc.nat(9), fc.constantFrom(27, 30, 33)).map(
    ([i, unit]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { unit }),
  ),
  fc.tuple(fc.nat(9), fc.constantFrom('1-0:16.7.0*255', '1-0:1.8.0*255', '1-0:36.7.0*255')).map(
    ([i, obis]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { obis }),
  ),
  fc.tuple(fc.nat(9), fc.constantFrom('TST', 'XYZ', 'TESTER')).map(
    ([i, letters]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { value: octets(new TextEncoder().encode(letters)) }),
  ),
  fc.tuple(fc.nat(9), fc.constantFrom(MODERN_IMPORT, MODERN_EXPORT, 0x1a2)).map(
    ([i, word]) =>
      (values: SmlValue[]) =>
        replaced(values, i, { status: unsigned(word, 4) }),
  ),
  fc.constant((values: SmlValue[]) => values.slice(1)),
  fc.constant((values: SmlValue[]) => values),
)

function replaced(values: SmlValue[], i: number, more: Partial<SmlValue>): SmlValue[] {
  return values.map((old, index) => (index === i % values.length ? { ...old, ...more } : old))
}

t.test('a telegram means the same whatever came before it', async t => {
  const first: SmlValue[] = [
    { obis: '1-0:96.50.1*1', value: octets(fromHex('545354')) },
    energy('1.8.0', 12_345, MODERN_IMPORT),
    energy('2.8.0', 42),
    watts('16.7.0', integer(500, 2)),
    watts('36.7.0', integer(-200, 2)),
    value('31.7.0', 33, -2, unsigned(87)),
  ]
  let telegrams = 0
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 12 }), changes => {
      const decoder = sml.create({})
      let values = first
      for (const [i, apply] of changes.entries()) {
        values = apply(values)
        const bytes = telegram(values, { transaction: i, sensorTime: secondsIndex(i) })
        // One after another without silence, in one decoder; and alone in a new one.
        const [event] = decoder.push(bytes, 7)
        const [alone] = sml.create({}).push(bytes, 7)
        if (event?.type !== 'reading' || alone?.type !== 'reading') return false
        t.same(event.reading, alone.reading)
        t.same(event.notes, alone.notes)
        telegrams++
      }
      return true
    }),
    { numRuns: 300 },
  )
  t.ok(telegrams > 1000, `${telegrams} telegrams`)
})

t.test('options: every problem is named with its path', async t => {
  const parsed = sml.parseOptions({ acceptFrameCrcError: 'yes', grid: 'TN', repair: 'crlf' })
  t.notOk(parsed.ok)
  if (!parsed.ok)
    t.same(
      parsed.problems.map(p => p.path),
      ['acceptFrameCrcError', 'grid', 'repair'],
    )
  for (const raw of ['x', 3, true, []]) t.notOk(sml.parseOptions(raw).ok)
  for (const raw of [undefined, null, {}, { acceptFrameCrcError: true }])
    t.ok(sml.parseOptions(raw).ok)
})

/** Rows of an explanation cover every byte once and in order. */
function checkRows(t: Test, bytes: Uint8Array): void {
  let at = 0
  for (const { offset, length } of sml.explain!(bytes)) {
    if (offset !== at || length < 1) t.fail(`byte ${at} of ${Buffer.from(bytes).toString('hex')}`)
    at = offset + length
  }
  if (at !== bytes.length) t.fail(`ends at ${at} of ${bytes.length}`)
}

t.test('every byte is explained, also of damaged telegrams', async t => {
  const all = fixtures('sml').map(fixture => fixtureBytes('sml', fixture))
  t.ok(all.length >= 40)
  for (const bytes of all) {
    checkRows(t, bytes)
    for (let cut = 0; cut < bytes.length; cut += 13) checkRows(t, bytes.subarray(cut, cut + 500))
  }
  const edits = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 5 })
  fc.assert(
    fc.property(fc.constantFrom(...all), edits, (seed, changes) => {
      const bytes = seed.slice(0, 1000)
      for (const [at, octet] of changes) if (at < bytes.length) bytes[at] = octet
      checkRows(t, bytes)
    }),
    { numRuns: 2000 },
  )
  t.pass('2000 damaged telegrams')
})
