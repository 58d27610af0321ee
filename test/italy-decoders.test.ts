/** Decoders of Italian gateways and of mapped JSON: what the examples do not show. */
import t from 'tap'
import { chain2gate } from '../decoders/it-chain2gate.ts'
import { sinapsi } from '../decoders/it-sinapsi.ts'
import { jsonMap } from '../decoders/json-map.ts'
import { encodePoll } from '../decoders/sinapsi/poll.ts'
import type { Decoder, DecoderDefinition, DecoderEvent } from '../src/decoder.ts'
import { marked } from '../src/json/mark.ts'
import { jsonSpans } from '../src/json/spans.ts'
import { eventLine } from '../src/payload.ts'
import type { AvailablePower, Reading } from '../src/reading.ts'
import fc from './property.ts'

const T0 = 1_767_225_600
const bytesOf = (value: unknown): Uint8Array =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
const frame = (type: string, payload: object, meter = 'M1') => ({
  Chain2Data: {
    Id: 'c2g-000000001',
    Ts: '2026/01/01 00:00:00',
    Meter: meter,
    Type: type,
    Payload: payload,
  },
})
const event = (s: number, counter: number, more: object) => ({
  MessagePosixTimestamp: T0 + s + 2,
  EventType: 1,
  EventPosixTimestamp: T0 + s,
  EventsCounter: counter,
  ...more,
})
const readingIn = (events: readonly DecoderEvent[]): Reading | undefined =>
  events.flatMap(e => (e.type === 'reading' ? [e.reading] : []))[0]
const signalIn = (events: readonly DecoderEvent[]): AvailablePower | undefined =>
  events.flatMap(e => (e.type === 'signal' ? [e.signal] : []))[0]
const codes = (events: readonly DecoderEvent[]): string[] =>
  events.map(e => (e.type === 'rejected' ? e.error.code : e.type))
const start = (): ((s: number, value: unknown) => readonly DecoderEvent[]) => {
  const decoder = chain2gate.create({})
  return (s, value) => decoder.push(bytesOf(value), s * 1000)
}

t.test('what is no frame is named and thrown away', async t => {
  const cases: [what: string, value: unknown, code: string][] = [
    ['an unknown type', frame('CF48', { InstantPower: 1 }), 'LIST_UNKNOWN'],
    ['no type and no shape', { Chain2Data: { Payload: { A: 1 } } }, 'LIST_UNKNOWN'],
    ['something else', { hello: 1 }, 'LIST_UNKNOWN'],
    ['a list', '[1,2]', 'LIST_UNKNOWN'],
    [
      'a role that is neither M1 nor M2',
      frame('CF21', { InstantPower: 1 }, 'IT001E'),
      'LIST_UNKNOWN',
    ],
    ['no JSON', 'hello', 'LINK_BAD_FORMAT'],
    ['an object that never ends', '{"Chain2Data":{', 'LINK_BAD_FORMAT'],
    [
      'a text for a power',
      frame('CF21', { InstantPower: 'much', EventsCounter: 1 }),
      'DATA_BAD_VALUE',
    ],
    ['a negative power', frame('CF21', { InstantPower: -3, EventsCounter: 1 }), 'DATA_BAD_VALUE'],
    ['more than any limiter', frame('CF21', { InstantPower: 60_000 }), 'VALUE_IMPLAUSIBLE'],
    ['a contract without powers', frame('CF20', { Gap: 300 }), 'DATA_BAD_VALUE'],
    ['a state of the gateway', { Chain2State: { x: 1 } }, 'info'],
  ]
  for (const [what, value, code] of cases) t.same(codes(start()(0, value)), [code], what)
  const big = Buffer.alloc(1_000_000, 0x7b)
  t.same(codes(chain2gate.create({}).push(big, 0)), ['LINK_OVERFLOW'])
  const long = bytesOf({
    ...frame('CF21', event(0, 1, { InstantPower: 500 })),
    X: 'x'.repeat(60_000),
  })
  t.same(codes(chain2gate.create({}).push(long, 0)), ['reading'], '60 kB are read')
})

