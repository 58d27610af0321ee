/** The decoder of power-line modems: the contract over constructed recordings, then what they do not show. */
import t from 'tap'
import { DICTIONARIES } from '../decoders/dictionaries/index.ts'
import { chain2 } from '../decoders/it-chain2.ts'
import type { Decoder, DecoderEvent, Explanation } from '../src/decoder.ts'
import { eventLine } from '../src/payload.ts'
import type { AvailablePower, Reading } from '../src/reading.ts'
import { concat, fromHex, integerBytes, toHex } from '../src/sim/encode/bytes.ts'
import { encodeTemplate250 } from '../src/sim/encode/compact-encoder.ts'
import { encodeSs } from '../src/sim/encode/ss-encoder.ts'
import { encodeLocal, INDICATION, indicationData } from '../src/sim/encode/st7580-encoder.ts'
import { contract, feed, fixtureBytes, fixtures, optionsOf } from './decoder-contract.ts'
import fc from './property.ts'

const recordings = fixtures('chain2')
t.ok(recordings.length >= 11, 'the fixtures were visited')
await contract(t, chain2, 'chain2', recordings)

const K1 = '404142434445464748494a4b4c4d4e4f'
const OTHER = '808182838485868788898a8b8c8d8e8f'
const create = (raw: unknown): Decoder => {
  const parsed = chain2.parseOptions(raw)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return chain2.create(parsed.value)
}
const unit = (payload: Uint8Array, iv: number, key = K1, header = 'c2010007'): Uint8Array =>
  encodeSs({
    key: fromHex(key),
    header: fromHex(header),
    payload,
    iv: integerBytes(iv, 12),
    firstCounter: 0,
  })
const frame = (sdu: Uint8Array, command: number = INDICATION.dl): Uint8Array =>
  encodeLocal(command, indicationData(sdu))
const overload = (more: Partial<Parameters<typeof encodeTemplate250>[0]> = {}): Uint8Array =>
  encodeTemplate250({
    posix: 1_767_226_172,
    powerW: 4420,
    availableW: 3300,
    countdownS: 118,
    ...more,
  })
const SS = { security: 'st-ss', keys: [{ k1: K1 }], dictionary: 'template-250' }
const codes = (events: readonly DecoderEvent[]): string[] =>
  events.flatMap(e => (e.type === 'send' ? [] : [e.type === 'rejected' ? e.error.code : e.type]))
const readings = (events: readonly DecoderEvent[]): Reading[] =>
  events.flatMap(e => (e.type === 'reading' ? [e.reading] : []))
const signals = (events: readonly DecoderEvent[]): AvailablePower[] =>
  events.flatMap(e => (e.type === 'signal' ? [e.signal] : []))

t.test('every byte is explained, also of what was enciphered', async t => {
  const covers = (rows: readonly Explanation[], length: number): boolean => {
    let at = 0
    for (const row of rows) {
      if (row.offset !== at) return false
      at += row.length
    }
    return at === length
  }
  let sealed = 0
  for (const recording of recordings) {
    const parsed = chain2.parseOptions(optionsOf(recording))
    if (!parsed.ok) return t.fail(recording.id)
    const bytes = fixtureBytes('chain2', recording)
    const rows = chain2.explain!(bytes, parsed.value)
    t.ok(covers(rows, bytes.length), recording.id)
    for (const { contents } of rows)
      if (contents !== undefined && contents.rows.length > 0) {
        sealed++
        t.ok(covers(contents.rows, contents.bytes.length), `${recording.id}: contents`)
      }
  }
  t.ok(sealed >= 5, `${sealed} opened`)
  const written = chain2.parseOptions({ ...SS, dialect: 'replay' })
  if (!written.ok) return t.fail('options')
  const text = Buffer.from(`# seen\n${toHex(unit(overload(), 1))}\nzz\n`)
  const rows = chain2.explain!(text, written.value)
  t.ok(covers(rows, text.length))
  t.match(rows[1]?.contents?.rows[1]?.contents?.rows[2], { meaning: /instantPowerW: 4420 W/ })
})

