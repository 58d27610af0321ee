/** The P1 decoder, layer by layer. */
import t from 'tap'
import { p1 } from '../decoders/p1.ts'
import { crc16arc } from '../src/bytes/crc16.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { readStamp, utcOf } from '../src/p1/clock.ts'
import { readCode, readValues } from '../src/p1/line.ts'
import { readQuantity } from '../src/p1/quantity.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import { asciiBytes, concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeGeneralGlo } from '../src/sim/encode/general-glo.ts'
import { encodeFrame } from '../src/sim/encode/hdlc-encoder.ts'
import {
  arcBitwise,
  encodeEmbeddedP1,
  encodeP1,
  type P1Text,
  quantity,
  stamp,
  text,
  texts,
  timed,
  withEvenParity,
} from '../src/sim/encode/p1-encoder.ts'
import { contract, feed, fixtureBytes, fixtures } from './decoder-contract.ts'
import fc from './property.ts'

const all = fixtures('p1')

t.test('contract', async t => {
  t.ok(all.length >= 50, `${all.length} fixtures were visited`)
  await contract(t, p1, 'p1', all)
})

t.test('Norwegian frames are none', async t => {
  const norway = fixtures('norway').filter(({ type }) => type === 'frame')
  t.ok(norway.length > 30)
  for (const fixture of norway)
    t.ok(
      feed(p1.create({}), fixtureBytes('norway', fixture)).every(e => e.type === 'rejected'),
      fixture.id,
    )
})

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>
const readings = (events: readonly DecoderEvent[]): ReadingEvent[] =>
  events.filter(e => e.type === 'reading')
const codes = (events: readonly DecoderEvent[]): string[] =>
  events.flatMap(e => (e.type === 'rejected' ? [e.error.code] : []))

/** The worked example of the specification, its CRC and its encrypted form with the published authentication key. */
const EXAMPLE = asciiBytes(
  [
    '/XXX5TEST-1',
    '',
    '1-3:0.2.8(50)',
    '0-0:1.0.0(250115183000W)',
    '1-0:1.8.1(001234.567*kWh)',
    '1-0:1.7.0(04.321*kW)',
    '1-0:2.7.0(00.000*kW)',
    '1-0:32.7.0(230.1*V)',
    '1-0:31.7.0(012*A)',
    '!7F47\r\n',
  ].join('\r\n'),
)
const EXAMPLE_KEYS = {
  keys: [
    {
      system_title: '5341470500000001',
      encryption_key: '000102030405060708090a0b0c0d0e0f',
      authentication_key: null,
    },
  ],
}
const SEALED = {
  systemTitle: fromHex('5341470500000001'),
  encryptionKey: fromHex('000102030405060708090a0b0c0d0e0f'),
  authenticationKey: fromHex('00112233445566778899aabbccddeeff'),
  invocationCounter: 1,
}
const optionsOf = (raw: unknown) => {
  const parsed = p1.parseOptions(raw)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

t.test('CRC-16/ARC', async t => {
  t.equal(crc16arc(asciiBytes('123456789')), 0xbb3d)
  t.equal(crc16arc(EXAMPLE, 0, 168), 0x7f47)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(5), (bytes, start) => {
      const from = Math.min(start, bytes.length)
      return crc16arc(bytes, from) === arcBitwise(bytes.subarray(from))
    }),
  )
})

t.test('the worked example', async t => {
  const events = p1.create({}).push(EXAMPLE, 7)
  t.equal(events.length, 1, 'with its last byte, without waiting')
  const { reading, offset, length } = readings(events)[0]!
  t.same([offset, length, reading.receivedAt], [0, 174, 7])
  t.equal(reading.integrity, 'checksum')
  t.same(reading.values, {
    activeEnergyImportT1Wh: 1_234_567,
    activePowerImportW: 4321,
    activePowerExportW: 0,
    voltageL1V: 230.1,
    currentL1A: 12,
  })
  t.same(reading.derived, { activeEnergyImportWh: { value: 1_234_567, method: 'tariff-sum' } })
  t.match(reading.meterTime, { local: '2025-01-15T18:30:00', utc: null, dst: false })
})

