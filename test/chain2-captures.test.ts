/** Every example of the power-line route: host frames, protected data units, AES-CMAC, compact data. */
import { existsSync, readFileSync } from 'node:fs'
import t, { type Test } from 'tap'
import { chain2 } from '../decoders/it-chain2.ts'
import { Reader } from '../src/bytes/reader.ts'
import { cmac, cmacFits } from '../src/chain2/cipher.ts'
import { findCompactData } from '../src/chain2/compact-data.ts'
import { readTypes } from '../src/chain2/type-description.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import type { LinkEvent } from '../src/link/modem/dialect.ts'
import { DIALECTS } from '../src/link/modem/dialects.ts'
import { ERRORS, readStatus, ST7580_FRAMES } from '../src/link/modem/st7580.ts'
import { readModemConfiguration, readReset } from '../src/link/modem/st7580-mib.ts'
import { readDataConfirm, readDataRequest } from '../src/link/modem/st7580-transmission.ts'
import { concat, fromHex, integerBytes, toHex } from '../src/sim/encode/bytes.ts'
import { encodeCmac } from '../src/sim/encode/cmac-encoder.ts'
import { encodeCompactArray, encodeTemplate250 } from '../src/sim/encode/compact-encoder.ts'
import { encodeSs } from '../src/sim/encode/ss-encoder.ts'
import { encodeLocal } from '../src/sim/encode/st7580-encoder.ts'

const FOLDER = new URL('../../shared/captures/chain2/', import.meta.url)
const isHere = existsSync(FOLDER)
const skip = isHere ? false : 'skipped: the recordings are not here (chain2/index.json)'
// biome-ignore lint/suspicious/noExplicitAny: other people's data, its shape is asserted below.
const load = (name: string): any => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'))

t.test('the index names what is read here', { skip }, async t => {
  const files: string[] = load('index.json').items.map(({ file }: { file: string }) => file)
  for (const file of [
    'st7580-host-frames.json',
    'st7580-ss-sdu.constructed.json',
    'cmac-rfc4493.json',
    'compact-frame.constructed.json',
  ])
    t.ok(files.includes(file), file)
})

t.test('AES-CMAC of RFC 4493, by the library and by the encoder', { skip }, async t => {
  const { key, message64, vectors } = load('cmac-rfc4493.json')
  t.equal(vectors.length, 4)
  for (const [name, mac] of [
    ['library', cmac],
    ['encoder', encodeCmac],
  ] as const)
    for (const { len, mac: expected } of vectors) {
      const message = fromHex(message64).subarray(0, len)
      t.equal(toHex(mac(fromHex(key), message)), expected, `${name}, ${len} bytes`)
    }
  const message = fromHex(message64)
  for (const { len, mac } of vectors) {
    t.ok(cmacFits(fromHex(key), message, 0, len, fromHex(mac)))
    t.ok(cmacFits(fromHex(key), message, 0, len, fromHex(mac).subarray(0, 4)), 'cut to four bytes')
    t.notOk(
      cmacFits(
        fromHex(key),
        message,
        0,
        len,
        fromHex(mac).map(b => b ^ 1),
      ),
    )
  }
})

// biome-ignore lint/suspicious/noExplicitAny: as above.
type Expected = any

/** The only event with bytes that a line gives. */
function only(events: readonly LinkEvent[]): Exclude<LinkEvent, { type: 'send' }> {
  const found = events.flatMap(event => (event.type === 'send' ? [] : [event]))
  if (found.length !== 1) throw new Error(`${found.length} events`)
  return found[0]!
}

function parse(bytes: Uint8Array): readonly LinkEvent[] {
  const dialect = DIALECTS.st7580({}).create()
  return [...dialect.push(bytes, 0), ...dialect.wake(Number.POSITIVE_INFINITY)]
}