t.test('an overload gives its reading and its signal with the countdown', async t => {
  const events = create(SS).push(frame(unit(overload(), 1)), 5000)
  t.same(codes(events), ['reading', 'signal'])
  t.match(signals(events)[0], {
    availablePowerW: 3300,
    tripInS: 118,
    // How long ago it was is not known without a clock: ten seconds are taken off.
    tripAt: 5000 + 118_000 - 10_000,
    integrity: 'authenticated',
    source: 'it-chain2',
  })
  const lines = events.flatMap(e => eventLine(e) ?? [])
  t.match(lines[1], { type: 'signal', kind: 'available_power', trip_in_s: 118 })
  t.notOk(Object.hasOwn(lines[1]!, 'offset'), 'the second line of a telegram has no span')
})

t.test('countdowns: over, missing, at once', async t => {
  const trip = (more: object) => signals(create(SS).push(frame(unit(overload(more), 1)), 1000))[0]!
  t.equal(trip({ powerW: 3300 }).tripInS, undefined, 'no more than the available power: over')
  t.match(trip({ countdownS: 0xffff }), { tripInS: 0, tripAt: 1000 }, 'not available: at once')
  t.match(trip({ countdownS: 0 }), { tripInS: 0, tripAt: 1000 })
})

t.test('not available is null, never 4294967295 W', async t => {
  const [reading] = readings(create(SS).push(frame(unit(overload({ powerW: 0xffffffff }), 1)), 0))
  t.equal(reading?.values.activePowerImportW, null)
  t.equal(reading?.values.uncertaintyW, undefined, 'nothing known has no uncertainty')
})

t.test('a power that no limiter lets through is refused', async t => {
  const events = create(SS).push(frame(unit(overload({ powerW: 40_001, availableW: 3300 }), 1)), 0)
  t.same(codes(events), ['VALUE_IMPLAUSIBLE'])
})

const CONTRACT = {
  dictionary: 'site',
  version: '1',
  status: 'unverified',
  frames: [
    {
      templateId: 20,
      name: 'CF20',
      fields: [
        { name: 'id', type: 'u8', const: 20 },
        { name: 'sent', type: 'unix32', map: 'sentAt' },
        { name: 'ContractPower', type: 'u16', map: 'limit.contracted' },
        { name: 'AvailablePower', type: 'u16', map: 'limit.available' },
        { name: 'Gap', type: 'u16', map: 'limit.gap' },
        { name: 'POD', type: 'visible-string', len: 'fixed', size: 14, optional: true },
      ],
    },
    {
      templateId: 21,
      name: 'CF21',
      allowTrailing: true,
      fields: [
        { name: 'id', type: 'u8', const: 21 },
        { name: 'count', type: 'u16', map: 'event.counter' },
        { name: 'InstantPower', type: 'i32', map: 'import.power' },
        { name: 'TariffCode', type: 'u8', map: 'tariff' },
      ],
    },
    {
      templateId: 5,
      name: 'CF5',
      fields: [
        { name: 'id', type: 'u8', const: 5 },
        { name: 'energies', type: 'u24', times: 3, unit: 'Wh', obis: '1-0:1.9.0*101' },
        { name: 'POD', type: 'visible-string' },
      ],
    },
  ],
}
const contractFrame = (sentS: number) =>
  concat([20], integerBytes(sentS, 4), integerBytes(6000, 2), integerBytes(6600, 2), [0x02, 0x58])
const step = (count: number, powerW: number, band = 3) =>
  concat([21], integerBytes(count, 2), integerBytes(powerW, 4, true), [band])
const SITE = { dictionary: CONTRACT, security: 'st-ss', keys: [{ k1: K1 }] }

