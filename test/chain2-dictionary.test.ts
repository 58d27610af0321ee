/** Dictionaries of compact frames: what is refused and why, and how every type is read. */
import t from 'tap'
import { DICTIONARIES } from '../decoders/dictionaries/index.ts'
import { chain2 } from '../decoders/it-chain2.ts'
import { findCompactData } from '../src/chain2/compact-data.ts'
import { readCompactFrame } from '../src/chain2/compact-frame.ts'
import { entryOf } from '../src/chain2/dictionary.ts'
import { parseDictionary } from '../src/chain2/dictionary-parse.ts'
import { DecodeError } from '../src/errors.ts'
import { eventLine } from '../src/payload.ts'
import { fromHex } from '../src/sim/encode/bytes.ts'

const dictionary = (...fields: object[]) => ({
  dictionary: 'site',
  version: '1',
  status: 'vendor-verified',
  frames: [{ templateId: 7, fields }],
})
const problems = (raw: unknown) => {
  const parsed = parseDictionary(raw)
  return parsed.ok ? [] : parsed.problems
}

/** Values of a frame of one or several fields, by hex of its bytes. */
function values(fields: object[], hex: string, frame: object = {}): unknown[] {
  const parsed = parseDictionary({
    ...dictionary(),
    frames: [{ templateId: 7, ...frame, fields }],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const bytes = fromHex(hex)
  const entry = entryOf(parsed.value, 7, bytes.length)!
  return readCompactFrame(entry, entry.fields!, bytes, 0, bytes.length).map(({ value }) => value)
}
const codeOf = (task: () => unknown): string => {
  try {
    task()
    return 'read'
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return error.code
  }
}

t.test('every type', async t => {
  const cases: [field: object, hex: string, value: unknown][] = [
    [{ type: 'u8' }, 'ff', 255],
    [{ type: 'u16' }, '0102', 258],
    [{ type: 'u16', endian: 'little' }, '0102', 513],
    [{ type: 'u24' }, '010000', 65_536],
    [{ type: 'u32' }, 'fffffffe', 4_294_967_294],
    [{ type: 'u64' }, '001fffffffffffff', Number.MAX_SAFE_INTEGER],
    [{ type: 'u64' }, 'fffffffffffffffe', '18446744073709551614'],
    [{ type: 'i8' }, '80', -128],
    [{ type: 'i16' }, 'fffe', -2],
    [{ type: 'i32' }, '80000000', -2_147_483_648],
    [{ type: 'i64' }, 'ffffffffffffffff', -1],
    [{ type: 'i64' }, '8000000000000000', '-9223372036854775808'],
    [{ type: 'f32' }, '4366b333', 230.7],
    [{ type: 'f64' }, '406cd66666666666', 230.7],
    [{ type: 'bool' }, '01', true],
    [{ type: 'bool' }, '00', false],
    [{ type: 'enum' }, '03', 3],
    [{ type: 'bits' }, '0ca5f0', '1010010111110000'],
    [{ type: 'octet-string' }, '03aabbcc', 'aabbcc'],
    [{ type: 'octet-string', len: 'fixed', size: 3 }, '414243', 'ABC'],
    [{ type: 'octet-string', len: 'u8' }, '02aabb', 'aabb'],
    [{ type: 'octet-string', len: 'u16' }, '0002aabb', 'aabb'],
    [{ type: 'octet-string', len: 'tagged' }, '0902aabb', 'aabb'],
    [{ type: 'octet-string' }, `8180${'aa'.repeat(128)}`, 'aa'.repeat(128)],
    [{ type: 'visible-string' }, '0548692020 20', 'Hi'],
    [{ type: 'visible-string', na: ['Non Disponibile'] }, '0f4e6f6e20446973706f6e6962696c65', null],
    [{ type: 'utf8' }, '03c3a821', 'è!'],
    [{ type: 'date-time' }, '07e601 1e 07 09232c00ffc400', '2022-01-30T09:35:44'],
    [{ type: 'date-time' }, 'ffffffffffffffffff800000', null],
    [{ type: 'date' }, '07e6010affff'.slice(0, 10), '2022-01-10'],
    [{ type: 'date' }, 'ffffff01ff', '*-*-01'],
    [{ type: 'date' }, 'ffffffffff', null],
    [{ type: 'time' }, '0c0f1e00', '12:15:30'],
    [{ type: 'time' }, '0c0fffff', '12:15:00'],
    [{ type: 'time' }, 'ffffffff', null],
    [{ type: 'unix32' }, '6955bb3c', 1_767_226_172],
    [{ type: 'bcd', size: 3 }, '123456', 123_456],
    [{ type: 'bcd', size: 8 }, '1234567890123456', '1234567890123456'],
    [{ type: 'skip', size: 2 }, 'aabb', null],
    [{ type: 'u16', scaler: -1 }, '0903', 230.7],
    [{ type: 'u16', scaler: 3 }, '0003', 3000],
    [{ type: 'u16', na: ['0xFFFF', 7] }, 'ffff', null],
    [{ type: 'u16', na: [0xffff, 7] }, '0007', null],
    [{ type: 'i16', na: [-1] }, 'ffff', null],
    [{ type: 'u16', na: [258], endian: 'little' }, '0201', null],
    [{ type: 'u64', na: ['0xFFFFFFFFFFFFFFFF'] }, 'ff'.repeat(8), null],
    [{ type: 'u8', times: 3 }, '010203', [1, 2, 3]],
    [{ type: 'u8', count: 'u8' }, '020304', [3, 4]],
    [{ type: 'u16', count: 'u16' }, '000100ff', [255]],
    [{ type: 'visible-string', count: 'u8' }, '0202414201 43', ['AB', 'C']],
    [{ type: 'u8', count: 'u8' }, '00', []],
  ]
  for (const [field, hex, value] of cases)
    t.strictSame(values([{ name: 'x', ...field }], hex), [value], JSON.stringify(field))
})

t.test('what the bytes do not allow', async t => {
  const cases: [fields: object[], hex: string, code: string, frame?: object][] = [
    [[{ type: 'u32' }], '010203', 'DATA_TRUNCATED'],
    [[{ type: 'u8' }], '0102', 'DATA_TRAILING'],
    [[{ type: 'u8' }], '0102', 'read', { allowTrailing: true }],
    [[{ type: 'u8' }], '01', 'DATA_TRUNCATED', { minLength: 2 }],
    [[{ type: 'u8', const: 7 }], '08', 'DATA_BAD_VALUE'],
    [[{ type: 'u8' }, { type: 'u16', optional: true }], '01', 'read'],
    [[{ type: 'u8' }, { type: 'u16', optional: true }], '0102', 'DATA_TRUNCATED'],
    [[{ type: 'u8', count: 'u16' }], 'ffff01', 'DATA_TRUNCATED'],
    [[{ type: 'octet-string' }], '84ffffffff00', 'DATA_TRUNCATED'],
    [[{ type: 'octet-string' }], '8a00', 'DATA_BAD_VALUE'],
    [[{ type: 'bcd', size: 1 }], '1a', 'DATA_BAD_VALUE'],
    [[{ type: 'f32' }], '7fc00000', 'DATA_BAD_VALUE'],
    [[{ type: 'f32', na: ['0x7fc00000'] }], '7fc00000', 'read'],
  ]
  for (const [fields, hex, code, frame] of cases) {
    const named = fields.map((field, i) => ({ name: `x${i}`, ...field }))
    t.equal(
      codeOf(() => values(named, hex, frame)),
      code,
      JSON.stringify([fields, hex]),
    )
  }
})

t.test('entries for one length come before the one for any', async t => {
  const parsed = parseDictionary({
    ...dictionary(),
    frames: [
      { templateId: 7, name: 'any', fields: [{ name: 'a', type: 'u8' }] },
      { templateId: 7, name: 'three', length: 3, fields: [{ name: 'a', type: 'u24' }] },
    ],
  })
  if (!parsed.ok) return t.fail(JSON.stringify(parsed.problems))
  t.equal(entryOf(parsed.value, 7, 3)?.name, 'three')
  t.equal(entryOf(parsed.value, 7, 4)?.name, 'any')
  t.equal(entryOf(parsed.value, 8, 4), undefined)
})

t.test('problems have a path and say what would be right', async t => {
  const x = { name: 'x', type: 'u8' }
  const at = 'frames.0.fields.0'
  const cases: [raw: unknown, paths: string[]][] = [
    [3, ['', 'dictionary', 'version', 'frames']],
    [{ ...dictionary(x), extra: 1 }, ['extra']],
    [{ ...dictionary(x), status: 'ok' }, ['status']],
    [{ ...dictionary(x), frames: [{ fields: [x] }] }, ['frames.0.templateId']],
    [
      {
        ...dictionary(x),
        frames: [
          { templateId: 256, length: 0, minLength: -1, allowTrailing: 1, fields: [x], extra: 1 },
        ],
      },
      [
        'frames.0.extra',
        'frames.0.templateId',
        'frames.0.length',
        'frames.0.minLength',
        'frames.0.allowTrailing',
      ],
    ],
    [
      {
        ...dictionary(x),
        frames: [
          { templateId: 1, fields: [x] },
          { templateId: 1, fields: [x] },
        ],
      },
      ['frames.1.templateId'],
    ],
    [dictionary(), ['frames.0.fields']],
    [dictionary(x, x), ['frames.0.fields.1.name']],
    [dictionary(x, { name: 'y' }), ['frames.0.fields.1.type']],
    [dictionary({ name: 'x', unit: 'W' }), [`${at}.type`]],
    [dictionary({ type: 'u8' }), [`${at}.name`]],
    [dictionary({ name: 'x', type: 'u7' }), [`${at}.type`]],
    [dictionary({ name: 'x', type: 'toString' }), [`${at}.type`]],
    [dictionary({ name: 'x', type: 'u8', scaler: 10 }), [`${at}.scaler`]],
    [dictionary({ name: 'x', type: 'u8', endian: 'middle' }), [`${at}.endian`]],
    [dictionary({ name: 'x', type: 'u8', const: 300 }), [`${at}.const`]],
    [dictionary({ name: 'x', type: 'u8', const: 8 }), [`${at}.const`]],
    [dictionary({ name: 'x', type: 'u8', na: 'ff' }), [`${at}.na`]],
    [
      dictionary({ name: 'x', type: 'u8', na: ['ff', 1.5, -200] }),
      [`${at}.na.0`, `${at}.na.1`, `${at}.na.2`],
    ],
    [dictionary({ name: 'x', type: 'visible-string', na: [7] }), [`${at}.na.0`]],
    [dictionary({ name: 'x', type: 'octet-string', scaler: 1 }), [`${at}.scaler`]],
    [dictionary({ name: 'x', type: 'octet-string', len: 'u32' }), [`${at}.len`]],
    [dictionary({ name: 'x', type: 'octet-string', len: 'fixed' }), [`${at}.size`]],
    [dictionary({ name: 'x', type: 'octet-string', size: 4 }), [`${at}.size`]],
    [dictionary({ name: 'x', type: 'u8', len: 'axdr' }), [`${at}.len`]],
    [dictionary({ name: 'x', type: 'bcd' }), [`${at}.size`]],
    [dictionary({ name: 'x', type: 'u8', times: 0 }), [`${at}.times`]],
    [dictionary({ name: 'x', type: 'u8', count: 'u8', times: 2 }), [`${at}.times`]],
    [dictionary({ name: 'x', type: 'u8', count: 'u32' }), [`${at}.count`]],
    [
      dictionary({ ...x, optional: true }, { name: 'y', type: 'u8' }),
      ['frames.0.fields.1.optional'],
    ],
    [
      dictionary(
        { name: 'x', type: 'u16', map: 'import.power' },
        { name: 'y', type: 'u16', map: 'import.power' },
      ),
      ['frames.0.fields.1.map'],
    ],
    [dictionary({ name: 'x', type: 'u16', map: 'power' }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'u16', map: 'import.power', unit: 'kW' }), [`${at}.unit`]],
    [dictionary({ name: 'x', type: 'u16', map: 'tariff', unit: 'W' }), [`${at}.unit`]],
    [dictionary({ name: 'x', type: 'u16', map: 'measuredAt' }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'unix32', map: 'import.power' }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'date', map: 'measuredAt' }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'u16', map: 'import.power', times: 2 }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'utf8', map: 'tariff' }), [`${at}.map`]],
    [dictionary({ name: 'x', type: 'u16', obis: '1.7.0' }), [`${at}.obis`]],
    [dictionary({ name: 'x', type: 'u8', personal: 'yes' }), [`${at}.personal`]],
    [dictionary('x' as unknown as object), [at, `${at}.name`]],
  ]
  for (const [raw, paths] of cases) {
    const found = problems(raw)
    t.same(
      found.map(({ path }) => path),
      paths,
      JSON.stringify(raw),
    )
    for (const { message } of found) t.match(message, /expected|unknown/)
  }
  t.same(
    problems(dictionary({ name: 'EventType' }, { name: 'POD' })),
    [],
    'names alone are allowed',
  )
})