t.test('ST7580 host frames', { skip }, async t => {
  const items: Expected[] = load('st7580-host-frames.json')
  t.equal(items.length, 12)
  for (const { name, hex, expected, direction } of items)
    await t.test(name, async t => {
      const bytes = fromHex(hex)
      const events = parse(bytes)
      const sent = events.flatMap(e => (e.type === 'send' ? [toHex(e.bytes)] : []))
      const event = only(events)
      t.equal(event.offset, 0)
      t.equal(event.length, bytes.length)
      if (expected.status !== undefined) {
        if (event.type !== 'status') return t.fail(event.type)
        const { busy, tempBand, ...status } = expected.status
        t.same(readStatus(event.value), { ...status, temperatureBand: tempBand })
        t.equal(event.busy, busy)
        return
      }
      if (expected.checksumOk === false) {
        t.match(event, { type: 'garbage', error: { code: 'LINK_BAD_CHECKSUM' } })
        t.same(sent, [expected.reply])
        return
      }
      t.same(sent, direction === 'modem->host' ? ['06'] : [], 'answered')
      if (event.type !== 'frame' && event.type !== 'sdu') return t.fail(event.type)
      t.equal(event.command, Number(expected.command))
      if (expected.commandName !== undefined)
        t.equal(ST7580_FRAMES.commands[event.command]?.name, expected.commandName)
      if (event.type === 'sdu') checkIndication(t, event, expected)
      else checkFrame(t, event, expected)
    })
  const [, , indication] = items
  const repeat = items.find(({ expected }) => expected.duplicateOf === indication.name)
  const twice = parse(concat(fromHex(indication.hex), fromHex(repeat.hex)))
  t.same(
    twice.map(({ type }) => type),
    ['send', 'sdu', 'send', 'repeat'],
    'a repeat is acknowledged and no news',
  )
})

function checkIndication(
  t: Test,
  { sdu }: Extract<LinkEvent, { type: 'sdu' }>,
  expected: Expected,
): void {
  t.equal(toHex(sdu.bytes), expected.payload)
  const { modulation, channel, pga, snrDb, zeroCross } = sdu.reception!
  if (expected.modulation === undefined) return
  t.equal(modulation, expected.modulation)
  t.equal(channel, expected.rxChannel)
  t.equal(pga, expected.pga)
  t.equal(snrDb, expected.snrDb)
  t.equal(toHex(zeroCross), expected.zcDelayRaw)
}

function checkFrame(
  t: Test,
  { data }: Extract<LinkEvent, { type: 'frame' }>,
  expected: Expected,
): void {
  if (expected.data !== undefined) t.equal(toHex(data), expected.data)
  if (expected.mib !== undefined) t.equal(data[0], Number(expected.mib))
  if (expected.resetCause !== undefined) {
    const { cause, ...flags } = readReset(data[0]!)
    const { command: _, resetCause, ...told } = expected
    t.equal(cause, resetCause)
    t.same(flags, told)
  }
  if (expected.error !== undefined) t.equal(ERRORS[data[0]!], expected.error.toLowerCase())
  if (expected.accessMode !== undefined) {
    const configuration = readModemConfiguration(data[1]!)!
    t.equal(configuration.layer, expected.accessMode)
    t.equal(configuration.sniffer, expected.sniffer)
    t.equal(configuration.check, 'crc16-be')
    t.equal(configuration.checkCoversLength, expected.crcOnLength)
  }
  if (expected.maxGain !== undefined) {
    const { maxTempBand, minTempBand, maxGain, minGain } = expected
    t.same(readDataConfirm(data), {
      maxGain,
      maxTemperatureBand: maxTempBand,
      minGain,
      minTemperatureBand: minTempBand,
      overcurrent: expected.overcurrentEvents,
    })
    t.equal(toHex(data.subarray(3)), expected.zcDelayRaw)
  }
  if (expected.config !== undefined) {
    const { frequencySet, ...config } = expected.config
    const { channel, payloadAt, ...request } = readDataRequest(data)
    t.same(request, config)
    t.equal(channel, frequencySet)
    t.equal(toHex(data.subarray(payloadAt)), expected.payload)
  }
}

const decode = (raw: unknown, bytes: Uint8Array): readonly DecoderEvent[] => {
  const parsed = chain2.parseOptions(raw)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = chain2.create(parsed.value)
  return [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)]
}

/** What the plaintext of the example holds, read as one would guess: it is invented as well. */
const CONTRACT = {
  dictionary: 'example',
  version: '1',
  status: 'unverified',
  frames: [
    {
      templateId: 250,
      fields: [
        { name: 'template_id', type: 'u8', const: 250 },
        { name: 'contracted', type: 'u16', map: 'limit.contracted' },
        { name: 'available', type: 'u16', map: 'limit.available' },
        { name: 'gap', type: 'u16', map: 'limit.gap' },
      ],
    },
  ],
}

