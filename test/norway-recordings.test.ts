/** Every recording of Norwegian and Swedish meters gives exactly what its index says. */
import t, { type Test } from 'tap'
import { auto } from '../decoders/index.ts'
import type { HanOptions } from '../decoders/push/options.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import { type Recording, recordingBytes, recordings } from './captures.ts'

const found = recordings('norway')

/** Index field to [C.D.E of the register, JSON field with a neutral, JSON field on three wires]. */
const FIELDS: Readonly<Record<string, readonly [string, string, string?]>> = Object.fromEntries(
  [
    ['1.7.0', 'active_power_import_W'],
    ['2.7.0', 'active_power_export_W'],
    ['3.7.0', 'reactive_power_import_var'],
    ['4.7.0', 'reactive_power_export_var'],
    ['31.7.0', 'current_L1_A'],
    ['51.7.0', 'current_L2_A'],
    ['71.7.0', 'current_L3_A'],
    ['32.7.0', 'voltage_L1_V', 'voltage_l1_l2_v'],
    ['52.7.0', 'voltage_L2_V', 'voltage_l1_l3_v'],
    ['72.7.0', 'voltage_L3_V', 'voltage_l2_l3_v'],
    ['1.8.0', 'active_energy_import_Wh'],
    ['2.8.0', 'active_energy_export_Wh'],
    ['3.8.0', 'reactive_energy_import_varh'],
    ['4.8.0', 'reactive_energy_export_varh'],
    ...[2, 4, 6].flatMap((c, p) =>
      [
        [1, 'active_power_import', 'W'],
        [2, 'active_power_export', 'W'],
        [3, 'reactive_power_import', 'var'],
        [4, 'reactive_power_export', 'var'],
      ].map(([q, name, unit]) => [`${c}${q}.7.0`, `${name}_L${p + 1}_${unit}`]),
    ),
  ].map(([code, name, line]) => [name, [code, name!.toLowerCase(), line]]),
)
const IDENTITY: Readonly<Record<string, string>> = {
  list_id: 'list',
  meter_id: 'id',
  meter_model: 'model',
}
const GRIDS: Readonly<Record<string, string>> = { '3P4W': 'TN', '3P4W CT': 'TN', '3P3W': 'IT' }

function decode(
  bytes: Uint8Array,
  chunk = bytes.length,
  options: HanOptions = {},
  pause = 0,
): DecoderEvent[] {
  const decoder = auto.create({ link: 'hdlc', ...options })
  const events: DecoderEvent[] = []
  let at = 0
  for (let i = 0; i < bytes.length; i += chunk) {
    events.push(...decoder.push(bytes.subarray(i, i + chunk), at))
    at += pause
    if (decoder.wakeAt !== undefined && decoder.wakeAt <= at) events.push(...decoder.wake(at))
  }
  events.push(...decoder.wake(Number.POSITIVE_INFINITY))
  return events
}

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>
const readingsOf = (events: readonly DecoderEvent[]): ReadingEvent[] =>
  events.filter(e => e.type === 'reading')

// biome-ignore lint/suspicious/noExplicitAny: see Recording.expected
function checkReading(t: Test, event: ReadingEvent, expected: any): void {
  const json = readingPayload(event.reading, event.notes)
  const registers = registersPayload(event.reading.registers)
  const byCode = new Map(
    Object.entries(registers).map(([obis, register]) => [
      obis.slice(obis.indexOf(':') + 1, obis.indexOf('*')),
      (register as { value: unknown }).value,
    ]),
  )
  const meter = (json['meter'] ?? {}) as Record<string, unknown>
  const isLine = expected.wiring === '3P3W'
  const unsent = new Set<string>(expected.sent_as_zero_but_not_measured ?? [])
  let visited = 0
  for (const [name, value] of Object.entries(expected.fields)) {
    visited++
    if (IDENTITY[name] !== undefined) {
      t.equal(meter[IDENTITY[name]], value, name)
      continue
    }
    const [code, field, line] = FIELDS[name] ?? [name, undefined]
    t.equal(byCode.get(code), value, `register ${code}`)
    if (field === undefined) continue
    const key = isLine && line !== undefined ? line : field
    if (unsent.has(name)) t.notOk(key in json, `${key} is not measured`)
    else t.equal(json[key], isLine && /^current/.test(key) ? Math.abs(value as number) : value, key)
  }
  t.equal(visited, Object.keys(expected.fields).length, 'every expected value was looked at')
  const isThree = GRIDS[expected.wiring]
  if (isThree !== undefined) t.equal(meter['grid'], isThree, 'grid')
  else t.notOk('grid' in meter, 'no grid for one phase or power alone')
  t.equal(meter['maker'], String(expected.vendor).split(' ')[0], 'maker')
  const clock = expected.clock ?? expected.apdu_time
  if (clock === undefined) t.notOk('meter_time' in json, 'no clock')
  else
    t.same(
      json['meter_time'],
      {
        local: clock.local,
        deviation_min: clock.deviation_min,
        utc: clock.utc,
        status: clock.clock_status === 255 ? null : clock.clock_status,
      },
      'clock',
    )
  if (isLine && !('current_L2_A' in expected.fields && !unsent.has('current_L2_A')))
    t.match(
      json['derived'],
      { current_l2_a: { value: expected.derived.current_L2_A_estimate } },
      'derived L2',
    )
}