t.test('the worked example, encrypted', async t => {
  const sealed = encodeGeneralGlo(EXAMPLE, SEALED)
  t.match(toHex(sealed), /^db08534147050000000181bf3000000001c40a89.*250ff130f4612dc6d669b2e1$/)
  const decoder = p1.create(optionsOf({ keys: EXAMPLE_KEYS }))
  const events = decoder.push(sealed, 0)
  t.same(
    events.map(({ type }) => type),
    ['counter', 'reading'],
  )
  const { reading, length } = readings(events)[0]!
  t.same([reading.integrity, length], ['authenticated', sealed.length])
  t.equal(reading.values.activePowerImportW, 4321)
  t.same(codes(decoder.push(sealed, 1)), ['CIPHER_REPLAY'])

  const [counter] = events
  if (counter?.type !== 'counter') return t.fail('no counter')
  t.equal(counter.counter.value, 1)
  const counters = { [counter.counter.id]: 1 }
  const later = p1.create(optionsOf({ keys: EXAMPLE_KEYS, counters }))
  t.same(codes(later.push(sealed, 0)), ['CIPHER_REPLAY'], 'also after a restart')
})

t.test('authentication: optional reads on without the key, and proves nothing', async t => {
  const otherKey = { ...SEALED, authenticationKey: fromHex('ff'.repeat(16)) }
  const sealed = encodeGeneralGlo(EXAMPLE, otherKey)
  const required = feed(p1.create(optionsOf({ keys: EXAMPLE_KEYS })), sealed)
  t.same(codes(required), ['CIPHER_AUTH_FAILED'])
  const options = optionsOf({ keys: EXAMPLE_KEYS, authentication: 'optional' })
  const [event, ...more] = feed(p1.create(options), sealed)
  t.equal(more.length, 0, 'no counter')
  t.equal(event?.type === 'reading' && event.reading.integrity, 'checksum', 'its CRC is right')
})

t.test('no flipped bit and no truncation passes', async t => {
  const forms: [string, Uint8Array][] = [
    ['eight bits', EXAMPLE],
    ['7E1 as 8N1', withEvenParity(EXAMPLE)],
  ]
  for (const [name, bytes] of forms) {
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      // 7F47 with a small f is the same CRC.
      if (bit === 169 * 8 + 5 && name === 'eight bits') continue
      const copy = bytes.slice()
      copy[bit >> 3]! ^= 1 << (bit & 7)
      if (readings(feed(p1.create({}), copy)).length > 0) t.fail(`${name}: bit ${bit}`)
    }
    for (let length = 0; length < bytes.length - 2; length++)
      if (readings(feed(p1.create({}), bytes.subarray(0, length))).length > 0)
        t.fail(`${name}: ${length} bytes`)
    t.equal(readings(feed(p1.create({}), bytes)).length, 1, name)
  }
})

t.test('numbers', async t => {
  const cases: [printed: string, value: number | undefined, unit?: string][] = [
    ['01.193*kW', 1193, 'W'],
    ['0000.242*kV', 242, 'V'],
    ['0000.005*kA', 5, 'A'],
    ['000201282*Wh', 201_282, 'Wh'],
    ['001.234567*MWh', 1_234_567, 'Wh'],
    ['00012.3456*kWh', 12_345.6, 'Wh'],
    ['230.7*V', 230.7, 'V'],
    ['230.70*v', 230.7, 'V'],
    ['0.321*kVAr', 321, 'var'],
    ['0.321*kvar', 321, 'var'],
    ['0.1*kVArh', 100, 'varh'],
    ['069.0*kVA', 69_000, 'VA'],
    ['-063*A', -63, 'A'],
    ['-000*A', 0, 'A'],
    ['50.00*Hz', 50, 'Hz'],
    ['240.860*GJ', 240.86, 'GJ'],
    ['00112.384*m3', 112.384, 'm3'],
    ['9007199254740991*W', 9_007_199_254_740_991, 'W'],
    ['9007199254740993*W', undefined],
    ['1.2.3*W', undefined],
    ['*W', undefined],
    ['12', undefined],
    ['12*', undefined],
    ['12*furlong', undefined],
    ['12*kW ', undefined],
    ['0x1*W', undefined],
    ['', undefined],
  ]
  for (const [printed, value, unit] of cases) {
    const bytes = asciiBytes(printed)
    const expected = value === undefined ? undefined : { value, unit }
    t.same(readQuantity(bytes, 0, bytes.length), expected, printed)
  }
  fc.assert(
    fc.property(fc.nat(99_999_999), fc.nat(3), (digits, behind) => {
      const printed = (digits / 10 ** behind).toFixed(behind)
      const bytes = asciiBytes(`${printed}*kWh`)
      const { value } = readQuantity(bytes, 0, bytes.length)!
      return String(value) === String(Math.round(digits * 10 ** (3 - behind)))
    }),
  )
})