t.test(
  'protected data units: both first counters, and no single bit flipped',
  { skip },
  async t => {
    const { key, variants, plain } = load('st7580-ss-sdu.constructed.json')
    t.equal(variants.length, 2)
    t.equal(plain, 'fa0bb80ce4012c')
    for (const { ctrInit, ssSdu } of variants) {
      const raw = {
        dialect: 'raw',
        prefixBytes: 1,
        security: { kind: 'st-ss', firstCounter: ctrInit },
        keys: [{ k1: key }],
        dictionary: CONTRACT,
      }
      const unit = fromHex(ssSdu)
      const wrapped = (sdu: Uint8Array) => concat(integerBytes(sdu.length, 1), sdu)
      t.match(decode(raw, wrapped(unit)), [
        {
          type: 'signal',
          signal: {
            contractedPowerW: 3000,
            availablePowerW: 3300,
            uncertaintyW: 300,
            integrity: 'authenticated',
          },
        },
      ])
      for (let bit = 0; bit < unit.length * 8; bit++) {
        const flipped = unit.slice()
        flipped[bit >> 3]! ^= 1 << (bit & 7)
        const events = decode(raw, wrapped(flipped))
        if (events.some(({ type }) => type !== 'rejected')) t.fail(`bit ${bit} gives something`)
        if (!events.some(e => e.type === 'rejected' && e.error.code === 'CIPHER_AUTH_FAILED'))
          t.fail(`bit ${bit} is not refused for its digest`)
      }
      for (let length = 0; length < unit.length; length++)
        if (decode(raw, wrapped(unit.subarray(0, length))).some(({ type }) => type !== 'rejected'))
          t.fail(`cut to ${length}`)
      t.pass(`${unit.length * 8} bits, ${unit.length} lengths`)
    }
  },
)

t.test('the encoders write the same bytes', { skip }, async t => {
  const items: Expected[] = load('st7580-host-frames.json')
  let written = 0
  for (const { name, hex, expected } of items) {
    if (expected.status !== undefined || expected.checksumOk === false) continue
    const bytes = fromHex(hex)
    t.equal(toHex(encodeLocal(bytes[2]!, bytes.slice(3, -2), bytes[0])), hex, name)
    written++
  }
  t.equal(written, 10)
  const { key, header, plain, iv, variants } = load('st7580-ss-sdu.constructed.json')
  for (const { ctrInit, ssSdu } of variants) {
    const [k, h, payload, vector] = [key, header, plain, iv].map(fromHex) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    t.equal(
      toHex(encodeSs({ key: k, header: h, payload, iv: vector, firstCounter: ctrInit })),
      ssSdu,
    )
  }
  const { compactBuffer, asCompactArray, expected } = load('compact-frame.constructed.json')
  const buffer = encodeTemplate250({
    posix: expected.posix,
    powerW: expected.instantPowerW,
    availableW: expected.availablePowerW,
    countdownS: expected.switchOffCountdownS,
  })
  t.equal(toHex(buffer), compactBuffer)
  t.equal(toHex(encodeCompactArray(buffer)), asCompactArray)
})

t.test('compact data: bare, as compact-array, in a data-notification', { skip }, async t => {
  const example = load('compact-frame.constructed.json')
  const { expected } = example
  const forms: [name: string, hex: string, apdu: string][] = [
    ['bare', example.compactBuffer, 'raw-compact'],
    ['in a data-notification', example.asDataNotification, 'data-notification'],
    ['as compact-array', `0f0000000100${example.asCompactArray}`, 'data-notification'],
    [
      'in a set-request',
      `c10142003e0000420016ff020009${'0f'}${example.compactBuffer}`,
      'set-request',
    ],
  ]
  for (const [name, hex, apdu] of forms) {
    const raw = { link: 'none', apdu, dictionary: 'template-250', allowUnauthenticated: true }
    const events = decode(raw, fromHex(hex))
    t.match(
      events,
      [
        {
          type: 'reading',
          reading: {
            integrity: 'none',
            meterTime: { utc: new Date(expected.posix * 1000).toISOString().replace('.000', '') },
            values: {
              activePowerImportW: expected.instantPowerW,
              availablePowerW: expected.availablePowerW,
            },
          },
          notes: ['unauthenticated'],
        },
        { type: 'signal', signal: { tripInS: expected.switchOffCountdownS } },
      ],
      name,
    )
  }
  const reader = new Reader(fromHex(example.templateDescription + example.compactBuffer))
  readTypes(reader).pass(reader)
  t.equal(reader.remaining, 0, 'the description measures the buffer')
  const layer = {
    bytes: fromHex(example.compactBuffer),
    start: 0,
    end: 15,
    integrity: 'none',
  } as const
  t.same(findCompactData('raw-compact', layer).rows, [[0, 15]])
})
