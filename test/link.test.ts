/** The link layers: frames out of bytes cut anywhere, spans that cover the input, silence. */
import t from 'tap'
import { crc16x25 } from '../src/bytes/crc16.ts'
import type { DecodeError } from '../src/errors.ts'
import { BareLink } from '../src/link/bare.ts'
import { HdlcDeframer } from '../src/link/hdlc.ts'
import { HdlcLink } from '../src/link/hdlc-link.ts'
import { concat } from '../src/sim/encode/bytes.ts'
import { encodeFrame, encodeSegments } from '../src/sim/encode/hdlc-encoder.ts'
import fc from './property.ts'

const LINK = { destination: [0x41], source: [0x08, 0x83], control: 0x13 }
const frame = (text: string, more = false): Uint8Array =>
  encodeFrame(new Uint8Array(Buffer.from(text, 'latin1')), LINK, more)

type Found = string | [code: string, offset: number, length: number]

/** What the deframer finds: information as text, and rejected runs. */
function deframe(bytes: Uint8Array, size = bytes.length, pauses: readonly number[] = []): Found[] {
  const found: Found[] = []
  const deframer = new HdlcDeframer({
    frame: f =>
      found.push(Buffer.from(f.bytes.slice(f.informationStart, f.informationEnd)).toString()),
    rejected: (error, offset, length) => found.push([error.code, offset, length]),
  })
  let now = 0
  for (let i = 0; i < bytes.length; i += size) {
    if (pauses.includes(i)) {
      now += 400
      deframer.wake(now)
    }
    deframer.push(bytes.subarray(i, i + size), now)
  }
  deframer.wake(Number.POSITIVE_INFINITY)
  return found
}

t.test('checksum', async t => {
  const digits = new Uint8Array(Buffer.from('123456789'))
  t.equal(crc16x25(digits), 0x906e)
  t.equal(crc16x25(new Uint8Array(0)), 0)
  t.equal(crc16x25(concat([1, 2], digits, [3]), 2, 11), 0x906e, 'over a part')
})

const a = frame('first telegram')
const b = frame('second telegram')
const cases: [name: string, bytes: Uint8Array, found: Found[]][] = [
  ['one after the other', concat(a, b), ['first telegram', 'second telegram']],
  [
    'one flag shared by two frames',
    concat(a, b.subarray(1)),
    ['first telegram', 'second telegram'],
  ],
  [
    'fill flags',
    concat([0x7e, 0x7e], a, [0x7e, 0x7e], b, [0x7e]),
    ['first telegram', 'second telegram'],
  ],
  ['line ends between', concat(a, [13, 10], b, [13, 10]), ['first telegram', 'second telegram']],
  [
    'joined in the middle',
    concat(a.subarray(9), b),
    [['LINK_BAD_FORMAT', 0, a.length - 9], 'second telegram'],
  ],
  [
    'a truncated frame first',
    concat(a.subarray(0, 15), b),
    [['LINK_INCOMPLETE', 0, 15], 'second telegram'],
  ],
  [
    'the end is missing',
    concat(b, a.subarray(0, 15)),
    ['second telegram', ['LINK_INCOMPLETE', b.length, 15]],
  ],
  [
    'noise',
    concat(a, [1, 2, 3], b),
    ['first telegram', ['LINK_BAD_FORMAT', a.length, 3], 'second telegram'],
  ],
  ['nothing', new Uint8Array(0), []],
  ['one flag', Uint8Array.of(0x7e), []],
  [
    'a false header',
    concat([0x7e, 0xa0, 0x0f, 1, 3, 5, 7, 9, 11], a),
    [['LINK_BAD_CHECKSUM', 0, 9], 'first telegram'],
  ],
  [
    'too long an address',
    concat([0x7e, 0xa0, 0x20, 2, 4, 6, 8, 10, 12], a),
    [['LINK_BAD_FORMAT', 0, 9], 'first telegram'],
  ],
  [
    'too short a frame',
    concat([0x7e, 0xa0, 0x05, 1], a),
    [['LINK_BAD_FORMAT', 0, 4], 'first telegram'],
  ],
  [
    'a header that leaves no room',
    concat([0x7e, 0xa0, 0x0a, 2, 4, 6, 9, 2, 4, 6, 9, 1], a),
    [['LINK_BAD_FORMAT', 0, 12], 'first telegram'],
  ],
]
for (const [name, bytes, found] of cases)
  t.test(name, async t => {
    for (const size of [bytes.length || 1, 1, 7])
      t.same(deframe(bytes, size), found, `in chunks of ${size}`)
  })

