/**
 * What every decoder holds, whatever meter it is for: written once, run over the registry of decoders with the
 * constructed fixtures of each. Expected values come from the numbers that went into the encoder.
 */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import type { Decoder, DecoderDefinition, DecoderEvent, Explanation } from '../src/decoder.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import { bytesOfHex } from './captures.ts'
import fc from './property.ts'

/** A fixture as its index describes it. */
export interface Fixture {
  readonly id: string
  readonly file: string
  /** `frame` gives no reading once a single bit of it is wrong; `unprotected` has nothing that would tell. */
  readonly type: 'frame' | 'unprotected' | 'llc-pdu' | 'stream' | 'negative'
  /** Options of the decoder. */
  readonly options?: unknown
  /** Bytes at the end of a frame without which it is whole already; 1 when absent: the flag of the next frame serves. */
  readonly tail?: number
  /** The counter of a protected telegram is checked: the same bytes a second time give no reading. */
  readonly counted?: boolean
  /** Silence that ends what is incomplete, ms; that of HDLC when absent. */
  readonly silence_ms?: number
  /** Bits of a frame that carry no meaning of their own: flipped, they change nothing. */
  readonly harmless?: readonly number[]
  readonly expected: {
    readonly integrity: string
    readonly readings: number
    readonly rejected: readonly string[]
    readonly decoder?: string
    readonly profile?: string | null
    readonly reading?: { readonly [field: string]: number | null }
    readonly registers?: { readonly [obis: string]: { value: unknown; unit: string } }
    readonly meter?: { readonly [key: string]: unknown }
    readonly meter_time?: { readonly [key: string]: unknown }
    readonly derived?: { readonly [key: string]: unknown }
    readonly notes?: readonly string[]
    readonly active_power_import_w?: readonly number[]
    readonly repaired_crlf?: { readings: number; active_power_import_w: readonly number[] }
  }
}

const FOLDER = fileURLToPath(new URL('../fixtures/', import.meta.url))

/** Fixtures of one folder. */
export function fixtures(folder: string): readonly Fixture[] {
  return JSON.parse(readFileSync(`${FOLDER}${folder}/index.json`, 'utf8')).captures
}

/** Bytes of a fixture. */
export function fixtureBytes(folder: string, { file }: Fixture): Uint8Array {
  return bytesOfHex(readFileSync(`${FOLDER}${folder}/${file}`, 'utf8'))
}

/** Options with which a fixture is read. */
export const optionsOf = (fixture: Fixture): unknown =>
  fixture.options ?? (fixture.type === 'llc-pdu' ? { link: 'none' } : {})

/** Everything a decoder says of bytes fed in chunks of `size`, the end of the input included. */
export function feed(decoder: Decoder, bytes: Uint8Array, size = bytes.length): DecoderEvent[] {
  const events: DecoderEvent[] = []
  for (let i = 0; i < bytes.length; i += size)
    events.push(...decoder.push(bytes.subarray(i, i + size), i))
  events.push(...decoder.wake(Number.POSITIVE_INFINITY))
  return events
}

const start = (definition: DecoderDefinition, raw: unknown = {}): Decoder => {
  const parsed = definition.parseOptions(raw)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return definition.create(parsed.value)
}

/** What an event says, without the instant of its arrival: that depends on how the bytes were cut. */
function said(event: DecoderEvent): unknown {
  if (event.type === 'rejected') return [event.error.code, event.offset, event.length]
  if (event.type === 'signal') {
    const { receivedAt: _, tripAt: __, ...signal } = event.signal
    return { ...event, signal }
  }
  if (event.type !== 'reading') return event
  return [event.offset, event.length, event.notes, { ...event.reading, receivedAt: 0 }]
}

const rejectedCodes = (events: readonly DecoderEvent[]): string[] =>
  events.flatMap(e => (e.type === 'rejected' ? [e.error.code] : []))
const powers = (events: readonly DecoderEvent[]): unknown[] =>
  events.flatMap(e => (e.type === 'reading' ? [e.reading.values.activePowerImportW] : []))

/** Arbitrary inputs tried; a million takes two minutes: `AMPACITY_FUZZ_RUNS=1000000 npx tap run test/decoders.test.ts`. */
const RUNS = Number(process.env['AMPACITY_FUZZ_RUNS'] ?? 20_000)

/** Longest frame any transport here carries, flags included. */
const LONGEST_FRAME = 2049

/** Runs the contract for one decoder over its fixtures. */
export async function contract(
  t: Test,
  definition: DecoderDefinition,
  folder: string,
  all: readonly Fixture[],
): Promise<void> {
  for (const fixture of all)
    await t.test(fixture.id, async t => {
      const bytes = fixtureBytes(folder, fixture)
      const options = optionsOf(fixture)
      const whole = feed(start(definition, options), bytes)
      checkEvents(t, whole, fixture)

      const expected = whole.map(said)
      const decoder = start(definition, options)
      for (const size of [1, 7, 64])
        t.same(feed(start(definition, options), bytes, size).map(said), expected, `in ${size}s`)
      for (let cut = 1; cut < bytes.length; cut++) {
        const cutDecoder = start(definition, options)
        const events = [
          ...cutDecoder.push(bytes.subarray(0, cut), 0),
          ...cutDecoder.push(bytes.subarray(cut), 1),
          ...cutDecoder.wake(Number.POSITIVE_INFINITY),
        ]
        if (JSON.stringify(events.map(said)) !== JSON.stringify(expected))
          t.fail(`cut at ${cut} gives something else`)
      }
      t.equal(decoder.heldBytes, 0, 'a second decoder is independent of the first')

      if (fixture.type === 'frame') checkDamage(t, definition, bytes, fixture)
      const parsed = definition.parseOptions(options)
      const explained = definition.explain?.(bytes, parsed.ok ? parsed.value : undefined)
      if (explained !== undefined && fixture.type !== 'stream' && fixture.type !== 'negative')
        checkExplanation(t, explained, bytes)
    })

  await t.test('arbitrary and mutated bytes give events, in bounded memory', async t => {
    const seeds = all.map(fixture => fixtureBytes(folder, fixture))
    fc.assert(
      fc.property(mutated(seeds), fc.integer({ min: 1, max: 700 }), (bytes, size) => {
        const decoder = start(definition)
        let now = 0
        for (let i = 0; i < bytes.length; i += size) {
          decoder.push(bytes.subarray(i, i + size), now)
          if (decoder.heldBytes >= 2 * LONGEST_FRAME) return false
          if (decoder.wakeAt !== undefined && decoder.wakeAt <= now) return false
          now += 100
          decoder.wake(now)
          if (decoder.wakeAt !== undefined && decoder.wakeAt <= now) return false
        }
        decoder.wake(Number.POSITIVE_INFINITY)
        return decoder.wakeAt === undefined
      }),
      { numRuns: RUNS, seed: 1 },
    )
    t.pass(`${RUNS} runs`)
  })
}