t.test('time stamps', async t => {
  const cases: [printed: string, local: string | undefined, dst?: boolean | null][] = [
    ['250115183000W', '2025-01-15T18:30:00', false],
    ['250715183000S', '2025-07-15T18:30:00', true],
    ['240229000000W', '2024-02-29T00:00:00', false],
    ['20240111 09:35:00', '2024-01-11T09:35:00', null],
    ['250229000000W', undefined],
    ['632525252525S', undefined],
    ['000101000024W', undefined],
    ['250115240000W', undefined],
    ['250115183000X', undefined],
    ['250115183000', undefined],
    ['25011518300 W', undefined],
    ['20240111-09:35:00', undefined],
    ['19990111 09:35:00', undefined],
  ]
  for (const [printed, local, dst] of cases) {
    const bytes = asciiBytes(printed)
    const expected = local === undefined ? undefined : { local, dst }
    t.same(readStamp(bytes, 0, bytes.length), expected, printed)
  }
  const summer = { local: '2025-07-15T18:30:00', dst: true }
  const winter = { local: '2025-01-15T00:30:00', dst: false }
  const unsigned = (local: string) => ({ local, dst: null })
  t.equal(utcOf(summer, 'CET'), '2025-07-15T16:30:00Z')
  t.equal(utcOf(summer, 'EET'), '2025-07-15T15:30:00Z')
  t.equal(utcOf(summer, 'UTC+1'), '2025-07-15T17:30:00Z')
  t.equal(utcOf(winter, 'CET'), '2025-01-14T23:30:00Z')
  t.equal(utcOf(winter, 'EET'), '2025-01-14T22:30:00Z')
  t.equal(utcOf(unsigned('2025-07-15T18:30:00'), 'CET'), '2025-07-15T16:30:00Z')
  t.equal(utcOf(unsigned('2025-07-15T18:30:00'), 'EET'), '2025-07-15T15:30:00Z')
  t.equal(utcOf(unsigned('2025-10-26T02:30:00'), 'CET'), null, 'the hour that comes twice')
})

t.test('codes', async t => {
  const cases: [line: string, obis: string | undefined][] = [
    ['1-0:1.7.0(', '1-0:1.7.0*255'],
    ['1-0:1.7.0.255(', '1-0:1.7.0*255'],
    ['1-0:1.7.0*1(', '1-0:1.7.0*1'],
    ['0-4:96.3.10(', '0-4:96.3.10*255'],
    ['1-0:99:97.0(', undefined],
    ['1-0:4:24.7.0(', undefined],
    ['1-0:1.7(', undefined],
    ['1-0:1.7.0', undefined],
    ['1-0:1.7.256(', undefined],
    ['1-0:1.7.0.1.2(', undefined],
    ['1-0:1..0(', undefined],
    ['', undefined],
  ]
  for (const [line, obis] of cases)
    t.equal(readCode(asciiBytes(line), 0, line.length)?.obis, obis, line)
})

