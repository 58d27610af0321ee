/** Dialects of power-line modems: frames cut anywhere, glued, damaged, repeated; every byte in one event. */
import t from 'tap'
import { CRC_FORMS, crcOf } from '../src/bytes/crc.ts'
import { parseHex } from '../src/bytes/hex.ts'
import type { DialectDefinition, LinkEvent, ModemDialect } from '../src/link/modem/dialect.ts'
import { DIALECTS } from '../src/link/modem/dialects.ts'
import { encodeLocalFrame, type LocalFrameForm } from '../src/link/modem/local-frame.ts'
import { mmhiFrames } from '../src/link/modem/mmhi.ts'
import { ST7580_FRAMES } from '../src/link/modem/st7580.ts'
import {
  modemConfiguration,
  phyConfiguration,
  readCounters,
  readModemConfiguration,
} from '../src/link/modem/st7580-mib.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeMmhi } from '../src/sim/encode/mmhi-encoder.ts'
import {
  encodeLocal,
  encodeStatus,
  INDICATION,
  indicationData,
} from '../src/sim/encode/st7580-encoder.ts'
import fc from './property.ts'

const st7580 = DIALECTS.st7580({})

function parse(dialect: ModemDialect, bytes: Uint8Array, size = bytes.length): LinkEvent[] {
  const events: LinkEvent[] = []
  for (let i = 0; i < bytes.length; i += Math.max(1, size))
    events.push(...dialect.push(bytes.subarray(i, i + size), 0))
  events.push(...dialect.wake(Number.POSITIVE_INFINITY))
  return events
}

/** What an event says in a word. */
function word(event: LinkEvent): string {
  if (event.type === 'send') return `>${toHex(event.bytes)}`
  if (event.type === 'sdu') return `sdu ${toHex(event.sdu.bytes)}`
  if (event.type === 'frame') return `frame ${event.command.toString(16)}`
  return event.type === 'garbage' ? event.error.code : event.type
}
const words = (bytes: Uint8Array, definition: DialectDefinition = st7580): string[] =>
  parse(definition.create(), bytes).map(word)

/** Events with bytes cover the input in order and without gaps. */
function covers(events: readonly LinkEvent[], length: number): boolean {
  let at = 0
  for (const event of events) {
    if (event.type === 'send') continue
    if (event.offset !== at) return false
    at += event.length
  }
  return at === length
}

const A = encodeLocal(INDICATION.dl, indicationData(fromHex('ab')))
const AGAIN = encodeLocal(INDICATION.dl, indicationData(fromHex('ab')), 0x03)
const B = encodeLocal(INDICATION.phy, indicationData(fromHex('023f0615')))
const RESET = encodeLocal(0x3e, [0x3c])
const LONGEST = encodeLocal(INDICATION.phy, indicationData(new Uint8Array(251).fill(7)))
const EMPTY = encodeLocal(0x2d, [])
const damaged = A.map((byte, i) => (i === 7 ? byte ^ 0x40 : byte))