t.test('not available is null, never a number', async t => {
  for (const none of ['Non Disponibile', ' non disponibile ', 65_535, 4_294_967_295, null]) {
    const reading = readingIn(start()(0, frame('CF21', event(0, 1, { InstantPower: none }))))
    t.equal(reading?.values.activePowerImportW, null, JSON.stringify(none))
    t.notOk('uncertaintyW' in (reading?.values ?? {}))
  }
  const text = readingIn(start()(0, frame('CF21', event(0, 1, { InstantPower: ' 1500 ' }))))
  t.equal(text?.values.activePowerImportW, 1500, 'a number written as text')
})

t.test('the report step: as told, else a tenth of the contract, at least 300 W', async t => {
  const step = (options: object, ...before: object[]) => {
    const decoder = chain2gate.create(options)
    for (const value of before) decoder.push(bytesOf(value), 0)
    return readingIn(decoder.push(bytesOf(frame('CF21', event(9, 9, { InstantPower: 1 }))), 0))
      ?.values.uncertaintyW
  }
  t.equal(step({}), 300)
  t.equal(step({ contractedPowerW: 6000 }), 600)
  t.equal(step({ gapW: 450, contractedPowerW: 6000 }), 450)
  t.equal(step({}, frame('CF20', event(1, 1, { ContractPower: 4500 }))), 450)
  t.equal(step({ gapW: 450 }, frame('CF20', event(1, 1, { ContractPower: 4500, Gap: 500 }))), 500)
  t.equal(step({}, frame('CF51', event(1, 1, { InstantPower: 1, Gap: 350 }))), 350)
})

t.test('production meters fill registers alone', async t => {
  for (const [type, key] of [
    ['CF41', 'InstantProdPower'],
    ['CF2', 'QuartAverageProdPower'],
    ['CF21', 'InstantPower'],
  ] as const)
    for (const meter of ['M2', 'M2_2', 'M2_4']) {
      const reading = readingIn(start()(0, frame(type, event(0, 1, { [key]: 1800 }), meter)))!
      t.same(reading.values, {}, `${type} of ${meter}`)
      t.equal(reading.registers[0]?.obis.slice(0, 4), '1-1:')
      t.equal(reading.registers[0]?.value, 1800)
    }
  const both = start()
  both(0, frame('CF21', event(0, 1, { InstantPower: 500 })))
  t.equal(
    readingIn(both(1, frame('CF21', event(1, 9, { InstantPower: 1 }), 'M2')))?.missedReports,
    undefined,
  )
  t.equal(
    readingIn(both(2, frame('CF21', event(2, 2, { InstantPower: 900 }))))?.missedReports,
    0,
    'each meter counts for itself',
  )
})

t.test('typing errors of gateways, and either name of production', async t => {
  const values = {
    MeasurePosixTimestamp: T0,
    CurrQuartActEnergy: 10,
    InstantPower: 0,
    PRODINSTANTPOWER: 900,
    TotalInduttiveReactEnergy: 77,
    TotalCapactiveReactProdEnergy: 78,
    CurrQuartInductiveReactEnergy: 5,
  }
  const reading = readingIn(start()(0, values))!
  t.equal(reading.values.activePowerExportW, 900)
  t.match(Object.fromEntries(reading.registers.map(({ obis, value }) => [obis, value])), {
    '1-0:5.8.0*255': 77,
    '1-0:6.8.0*255': 78,
    '1-0:5.29.0*255': 5,
  })
})