t.test('values', async t => {
  const cases: [printed: string, register: object | undefined][] = [
    ['(0001)\r\n', { value: '0001', unit: '' }],
    ['()', { value: '', unit: '' }],
    ['(4.556)', { value: '4.556', unit: '' }],
    ['(250115183000W)', { value: '2025-01-15T18:30:00', unit: '' }],
    ['(250115183000W)(02.589*kW)', { value: 2589, unit: 'W', time: '2025-01-15T18:30:00' }],
    ['(250115183000W)(00000.006)', { value: '00000.006', unit: '', time: '2025-01-15T18:30:00' }],
    ['(632525252525S)(00000.000)', { value: ['632525252525S', '00000.000'], unit: '' }],
    ['(100*A)(-063*A)', { value: ['100*A', '-063*A'], unit: '' }],
    ['(1)(m3)\r\n(00124.477)\r\n', { value: ['1', 'm3', '00124.477'], unit: '' }],
    ['(12', undefined],
    ['(12)3', undefined],
    ['(1\r\n2)', undefined],
  ]
  for (const [printed, register] of cases)
    t.same(
      readValues(asciiBytes(printed), 0, printed.length, 'x'),
      register === undefined ? undefined : { obis: 'x', ...register },
      printed,
    )
})

/** One telegram with these lines. */
const telegram = (lines: P1Text['lines'], more: Partial<P1Text> = {}): Uint8Array =>
  encodeP1({ identification: 'XMP5TEST', lines, ...more })
const only = (lines: P1Text['lines'], options: object = {}): ReadingEvent => {
  const events = feed(p1.create(optionsOf(options)), telegram(lines))
  return readings(events)[0]!
}

t.test('fields', async t => {
  const volts = quantity(231.4, 'V', 3, 1)
  const cases: [name: string, lines: P1Text['lines'], fields: object, more?: object][] = [
    [
      'net power fills both directions',
      [['1-0:16.7.0', quantity(-1534, 'kW', 2, 3)]],
      { activePowerImportW: 0, activePowerExportW: 1534 },
    ],
    [
      'net power is none where the directions are told',
      [
        ['1-0:16.7.0', quantity(-1534, 'kW', 2, 3)],
        ['1-0:1.7.0', quantity(5, 'kW', 2, 3)],
      ],
      { activePowerImportW: 5 },
    ],
    ['a unit that contradicts the code', [['1-0:1.7.0', quantity(5, 'kWh', 2, 3)]], {}],
    ['a negative import', [['1-0:1.7.0', quantity(-5, 'kW', 2, 3)]], {}],
    ['a current with a sign', [['1-0:31.7.0', quantity(-5, 'A', 3, 0)]], { currentL1A: 5 }],
    [
      'the first of repeated codes',
      [
        ['1-0:1.7.0', quantity(7, 'kW', 2, 3)],
        ['1-0:1.7.0', quantity(9, 'kW', 2, 3)],
      ],
      { activePowerImportW: 7 },
    ],
    ['no power of a gas meter', [['0-1:1.7.0', quantity(7, 'kW', 2, 3)]], {}],
    ['no power of a third channel', [['1-2:1.7.0', quantity(7, 'kW', 2, 3)]], {}],
    [
      'channel 1 of electricity',
      [['1-1:1.7.0', quantity(7, 'kW', 2, 3)]],
      { activePowerImportW: 7 },
    ],
    ['a limiter of 0 is none', [['0-0:17.0.0', quantity(0, 'kW', 3, 1)]], {}],
    ['0999.00 kW is no limiter', [['0-0:17.0.0', quantity(999_000, 'kW', 4, 2)]], {}],
    ['a limiter without a unit', [['0-0:17.0.0', text('16500')]], {}],
    [
      'the least of three fuses',
      [
        ['1-0:31.4.0', quantity(63, 'A', 3, 0)],
        ['1-0:51.4.0', quantity(35, 'A', 3, 0)],
        ['1-0:71.4.0', quantity(50, 'A', 3, 0)],
      ],
      { fuseThresholdA: 35 },
    ],
    [
      'three wires by option',
      [
        ['1-0:32.7.0', volts],
        ['1-0:52.7.0', volts],
        ['1-0:72.7.0', volts],
      ],
      { voltageL1L2V: 231.4, voltageL1L3V: 231.4, voltageL2L3V: 231.4 },
      { grid: 'IT' },
    ],
    [
      'a line that three wires leave out',
      [
        ['1-0:94.32.1', text('230')],
        ['1-0:31.7.0', quantity(5.1, 'A', 3, 1)],
        ['1-0:51.7.0', quantity(0, 'A', 3, 1)],
        ['1-0:71.7.0', quantity(4.2, 'A', 3, 1)],
      ],
      { currentL1A: 5.1, currentL3A: 4.2 },
    ],
  ]
  for (const [name, lines, fields, options] of cases)
    t.same(only(lines, options).reading.values, fields, name)
  t.same(only([['0-0:17.0.0', quantity(0, 'kW', 3, 1)]]).notes, ['limiter_zero_ignored'])
})

