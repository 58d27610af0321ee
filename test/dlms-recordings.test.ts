/** Every recording of meters that push DLMS lists gives exactly what its index says. */
import t, { type Test } from 'tap'
import { dlmsPush } from '../decoders/dlms-push.ts'
import type { DecoderEvent, Explanation } from '../src/decoder.ts'
import type { KeyRing } from '../src/dlms/keys.ts'
import { readingPayload, registersPayload } from '../src/payload.ts'
import { random } from '../src/sim/random.ts'
import { captureBytes, type DlmsCapture, dlmsCaptures, ringOf } from './dlms-captures.ts'

/** The words of the index for what is wrong, and the codes that the contract gives them. */
const CODES: Readonly<Record<string, string>> = {
  'authentication tag': 'CIPHER_AUTH_FAILED',
  incomplete: 'LINK_INCOMPLETE',
  'block gap': 'LINK_INCOMPLETE',
  'segment order': 'LINK_INCOMPLETE',
  'first segment missing': 'LINK_INCOMPLETE',
  checksum: 'LINK_BAD_CHECKSUM',
  truncated: 'DATA_TRUNCATED',
  nesting: 'DATA_TOO_DEEP',
  count: 'DATA_TRUNCATED',
}

/** Codes of what the index describes without a word for it. */
const REJECTED: Readonly<Record<string, readonly string[]>> = {
  'ch-lg-e450-gbt-16': ['LINK_INCOMPLETE'],
  'ch-lg-e450-gbt-broken': ['LINK_INCOMPLETE'],
  'at-sagemcom-l01-mbus-nokey': ['CIPHER_KEY_NEEDED', 'LINK_INCOMPLETE'],
  'hr-iskra-ie5-first-segment': ['LINK_INCOMPLETE'],
  'ch-kamstrup-trailing-bytes': ['LINK_BAD_FORMAT'],
  'ch-described-list-bad-fcs': ['LINK_BAD_CHECKSUM'],
  'con-wrapper-two-encrypted': ['LINK_INCOMPLETE'],
  'con-hdlc-hcs-bad': ['LINK_BAD_CHECKSUM'],
  'con-hdlc-noise': ['LINK_BAD_CHECKSUM', 'LINK_BAD_FORMAT'],
  'con-gbt-restart': ['LINK_INCOMPLETE'],
  'con-replay': ['CIPHER_REPLAY', 'CIPHER_REPLAY'],
  'con-all-data-types': ['LIST_UNKNOWN'],
}

/** Profiles that nothing in the list tells from another one: the Swiss Kamstrup sends the Norwegian list. */
const UNTOLD: Readonly<Record<string, string>> = { 'ch-kamstrup-trailing-bytes': 'kamstrup-dk-nve' }

const found = dlmsCaptures()

/** Options with the keys of a recording. */
const optionsOf = (item: DlmsCapture, more: object = {}): object => ({
  ...more,
  keys: ringOf(item),
})

function decode(
  bytes: Uint8Array,
  options: unknown,
  sizes: () => number = () => bytes.length,
): DecoderEvent[] {
  const parsed = dlmsPush.parseOptions(options)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = dlmsPush.create(parsed.value)
  const events: DecoderEvent[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = Math.min(bytes.length, at + sizes())
    events.push(...decoder.push(bytes.subarray(at, end), at))
    at = end
  }
  return [...events, ...decoder.wake(Number.POSITIVE_INFINITY)]
}

// biome-ignore lint/suspicious/noExplicitAny: see DlmsCapture.expected
type Loose = any
type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>
const readingsOf = (events: readonly DecoderEvent[]): ReadingEvent[] =>
  events.filter(e => e.type === 'reading')
const codesOf = (events: readonly DecoderEvent[]): string[] =>
  events.flatMap(e => (e.type === 'rejected' ? [e.error.code] : []))
const countersOf = (events: readonly DecoderEvent[]): [string, number][] =>
  events.flatMap(e => (e.type === 'counter' ? [[e.counter.id, e.counter.value]] : []))