t.test('a second delivery changes nothing, a lost one is counted', async t => {
  const feed = start()
  const one = frame('CF21', event(0, 100, { InstantPower: 900 }))
  t.same(codes(feed(0, one)), ['reading'])
  t.same(codes(feed(9, one)), ['info'], 'the same again')
  t.equal(
    readingIn(feed(10, frame('CF21', event(10, 101, { InstantPower: 1300 }))))?.missedReports,
    0,
  )
  const [late] = feed(40, frame('CF21', event(40, 104, { InstantPower: 1900 })))
  t.match(late, { notes: ['reports_lost'], reading: { missedReports: 2 } })
  const anew = readingIn(feed(50, frame('CF21', event(50, 1, { InstantPower: 800 }))))
  t.equal(anew?.missedReports, undefined, 'a counter that begins anew tells nothing')
})

t.test('the countdown in the words of the local clock', async t => {
  const overload = (s: number, more: object) =>
    frame('CF22', event(s, s, { InstantPower: 4420, AvailablePower: 3300, ...more }))
  const feed = start()
  // The meter's clock is 100 s ahead; one message was late by 40 s.
  for (const [i, late] of [0, 40, 0, 0, 0].entries())
    feed(i * 10 - 100 + late, frame('CF21', event(i * 10, i, { InstantPower: 900 })))
  // Message 2 s after the event, 118 s from the event on.
  const signal = signalIn(feed(0, overload(98, { SwitchOffCountdownSeconds: 118 })))!
  t.equal(signal.tripInS, 118)
  t.equal(signal.tripAt, 114_000, 'two of them had passed by the meter, two more by the others')
  t.equal(signal.availablePowerW, 3300)
  for (const none of [0, null, 'Non Disponibile', 65_535]) {
    const at = signalIn(start()(7, overload(0, { SwitchOffCountdownSeconds: none })))
    t.match(at, { tripInS: 0, tripAt: 7000 }, `${none}: at once`)
  }
  t.match(signalIn(start()(7, overload(0, {}))), { tripInS: 0, tripAt: 7000 }, 'not told: at once')
  const over = overload(0, { InstantPower: 3200, SwitchOffCountdownSeconds: 90 })
  t.notOk('tripInS' in signalIn(start()(7, over))!, 'no more than available: nothing counts down')
  const fault = start()
  fault(0, frame('CF21', event(0, 1, { InstantPower: 900 })))
  fault(1, frame('CF21', event(1, 2, { InstantPower: 901 })))
  const jump = frame('CF22', {
    ...event(3, 1, { InstantPower: 4420, SwitchOffCountdownSeconds: 100 }),
    EventPosixTimestamp: T0 + 900_000,
  })
  t.equal(
    signalIn(fault(5, jump))?.tripAt,
    5000 + 90_000,
    'a clock that is wrong: from the receipt',
  )
})

t.test('the meter clock is the median of eight, whatever one message says', async t => {
  const feed = start()
  const clocks = [3, 3, 9, 3, 4, 3, 500_000, 3, 3].map(
    (late, i) =>
      readingIn(feed(i * 60 + late, frame('CF21', event(i * 60, i, { InstantPower: i }))))
        ?.meterClockMs,
  )
  for (const [i, late] of [3, 3, 9, 3, 4, 3].entries())
    t.ok(
      Math.abs(clocks[i]! - ((T0 + 2 + i * 60) * 1000 + (late - 3) * 1000)) <= 6000,
      `message ${i}: ${clocks[i]}`,
    )
  t.equal(clocks[8], (T0 + 2 + 8 * 60) * 1000)
})

t.test('what was kept by somebody is told as such and never counts down', async t => {
  const push = (value: unknown) => chain2gate.create({}).push(marked(bytesOf(value)), 0)
  const [reading] = push(
    frame('CF1', { MeasurePosixTimestamp: T0, InstantPower: 900, CurrQuartActEnergy: 1 }),
  )
  t.match(reading, { type: 'reading', notes: ['retained'] })
  t.notOk('meterClockMs' in (reading as { reading: object }).reading, 'its clock was another time')
  t.same(codes(push(frame('CF20', event(0, 1, { ContractPower: 3000, AvailablePower: 3300 })))), [
    'signal',
  ])
  const overload = event(0, 1, {
    InstantPower: 4420,
    AvailablePower: 3300,
    SwitchOffCountdownSeconds: 50,
  })
  t.same(codes(push(frame('CF22', overload))), ['reading'])
})