t.test('the clock in UTC where the zone is configured', async t => {
  const lines: P1Text['lines'] = [['0-0:1.0.0', stamp('2026-07-12T16:20:31', 'S')]]
  t.match(only(lines, { zone: 'CET' }).reading.meterTime, { utc: '2026-07-12T14:20:31Z' })
  t.match(only(lines).reading.meterTime, { utc: null })
})

t.test('options: every problem is named with its path', async t => {
  const parsed = p1.parseOptions({
    crc: 'maybe',
    zone: 1,
    grid: 'TT',
    authentication: 'no',
    counters: { a: -1, b: 1 },
    keys: { keys: [{ system_title: '*', encryption_key: 'ab' }] },
    x: 1,
  })
  t.notOk(parsed.ok)
  if (parsed.ok) return
  t.same(parsed.problems.map(({ path }) => path).sort(), [
    'authentication',
    'counters.a',
    'crc',
    'grid',
    'keys.keys.0.encryption_key',
    'x',
    'zone',
  ])
  t.notOk(p1.parseOptions('x').ok)
  t.notOk(p1.parseOptions({ counters: 3 }).ok)
  t.notOk(p1.parseOptions({ keys: 3 }).ok)
  t.ok(p1.parseOptions(undefined).ok)
  t.ok(p1.parseOptions({ zone: 'EET', crc: 'required', keys: { keys: [] } }).ok)
})

t.test('Poland: the tag proves something only while the clock moves on', async t => {
  const sent = (local: string): Uint8Array =>
    encodeEmbeddedP1(
      {
        identification: 'EGM5G35',
        lines: [
          ['0-0:1.0.0', stamp(local, 'S')],
          ['1-0:1.7.0', quantity(500, 'kW', 2, 3)],
        ],
      },
      { ...SEALED, invocationCounter: 0 },
    )
  const keys = {
    keys: [
      {
        ...EXAMPLE_KEYS.keys[0],
        system_title: '*',
        authentication_key: toHex(SEALED.authenticationKey),
      },
    ],
  }
  const decoder = p1.create(optionsOf({ keys }))
  const [first, second, third] = [
    '2026-07-12T16:20:31',
    '2026-07-12T16:20:41',
    '2026-07-12T16:20:51',
  ]
  const stream = concat(sent(first!), sent(third!), sent(second!), sent(third!))
  t.same(
    readings(feed(decoder, stream)).map(({ reading }) => reading.integrity),
    ['authenticated', 'authenticated', 'checksum', 'checksum'],
  )
})

t.test('an envelope in a frame is that of another decoder', async t => {
  const apdu = encodeGeneralGlo(fromHex('0f0000000100020206010203040600000001'), SEALED)
  const frame = encodeFrame(concat(fromHex('e6e700'), apdu), {
    destination: [0x20],
    source: [0x01],
    control: 0x13,
  })
  for (const keys of [undefined, EXAMPLE_KEYS]) {
    const events = feed(p1.create(optionsOf({ keys })), concat(frame, frame))
    t.equal(events.length, 1)
    t.equal(events[0]?.type, 'rejected')
  }
})