t.test('a contract gives a signal alone, and its gap is the uncertainty from then on', async t => {
  const decoder = create(SITE)
  const before = readings(decoder.push(frame(unit(step(1, 2410), 1)), 0))[0]
  t.equal(before?.values.uncertaintyW, 300, 'not told yet')
  const told = decoder.push(frame(unit(contractFrame(1_767_225_600), 2)), 1000)
  t.same(codes(told), ['signal'])
  t.match(eventLine(told.find(e => e.type === 'signal')!), {
    offset: frame(unit(step(1, 2410), 1)).length,
    available_power_w: 6600,
    contracted_power_w: 6000,
    uncertainty_w: 600,
  })
  const after = readings(decoder.push(frame(unit(step(2, 2500), 3)), 61_000))[0]
  t.equal(after?.values.uncertaintyW, 600)
  t.equal(after?.tariff, '3')
  t.equal(after?.meterClockMs, 1_767_225_600_000 + 60_000, 'the clock of the meter goes on')
})

t.test('a signed power is import or export; lost events show in the counter', async t => {
  const decoder = create(SITE)
  decoder.push(frame(unit(step(7, 100), 1)), 0)
  const events = decoder.push(frame(unit(step(10, -1710, 9), 2)), 1)
  const [reading] = readings(events)
  t.match(reading?.values, { activePowerImportW: 0, activePowerExportW: 1710 })
  t.equal(reading?.missedReports, 2)
  t.equal(reading?.tariff, undefined, 'band 9 does not exist')
  t.same(events.find(e => e.type === 'reading')?.notes, ['reports_lost'])
})

t.test('what says who somebody is is not shown, neither decoded nor explained', async t => {
  const payload = concat(
    [5],
    integerBytes(70_000, 3),
    [0, 0, 1, 0, 0, 2, 14],
    Buffer.from('IT001E12345678'),
  )
  const bytes = frame(unit(payload, 1))
  const parsed = chain2.parseOptions(SITE)
  if (!parsed.ok) return t.fail('options')
  const events = chain2.create(parsed.value).push(bytes, 0)
  const line = eventLine(events.find(e => e.type === 'reading')!)!
  t.match(line['registers'], {
    '1-0:1.9.0*101': { value: ['70000', '1', '2'], unit: 'Wh' },
    '0-0:66.0.5*255': { value: ['id=5', 'POD=(not shown)'] },
  })
  const explained = JSON.stringify(chain2.explain!(bytes, parsed.value))
  t.match(explained, 'POD: (not shown)')
  t.notMatch(JSON.stringify(line) + explained, '12345678')
  const clear = frame(payload, INDICATION.ss)
  const rows = chain2.explain!(clear, parsed.value).filter(({ isPersonal }) => isPersonal)
  t.equal(rows.length, 0, 'not opened, not explained')
  const open = chain2.parseOptions({ ...SITE, security: 'none', allowUnauthenticated: true })
  if (!open.ok) return t.fail('options')
  t.match(
    chain2.explain!(clear, open.value).filter(({ isPersonal }) => isPersonal),
    [{ length: 15, meaning: 'CF5 POD: (not shown)' }],
  )
})

t.test('traffic of neighbours is told as such while the own meter was heard', async t => {
  const decoder = create(SS)
  const foreign = frame(unit(overload(), 1, OTHER))
  t.same(codes(decoder.push(foreign, 0)), ['CIPHER_AUTH_FAILED'], 'never heard of its own')
  decoder.push(frame(unit(overload(), 2)), 1000)
  const told = decoder.push(foreign, 2000)
  t.match(told.at(-1), { type: 'info', detail: /foreign traffic/, length: foreign.length })
  t.same(codes(decoder.push(foreign, 1000 + 20 * 60_000)), ['info'], 'twenty minutes')
  t.same(codes(decoder.push(foreign, 1001 + 20 * 60_000)), ['CIPHER_AUTH_FAILED'])
})

t.test('two keys at a time, whichever fits', async t => {
  const decoder = create({ ...SS, keys: [{ k1: OTHER }, { k1: K1 }] })
  t.same(codes(decoder.push(frame(unit(overload(), 1)), 0)), ['reading', 'signal'])
  t.same(codes(decoder.push(frame(unit(overload(), 2, OTHER)), 0)), ['reading', 'signal'])
})