t.test('several values in one message, and what stands between them', async t => {
  const [a, b] = [1, 2].map(i => JSON.stringify(frame('CF21', event(i, i, { InstantPower: i }))))
  const text = `\n ${a}\n${b} \n`
  const events = chain2gate.create({}).push(bytesOf(text), 0)
  t.same(codes(events), ['reading', 'reading'])
  const spans = events.map(e => ('offset' in e ? [e.offset, e.length] : []))
  t.same(spans, [
    [0, a!.length + 3],
    [a!.length + 3, b!.length + 2],
  ])
  t.same(jsonSpans(bytesOf('{"a":"}\\"{"}{"b":')), [
    [0, 12, true],
    [12, 17, false],
  ])
})

t.test('arbitrary and mutated messages give events, and hold nothing', async t => {
  const seeds = [
    frame(
      'CF22',
      event(0, 1, { InstantPower: 4420, AvailablePower: 3300, SwitchOffCountdownSeconds: 9 }),
    ),
    frame(
      'CF20',
      event(0, 1, { ContractPower: 3000, POD: 'IT001', FreezingDay: '01/255/65535 [255]' }),
    ),
    frame('CF10', {
      MonthlyMaxQuartAveragePowerDateTime: '16/01/2022 12:00:00 [7]',
      MonthlyMaxQuartAveragePower: 1,
    }),
    "{'Chain2Data': {'Type': 'CF21', 'Payload': {'InstantPower': None, 'X': \"it's\"}}}",
  ].map(bytesOf)
  const polls = [
    encodePoll([{ address: 2, words: Array.from({ length: 18 }, (_, i) => i) }]),
    encodePoll([{ address: 780, words: [1, 2, 3] }]),
  ]
  const mutated = (all: readonly Uint8Array[]) =>
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc
        .tuple(
          fc.constantFrom(...all),
          fc.array(fc.tuple(fc.nat(600), fc.nat(255), fc.nat(2)), { maxLength: 5 }),
        )
        .map(([seed, edits]) => {
          const bytes = [...seed]
          for (const [at, value, kind] of edits) {
            if (kind === 0) bytes[at % bytes.length] = value
            else if (kind === 1) bytes.splice(at % bytes.length, 1)
            else bytes.splice(at % bytes.length, 0, value)
          }
          return Uint8Array.from(bytes)
        }),
    )
  const each: [DecoderDefinition<never>, unknown, readonly Uint8Array[]][] = [
    [chain2gate as DecoderDefinition<never>, {}, seeds],
    [sinapsi as DecoderDefinition<never>, {}, polls],
    [
      jsonMap as DecoderDefinition<never>,
      { mapping: { active_power_w: 'Chain2Data.Payload.InstantPower' } },
      seeds,
    ],
  ]
  for (const [definition, raw, all] of each) {
    const parsed = definition.parseOptions(raw)
    if (!parsed.ok) throw new Error(JSON.stringify(parsed))
    fc.assert(
      fc.property(fc.array(mutated(all), { maxLength: 4 }), messages => {
        const decoder: Decoder = definition.create(parsed.value)
        let covered = 0
        for (const [i, bytes] of messages.entries())
          for (const found of decoder.push(bytes, i * 1000)) {
            if ('offset' in found) covered += found.length
            if (found.type === 'reading' || found.type === 'rejected') eventLine(found)
            definition.explain?.(bytes)
          }
        const blank = messages.filter(m => m.every(b => b === 0x20 || (b >= 9 && b <= 13)))
        const empty = messages.filter(m => m.length === 1 && m[0] === 1)
        const all = messages.reduce((sum, m) => sum + m.length, 0)
        const fill = [...blank, ...empty].reduce((sum, m) => sum + m.length, 0)
        return (
          decoder.heldBytes === 0 &&
          decoder.wakeAt === undefined &&
          covered >= all - fill &&
          covered <= all
        )
      }),
      { numRuns: 3000, seed: 1 },
    )
    t.pass(definition.id)
  }
})

