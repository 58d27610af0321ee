/** Every recording of P1 ports gives exactly what its index says. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { Envelopes } from '../decoders/p1/envelope.ts'
import type { P1Options } from '../decoders/p1/options.ts'
import { P1Assembler } from '../decoders/p1/reading.ts'
import { p1 } from '../decoders/p1.ts'
import type { Decoder, DecoderEvent } from '../src/decoder.ts'
import { type KeyRing, NO_KEYS, parseKeyRing } from '../src/dlms/keys.ts'
import type { P1Telegram } from '../src/link/p1.ts'
import { P1Lines } from '../src/p1/lines.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import type { Note, Reading } from '../src/reading.ts'
import { bytesOfHex } from './captures.ts'
import fc from './property.ts'

const FOLDER = fileURLToPath(new URL('../../shared/captures/p1/', import.meta.url))

interface Item {
  readonly id: string
  readonly file: string
  readonly keys?: { readonly ek: string; readonly ak: string }
  // biome-ignore lint/suspicious/noExplicitAny: the index is other people's data, its shape is asserted by the tests.
  readonly expected: any
}

const bytesOf = ({ file }: Item): Uint8Array =>
  file.endsWith('.hex')
    ? bytesOfHex(readFileSync(FOLDER + file, 'utf8'))
    : new Uint8Array(readFileSync(FOLDER + file))

function optionsOf(raw: unknown): P1Options {
  const parsed = p1.parseOptions(raw)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

function ringOf({ keys }: Item): KeyRing {
  if (keys === undefined) return NO_KEYS
  const { ek: encryption_key, ak: authentication_key } = keys
  const parsed = parseKeyRing({
    keys: [{ system_title: '*', encryption_key, authentication_key }],
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

/** A decoder with the keys of the recording, if it has any. */
const decoderFor = (item: Item): Decoder => p1.create(optionsOf({ keys: ringOf(item) }))

/** Code of the first rejection. */
const codeOf = (decoder: Decoder, bytes: Uint8Array): string | undefined =>
  [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)].find(
    event => event.type === 'rejected',
  )?.error.code

function decode(item: Item, bytes: Uint8Array, cuts: readonly number[] = []): DecoderEvent[] {
  const decoder = decoderFor(item)
  const events: DecoderEvent[] = []
  let from = 0
  for (const to of [...cuts, bytes.length]) {
    events.push(...decoder.push(bytes.subarray(from, to), to))
    from = to
  }
  events.push(...decoder.wake(Number.POSITIVE_INFINITY))
  return events
}

const inChunks = (bytes: Uint8Array, size: number): number[] =>
  Array.from({ length: Math.ceil(bytes.length / size) - 1 }, (_, i) => (i + 1) * size)

/** What events say, without the instant of arrival. */
const said = (events: readonly DecoderEvent[]): string =>
  JSON.stringify(
    events.map(event => {
      if (event.type === 'rejected') return [event.error.code, event.offset, event.length]
      return event.type === 'reading'
        ? { ...event, reading: { ...event.reading, receivedAt: 0 } }
        : event
    }),
  )

// biome-ignore lint/suspicious/noExplicitAny: see Item.expected
function checkReading(t: Test, reading: Reading, notes: readonly Note[], expected: any): void {
  const {
    decoder,
    integrity,
    meter,
    meter_time,
    derived,
    notes: told,
    ...fields
  } = readingPayload(reading, notes)
  t.equal(decoder, 'p1')
  t.equal(integrity, expected.integrity, 'integrity')
  t.same(fields, { ...expected.reading, ...unlisted(expected.registers) }, 'fields')
  t.same(registersPayload(reading.registers), expected.registers, 'registers')
  t.same(meter_time ?? null, expected.meter_time, 'clock')
  t.same(told ?? [], expected.flags ?? [], 'notes')
  t.ok((meter as { maker: string }).maker, 'maker')
  // Totals that only their tariffs tell stand among the derived values.
  const { reading: sent } = expected
  for (const way of ['import', 'export']) {
    const tariffs = [1, 2, 3, 4].map(n => sent[`active_energy_${way}_t${n}_wh`])
    const total = tariffs.reduce((sum, wh) => sum + (wh ?? 0), 0)
    const isDerived = tariffs[0] !== undefined && sent[`active_energy_${way}_wh`] === undefined
    t.same(
      (derived as { [key: string]: unknown } | undefined)?.[`active_energy_${way}_wh`],
      isDerived ? { value: total, method: 'tariff-sum' } : undefined,
      `derived ${way}`,
    )
  }
}