t.test('a counter is kept, and refused when it comes again', async t => {
  const security = { kind: 'st-ss', counter: { offset: 2, size: 2 } }
  const at = (n: number) => frame(unit(overload(), n, K1, `c201${n.toString(16).padStart(4, '0')}`))
  const decoder = create({ ...SS, security })
  const first = decoder.push(at(7), 0)
  const counter = first.flatMap(e => (e.type === 'counter' ? [e.counter] : []))[0]!
  t.equal(counter.value, 7)
  t.match(counter.id, /^\*\/K1\/[0-9a-f]{8}$/)
  t.same(codes(decoder.push(at(8), 0)), ['counter', 'reading', 'signal'])
  t.same(codes(decoder.push(at(7), 0)), ['CIPHER_REPLAY'], 'an older one')
  const restarted = create({ ...SS, security, counters: { [counter.id]: 8 } })
  t.same(codes(restarted.push(at(8), 0)), ['CIPHER_REPLAY'], 'the same after a restart')
  t.same(codes(restarted.push(at(9), 0)), ['counter', 'reading', 'signal'])
})

t.test('unknown templates are named with their id, never with their content', async t => {
  const events = create(SS).push(frame(unit(fromHex('63010203aabbcc'), 1)), 0)
  const [rejected] = events.filter(e => e.type === 'rejected')
  t.match(rejected?.error, { code: 'LIST_UNKNOWN', detail: /template 99 of 7 bytes/ })
  t.notMatch(rejected?.error.message, 'aabbcc')
  const named = create({ ...SITE, dictionary: undefined }).push(frame(unit(fromHex('1601'), 1)), 0)
  t.match(named.at(-1), { type: 'rejected', error: { detail: /names for CF22, no layout/ } })
})

t.test('answers: ACK for what is whole, NAK for what is damaged, once', async t => {
  const sent = (decoder: Decoder, bytes: Uint8Array): string[] =>
    decoder.push(bytes, 0).flatMap(e => (e.type === 'send' ? [toHex(e.bytes)] : []))
  const good = frame(unit(overload(), 1))
  const bad = good.map((byte, i) => (i === 9 ? byte ^ 1 : byte))
  t.same(sent(create(SS), good), ['06'])
  t.same(sent(create(SS), bad), ['15'])
  t.same(sent(create(SS), concat(bad, good)), ['15', '06'])
  t.same(sent(create(SS), fromHex('0605183f0c')), [], 'nothing for answers and status')
})

t.test('arbitrary data units give events, and never a reading that no key stands for', async t => {
  const seed = unit(overload(), 1)
  fc.assert(
    fc.property(fc.nat(seed.length - 1), fc.uint8Array({ maxLength: 40 }), (at, put) => {
      const bytes = concat(seed.subarray(0, at), put, seed.subarray(at + put.length))
      const events = create(SS).push(frame(bytes.subarray(0, 250)), 0)
      return readings(events).length === 0 || toHex(bytes) === toHex(seed)
    }),
    { numRuns: 5000 },
  )
  const open = { dictionary: CONTRACT, allowUnauthenticated: true }
  for (const apdu of ['raw-compact', 'data-notification', 'set-request'])
    fc.assert(
      fc.property(
        fc.constantFrom('', '14', '15', '05', '0f000000010002010914', 'c101c1003e'),
        fc.uint8Array({ maxLength: 200 }),
        (head, rest) => {
          const decoder = create({ ...open, apdu })
          feed(decoder, frame(concat(fromHex(head), rest), INDICATION.dl), 13)
          return decoder.heldBytes === 0
        },
      ),
      { numRuns: 5000 },
    )
  t.pass('no other exception')
})

t.test('the shipped dictionary decodes nothing', async t => {
  const shipped = DICTIONARIES.get('chain2-electric')!
  t.ok(shipped.frames.size >= 11)
  t.equal(shipped.status, 'unverified')
  for (const entries of shipped.frames.values())
    for (const { fields } of entries) t.equal(fields, undefined)
})