t.test('Sinapsi: age by change, not by poll', async t => {
  const decoder = sinapsi.create({ contractedPowerW: 4500 })
  const fast = (
    power: number,
    total: number,
    warning: readonly number[] = [65535, 65535, 65535],
  ) => {
    const words = Array.from({ length: 18 }, () => 0)
    words[0] = power
    words[3] = total >>> 16
    words[4] = total & 0xffff
    return encodePoll([
      { address: 2, words },
      { address: 780, words: warning },
    ])
  }
  const band = (n: number) => encodePoll([{ address: 203, words: [n] }])
  t.match(readingIn(decoder.push(fast(1260, 8_123_456), 0))?.values, {
    activePowerImportW: 1260,
    activeEnergyImportWh: 8_123_456,
    uncertaintyW: 450,
  })
  t.same(codes(decoder.push(fast(1260, 8_123_456), 10_000)), ['info'], 'the same again is no news')
  t.equal(readingIn(decoder.push(fast(1600, 8_123_456), 20_000))?.values.activePowerImportW, 1600)
  t.equal(
    readingIn(decoder.push(fast(1600, 8_123_600), 30_000))?.values.activePowerImportW,
    1600,
    'a new total is',
  )
  const slow = readingIn(decoder.push(band(3), 35_000))!
  t.same([slow.tariff, slow.values], ['3', {}], 'slow registers tell nothing of the power')
  t.same(codes(decoder.push(band(3), 45_000)), ['info'])

  const warned = decoder.push(fast(4420, 8_123_600, [26_965, 47_929, 118]), 60_000)
  t.match(signalIn(warned), {
    tripInS: 118,
    tripAt: 30_000 + 118_000 - 10_000,
    availablePowerW: null,
  })
  const later = decoder.push(fast(4430, 8_123_600, [26_965, 47_929, 118]), 70_000)
  t.equal(signalIn(later), undefined, 'it is set once, not counted down')
  const alone = decoder.push(encodePoll([{ address: 780, words: [26_965, 48_000, 60] }]), 80_000)
  t.match(alone, [{ type: 'signal', signal: { tripInS: 60 }, length: 10 }])

  t.same(codes(decoder.push(band(0), 90_000)), ['VALUE_IMPLAUSIBLE'], 'warm-up')
  t.same(codes(decoder.push(fast(0, 0), 91_000)), ['VALUE_IMPLAUSIBLE'])
  t.same(
    codes(decoder.push(fast(900, 8_124_000), 92_000)),
    ['VALUE_IMPLAUSIBLE'],
    'until a band is there',
  )
  t.same(codes(decoder.push(band(2), 93_000)), ['reading'])
  t.equal(readingIn(decoder.push(fast(900, 8_124_000), 94_000))?.values.activePowerImportW, 900)

  const first = sinapsi.create({}).push(fast(4420, 5, [26_965, 47_929, 118]), 5000)
  t.match(signalIn(first), { tripInS: 118, tripAt: 5000 }, 'of any age: no time to rely on')
  for (const bytes of [[0, 2, 0, 5, 1], [0, 2, 0, 0], [0, 2, 0, 126], [0]])
    t.match(codes(sinapsi.create({}).push(Uint8Array.from(bytes), 0))[0], /^DATA_/)
})

const mapped = (mapping: object): Decoder => {
  const parsed = jsonMap.parseOptions({ mapping })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return jsonMap.create(parsed.value)
}