t.test('ST7580', async t => {
  const cases: [name: string, bytes: Uint8Array, expected: string[]][] = [
    ['one frame', A, ['>06', 'sdu ab']],
    ['two glued', concat(A, RESET), ['>06', 'sdu ab', '>06', 'frame 3e']],
    [
      'status bytes between frames',
      concat(A, encodeStatus(), encodeStatus('receiving'), RESET),
      ['>06', 'sdu ab', 'status', 'status', '>06', 'frame 3e'],
    ],
    ['STX, status and answers inside the data', B, ['>06', 'sdu 023f0615']],
    ['no data at all', EMPTY, ['>06', 'frame 2d']],
    ['255 bytes of data', LONGEST, ['>06', `sdu ${'07'.repeat(251)}`]],
    ['garbage before a frame', concat([0x55, 0x7e], A), ['LINK_BAD_FORMAT', '>06', 'sdu ab']],
    ['STX before a frame', concat([0x02], A), ['LINK_BAD_FORMAT', '>06', 'sdu ab']],
    ['a repeat', concat(A, AGAIN), ['>06', 'sdu ab', '>06', 'repeat']],
    ['a repeat of what was never heard', AGAIN, ['>06', 'sdu ab']],
    ['the same again with STX 02 is news', concat(A, A), ['>06', 'sdu ab', '>06', 'sdu ab']],
    [
      'another in between',
      concat(A, RESET, AGAIN),
      ['>06', 'sdu ab', '>06', 'frame 3e', '>06', 'sdu ab'],
    ],
    [
      'the same news, first damaged and then repeated',
      concat(A, damaged, AGAIN),
      ['>06', 'sdu ab', '>15', 'LINK_BAD_CHECKSUM', '>06', 'sdu ab'],
    ],
    [
      'refused once, though the damaged one holds another',
      concat(damaged, damaged),
      ['>15', 'LINK_BAD_CHECKSUM'],
    ],
    ['answers of the modem', fromHex('061506'), ['ack', 'nak', 'ack']],
    ['a frame cut', A.subarray(0, 8), ['LINK_INCOMPLETE']],
    ['a status cut', fromHex('3f'), ['LINK_BAD_FORMAT']],
    ['a command that does not exist', encodeLocal(0x77, [1]), ['LINK_BAD_FORMAT']],
    ['a length its command cannot have', encodeLocal(0x3e, [1, 2]), ['LINK_BAD_FORMAT']],
    [
      'requests of a host are not answered',
      fromHex('02003c3c0002010c0a1700'),
      ['frame 3c', 'frame c'],
    ],
  ]
  for (const [name, bytes, expected] of cases)
    await t.test(name, async t => {
      t.same(words(bytes), expected)
      const whole = parse(st7580.create(), bytes)
      t.ok(covers(whole, bytes.length), 'every byte once')
      t.same(parse(st7580.create(), bytes, 1).map(word), expected, 'byte by byte')
      for (let cut = 1; cut < bytes.length; cut++) {
        const dialect = st7580.create()
        const events = [
          ...dialect.push(bytes.subarray(0, cut), 0),
          ...parse(dialect, bytes.subarray(cut)),
        ]
        t.same(events, whole, `cut at ${cut}`)
      }
    })
})

t.test('silence ends what is incomplete, not before 100 ms', async t => {
  const dialect = st7580.create()
  dialect.push(A.subarray(0, 6), 1000)
  t.equal(dialect.wakeAt, 1100)
  t.same(dialect.wake(1099), [])
  t.same(dialect.wake(1100).map(word), ['LINK_INCOMPLETE'])
  t.equal(dialect.wakeAt, undefined)
  t.equal(dialect.heldBytes, 0)
  t.same(dialect.push(A, 1200).map(word), ['>06', 'sdu ab'])
})

t.test('the host asks the modem, and never makes it transmit', async t => {
  const dialect = st7580.create()
  t.equal(toHex(dialect.encode(0x3c, new Uint8Array(0))), '02003c3c00')
  t.equal(toHex(dialect.encode(0x0c, Uint8Array.of(0x0a))), '02010c0a1700')
  t.equal(toHex(dialect.encode(0x08, Uint8Array.of(0, 9))), '02020800091300')
  for (const command of [0x24, 0x50, 0x54, 0x52, 0x99])
    t.throws(() => dialect.encode(command, Uint8Array.of(4, 0xab)), RangeError)
  const mmhi = DIALECTS.mmhi({}).create()
  for (const command of [0x24, 0x28, 0x48])
    t.throws(() => mmhi.encode(command, Uint8Array.of(4, 0xab)), RangeError)
  t.throws(() => dialect.encode(0x0c, new Uint8Array(0)), /MIB_ReadRequest takes 1 to 1 bytes/)
  t.throws(() => encodeLocalFrame(ST7580_FRAMES, 0x99, new Uint8Array(0)), RangeError)
  t.throws(() => DIALECTS.raw({}).create().encode(0, A), RangeError)
  t.throws(() => DIALECTS.replay({}).create().encode(0, A), RangeError)
})

t.test('objects of the modem', async t => {
  // UM0932 factory values: DL with CRC-32 little endian; 86 kHz and 72 kHz, high channel alone.
  t.equal(
    modemConfiguration({
      layer: 'DL',
      sniffer: false,
      check: 'crc32-le',
      checkCoversLength: false,
    }),
    0x11,
  )
  t.equal(
    modemConfiguration({ layer: 'SS', sniffer: true, check: 'crc8', checkCoversLength: true }),
    0x46,
  )
  t.equal(
    toHex(phyConfiguration({ highHz: 86_000, lowHz: 72_000, dual: false, pskPreamble: 2 })),
    '014ff00119400e15000002359b58',
  )
  t.equal(readModemConfiguration(0x03), undefined)
  for (const byte of [0x00, 0x09, 0x11, 0x5e])
    t.equal(modemConfiguration(readModemConfiguration(byte)!), byte)
  t.same(readCounters(fromHex('0001ffff0100')), [1, 65_535, 256])
})