t.test('silence ends what is incomplete, and only that', async t => {
  const cut = concat(a.subarray(0, 15), b)
  t.same(deframe(cut, 1, [15]), [['LINK_INCOMPLETE', 0, 15], 'second telegram'])
  const lateFlag = concat(a, b.subarray(1))
  t.same(deframe(lateFlag, 1, [a.length]), ['first telegram', 'second telegram'], 'a flag is kept')
  const deframer = new HdlcDeframer({ frame: () => {}, rejected: () => {} })
  t.equal(deframer.wakeAt, undefined)
  deframer.push(a.subarray(0, 5), 100)
  t.equal(deframer.wakeAt, 500)
  deframer.wake(499)
  t.equal(deframer.heldBytes, 5, 'too early does nothing')
  deframer.wake(500)
  t.same([deframer.heldBytes, deframer.wakeAt], [0, undefined])
  deframer.push(a, 600)
  t.same([deframer.heldBytes, deframer.wakeAt], [1, undefined], 'only the closing flag is kept')
})

t.test('any cut gives the same, and frames between anything are found', async t => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(a), fc.constant(b), fc.uint8Array({ maxLength: 40 })), {
        maxLength: 8,
      }),
      fc.integer({ min: 1, max: 90 }),
      (parts, size) => {
        const bytes = concat(...parts)
        const whole = deframe(bytes)
        return JSON.stringify(deframe(bytes, size)) === JSON.stringify(whole)
      },
    ),
    { numRuns: 3000 },
  )
  t.pass('3000 runs')
})

function linked(bytes: Uint8Array, maxBytes = 2047): [found: Found[], link: HdlcLink] {
  const found: Found[] = []
  const link = new HdlcLink(
    {
      information: i => found.push(Buffer.from(i.bytes.slice(i.start, i.end)).toString('latin1')),
      rejected: (error: DecodeError, offset, length) => found.push([error.code, offset, length]),
    },
    { maxBytes, repairCrlf: false },
  )
  link.push(bytes, 0)
  return [found, link]
}

t.test('segments', async t => {
  const llc = '\xe6\xe7\x00'
  const text = `${llc}${'abcdefgh'.repeat(20)}`
  const segments = encodeSegments(new Uint8Array(Buffer.from(text, 'latin1')), LINK, 64)
  t.equal(segments.length, 3)
  t.same(linked(concat(...segments))[0], [text])

  const [lost] = linked(concat(segments[0]!, frame(`${llc}next`)))
  t.equal((lost[0] as Found[])[0], 'LINK_INCOMPLETE', 'a new telegram begins')
  t.equal(lost.length, 2)

  const other = encodeFrame(new Uint8Array([1, 2, 3]), { ...LINK, source: [0x21] }, false)
  t.equal(
    (linked(concat(segments[0]!, other))[0][0] as Found[])[0],
    'LINK_INCOMPLETE',
    'another address',
  )

  const [noisy] = linked(concat(segments[0]!, [1, 2, 3], segments[1]!, segments[2]!))
  t.same(noisy[0], ['LINK_INCOMPLETE', 0, segments[0]!.length], 'noise between')
  t.same(noisy[1], ['LINK_BAD_FORMAT', segments[0]!.length, 3])

  t.equal((linked(concat(...segments), 100)[0][0] as Found[])[0], 'LINK_OVERFLOW')

  const [silent, link] = linked(segments[0]!)
  t.equal(link.wakeAt, 1000)
  t.ok(link.heldBytes > 0)
  link.wake(999)
  t.same(silent, [])
  link.wake(1000)
  t.same(silent, [['LINK_INCOMPLETE', 0, segments[0]!.length]])
  t.equal(link.wakeAt, undefined)
})

t.test('bytes without a frame end with silence, are not protected, and are bounded', async t => {
  const found: unknown[] = []
  const link = new BareLink(
    {
      information: i => found.push([i.integrity, i.offset, i.length, i.end - i.start]),
      rejected: (error, offset, length) => found.push([error.code, offset, length]),
    },
    10,
  )
  t.equal(link.wakeAt, undefined)
  link.push(new Uint8Array(4), 0)
  link.push(new Uint8Array(4), 100)
  t.same([link.wakeAt, link.heldBytes], [500, 8])
  link.wake(499)
  t.same(found, [])
  link.wake(500)
  link.push(new Uint8Array(50), 600)
  t.equal(link.heldBytes, 10)
  link.wake(Number.POSITIVE_INFINITY)
  t.same(found, [
    ['none', 0, 8, 8],
    ['LINK_OVERFLOW', 8, 50],
  ])
})