t.test('mapped JSON', async t => {
  const decoder = mapped({
    active_power_w: { path: 'emeters[0].power', scale: 1000 },
    current_l1_a: 'emeters[0]["I.1"]',
    active_energy_import_wh: { path: '$.total', scale: 0.1 },
    available_power_w: 'grid.limit',
    contracted_power_w: 'grid.contract',
    trip_in_s: 'grid.trip',
    tariff: 'band',
    meter_id: 'id',
    time: { path: 'ts', type: 'posix_ms' },
  })
  const message = {
    emeters: [{ power: '-1.25', 'I.1': -5.4 }],
    total: 23_071,
    grid: { limit: 3300, contract: 3000 },
    band: 3,
    id: ' box-1 ',
    ts: 1_767_225_600_500,
  }
  const events = decoder.push(bytesOf(message), 50)
  const reading = readingIn(events)!
  t.same(reading.values, {
    activePowerImportW: 0,
    activePowerExportW: 1250,
    currentL1A: -5.4,
    activeEnergyImportWh: 2307.1,
    availablePowerW: 3300,
    contractedPowerW: 3000,
  })
  t.match(reading, {
    tariff: '3',
    meter: { id: 'box-1' },
    meterTime: { utc: '2026-01-01T00:00:00Z' },
    registers: [{ obis: '1-0:16.7.0*255', value: -1250, unit: 'W' }, { obis: '1-0:31.7.0*255' }],
  })
  t.match(signalIn(events), { availablePowerW: 3300, contractedPowerW: 3000 })
  const trip = signalIn(decoder.push(bytesOf({ grid: { trip: 90 } }), 1000))
  t.match(trip, { availablePowerW: null, tripInS: 90, tripAt: 91_000 })
  t.equal(readingIn(decoder.push(bytesOf({ total: null }), 0))?.values.activeEnergyImportWh, null)
  const rejected: [object | string, RegExp][] = [
    [{ other: 1 }, /none of the mapped paths is there \(emeters\[0\]\.power,.*found other/],
    [{ total: 'x' }, /\$\.total: found "x", expected a number/],
    [{ total: -1 }, /\$\.total: found -0\.1: a signed power/],
    [{ ts: 'now' }, /ts: found "now"/],
    ['[]', /found a list/],
    ['{', /no JSON/],
  ]
  for (const [value, pattern] of rejected) {
    const [found] = decoder.push(bytesOf(value), 0)
    t.match(found?.type === 'rejected' ? found.error.detail : found, pattern)
  }
  t.match(
    readingIn(
      mapped({ time: { path: 't', type: 'iso' } }).push(
        bytesOf({ t: '2026-01-01T10:00:00.5Z' }),
        0,
      ),
    ),
    { meterTime: { utc: '2026-01-01T10:00:00Z' } },
  )
})

t.test('mapped JSON: every problem of a mapping is named with its path', async t => {
  const problems = (raw: unknown): string[] => {
    const parsed = jsonMap.parseOptions(raw)
    return parsed.ok ? [] : parsed.problems.map(p => p.path)
  }
  t.same(problems(undefined), ['mapping'])
  t.same(problems({ mapping: {} }), ['mapping'])
  t.same(
    problems({
      x: 1,
      mapping: {
        power: 'a',
        active_power_import_w: { path: '', scale: 0, type: 'text', unit: 'W' },
        voltage_l1_v: 5,
        time: { path: 'a..b', type: 'iso' },
        tariff: { path: 'a', type: 'number' },
      },
    }),
    [
      'x',
      'mapping.power',
      'mapping.active_power_import_w.unit',
      'mapping.active_power_import_w.path',
      'mapping.active_power_import_w.scale',
      'mapping.active_power_import_w.type',
      'mapping.voltage_l1_v',
      'mapping.time.path',
      'mapping.tariff.type',
    ],
  )
})

t.test('options of the gateways', async t => {
  for (const definition of [chain2gate, sinapsi]) {
    t.ok(definition.parseOptions(undefined).ok)
    t.ok(definition.parseOptions({ gapW: 300, contractedPowerW: 3000 }).ok)
    const parsed = definition.parseOptions({ gapW: 3, contractedPowerW: 'x', z: 1 })
    t.same(parsed.ok ? [] : parsed.problems.map(p => p.path), ['gapW', 'contractedPowerW', 'z'])
    t.notOk(definition.parseOptions('x').ok)
  }
})