if (typeof found === 'string') t.test('recordings', { skip: found }, async () => {})
else {
  t.equal(found.length, 68, 'all recordings are listed')
  const single = found.filter(c => c.type === 'frame' || c.type === 'llc-pdu')
  t.equal(single.length, 49)
  for (const c of single)
    t.test(c.id, async t => {
      const bytes = recordingBytes('norway', c)
      const options: HanOptions = c.type === 'llc-pdu' ? { link: 'none' } : {}
      const events = decode(bytes, bytes.length, options)
      t.equal(events.length, 1, 'one event')
      const event = events[0]!
      if (event.type !== 'reading') return t.fail(JSON.stringify(event))
      t.same([event.offset, event.length], [0, bytes.length], 'span')
      t.equal(event.reading.integrity, c.type === 'llc-pdu' ? 'none' : 'checksum')
      checkReading(t, event, c.expected)
    })

  for (const c of found.filter(c => c.type === 'negative'))
    t.test(c.id, async t => {
      const events = decode(recordingBytes('norway', c))
      t.ok(events.length > 0, 'something is said')
      t.ok(
        events.every(e => e.type === 'rejected'),
        'no reading',
      )
    })

  t.test('the repairable recording', async t => {
    const c = found.find(c => c.type === 'repairable')!
    const bytes = recordingBytes('norway', c)
    t.equal(readingsOf(decode(bytes)).length, 6)
    for (const chunk of [bytes.length, 64, 7, 1]) {
      const repaired = readingsOf(decode(bytes, chunk, { repair: 'crlf' }))
      t.equal(repaired.length, 7, `in chunks of ${chunk}`)
      const event = repaired.find(e => e.notes?.includes('repaired_crlf'))
      if (event === undefined) return t.fail('no repaired reading')
      checkReading(t, event, c.expected.repaired_frame)
    }
  })

  t.test('streams', async t => {
    let total = 0
    const streams = found.filter(c => c.type === 'stream')
    t.equal(streams.length, 10)
    for (const c of streams) {
      const bytes = recordingBytes('norway', c)
      t.equal(bytes.length, c.expected.bytes)
      for (const [chunk, pause] of [
        [bytes.length, 0],
        [64, 0],
        [7, 0],
        [1, 0],
        [64, 293],
        [1, 5],
      ] as const) {
        const readings = readingsOf(decode(bytes, chunk, {}, pause))
        t.equal(readings.length, c.expected.valid_frames, `${c.id} in ${chunk} pause ${pause}`)
        let sum = 0
        const ids = new Set<string>()
        for (const { reading } of readings) {
          sum += reading.values.activePowerImportW ?? 0
          if (reading.meter?.id !== undefined) ids.add(reading.meter.id)
        }
        t.equal(sum, c.expected.sum_active_power_import_W)
        t.same([...ids], c.expected.meter_ids)
      }
      const readings = readingsOf(decode(bytes))
      total += readings.length
      checkReading(t, readings[0]!, c.expected.first_frame)
      checkReading(t, readings.at(-1)!, c.expected.last_frame)
      const inside = readings.reduce((sum, e) => sum + e.length, 0)
      t.ok(
        bytes.length - inside <= c.expected.bytes_outside_valid_frames,
        'frames cover their bytes',
      )
    }
    t.equal(total, 957)
  })

  t.test('no flipped bit and no truncation of a frame gives a reading', async t => {
    let tried = 0
    for (const c of found.filter(c => c.type === 'frame')) {
      const bytes = recordingBytes('norway', c)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = bytes.slice()
        copy[bit >> 3]! ^= 1 << (bit & 7)
        if (readingsOf(decode(copy)).length > 0) t.fail(`${c.id}: bit ${bit}`)
        tried++
      }
      for (let length = 0; length < bytes.length; length++) {
        if (readingsOf(decode(bytes.subarray(0, length))).length > 0)
          t.fail(`${c.id}: ${length} bytes`)
        tried++
      }
    }
    t.ok(tried > 90_000, `${tried} damaged frames`)
  })

  t.test('energies of the hour before give no fields', async t => {
    const of = (id: string): Uint8Array =>
      recordingBytes('norway', found.find(c => c.id === id) as Recording)
    const first = of('aidon-6534-repeat-17h')
    const repeated = of('aidon-6534-repeat-18h')
    const both = new Uint8Array(first.length + repeated.length)
    both.set(first)
    both.set(repeated, first.length)
    const [one, two] = readingsOf(decode(both))
    t.equal(one?.reading.values.activeEnergyImportWh, 109554020)
    t.notOk('activeEnergyImportWh' in (two?.reading.values ?? {}))
    t.equal(two?.reading.values.activePowerImportW, 12633)
    t.equal(two?.reading.registers.length, 18, 'the registers stay as sent')
  })
}
