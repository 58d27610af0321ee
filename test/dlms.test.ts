/** A-XDR, COSEM date-time, scaler, data-notification. */
import t from 'tap'
import { Reader } from '../src/bytes/reader.ts'
import {
  apduKind,
  apduName,
  isCiphered,
  readEventHeader,
  readNotificationHeader,
  readPadding,
  startsApdu,
} from '../src/dlms/apdu.ts'
import { AxdrTape, TAG, TAG_NAMES } from '../src/dlms/axdr.ts'
import {
  centralEuropeanToUtc,
  isoLocal,
  readDateAndTime,
  readDateTime,
} from '../src/dlms/date-time.ts'
import { scaled } from '../src/dlms/scale.ts'
import { DecodeError, type DecodeErrorCode } from '../src/errors.ts'
import { CATALOGUE, formatObis, keyOf, obisKey } from '../src/obis.ts'
import { type AxdrData, encodeData } from '../src/sim/encode/axdr-encoder.ts'
import { fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeEventNotification } from '../src/sim/encode/event-notification.ts'
import { captureBytes, dlmsCaptures } from './dlms-captures.ts'
import fc from './property.ts'

function scan(hex: string): AxdrTape {
  const tape = new AxdrTape()
  tape.scan(new Reader(fromHex(hex)))
  return tape
}