/** An event without what depends on how the bytes were cut. */
const said = (event: DecoderEvent): unknown =>
  event.type === 'rejected'
    ? [event.error.code, event.error.detail, event.offset, event.length]
    : event.type === 'reading'
      ? [event.offset, event.length, event.notes, { ...event.reading, receivedAt: 0 }]
      : event

function checkReading(t: Test, { reading, notes }: ReadingEvent, expected: Loose): void {
  const { decoder, profile: _, integrity, meter, meter_time, ...rest } = readingPayload(reading)
  t.equal(decoder, 'dlms-push')
  t.same(registersPayload(reading.registers), expected.registers, 'registers')
  t.same(rest, expected.reading, 'fields')
  t.equal(integrity, expected.integrity, 'integrity')
  const { maker: __, ...identity } = (meter ?? {}) as { [key: string]: unknown }
  t.same(identity, expected.meter ?? {}, 'meter')
  t.same(meter_time ?? null, expected.meter_time, 'clock of the list, else of the header')
  for (const flag of expected.flags ?? []) t.ok(notes?.includes(flag), flag)
  if (expected.trailing !== undefined) t.ok(notes?.includes('trailing_padding'))
}

/** An event-notification is a list of one register. */
function asList(message: Loose): Loose {
  const { apdu, obis_code, value, apdu_time } = message
  if (apdu !== 'event-notification') return message
  return {
    registers: { [obis_code]: { value, unit: 'W' } },
    reading: { active_power_import_w: value },
    meter_time: apdu_time,
    integrity: 'none',
  }
}

/** Every byte once, in order, in contents too. */
function checkExplanation(t: Test, rows: readonly Explanation[], bytes: Uint8Array): void {
  let at = 0
  for (const { offset, length, contents } of rows) {
    if (offset !== at || length < 1) t.fail(`byte ${at} is explained twice or not at all`)
    at = offset + length
    if (contents !== undefined) checkExplanation(t, contents.rows, contents.bytes)
  }
  t.equal(at, bytes.length, 'every byte is explained')
}

/** Links in the words of the index. */
const LINKS: Readonly<Record<string, string>> = {
  hdlc: 'hdlc',
  mbus: 'mbus',
  'mbus-oms': 'mbus',
  wrapper: 'wrapper',
  apdu: 'none',
}
/** Keys of the same meters that are not theirs. */
function otherKeys({ keys, broadcastKey, dedicatedKey }: KeyRing): KeyRing {
  const other = (key: Uint8Array): Uint8Array => key.map(byte => byte ^ 0x55)
  return {
    keys: keys.map(key => ({
      systemTitle: key.systemTitle,
      encryptionKey: other(key.encryptionKey),
      authenticationKey: key.authenticationKey && other(key.authenticationKey),
    })),
    ...(broadcastKey === undefined ? {} : { broadcastKey: other(broadcastKey) }),
    ...(dedicatedKey === undefined ? {} : { dedicatedKey: other(dedicatedKey) }),
  }
}

const linkOf = (item: DlmsCapture): object => ({ link: LINKS[item.transport] })