t.test('bounds', async t => {
  const long = (length: number): P1Text['lines'] => [
    ['0-0:96.13.0', text('A'.repeat(length - '0-0:96.13.0()\r\n'.length))],
    ['1-0:1.7.0', quantity(500, 'kW', 2, 3)],
  ]
  t.equal(only(long(4096)).reading.registers.length, 2)
  t.equal(only(long(4097)).reading.registers.length, 1, 'a line too long is skipped')

  const filler: P1Text['lines'] = Array.from({ length: 20 }, () => [
    '0-0:96.13.0',
    text('B'.repeat(1000)),
  ])
  const decoder = p1.create({})
  const events = feed(decoder, concat(telegram(filler), EXAMPLE), 100)
  t.same(codes(events), ['LINK_OVERFLOW'])
  t.equal(readings(events).length, 1, 'the telegram behind is found')

  let most = 0
  for (let i = 0; i < 2000; i++) {
    decoder.push(asciiBytes('/ABC5\r\n1-0:1.7.0(01'), i)
    most = Math.max(most, decoder.heldBytes)
  }
  t.ok(most < 17_000, `${most} bytes held`)
})

t.test('silence ends what is incomplete, and nothing else', async t => {
  const decoder = p1.create({})
  t.equal(decoder.wakeAt, undefined)
  t.equal(decoder.push(EXAMPLE.subarray(0, 100), 1000).length, 0)
  t.equal(decoder.wakeAt, 1400)
  t.same(decoder.wake(1399), [])
  t.same(codes(decoder.wake(1400)), ['LINK_INCOMPLETE'])
  t.equal(decoder.wakeAt, undefined)
  // Without its line end a telegram waits for it, or for silence.
  t.equal(decoder.push(EXAMPLE.subarray(0, -2), 2000).length, 0)
  const events = decoder.wake(2400)
  t.same(
    events.map(({ type }) => type),
    ['reading'],
  )
  t.same([readings(events)[0]?.offset, readings(events)[0]?.length], [100, 172])
  t.same(decoder.push(EXAMPLE.subarray(-2), 2500), [], 'the line end is fill by now')
  t.equal(decoder.wakeAt, undefined)
})

/** A line with an arbitrary code and value. */
const line = fc
  .tuple(
    fc.record({ a: fc.nat(1), b: fc.nat(4), c: fc.nat(99), d: fc.nat(99), e: fc.nat(99) }),
    fc.oneof(
      fc
        .tuple(fc.nat(9_999_999), fc.constantFrom('kWh', 'Wh', 'kW', 'V', 'kV', 'A', 'kvar', 'm3'))
        .map(([value, unit]) => quantity(value, unit, 5, 3)),
      fc.stringMatching(/^[A-Za-z /!]{0,20}$/).map(text),
      fc.tuple(fc.nat(28), fc.nat(23)).map(([day, hour]) => {
        const two = (n: number) => String(n).padStart(2, '0')
        const local = `2026-03-${two(day + 1)}T${two(hour)}:00:00`
        return timed(local, 'S', quantity(1.5, 'm3', 3, 3))
      }),
      fc
        .array(fc.stringMatching(/^[A-Z]{1,5}$/), { minLength: 2, maxLength: 5 })
        .map(list => texts(...list)),
    ),
  )
  .map(([{ a, b, c, d, e }, value]): P1Text['lines'][number] => [`${a}-${b}:${c}.${d}.${e}`, value])

t.test('what was encoded is decoded, whatever was sent before', async () => {
  const decoder = p1.create({})
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 12 }), lines => {
      const bytes = telegram(lines)
      const event = readings(decoder.push(bytes, 0))[0]
      const alone = readings(p1.create({}).push(bytes, 0))[0]
      if (event === undefined || alone === undefined) return false
      const expected: { [obis: string]: object } = {}
      for (const [code, { register }] of lines) expected[`${code}*255`] ??= register
      return (
        JSON.stringify(registersPayload(event.reading.registers)) === JSON.stringify(expected) &&
        JSON.stringify(readingPayload(event.reading)) ===
          JSON.stringify(readingPayload(alone.reading))
      )
    }),
    { numRuns: 500 },
  )
})