function codeOf(f: () => unknown): DecodeErrorCode | undefined {
  try {
    f()
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
  return undefined
}

const numbers: [name: string, hex: string, value: number | string][] = [
  ['double-long', '05fffffffe', -2],
  ['double-long-unsigned', '06fffffffe', 4294967294],
  ['integer', '0ffe', -2],
  ['long', '10fffe', -2],
  ['unsigned', '11fe', 254],
  ['long-unsigned', '12fffe', 65534],
  ['long64', '14fffffffffffffffe', -2],
  ['long64 below the safe integers', '148000000000000000', '-9223372036854775808'],
  ['long64-unsigned', '15000000000000ffff', 65535],
  ['long64-unsigned beyond the safe integers', '15fffffffffffffffe', '18446744073709551614'],
  ['enum', '1602', 2],
  ['float32', '17c1480000', -12.5],
  ['float64', '184029000000000000', 12.5],
]
for (const [name, hex, value] of numbers)
  t.test(name, async t => {
    const tape = scan(hex)
    t.equal(tape.exact(0), value)
    t.ok(tape.isNumber(0))
    t.equal(tape.to(0), hex.length / 2)
  })

t.test('containers, strings and positions', async t => {
  const tape = scan('0203 0102 0301 0405a8 0a0241 42 0906 0100010700ff'.replaceAll(' ', ''))
  t.equal(tape.tag[0], TAG.structure)
  t.same([tape.items[0], tape.items[1]], [3, 2])
  t.equal(tape.next(1), 4, 'the array and its two elements are passed')
  t.equal(tape.text(4), 'AB')
  t.ok(tape.isLogicalName(5))
  t.equal(formatObis(tape.bytes, tape.from(5)), '1-0:1.7.0*255')
  t.equal(CATALOGUE.get(obisKey(tape.bytes, tape.from(5)))?.field, 'activePowerImportW')
  t.equal(keyOf('1.7.0'), 0x010700)
})

t.test('strings, bits, dates', async t => {
  t.equal(scan('040ca5f0').bits(0), '101001011111')
  t.equal(scan('0400').bits(0), '')
  t.equal(scan('040ca5f0').to(0), 4)
  t.equal(scan('0c04c3a4c3b6').text(0), 'äö')
  t.ok(scan('0c04c3a4c3b6').isPrintable(0))
  t.notOk(scan('0c02c3c3').isPrintable(0), 'no UTF-8')
  t.notOk(scan('0902c3a4').isPrintable(0), 'an octet string is no UTF-8')
  t.equal(scan('0a0441204200').text(0), 'A B')
  t.ok(scan('1907e9010f0312220005ffc400').isDateTime(0))
  const apart = scan('0202 1a07e9010fff 1b12220005'.replaceAll(' ', ''))
  t.equal(
    isoLocal(readDateAndTime(apart.bytes, apart.from(1), apart.from(2))!),
    '2025-01-15T18:34:00',
  )
  t.equal(readDateAndTime(fromHex('ffff010fff12220005'), 0, 5), undefined)
  t.equal(readDateAndTime(fromHex('07e9010fff18220005'), 0, 5), undefined)
})

/** Elements of a tape as nested arrays, strings in hex. */
function tree(tape: AxdrTape, i = 0): unknown {
  if (!tape.isContainer(i)) {
    if (tape.isNumber(i) || tape.tag[i] === TAG.boolean) return tape.exact(i)
    return toHex(tape.bytes.subarray(tape.from(i), tape.to(i)))
  }
  const items: unknown[] = []
  for (let next = i + 1; next < tape.next(i); next = tape.next(next)) items.push(tree(tape, next))
  t.equal(items.length, tape.items[i])
  return items
}

const compact: [name: string, hex: string, values: unknown][] = [
  [
    'of structures',
    '13 02 02 12 06 0c 0001 00000002 0003 000000ff',
    [
      [1, 2],
      [3, 255],
    ],
  ],
  ['of numbers', '13 10 04 fffe 0001', [-2, 1]],
  ['of nothing', '13 06 00', []],
  ['of strings', '13 09 06 02 aabb 01 cc 00', ['aabb', 'cc', '']],
  ['of bits', '13 04 03 0a a5c0', ['a5c0']],
  [
    'of arrays',
    '13 01 0002 11 04 01 02 03 04',
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [
    'of empty arrays in structures',
    '13 02 02 11 01 0000 06 02 01 02',
    [
      [1, []],
      [2, []],
    ],
  ],
  [
    'of structures with nulls',
    '13 02 02 00 11 02 05 06',
    [
      ['', 5],
      ['', 6],
    ],
  ],
  ['with a length of two octets', '13 03 82 0002 01 00', [1, 0]],
  ['of floats and clocks', '13 02 02 17 1b 08 3fc00000 12220005', [[1.5, '12220005']]],
]
for (const [name, hex, values] of compact)
  t.test(`compact array ${name}`, async t => {
    const bytes = fromHex(`0202 ${hex} 1107`)
    const tape = new AxdrTape()
    const reader = new Reader(bytes)
    tape.scan(reader)
    t.same(tree(tape), [values, 7])
    t.equal(reader.remaining, 0)
    t.equal(tape.to(0), bytes.length)
    for (let i = 0; i < tape.count; i++)
      if (tape.at[i]! > tape.start[i]! || tape.start[i]! > tape.end[i]!) t.fail(`element ${i}`)
    for (let length = 0; length < bytes.length; length++)
      t.equal(
        codeOf(() => scan(toHex(bytes.subarray(0, length)))),
        'DATA_TRUNCATED',
        `cut to ${length}`,
      )
  })

t.test('numbers of a compact array are refreshed like any others', async t => {
  const tape = scan('13020211060a010000000202000003e8')
  t.same(tree(tape), [
    [1, 2],
    [2, 1000],
  ])
  tape.learn([3, 6])
  const next = fromHex('13020211060a010000000302000003e9')
  t.ok(tape.refresh(next, 0, next.length))
  t.same(tree(tape), [
    [1, 3],
    [2, 1001],
  ])
  t.notOk(tape.refresh(next.with(6, 9), 0, next.length), 'the key is another')
})

const faults: [name: string, hex: string, code: DecodeErrorCode][] = [
  ['a compact array of an undefined type', '130700', 'DATA_UNKNOWN_TAG'],
  ['a compact array of compact arrays', '13131100', 'DATA_UNKNOWN_TAG'],
  ['a compact array of nulls with contents', '13000100', 'DATA_BAD_VALUE'],
  ['a compact array of empty structures', '1302000100', 'DATA_BAD_VALUE'],
  ['a compact array whose values are cut', '130603010203', 'DATA_TRUNCATED'],
  ['a compact array of long arrays', '1301ffff110101', 'DATA_TRUNCATED'],
  ['a compact array of too many types', '13027f1111', 'DATA_TRUNCATED'],
  ['a compact array nested nine deep', `13${'0201'.repeat(9)}110101`, 'DATA_TOO_DEEP'],
  [
    'a compact array of very many nulls',
    `1302${'7f'}${'00'.repeat(126)}11 7f${'01'.repeat(127)}`.replace(' ', ''),
    'DATA_TRUNCATED',
  ],
  ['nothing', '', 'DATA_TRUNCATED'],
  ['a number cut', '0600', 'DATA_TRUNCATED'],
  ['a string cut', '090501', 'DATA_TRUNCATED'],
  ['a count beyond the bytes', '0184ffffffff', 'DATA_TRUNCATED'],
  ['a length of five octets', '09850000000001', 'DATA_BAD_VALUE'],
  ['a length of no octets', '0980', 'DATA_BAD_VALUE'],
  ['an undefined tag', '0201 07'.replace(' ', ''), 'DATA_UNKNOWN_TAG'],
  ['nested nine deep', `${'0101'.repeat(9)}00`, 'DATA_TOO_DEEP'],
]
for (const [name, hex, code] of faults)
  t.test(name, async t =>
    t.equal(
      codeOf(() => scan(hex)),
      code,
    ),
  )

t.test('a body of the same list is read by its values alone', async t => {
  const tape = scan('0202 06000000ff 0a0141'.replaceAll(' ', ''))
  tape.learn([1])
  const other = fromHex('00 0202 06000001fe 0a0141'.replaceAll(' ', ''))
  t.ok(tape.refresh(other, 1, other.length))
  t.equal(tape.value[1], 0x1fe)
  t.equal(tape.text(2), 'A')
  for (const [name, hex] of [
    ['another string', '0202 06000000ff 0a0142'],
    ['another type', '0202 05000000ff 0a0141'],
    ['another count', '0203 06000000ff 0a0141'],
    ['too short', '0202 06000000ff 0a01'],
  ] as const) {
    const bytes = fromHex(hex.replaceAll(' ', ''))
    t.notOk(tape.refresh(bytes, 0, bytes.length), name)
  }
})

t.test('what is encoded is scanned again', async t => {
  const leaf = fc.oneof(
    fc
      .integer({ min: -0x8000_0000, max: 0x7fff_ffff })
      .map((value): AxdrData => ({ tag: 'double-long', value })),
    fc.nat(0xffff).map((value): AxdrData => ({ tag: 'long-unsigned', value })),
    fc.integer({ min: -128, max: 127 }).map((value): AxdrData => ({ tag: 'integer', value })),
    fc.uint8Array({ maxLength: 200 }).map((bytes): AxdrData => ({ tag: 'octet-string', bytes })),
  )
  fc.assert(
    fc.property(fc.array(leaf, { maxLength: 300 }), items => {
      const bytes = encodeData({ tag: 'structure', items })
      const tape = new AxdrTape()
      const reader = new Reader(bytes)
      tape.scan(reader)
      if (reader.remaining !== 0 || tape.items[0] !== items.length) return false
      return items.every((item, i) =>
        item.tag === 'octet-string'
          ? Buffer.from(bytes.subarray(tape.from(i + 1), tape.to(i + 1))).equals(
              Buffer.from(item.bytes),
            )
          : 'value' in item && tape.exact(i + 1) === item.value,
      )
    }),
    { numRuns: 500 },
  )
  t.pass('500 runs')
})

t.test('scaler without floating-point noise', async t => {
  t.equal(scaled(2307, -1), 230.7)
  t.equal(scaled(1327, -2), 13.27)
  t.equal(scaled(9406459, 1), 94064590)
  t.ok(Number.isNaN(scaled(1, 10)))
  for (let raw = 0; raw < 100_000; raw += 7)
    if (String(scaled(raw, -3)) !== String(Number(`${raw}e-3`))) t.fail(String(raw))
})

t.test('date-time', async t => {
  const at = (hex: string) => readDateTime(fromHex(hex), 0)
  const summer = at('07e9031eff030f00ffff8880')
  t.same(
    [isoLocal(summer!.localS), summer!.deviationMin, summer!.status],
    ['2025-03-30T03:15:00', -120, 0x80],
  )
  t.same(at('07e60b07ff092c26ff8000ff')?.deviationMin, null)
  t.same(at('07e60b07ff092c26ff8000ff')?.status, null)
  for (const hex of [
    'ffff0b0701092c26ff800000',
    '07e6000701092c26ff800000',
    '07e6021e01092c26ff800000',
    '07e60b0701182c26ff800000',
    '07e60b0701093c26ff800000',
    '07e60b0701092c3cff800000',
  ])
    t.equal(at(hex), undefined, hex)
  t.ok(at('07e8021d01092c26ff800000'), 'leap day')
  t.equal(at('07e7021d01092c26ff800000'), undefined)
  t.equal(isoLocal(-1), '1969-12-31T23:59:59')
})

t.test('Central European civil time against the time-zone database', async t => {
  const format = new Intl.DateTimeFormat('sv', {
    timeZone: 'Europe/Oslo',
    dateStyle: 'short',
    timeStyle: 'medium',
  })
  let checked = 0
  for (
    let utcS = Date.UTC(2019, 0, 1) / 1000;
    utcS < Date.UTC(2030, 0, 1) / 1000;
    utcS += 3 * 3600 + 61
  ) {
    const localS = Date.parse(`${format.format(utcS * 1000).replace(' ', 'T')}Z`) / 1000
    const found = centralEuropeanToUtc(localS)
    checked++
    // The hour that comes twice has no answer.
    if (found !== undefined && found !== utcS) t.fail(isoLocal(utcS))
    if (found === undefined && new Date(utcS * 1000).getUTCMonth() !== 9)
      t.fail(`${isoLocal(utcS)} has an answer`)
  }
  t.ok(checked > 30_000)
})

t.test('data-notification', async t => {
  const header = (hex: string) => readNotificationHeader(new Reader(fromHex(hex)))
  const time = '07e60b0701092c26ff800000'
  t.equal(header('0f0000000000'), -1)
  t.equal(header('0f000000000900'), -1)
  t.equal(header(`0f000000000c${time}`), 6)
  t.equal(header(`0f00000000090c${time}`), 7)
  t.equal(header(`0f0000000019${time}`), 6)
  t.equal(
    codeOf(() => header('0f0000000055')),
    'APDU_UNKNOWN',
  )
  t.equal(
    codeOf(() => header('0f000000000905')),
    'APDU_UNKNOWN',
  )
  t.equal(
    codeOf(() => header('db08')),
    'CIPHER_KEY_NEEDED',
  )
  t.equal(
    codeOf(() => header('e0')),
    'APDU_UNKNOWN',
  )
  t.equal(
    codeOf(() => header('df')),
    'CIPHER_UNSUPPORTED',
  )
  t.equal(
    codeOf(() => header('0f00')),
    'DATA_TRUNCATED',
  )
  t.equal(readPadding(new Reader(fromHex('000000'))), true)
  t.equal(readPadding(new Reader(new Uint8Array(0))), false)
  t.equal(
    codeOf(() => readPadding(new Reader(fromHex('0001')))),
    'DATA_TRAILING',
  )
})

t.test('APDUs by their first byte', async t => {
  const kinds: [byte: number, kind: string | undefined, name: string][] = [
    [0x0f, 'notification', 'data-notification'],
    [0xc2, 'event', 'event-notification-request'],
    [0xdb, 'ciphered', 'general-glo-ciphering'],
    [0xdc, 'ciphered', 'general-ded-ciphering'],
    [0xdd, 'ciphered', 'general-ciphering'],
    [0xdf, 'signed', 'general-signing'],
    [0xe0, 'block', 'general-block-transfer'],
    [0xc8, undefined, 'APDU 0xc8'],
  ]
  for (const [byte, kind, name] of kinds) {
    t.equal(apduKind(byte), kind, name)
    t.equal(apduName(byte), name)
    t.equal(startsApdu(byte), kind !== undefined, name)
    t.equal(isCiphered(byte), kind === 'ciphered', name)
  }
})

t.test('event-notification', async t => {
  const time = fromHex('07e9010f03121e00ffffc400')
  const logicalName = fromHex('0100010700ff')
  const value = { tag: 'double-long-unsigned', value: 4321 } as const
  const event = { classId: 3, logicalName, attribute: -2, value }
  for (const [sent, at] of [
    [time, 3],
    [undefined, -1],
    [new Uint8Array(0), -1],
  ] as const) {
    const bytes = encodeEventNotification(sent === undefined ? event : { ...event, time: sent })
    const reader = new Reader(bytes)
    const header = readEventHeader(reader)
    t.same([header.time, header.classId, header.attribute], [at, 3, -2])
    t.equal(toHex(bytes.subarray(header.name, header.name + 6)), toHex(logicalName))
    const tape = new AxdrTape()
    tape.scan(reader)
    t.equal(tape.value[0], 4321)
    for (let length = 0; length < bytes.length - 5; length++)
      t.equal(
        codeOf(() => readEventHeader(new Reader(bytes.subarray(0, length)))),
        'DATA_TRUNCATED',
      )
  }
  t.equal(
    codeOf(() => readEventHeader(new Reader(fromHex('0f')))),
    'APDU_UNKNOWN',
  )
})

t.test('compact arrays that are encoded are scanned again', async t => {
  const item = fc.record({
    a: fc.nat(0xffff),
    b: fc.uint8Array({ maxLength: 150 }),
    c: fc.nat(255),
  })
  fc.assert(
    fc.property(fc.array(item, { minLength: 1, maxLength: 40 }), items => {
      const data: AxdrData = {
        tag: 'compact-array',
        items: items.map(({ a, b, c }) => ({
          tag: 'structure',
          items: [
            { tag: 'long-unsigned', value: a },
            { tag: 'octet-string', bytes: b },
            { tag: 'array', items: [{ tag: 'unsigned', value: c }] },
            { tag: 'null-data' },
          ],
        })),
      }
      const bytes = encodeData(data)
      const tape = new AxdrTape()
      const reader = new Reader(bytes)
      tape.scan(reader)
      const expected = items.map(({ a, b, c }) => [a, toHex(b), [c], ''])
      return reader.remaining === 0 && JSON.stringify(tree(tape)) === JSON.stringify(expected)
    }),
    { numRuns: 200 },
  )
  t.throws(() => encodeData({ tag: 'compact-array', items: [] }), RangeError)
  t.throws(
    () => encodeData({ tag: 'compact-array', items: [{ tag: 'null-data' }, { tag: 'dont-care' }] }),
    RangeError,
  )
})

t.test('any body is scanned or refused, and the tape stays within bounds', async t => {
  const head = fc.constantFrom('', '13', '1302', '1301', '0202', '0101')
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 120 }), (start, rest) => {
      const bytes = fromHex(start + toHex(rest))
      const tape = new AxdrTape()
      codeOf(() => tape.scan(new Reader(bytes)))
      return tape.count <= 8 * bytes.length + 1
    }),
    { numRuns: 20_000 },
  )
  t.pass('20000 runs')
})