if (typeof found === 'string') t.test('recordings', { skip: found }, async () => {})
else {
  t.equal(found.length, 83, 'all recordings are listed')
  for (const item of found)
    t.test(item.id, async t => {
      const bytes = captureBytes(item)
      const events = decode(bytes, optionsOf(item))
      const messages: readonly Loose[] = item.expected.messages ?? []
      const withRegisters = messages.map(asList).filter(m => m.registers !== undefined)
      const readings = readingsOf(events)
      t.equal(readings.length, withRegisters.length, 'number of readings')
      for (const [i, event] of readings.entries()) {
        checkReading(t, event, withRegisters[i])
        t.equal(event.reading.profile, UNTOLD[item.id] ?? item.profile, 'profile')
      }
      const { error } = item.expected
      const isClosed = messages.some(m => m.security !== undefined && m.registers === undefined)
      t.same(
        codesOf(events),
        REJECTED[item.id] ?? (error ? [CODES[error]] : isClosed ? ['CIPHER_KEY_NEEDED'] : []),
        'rejections',
      )
      const accepted = messages.filter(m => m.security?.tag_ok === true).map(m => m.security.ic)
      t.same(
        countersOf(events).map(([, value]) => value),
        accepted,
        'accepted counters',
      )

      const expected = events.map(said)
      const next = random(7)
      for (const [name, sizes] of [
        ['ones', () => 1],
        ['sevens', () => 7],
        ['sixty-fours', () => 64],
        ['random cuts', () => 1 + Math.floor(next() * 40)],
      ] as const)
        t.same(decode(bytes, optionsOf(item), sizes).map(said), expected, `in ${name}`)
      t.same(
        decode(bytes, optionsOf(item, linkOf(item))).map(said),
        expected,
        'by its own transport',
      )
      for (const event of events) {
        if (!('offset' in event)) continue
        const telegram = bytes.subarray(event.offset, event.offset + event.length)
        checkExplanation(t, dlmsPush.explain!(telegram, { keys: ringOf(item) }), telegram)
      }
      if (item.profile !== undefined && withRegisters.length > 0) {
        const chosen = readingsOf(decode(bytes, optionsOf(item, { profile: item.profile })))
        t.equal(chosen.length, withRegisters.length, 'by its own profile')
        checkReading(t, chosen[0]!, withRegisters[0])
        t.equal(chosen[0]!.reading.profile, item.profile)
      }
    })

  t.test('another key, no key, a telegram sent again: no reading', async t => {
    let visited = 0
    let withCounters = 0
    for (const item of found) {
      const bytes = captureBytes(item)
      const events = decode(bytes, optionsOf(item))
      if (item.keys === undefined || readingsOf(events).length === 0) continue
      visited++
      const wrong = decode(bytes, { keys: otherKeys(ringOf(item)) })
      t.same(readingsOf(wrong), [], `${item.id}: another key`)
      t.ok(codesOf(wrong).length > 0 && codesOf(wrong).every(code => /^CIPHER|^LINK/.test(code)))
      const closed = decode(bytes, {})
      t.same(readingsOf(closed), [], `${item.id}: no key`)
      t.ok(codesOf(closed).includes('CIPHER_KEY_NEEDED'), item.id)
      const counters = Object.fromEntries(countersOf(events))
      if (Object.keys(counters).length === 0) continue
      withCounters++
      const again = decode(bytes, optionsOf(item, { counters }))
      t.same(readingsOf(again), [], `${item.id}: sent again`)
      t.ok(codesOf(again).includes('CIPHER_REPLAY'))
    }
    t.ok(visited >= 22, `${visited} with keys`)
    t.ok(withCounters >= 14, `${withCounters} with counters`)
  })

  t.test(
    'no flipped bit and no truncation gives a reading where something protects the bytes',
    async t => {
      let tried = 0
      for (const item of found) {
        const bytes = captureBytes(item)
        const options = optionsOf(item, linkOf(item))
        const [message, second] = item.expected.messages ?? []
        // The tag of general-ciphering does not cover key-info.
        const isProtected =
          item.transport === 'hdlc' ||
          item.transport.startsWith('mbus') ||
          (item.transport === 'apdu' && message?.security?.tag_ok && message.security.tag !== 'dd')
        if (!isProtected || second !== undefined || message?.registers === undefined) continue
        const good = readingsOf(decode(bytes, options))[0]!
        for (let bit = good.offset * 8; bit < (good.offset + good.length) * 8; bit++) {
          const copy = bytes.slice()
          copy[bit >> 3]! ^= 1 << (bit & 7)
          if (readingsOf(decode(copy, options)).length > 0) t.fail(`${item.id}: bit ${bit}`)
          tried++
        }
        for (let length = 0; length < good.offset + good.length; length += 3)
          if (readingsOf(decode(bytes.subarray(0, length), options)).length > 0)
            t.fail(`${item.id}: ${length} bytes`)
      }
      t.ok(tried > 50_000, `${tried} flipped bits`)
    },
  )
}
