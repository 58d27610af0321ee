/** A-XDR, COSEM date-time, scaler, data-notification. */
import t from 'tap'
import { Reader } from '../src/bytes/reader.ts'
import { readNotificationHeader, readPadding } from '../src/dlms/apdu.ts'
import { AxdrTape, TAG } from '../src/dlms/axdr.ts'
import { centralEuropeanToUtc, isoLocal, readDateTime } from '../src/dlms/date-time.ts'
import { scaled } from '../src/dlms/scale.ts'
import { DecodeError, type DecodeErrorCode } from '../src/errors.ts'
import { CATALOGUE, formatObis, keyOf, obisKey } from '../src/obis.ts'
import { type AxdrData, encodeData } from '../src/sim/encode/axdr-encoder.ts'
import { fromHex } from '../src/sim/encode/bytes.ts'
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

const faults: [name: string, hex: string, code: DecodeErrorCode][] = [
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
