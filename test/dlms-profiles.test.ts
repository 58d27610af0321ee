/** Profiles: the files, their form, and what they make of lists. */
import { readdirSync, readFileSync } from 'node:fs'
import t from 'tap'
import { dlmsPush, PROFILES } from '../decoders/dlms-push.ts'
import { auto } from '../decoders/index.ts'
import { parseProfile } from '../decoders/push/parse-profile.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import { breaker, type Item, number, text, u16, u32 } from '../src/sim/dlms/items.ts'
import {
  flatPairs,
  flatTriples,
  type Layout,
  objectList,
  positions,
  structures,
} from '../src/sim/dlms/layouts.ts'
import { hdlc, notification } from '../src/sim/dlms/telegram.ts'
import { type AxdrData, encodeData, structure } from '../src/sim/encode/axdr-encoder.ts'
import type { MeterClock } from '../src/sim/encode/cosem-date-time.ts'
import { encodeGeneralGlo } from '../src/sim/encode/general-glo.ts'
import { dlmsCaptures } from './dlms-captures.ts'

const FOLDER = new URL('../decoders/profiles/', import.meta.url)

t.test('every file is a profile, in the index, and called by its id', async t => {
  const names = readdirSync(FOLDER).filter(name => name.endsWith('.json'))
  t.equal(names.length, 22)
  t.same(PROFILES.map(({ id }) => `${id}.json`).sort(), names.sort())
  for (const name of names) {
    const parsed = parseProfile(JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')))
    t.same(parsed.ok || parsed.problems, true, name)
    t.ok(parsed.ok && parsed.value.id === name.replace('.json', ''), name)
  }
})

t.test('the description of the form has a valid example, and every key', async t => {
  const description = readFileSync(new URL('README.md', FOLDER), 'utf8')
  const example = /```json\n([\s\S]*?)```/.exec(description)![1]!
  const parsed = parseProfile(JSON.parse(example))
  t.same(parsed.ok || parsed.problems, true)
  const listed = [...description.matchAll(/^\| (`\w+`(?:, `\w+`)*) +\|/gm)].flatMap(row =>
    [...row[1]!.matchAll(/\w+/g)].map(String),
  )
  const refused = parseProfile({ ...JSON.parse(example), nonsense: 1 })
  const message = refused.ok ? '' : refused.problems[0]!.message
  t.same(listed.sort(), message.replace('unknown key, expected ', '').split(', ').sort())
})

const captures = dlmsCaptures()
t.test(
  'the status of each profile is what it was tried on',
  typeof captures === 'string' ? { skip: captures } : {},
  async t => {
    const tried = new Set(
      (captures as readonly { profile?: string; origin?: string }[])
        .filter(({ origin }) => origin === 'capture' || origin === 'document example')
        .map(({ profile }) => profile),
    )
    for (const { id, status } of PROFILES) t.equal(status === 'captures', tried.has(id), id)
  },
)

const GOOD = JSON.parse(readFileSync(new URL('iskra-am550-si.json', FOLDER), 'utf8'))

t.test('a wrong profile is refused with the path of what is wrong', async t => {
  const cases: [change: object, path: string, message: RegExp][] = [
    [{ id: 'Iskra SI' }, 'id', /lower-case words/],
    [{ country: 'Slovenia' }, 'country', /two capital letters/],
    [{ status: 'tested' }, 'status', /captures or constructed or none/],
    [{ layout: 'pairs' }, 'lists', /only a layout of positions/],
    [{ lists: undefined }, 'lists', /needs them/],
    [{ lists: [] }, 'lists', /a list/],
    [{ lists: [{ name: 'x', items: [{ type: 'u32' }] }] }, 'lists.0.items.0.type', /DLMS type/],
    [
      { lists: [{ name: 'x', items: [{ type: 'unsigned', obis: '1.7.0' }] }] },
      'lists.0.items.0.obis',
      /1-0:32.7.0/,
    ],
    [{ scale: { '31.7': -2 } }, 'scale.31.7', /patterns of C.D.E/],
    [{ scale: { '*.8.*': 'Wh' } }, 'scale.*.8.*', /power of ten/],
    [{ scale: { '17.0.0': [0, 'kW'] } }, 'scale.17.0.0.1', /W or VA/],
    [{ autoScale: { current: [-2, 3.5] } }, 'autoScale.current.1', /power of ten/],
    [{ autoScale: { current: [-2, -3, -1] } }, 'autoScale.current', /one other/],
    [{ match: { titel: '4b' } }, 'match.titel', /unknown key, expected title/],
    [{ match: [{ title: 'KAM' }] }, 'match.0.title', /hex digits/],
    [{ transport: 'p1' }, 'transport', /hdlc or mbus/],
    [{ serial: ['2400-8E1'] }, 'serial.0', /2400 8E1/],
    [{ security: { encrypted: true } }, 'security.authentication', /nothing/],
    [{ zone: 'Mars/Phobos' }, 'zone', /Europe\/Vienna/],
    [{ intervalS: 0 }, 'intervalS', /seconds/],
    [{ guards: ['luck'] }, 'guards.0', /voltage or/],
    [{ variantOf: 'kamstrup-dk' }, 'match', /recognised by kamstrup-dk/],
    [{ extra: 1 }, 'extra', /unknown key, expected id, title/],
  ]
  for (const [change, path, message] of cases) {
    const parsed = parseProfile({ ...GOOD, ...change })
    const problems = parsed.ok ? [] : parsed.problems
    const found = problems.find(problem => problem.path === path)
    t.ok(found !== undefined, `${JSON.stringify(change)}: ${JSON.stringify(problems)}`)
    t.match(found?.message, message, path)
  }
  for (const raw of [null, 'x', [], 3]) t.notOk(parseProfile(raw).ok)
})

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>

/** Events of an HDLC frame with one list, `times` times over. */
function decode(body: Uint8Array, options: object = {}, header?: MeterClock, times = 1) {
  const parsed = dlmsPush.parseOptions(options)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = dlmsPush.create(parsed.value)
  const frame = hdlc(notification(1, header, body))
  let events: readonly DecoderEvent[] = []
  for (let i = 0; i < times; i++) events = decoder.push(frame, i)
  return [...events, ...decoder.wake(Number.POSITIVE_INFINITY)]
}

function readingOf(layout: Layout, items: readonly Item[], options: object = {}, times = 1) {
  const event = decode(layout(items), options, undefined, times)[0]
  if (event?.type !== 'reading') throw new Error(`no reading: ${JSON.stringify(event)}`)
  return event
}
const fieldsOf = ({ reading, notes }: ReadingEvent) => readingPayload(reading, notes)
const registersOf = ({ reading }: ReadingEvent) => registersPayload(reading.registers)

t.test('a meter is added by a file alone', async t => {
  const vendor = JSON.parse(`{
    "id": "acme-positions", "title": "ACME 3000", "country": "LI", "maker": "acme", "status": "none",
    "match": {}, "transport": "hdlc", "serial": ["9600 8N1"],
    "security": { "encrypted": false, "authentication": "optional", "counter": "increasing" },
    "layout": "positions", "intervalS": 10,
    "scale": { "31.7.0": -1, "32.7.0": -1, "1.7.0": [1, "W"] },
    "lists": [{ "name": "all", "items": [
      { "type": "long-unsigned", "obis": "1-0:32.7.0" }, { "type": "long-unsigned", "obis": "1-0:31.7.0" },
      { "type": "unsigned" }, { "type": "double-long", "obis": "1-0:1.7.0" } ] }]
  }`)
  const body = encodeData(
    structure(
      { tag: 'long-unsigned', value: 2307 },
      { tag: 'long-unsigned', value: 63 },
      { tag: 'unsigned', value: 9 },
      { tag: 'double-long', value: 145 },
    ),
  )
  const event = decode(body, { profiles: [vendor] })[0]
  if (event?.type !== 'reading') return t.fail(JSON.stringify(event))
  t.match(fieldsOf(event), {
    profile: 'acme-positions',
    meter: { maker: 'acme' },
    voltage_l1_v: 230.7,
    current_l1_a: 6.3,
    active_power_import_w: 1450,
  })
  const [unknown] = decode(body)
  if (unknown?.type !== 'rejected') return t.fail('read without its profile')
  t.equal(unknown.error.code, 'LIST_UNKNOWN')
  t.match(
    unknown.error.detail,
    'structure of 4 elements: long-unsigned x2, unsigned, double-long',
    'the types are those that a profile needs',
  )
})

t.test('one of the same id takes the place of a built-in one', async t => {
  const own = { ...GOOD, maker: 'nobody' }
  const items = [
    text('0-0:42.0.0', 'ISK1030000000005'),
    ...['1.7.0', '2.7.0', '1.8.0', '1.8.1', '1.8.2', '2.8.0', '2.8.1', '2.8.2'].map(code =>
      u32(`1-0:${code}`, 7),
    ),
  ]
  t.equal(readingOf(positions, items).reading.meter?.maker, 'iskra')
  t.equal(readingOf(positions, items, { profiles: [own] }).reading.meter?.maker, 'nobody')
})

const POWER = [u32('1-0:1.7.0', 4250, 'W'), u32('1-0:2.7.0', 0, 'W')]

t.test('without scalers and without a profile there is no current, and no voltage', async t => {
  const items = [...POWER, u16('1-0:31.7.0', 640), u16('1-0:32.7.0', 2307), u16('1-0:13.7.0', 98)]
  const event = readingOf(flatPairs, items)
  const fields = fieldsOf(event)
  t.equal(fields['active_power_import_w'], 4250)
  t.notOk('current_l1_a' in fields || 'voltage_l1_v' in fields || 'power_factor' in fields)
  t.notOk('profile' in fields)
  t.same(registersOf(event)['1-0:31.7.0*255'], { value: 640, unit: '' }, 'the number as sent')
  const known = fieldsOf(readingOf(flatPairs, items, { scale: { current: -2, voltage: -1 } }))
  t.same([known['current_l1_a'], known['voltage_l1_v']], [6.4, 230.7], 'the user knows them')
})

t.test('object lists', async t => {
  const items = [text('0-0:42.0.0', 'ZZZ1030000000001'), ...POWER, u16('1-0:31.7.0', 64)]
  const plain = readingOf(objectList('0-3:25.9.0', true), items)
  t.equal(plain.reading.values.activePowerImportW, 4250, 'its true power')
  t.equal(plain.reading.meter?.maker, 'ZZZ')
  t.notOk('currentL1A' in plain.reading.values)

  const withScale = items.flatMap((item): Item[] => [
    item,
    ...(item.obis === '1-0:31.7.0'
      ? [
          {
            ...item,
            attribute: 3,
            data: structure({ tag: 'integer', value: -1 }, { tag: 'enum', value: 33 }),
          },
        ]
      : []),
  ])
  const scaled = readingOf(objectList('0-3:25.9.0', false), withScale)
  t.equal(scaled.reading.values.currentL1A, 6.4, 'scaler and unit may be in the list')
  t.same(Object.keys(registersOf(scaled)).length, 4, 'and are no register')

  const gas = [{ ...number('double-long', '0-1:24.2.1', 123_456), classId: 4 }]
  const other = readingOf(objectList('0-8:25.9.0', true), gas)
  t.same(other.reading.values, {}, 'a gas meter says nothing of electricity')
  t.same(registersOf(other), { '0-1:24.2.1*255': { value: 123_456, unit: '' } })
})

t.test('an unknown Landis+Gyr is read without currents', async t => {
  const list = (device: string) => [
    text('0-0:42.0.0', device),
    ...POWER,
    u16('1-0:31.7.0', 640),
    u16('1-0:32.7.0', 231),
  ]
  const profile = (device: string) =>
    readingOf(objectList('0-8:25.9.0', false), list(device)).reading.profile
  t.equal(profile('LGZ1030600000001'), 'lg-e450-ch')
  t.equal(profile('LGZ1030700000001'), 'lg-e570-ch')
  t.equal(profile('LGZ1030900000001'), undefined)
})

t.test('currents too small for the power are withheld, and for good after three times', async t => {
  const list = (amperes: number, watts: number) => [
    text('0-0:42.0.0', 'LGZ1030600000001'),
    u32('1-0:1.7.0', watts, 'W'),
    u32('1-0:2.7.0', 0, 'W'),
    ...[31, 51, 71].map(c => u16(`1-0:${c}.7.0`, amperes, 'A', -2)),
    ...[32, 52, 72].map(c => u16(`1-0:${c}.7.0`, 231, 'V')),
  ]
  const layout = objectList('0-8:25.9.0', false)
  // A transformer meter whose 20 A are read as 0.2 A.
  const wrong = readingOf(layout, list(0.2, 13_860))
  t.same(wrong.notes, ['currents_implausible'])
  t.notOk('currentL1A' in wrong.reading.values)
  t.equal(wrong.reading.values.activePowerImportW, 13_860)
  t.match(registersOf(wrong)['1-0:31.7.0*255'], { value: 0.2, unit: 'A' }, 'the register stays')
  t.equal(readingOf(layout, list(20, 13_860)).reading.values.currentL1A, 20)

  const parsed = dlmsPush.parseOptions({})
  const decoder = dlmsPush.create(parsed.ok ? parsed.value : {})
  const currents = (amperes: number, watts: number) => {
    const [event] = decoder.push(hdlc(notification(1, undefined, layout(list(amperes, watts)))), 0)
    return event?.type === 'reading' && event.reading.values.currentL1A
  }
  currents(0.2, 13_860)
  t.equal(currents(0.2, 130), 0.2, 'once may be a matter of timing')
  for (let i = 0; i < 3; i++) currents(0.2, 13_860)
  t.equal(currents(0.2, 130), undefined)
})

t.test('voltages that no net has are withheld with the currents', async t => {
  const items = [
    text('', 'Kamstrup_V0001', 'visible-string'),
    ...[1, 2, 3, 4].map(c => u32(`1-1:${c}.8.0`, 1000 * c)),
    u32('1-1:1.7.0', 1450),
    u32('1-1:2.7.0', 0),
    u16('1-1:32.7.0', 23),
    u32('1-1:31.7.0', 640),
  ]
  const event = readingOf(flatPairs, items)
  t.equal(event.reading.profile, 'kamstrup-dk')
  t.same(event.notes, ['currents_implausible'])
  t.notOk('currentL1A' in event.reading.values || 'voltageL1V' in event.reading.values)
})

t.test(
  'a scale chosen by magnitude is noted; the profile says so itself where it is chosen',
  async t => {
    const items = [
      text('', 'Kamstrup_V0001', 'visible-string'),
      text('1-1:0.0.5', '5706567000000004', 'visible-string'),
      text('1-1:96.1.1', '6841138BN243101010', 'visible-string'),
      u32('1-1:1.7.0', 1450),
      u32('1-1:31.7.0', 640),
      u16('1-1:32.7.0', 23_117),
    ]
    const found = readingOf(flatPairs, items)
    t.same([found.reading.profile, found.notes], ['kamstrup-dk-cv', ['scale_corrected']])
    t.equal(found.reading.values.voltageL1V, 231.17)
    const chosen = readingOf(flatPairs, items, { profile: 'kamstrup-dk-cv' })
    t.same([chosen.reading.profile, chosen.notes], ['kamstrup-dk-cv', undefined])
    t.equal(chosen.reading.values.voltageL1V, 231.17)
    const tenths = readingOf(flatPairs, [...items.slice(0, 5), u16('1-1:32.7.0', 2312)])
    t.same([tenths.reading.profile, tenths.notes], ['kamstrup-dk-nve', ['scale_corrected']])
  },
)

t.test('a signed total fills both directions; an import register is preferred', async t => {
  const both = (value: number) =>
    readingOf(flatTriples, [number('double-long', '1-0:16.7.0', value, 0, 'W')]).reading.values
  t.same(both(-900), { activePowerImportW: 0, activePowerExportW: 900 })
  t.same(both(900), { activePowerImportW: 900, activePowerExportW: 0 })
  const three = [u32('1-0:1.7.0', 5, 'W'), u32('1-0:2.7.0', 0, 'W')]
  const items = [...three, number('double-long', '1-0:16.7.0', -900, 0, 'W')]
  t.same(readingOf(flatTriples, items).reading.values, {
    activePowerImportW: 5,
    activePowerExportW: 0,
  })
})

t.test('limiter, fuse and breaker', async t => {
  const fields = (...items: Item[]) => fieldsOf(readingOf(structures(false), [...POWER, ...items]))
  const limiter = (value: number, scaler = 0) => u32('0-0:17.0.0', value, 'W', scaler)
  t.equal(fields(limiter(17_250))['limiter_threshold_w'], 17_250)
  for (const nines of [limiter(999_900, 2), limiter(99_999)])
    t.match(fields(nines), { notes: ['limiter_sentinel_ignored'] })
  t.match(fields(limiter(0)), { notes: ['limiter_zero_ignored'] })
  t.notOk('limiter_threshold_w' in fields(limiter(0)))
  t.equal(fields(u16('1-0:31.4.0', 94, 'A', -2))['fuse_threshold_a'], 94)
  t.match(fields(u16('1-0:31.4.0', 999.9, 'A', -1)), { notes: ['fuse_sentinel_ignored'] })
  for (const [state, word] of [
    [0, 'disconnected'],
    [1, 'connected'],
    [2, 'ready'],
    [true, 'connected'],
    [false, 'disconnected'],
  ] as const)
    t.equal(fields(breaker('0-0:96.3.10', state))['breaker'], word)
  t.notOk('breaker' in fields(breaker('0-1:96.3.10', 0)), 'a relay is no breaker')
  t.equal(fields(text('0-0:96.14.0', 'T2'))['tariff'], 'T2')
})

t.test('what contradicts its code fills no field', async t => {
  const items = [u32('1-0:1.7.0', 7, 'Wh'), u32('0-1:2.7.0', 8, 'W'), u32('1-0:1.8.0', 9, 'Wh')]
  const event = readingOf(flatTriples, items)
  t.same(event.reading.values, { activeEnergyImportWh: 9 })
  t.same(Object.keys(registersOf(event)).length, 3)
  const negative = readingOf(flatTriples, [number('long', '1-0:32.7.0', -5, 0, 'V'), ...POWER])
  t.notOk('voltageL1V' in negative.reading.values)
  const current = readingOf(flatTriples, [number('long', '1-0:31.7.0', -5, 0, 'A'), ...POWER])
  t.equal(current.reading.values.currentL1A, 5, 'currents are magnitudes')
})

t.test('where a code repeats the first counts, whatever its channel', async t => {
  const items = [u32('1-0:1.7.0', 5, 'W'), u32('1-1:1.7.0', 9, 'W'), u32('1-0:1.7.0', 7, 'W')]
  const event = readingOf(flatTriples, items)
  t.equal(event.reading.values.activePowerImportW, 5)
  t.same(registersOf(event), {
    '1-0:1.7.0*255': { value: 5, unit: 'W' },
    '1-1:1.7.0*255': { value: 9, unit: 'W' },
  })
})

t.test(
  'the makers of a port in clear come first in clear, the profiles under a cipher',
  async t => {
    const items = [text('', 'Kamstrup_V0001', 'visible-string'), u32('1-1:1.8.0', 1), ...POWER]
    const keys = {
      keys: [
        { system_title: '*', encryption_key: '0'.repeat(32), authentication_key: '1'.repeat(32) },
      ],
    }
    const apdu = notification(1, undefined, flatPairs(items))
    const sealed = encodeGeneralGlo(apdu, {
      systemTitle: Uint8Array.from([0x4b, 0x41, 0x4d, 0, 0, 0, 0, 1]),
      encryptionKey: new Uint8Array(16),
      authenticationKey: new Uint8Array(16).fill(0x11),
      invocationCounter: 1,
    })
    const parsed = auto.parseOptions({ keys })
    const ids = [apdu, sealed].map(bytes => {
      const decoder = auto.create(parsed.ok ? parsed.value : {})
      const event = decoder.push(hdlc(bytes), 0).find(({ type }) => type === 'reading')
      return event?.type === 'reading' && event.reading.decoder
    })
    t.same(ids, ['no-kamstrup', 'dlms-push'])
  },
)

t.test('clock: zone of the user, and the transformer ratio', async t => {
  const header = { local: '2026-07-12T18:00:20', deviationMin: null, status: 0 }
  const time = (options: object) => {
    const event = decode(
      flatTriples([...POWER, u16('1-0:31.7.0', 5.5, 'A', -1)]),
      options,
      header,
    )[0]
    return event?.type === 'reading' ? fieldsOf(event) : {}
  }
  t.match(time({}), { meter_time: { local: '2026-07-12T18:00:20', utc: null } })
  for (const [zone, utc] of [
    ['Europe/Copenhagen', '2026-07-12T16:00:20Z'],
    ['Europe/Vilnius', '2026-07-12T15:00:20Z'],
    ['Europe/Lisbon', '2026-07-12T17:00:20Z'],
    ['utc+1', '2026-07-12T17:00:20Z'],
    ['utc', '2026-07-12T18:00:20Z'],
  ])
    t.match(time({ zone }), { meter_time: { utc } })
  t.match(time({ ctRatio: 20 }), { current_l1_a: 110, active_power_import_w: 85_000 })
})

t.test('values that are no numbers, texts or clocks', async t => {
  const data = (obis: string, value: AxdrData): Item => ({ ...u32(obis, 0), data: value, value: 0 })
  const event = readingOf(flatPairs, [
    data('1-0:1.7.0', { tag: 'null-data' }),
    data('1-0:14.7.0', { tag: 'float32', value: 49.98 }),
    data('1-0:99.1.0', { tag: 'array', items: [structure({ tag: 'unsigned', value: 1 })] }),
    ...POWER.slice(1),
  ])
  t.equal(event.reading.values.activePowerImportW, null, 'not available')
  t.same(registersOf(event)['1-0:14.7.0*255'], { value: 49.98, unit: '' })
  t.notOk('1-0:99.1.0*255' in registersOf(event), 'a buffer is passed over')
})

t.test('options: every problem is named with its path', async t => {
  const parsed = dlmsPush.parseOptions({
    link: 'usb',
    keys: { keys: [{ system_title: 'x', encryption_key: '00' }] },
    counters: { a: -1 },
    authentication: 'maybe',
    profile: 'nobody',
    profiles: [
      { ...GOOD, id: 'own', extra: 1 },
      { ...GOOD, id: 'b', match: undefined, variantOf: 'c' },
    ],
    zone: 'here',
    scale: { current: 9 },
    ctRatio: 0,
    more: 1,
  })
  t.notOk(parsed.ok)
  if (parsed.ok) return
  t.same(parsed.problems.map(({ path }) => path).sort(), [
    'authentication',
    'counters.a',
    'ctRatio',
    'keys.keys.0.encryption_key',
    'keys.keys.0.system_title',
    'link',
    'more',
    'profile',
    'profiles.0.extra',
    'profiles.1.variantOf',
    'scale.current',
    'zone',
  ])
  t.notOk(parsed.problems.some(({ message }) => /undefined/.test(message)))
  t.ok(dlmsPush.parseOptions(undefined).ok)
  t.ok(dlmsPush.parseOptions({ profile: 'auto', link: 'auto' }).ok)
  t.notOk(dlmsPush.parseOptions('x').ok)
  t.notOk(dlmsPush.parseOptions({ profiles: 'x' }).ok)
  t.notOk(dlmsPush.parseOptions({ keys: 3 }).ok)
})