t.test('the example of the specification', async t => {
  const raw = {
    dictionary: 'chain2-electric',
    version: 'site-1',
    status: 'unverified',
    frames: [
      {
        templateId: 22,
        name: 'CF22',
        minLength: 0,
        allowTrailing: true,
        fields: [
          { name: 'template_id', type: 'u8', const: 22 },
          {
            name: 'instantPower',
            type: 'u32',
            unit: 'W',
            scaler: 0,
            na: ['0xFFFFFFFF'],
            map: 'import.power',
          },
          { name: 'spare', type: 'octet-string', len: 'axdr', optional: true },
        ],
      },
    ],
  }
  const parsed = chain2.parseOptions({ link: 'none', dictionary: raw, allowUnauthenticated: true })
  if (!parsed.ok) return t.fail(JSON.stringify(parsed.problems))
  const line = (hex: string) => {
    const decoder = chain2.create(parsed.value)
    const events = [...decoder.push(fromHex(hex), 0), ...decoder.wake(Number.POSITIVE_INFINITY)]
    return eventLine(events[0]!)
  }
  t.match(line('1600001144'), { active_power_import_w: 4420, profile: 'chain2-electric/site-1' })
  t.match(line('1600001144020000'), { active_power_import_w: 4420 })
  t.match(line('16ffffffff00'), { active_power_import_w: null })
  const rows = chain2.explain!(fromHex('1600001144 00 ff'), parsed.value)
  t.same(
    rows.map(({ offset, length, meaning }) => [offset, length, meaning]),
    [
      [0, 1, 'CF22 template_id: 22'],
      [1, 4, 'CF22 instantPower: 4420 W (import.power)'],
      [5, 1, 'CF22 spare: '],
      [6, 1, 'spare bytes'],
    ],
  )
})