t.test('Meters and More', async t => {
  const unit = encodeMmhi(0x26, fromHex('0007aabb'))
  t.equal(toHex(unit), '0203260007aabb9501')
  t.same(words(unit, DIALECTS.mmhi({})), ['>06', 'sdu aabb'])
  t.same(words(fromHex('3f090002' + '06'), DIALECTS.mmhi({})), ['status', 'ack'])
  const [busy] = parse(DIALECTS.mmhi({}).create(), fromHex('3f090002'))
  t.match(busy, { busy: true, value: 9, length: 4 })
  t.same(words(encodeMmhi(0x4a, fromHex('cc')), DIALECTS.mmhi({})), ['>06', 'sdu cc'])
  const form: LocalFrameForm = mmhiFrames('crc16')
  const longest = encodeLocalFrame(form, 0x2a, new Uint8Array(256).fill(9))
  t.equal(longest[1], 255, '256 bytes are 255')
  t.same(words(longest, DIALECTS.mmhi({ check: 'crc16' })), ['>06', `sdu ${'09'.repeat(254)}`])
  t.same(words(unit, DIALECTS.mmhi({ check: 'crc16' })), ['>15', 'LINK_BAD_CHECKSUM'])
})

t.test('data units behind their length', async t => {
  const raw = DIALECTS.raw({})
  t.same(words(fromHex('0002aabb0001cc'), raw), ['sdu aabb', 'sdu cc'])
  t.same(words(fromHex('02aabb01cc'), DIALECTS.raw({ prefixBytes: 1 })), ['sdu aabb', 'sdu cc'])
  t.same(words(fromHex('aabb'), DIALECTS.raw({ prefixBytes: 0 })), ['sdu aabb'])
  t.same(
    words(fromHex('ffff0002aabb'), raw),
    ['LINK_BAD_FORMAT', 'sdu aabb'],
    'no length of a unit',
  )
  t.same(words(fromHex('0005aabb'), raw), ['LINK_INCOMPLETE'])
  t.same(words(fromHex('ffffff'), raw), ['LINK_INCOMPLETE'])
  t.same(words(new Uint8Array(4), raw), ['LINK_INCOMPLETE'])
  t.same(words(new Uint8Array(600), DIALECTS.raw({ prefixBytes: 0 })), ['LINK_OVERFLOW'])
})

t.test('data units written down', async t => {
  const text = (s: string) => words(Buffer.from(s), DIALECTS.replay({}))
  t.same(text('# a comment\naa bb # two\n\nCC:dd'), ['fill', 'sdu aabb', 'fill', 'sdu ccdd'])
  t.same(text('aab\nzz\n'), ['LINK_BAD_FORMAT', 'LINK_BAD_FORMAT'])
  t.same(text(`${'a'.repeat(3000)}\naa\n`), ['LINK_BAD_FORMAT', 'sdu aa'])
})

t.test('checks by their parameters', async t => {
  const digits = Buffer.from('123456789')
  const expected = {
    crc8: 0xf4,
    'crc16-ccitt': 0x29b1,
    'crc16-xmodem': 0x31c3,
    'crc16-x25': 0x906e,
    crc32: 0xcbf43926,
  }
  t.same(Object.keys(CRC_FORMS), Object.keys(expected))
  for (const [name, value] of Object.entries(expected))
    t.equal(crcOf(CRC_FORMS[name]!)(digits, 0, 9), value, name)
})

t.test('hex digits', async t => {
  t.equal(toHex(parseHex('AB:cd-0 1')!), 'abcd01')
  for (const wrong of ['abc', 'xy', '0x12']) t.equal(parseHex(wrong), undefined, wrong)
})

t.test('arbitrary bytes: every byte in one event, in bounded memory, cut anywhere', async t => {
  const seeds = fc.constantFrom(A, AGAIN, B, RESET, damaged, encodeStatus(), fromHex('06'))
  const stream = fc
    .array(fc.oneof(seeds, fc.uint8Array({ maxLength: 12 })), { maxLength: 8 })
    .map(parts => concat(...parts))
  for (const definition of [st7580, DIALECTS.mmhi({}), DIALECTS.raw({}), DIALECTS.replay({})])
    fc.assert(
      fc.property(stream, fc.integer({ min: 1, max: 300 }), (bytes, size) => {
        const whole = parse(definition.create(), bytes)
        const dialect = definition.create()
        const cut = parse(dialect, bytes, size)
        return (
          covers(whole, bytes.length) &&
          JSON.stringify(whole) === JSON.stringify(cut) &&
          dialect.heldBytes === 0 &&
          dialect.wakeAt === undefined
        )
      }),
      { numRuns: 4000 },
    )
  t.pass('four dialects')
})