const captures = dlmsCaptures()
const skip = typeof captures === 'string' ? captures : false
t.test('recording of every type, and of an event', { skip }, async t => {
  const byId = (id: string) =>
    (captures as Exclude<typeof captures, string>).find(c => c.id === id)!
  const types = byId('con-all-data-types')
  const bytes = captureBytes(types)
  const reader = new Reader(bytes)
  readNotificationHeader(reader)
  const tape = new AxdrTape()
  tape.scan(reader)
  t.equal(reader.remaining, 0)
  const { values } = types.expected.messages[0]
  t.equal(tape.items[0], values.length)
  t.equal(values.length, 25)
  let i = 1
  for (const { hex, type, value } of values) {
    t.equal(toHex(bytes.subarray(tape.base + tape.at[i]!, tape.to(i))), hex, type)
    t.equal(TAG_NAMES[tape.tag[i]!], type)
    if (Array.isArray(value)) t.same(tree(tape, i), value, type)
    else if (type === 'boolean') t.equal(tape.value[i] === 1, value)
    else if (type === 'bit-string') t.equal(tape.bits(i), value)
    else if (type === 'bcd') t.equal(tape.value[i], value)
    else if (/^(visible|utf8)-string$/.test(type)) t.equal(tape.text(i), value)
    else if (tape.isNumber(i)) t.equal(tape.exact(i), value, type)
    else if (type === 'octet-string') t.equal(tree(tape, i), value)
    else if (type === 'date-time') {
      const { localS, deviationMin, status } = readDateTime(bytes, tape.from(i))!
      const weekday = bytes[tape.from(i) + 4]!
      const hundredths = bytes[tape.from(i) + 8]!
      t.equal(
        `${isoLocal(localS)}.0${hundredths} deviation ${deviationMin} status 0${status} dow ${weekday}`,
        value,
      )
    } else if (type === 'date')
      t.equal(isoLocal(readDateAndTime(bytes, tape.from(i), tape.from(i + 1))!).slice(0, 10), value)
    else if (type === 'time')
      t.equal(
        `${isoLocal(readDateAndTime(bytes, tape.from(i - 1), tape.from(i))!).slice(11)}.05`,
        value,
      )
    else t.equal(value, null, type)
    i = tape.next(i)
  }
  const event = byId('con-event-notification')
  const told = new Reader(captureBytes(event))
  const header = readEventHeader(told)
  const { class: classId, obis_code, attribute, value } = event.expected.messages[0]
  t.same([header.classId, header.attribute], [classId, attribute])
  t.equal(formatObis(told.bytes, header.name), obis_code)
  t.equal(
    isoLocal(readDateTime(told.bytes, header.time)!.localS),
    event.expected.messages[0].apdu_time.local,
  )
  tape.scan(told)
  t.same([tape.value[0], told.remaining], [value, 0])
})