t.test('compact data that is none', async t => {
  const find = (kind: 'data-notification' | 'set-request', hex: string) => {
    const bytes = fromHex(hex)
    return findCompactData(kind, { bytes, start: 0, end: bytes.length, integrity: 'none' }).rows
  }
  const cases: [kind: 'data-notification' | 'set-request', hex: string, code: string][] = [
    ['data-notification', '0f0000000100 0902aabb', 'read'],
    ['data-notification', '0f0000000100 0201 0902aabb', 'read'],
    ['data-notification', '0f0000000100 0202 0906 0000420016ff 0902aabb', 'read'],
    ['data-notification', '0f0000000100 0202 0905 0000420016 0902aabb', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 0203 0902aabb', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 0201 0201 0902aabb', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 0902aabb00', 'DATA_TRAILING'],
    ['data-notification', '0f0000000100 06 00000001', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 0904aabb', 'DATA_TRUNCATED'],
    ['data-notification', 'db08', 'CIPHER_KEY_NEEDED'],
    ['data-notification', '0f0000000100 13 11 03 010203', 'read'],
    ['data-notification', '0f0000000100 13 00 01 01', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 13 12 03 010203', 'DATA_TRUNCATED'],
    ['data-notification', '0f0000000100 13 77 01 01', 'DATA_UNKNOWN_TAG'],
    ['data-notification', `0f0000000100 13 ${'0201'.repeat(6)}11 01 01`, 'DATA_TOO_DEEP'],
    ['data-notification', '0f0000000100 13 01ffff00 01 01', 'APDU_UNKNOWN'],
    ['data-notification', '0f0000000100 13 01000212 04 01020304', 'read'],
    ['data-notification', '0f0000000100 13 0202 0904 05 01aa08bb01', 'DATA_TRUNCATED'],
    ['data-notification', '0f0000000100 13 0202 0904 05 01aa08bb', 'DATA_TRUNCATED'],
    ['data-notification', '0f0000000100 13 0202 0904 04 01aa08bb', 'read'],
    ['set-request', 'c1 01 42 003e 0000420016ff 02 00 0902aabb', 'read'],
    ['set-request', 'c1 02 42 003e 0000420016ff 02 00 0902aabb', 'APDU_UNKNOWN'],
    ['set-request', 'c1 01 42 0003 0000420016ff 02 00 0902aabb', 'APDU_UNKNOWN'],
    ['set-request', 'c1 01 42 003e 0000420016ff 03 00 0902aabb', 'APDU_UNKNOWN'],
    ['set-request', 'c1 01 42 003e', 'DATA_TRUNCATED'],
  ]
  for (const [kind, hex, code] of cases)
    t.equal(
      codeOf(() => find(kind, hex)),
      code,
      hex,
    )
  t.same(
    find('data-notification', '0f0000000100 13 12 04 01020304'),
    [
      [9, 11],
      [11, 13],
    ],
    'two rows',
  )
})

t.test('several rows of a compact-array are one telegram, the last row counts', async t => {
  const row = (w: string) => `fa6955bb3c${w}00000ce40076`
  const head = '0f0000000100 13 02051106060612 1e'
  const parsed = chain2.parseOptions({
    link: 'none',
    apdu: 'data-notification',
    dictionary: 'template-250',
    allowUnauthenticated: true,
  })
  if (!parsed.ok) return t.fail('options')
  const decoder = chain2.create(parsed.value)
  decoder.push(fromHex(head + row('00001144') + row('00000e10')), 0)
  const events = decoder.wake(Number.POSITIVE_INFINITY)
  t.equal(events.filter(e => e.type === 'reading').length, 1)
  t.match(events[0], { reading: { values: { activePowerImportW: 3600 } } })
  t.equal(DICTIONARIES.get('template-250')?.frames.size, 1)
  const explained = chain2.explain!(fromHex(head + row('00001144') + row('00000e10')), parsed.value)
  t.equal(explained.filter(({ meaning }) => meaning.includes('instantPowerW')).length, 2)
})