/** Rows in order and without gaps, those of contents too. */
function checkExplanation(t: Test, rows: readonly Explanation[], bytes: Uint8Array): void {
  let at = 0
  for (const row of rows) {
    if (row.offset !== at || row.length < 1) t.fail(`explanation: byte ${at} is missing`)
    at = row.offset + row.length
    if (row.contents !== undefined) checkExplanation(t, row.contents.rows, row.contents.bytes)
  }
  t.equal(at, bytes.length, 'every byte is explained')
}

/** Random bytes, and fixtures with bytes changed, cut out, repeated and put in. */
function mutated(seeds: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({
    kind: fc.constantFrom('set', 'cut', 'repeat', 'insert'),
    at: fc.nat(2000),
    length: fc.nat(60),
    value: fc.nat(255),
  })
  return fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    fc
      .tuple(fc.constantFrom(...seeds), fc.array(edit, { minLength: 1, maxLength: 6 }))
      .map(([seed, edits]) => {
        let bytes = [...seed.subarray(0, 1200)]
        for (const { kind, at, length, value } of edits) {
          const i = at % Math.max(1, bytes.length)
          if (kind === 'set') bytes[i] = value
          else if (kind === 'cut') bytes.splice(i, length)
          else if (kind === 'insert') bytes.splice(i, 0, value)
          else bytes = [...bytes, ...bytes.slice(i, i + length)]
        }
        return Uint8Array.from(bytes)
      }),
  )
}

function checkEvents(t: Test, events: readonly DecoderEvent[], fixture: Fixture): void {
  const { expected } = fixture
  const readings = events.filter(e => e.type === 'reading')
  t.equal(readings.length, expected.readings ?? 1, 'number of readings')
  t.same(rejectedCodes(events), expected.rejected ?? [], 'rejections')
  if (expected.active_power_import_w !== undefined)
    t.same(powers(events), expected.active_power_import_w, 'powers in order')
  for (const { reading } of readings) t.equal(reading.integrity, expected.integrity, 'integrity')
  if (expected.registers === undefined) return
  const event = readings[0]!
  const { reading } = event
  const json = readingPayload(reading, event.notes)
  t.same(registersPayload(reading.registers), expected.registers, 'registers')
  const { decoder, profile, integrity, meter, meter_time, derived, notes, ...fields } = json
  if (expected.profile !== undefined) t.equal(profile ?? null, expected.profile, 'profile')
  if (expected.decoder !== undefined) t.equal(decoder, expected.decoder)
  t.same(fields, expected.reading, 'fields')
  if (expected.meter !== undefined) t.match(meter, expected.meter, 'meter')
  t.same(meter_time, expected.meter_time, 'clock')
  t.same(derived, expected.derived, 'derived')
  t.same(notes, expected.notes, 'notes')
}

/** No single flipped bit and no truncation of a frame gives a reading, nor hides the good frame behind it. */
function checkDamage(
  t: Test,
  definition: DecoderDefinition,
  frame: Uint8Array,
  fixture: Fixture,
): void {
  const options = optionsOf(fixture)
  const whole = frame.length - (fixture.tail ?? 1)
  // Alone, a frame whose end another one could bring is not whole.
  const lone = fixture.tail === undefined ? frame.length : whole
  let damaged = 0
  for (let bit = 0; bit < frame.length * 8; bit++) {
    if (fixture.harmless?.includes(bit)) continue
    const copy = frame.slice()
    copy[bit >> 3]! ^= 1 << (bit & 7)
    if (feed(start(definition, options), copy).some(e => e.type === 'reading')) t.fail(`bit ${bit}`)
    damaged++
  }
  const harmless = fixture.harmless?.length ?? 0
  t.equal(damaged, frame.length * 8 - harmless, 'every flipped bit was tried and gave no reading')
  for (let length = 1; length < frame.length; length++) {
    const cut = frame.subarray(0, length)
    if (length < lone && feed(start(definition, options), cut).some(e => e.type === 'reading'))
      t.fail(`cut to ${length}`)
    const decoder = start(definition, options)
    decoder.push(cut, 0)
    const behind = [...decoder.push(frame, 1), ...decoder.wake(1 + (fixture.silence_ms ?? 401))]
    const readings = behind.filter(e => e.type === 'reading').length
    if (readings !== (length >= whole && !fixture.counted ? 2 : 1))
      t.fail(`${readings} readings from a frame behind ${length} bytes of one`)
  }
}