/** Export tariffs 3 and 4 are among the registers of the index but not among its fields. */
function unlisted(registers: { readonly [obis: string]: { value: unknown } }): object {
  return Object.fromEntries(
    [3, 4].flatMap(n => {
      const register = registers[`1-0:2.8.${n}*255`]
      return register === undefined ? [] : [[`active_energy_export_t${n}_wh`, register.value]]
    }),
  )
}

/** The values of a telegram that a receiver has to drop, read past the check. */
function readUnchecked(text: Uint8Array): { reading: Reading; notes: readonly Note[] } {
  return new P1Assembler({}).assemble(linesOf(text), 0, 'none')
}

function linesOf(text: Uint8Array): P1Lines {
  const lines = new P1Lines()
  lines.read(text, 0, text.lastIndexOf(0x21))
  return lines
}

if (!existsSync(`${FOLDER}index.json`))
  t.test(
    'recordings',
    { skip: 'skipped: the recordings are not here (p1/index.json)' },
    async () => {},
  )
else {
  const items: readonly Item[] = JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8')).items
  const texts = items.filter(item => item.file.endsWith('.txt'))
  t.equal(items.length, 24, 'all recordings are listed')
  t.equal(texts.length, 22)

  for (const item of texts)
    t.test(item.id, async t => {
      const { expected } = item
      const bytes = bytesOf(item)
      const events = decode(item, bytes)
      t.equal(events.length, 1, 'one event')
      const event = events[0]!
      if (event.type !== 'reading' && event.type !== 'rejected') return t.fail(event.type)
      t.same([event.offset, event.length], [0, bytes.length], 'span')
      if (expected.ident !== undefined) t.equal(linesOf(bytes).identification, expected.ident)
      if (expected.telegram) {
        if (event.type !== 'reading') return t.fail(JSON.stringify(event))
        t.equal(event.reading.integrity === 'checksum', expected.crc.present, 'CRC')
        checkReading(t, event.reading, event.notes ?? [], expected)
      } else {
        if (event.type !== 'rejected') return t.fail('a reading')
        t.equal(
          event.error.code,
          expected.crc === undefined ? 'LINK_INCOMPLETE' : 'LINK_BAD_CHECKSUM',
        )
      }
      if (expected.telegram === false && expected.values_valid_with_crc_check_off) {
        const { reading, notes } = readUnchecked(bytes)
        checkReading(t, reading, notes, expected)
      }
    })

  t.test('lu-smarty-encrypted-synthetic', async t => {
    const item = items.find(({ id }) => id === 'lu-smarty-encrypted-synthetic')!
    const { expected } = item
    const bytes = bytesOf(item)
    const title = expected.security.system_title
    const events = decode(item, bytes)
    t.equal(events.length, 1)
    const [rejected] = events
    if (rejected?.type !== 'rejected') return t.fail('the CRC inside is wrong')
    t.equal(rejected.error.code, 'LINK_BAD_CHECKSUM')
    t.same([rejected.offset, rejected.length], [0, bytes.length], 'span')

    const envelopes = new Envelopes({ keys: ringOf(item) })
    const telegram: P1Telegram = {
      bytes,
      start: 0,
      end: bytes.length,
      integrity: 'none',
      offset: 0,
      length: bytes.length,
    }
    t.equal(envelopes.open(telegram), undefined, 'the tag is right')
    t.equal(envelopes.counter?.value, expected.security.ic)
    t.match(envelopes.counter?.id, title)
    t.throws(() => envelopes.unseal(telegram), { code: 'LINK_BAD_CHECKSUM' })
    const clear = bytesOf(items.find(({ id }) => id === 'lu-smarty-clear')!)
    t.equal(clear.length, expected.plaintext_bytes + 2)
    const { reading, notes } = readUnchecked(clear)
    checkReading(t, { ...reading, integrity: 'authenticated' }, notes, expected)

    for (const keys of [{}, { keys: [] }])
      t.equal(
        codeOf(p1.create(optionsOf({ keys: { keys: [], ...keys } })), bytes),
        'CIPHER_KEY_NEEDED',
      )
    const published = { system_title: title, encryption_key: item.keys!.ek }
    t.equal(
      codeOf(p1.create(optionsOf({ keys: { keys: [published] } })), bytes),
      'CIPHER_AUTH_FAILED',
      'this telegram has another authentication key than the published one',
    )
  })

  t.test('pl-elgama-encrypted-nokey', async t => {
    const item = items.find(({ id }) => id === 'pl-elgama-encrypted-nokey')!
    const bytes = bytesOf(item)
    const events = decode(item, bytes)
    t.equal(events.length, 1)
    const [event] = events
    if (event?.type !== 'rejected') return t.fail('no key is public')
    t.equal(event.error.code, 'CIPHER_KEY_NEEDED')
    t.same([event.offset, event.length], [0, bytes.length], 'span')
    for (const at of [12, 100, 400, bytes.length - 3]) {
      const copy = bytes.slice()
      copy[at]! ^= 1
      t.not(codeOf(decoderFor(item), copy), 'CIPHER_KEY_NEEDED', `its CRC tells byte ${at}`)
    }
  })

  t.test('cut anywhere they say the same', async t => {
    let visited = 0
    for (const item of items) {
      const bytes = bytesOf(item)
      const whole = said(decode(item, bytes))
      for (const size of [1, 7, 64])
        t.equal(said(decode(item, bytes, inChunks(bytes, size))), whole, `${item.id} in ${size}s`)
      fc.assert(
        fc.property(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), cuts => {
          return (
            said(
              decode(
                item,
                bytes,
                [...cuts].sort((a, b) => a - b),
              ),
            ) === whole
          )
        }),
        { numRuns: 50, seed: 1 },
      )
      visited++
    }
    t.equal(visited, 24)
  })

  t.test('no flipped bit and no truncation of a checked telegram gives a reading', async t => {
    let tried = 0
    const checked = texts.filter(({ expected }) => expected.telegram && expected.crc.present)
    t.equal(checked.length, 11)
    for (const item of checked) {
      const bytes = bytesOf(item)
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const copy = bytes.slice()
        copy[bit >> 3]! ^= 1 << (bit & 7)
        const events = decode(item, copy)
        // The CRC may be printed in either case: its only letter in the other one says the same.
        if (isOtherCase(bytes, bit)) t.equal(said(events), said(decode(item, bytes)), item.id)
        else if (events.some(e => e.type === 'reading')) t.fail(`${item.id}: bit ${bit}`)
        tried++
      }
      for (let length = 0; length < bytes.length - 2; length++)
        if (decode(item, bytes.subarray(0, length)).some(e => e.type === 'reading'))
          t.fail(`${item.id}: ${length} bytes`)
    }
    t.ok(tried > 60_000, `${tried} flipped bits`)
  })

  t.test('one after the other in one stream they give the same readings', async t => {
    const good = texts.filter(({ expected }) => expected.telegram)
    const all = texts.map(bytesOf)
    const stream = Uint8Array.from(all.flatMap(bytes => [...bytes]))
    const events = decode(texts[0]!, stream)
    const readings = events.filter(e => e.type === 'reading')
    t.equal(readings.length, good.length)
    for (const [i, { reading, notes = [] }] of readings.entries())
      checkReading(t, reading, notes, good[i]!.expected)
    let at = 0
    for (const event of events) {
      if (event.type !== 'reading' && event.type !== 'rejected') continue
      t.equal(event.offset, at, 'no gap and no overlap')
      at = event.offset + event.length
    }
    t.equal(at, stream.length)
  })
}

/** True if the bit turns the only letter of the CRC into the other case. */
function isOtherCase(bytes: Uint8Array, bit: number): boolean {
  const crc = new TextDecoder('latin1').decode(bytes.subarray(bytes.lastIndexOf(0x21) + 1))
  const isLetter = /[A-F]/.test(String.fromCharCode(bytes[bit >> 3]!))
  const isInCrc = bit >> 3 > bytes.lastIndexOf(0x21)
  return isInCrc && isLetter && (bit & 7) === 5 && crc.match(/[A-F]/g)?.length === 1
}
