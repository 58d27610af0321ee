/** The SML transport: frames out of bytes cut anywhere, escapes, spans that cover the input, silence, memory. */
import t from 'tap'
import { findEscape, undouble } from '../src/link/sml-escape.ts'
import { SmlTransport } from '../src/link/sml-transport.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { doubled, encodeSmlFrame } from '../src/sim/encode/sml-encoder.ts'
import { random } from '../src/sim/random.ts'
import fc from './property.ts'

type Found = string | [code: string, offset: number, length: number]

/** What the transport finds: messages as hex, and rejected runs; silence where `pauses` says so. */
function deframe(bytes: Uint8Array, size = bytes.length, pauses: readonly number[] = []): Found[] {
  const found: Found[] = []
  const transport = new SmlTransport({
    frame: f => found.push(toHex(f.bytes.subarray(f.start, f.end))),
    rejected: (error, offset, length) => found.push([error.code, offset, length]),
  })
  let now = 0
  for (let i = 0; i < bytes.length; i += size) {
    if (pauses.includes(i)) {
      now += 2000
      transport.wake(now)
    }
    transport.push(bytes.subarray(i, i + size), now)
  }
  transport.wake(Number.POSITIVE_INFINITY)
  return found
}

const START = '1b1b1b1b01010101'
const A = '7601020304050607'
const B = '62001b1b63'
const a = encodeSmlFrame(fromHex(A))
const b = encodeSmlFrame(fromHex(B))

t.test('the frame as the specification has it', async t => {
  t.equal(toHex(a.subarray(0, 22)), `${START}${A}1b1b1b1b1a00`)
  t.equal(toHex(b.subarray(0, -2)), `${START}${B}0000001b1b1b1b1a03`)
})

t.test('escapes are found from left to right', async t => {
  const cases: [hex: string, from: number, at: number][] = [
    ['', 0, -1],
    ['1b1b1b', 0, -1],
    ['1b1b1b1b', 0, 0],
    ['001b1b1b1b', 0, 1],
    ['00001b1b1b1b', 0, 2],
    ['0000001b1b1b1b00', 0, 3],
    ['1b001b1b001b1b1b001b1b1b1b1b', 0, 9],
    ['1b1b1b1b1b1b1b', 2, 2],
    ['1b1b1b1b1b1b1b', 4, -1],
    ['1b1b1b001b1b1b1a1b1b1b', 0, -1],
  ]
  for (const [hex, from, at] of cases) {
    const bytes = fromHex(hex)
    t.equal(findEscape(bytes, from, bytes.length), at, `${hex} from ${from}`)
  }
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0x1b, 0x1b, 0x1b, 0x00), { maxLength: 40 }), octets => {
      const bytes = Uint8Array.from(octets)
      return findEscape(bytes, 0, bytes.length) === toText(bytes).indexOf('xxxx')
    }),
    { numRuns: 5000 },
  )
})

const toText = (bytes: Uint8Array): string => [...bytes].map(o => (o === 0x1b ? 'x' : '-')).join('')

const ESCAPES: [name: string, payload: string, sent: string][] = [
  ['four octets 1B', '761b1b1b1b00', '761b1b1b1b1b1b1b1b00'],
  ['ten octets 1B', `76${'1b'.repeat(10)}00`, `76${'1b'.repeat(18)}00`],
  ['three octets 1B', '761b1b1b00', '761b1b1b00'],
  ['1B and what looks like a start', '761b1b1b1b0101010100', '761b1b1b1b1b1b1b1b0101010100'],
  ['1B and what looks like an end', '761b1b1b1b1a00000000', '761b1b1b1b1b1b1b1b1a00000000'],
]
for (const [name, payload, sent] of ESCAPES)
  t.test(`a doubled escape does not end the stream: ${name}`, async t => {
    t.equal(toHex(doubled(fromHex(payload))), sent)
    const frame = encodeSmlFrame(fromHex(payload))
    const stream = concat(a, frame, b, frame, a)
    for (const size of [1, 3, 7, 64, stream.length])
      t.same(deframe(stream, size), [A, payload, B, payload, A], `in ${size}s`)
    const plain = new Uint8Array(sent.length / 2)
    const places = new Uint32Array(plain.length)
    const size = undouble(fromHex(sent), 0, sent.length / 2, plain, places)
    t.equal(toHex(plain.subarray(0, size)), payload)
    const last = payload.length / 2 - 1
    t.equal(places[last], sent.length / 2 - 1, 'the last octet knows where it was sent')
  })

const whole = a.length
const cases: [name: string, bytes: Uint8Array, found: Found[]][] = [
  ['nothing', new Uint8Array(0), []],
  ['one after the other', concat(a, b), [A, B]],
  ['zeros and line ends between', concat([0, 0], a, [13, 10, 0], b, [0]), [A, B]],
  ['joined in the middle', concat(a.subarray(9), b), [['LINK_BAD_FORMAT', 0, whole - 9], B]],
  ['a truncated frame first', concat(a.subarray(0, 15), b), [['LINK_INCOMPLETE', 0, 15], B]],
  ['the end is missing', concat(b, a.subarray(0, 15)), [B, ['LINK_INCOMPLETE', b.length, 15]]],
  ['a start that is cut', concat(b, fromHex('1b1b1b1b01')), [B, ['LINK_INCOMPLETE', b.length, 5]]],
  ['an escape that is cut', concat(b, fromHex('1b1b1b')), [B, ['LINK_BAD_FORMAT', b.length, 3]]],
  ['noise', concat(a, [1, 2, 3], b), [A, ['LINK_BAD_FORMAT', whole, 3], B]],
  ['octets 1B in front', concat([0x1b, 0x1b], a), [['LINK_BAD_FORMAT', 0, 2], A]],
  ['an escape in front', concat(fromHex('1b1b1b1b'), a), [['LINK_BAD_FORMAT', 0, 4], A]],
  ['a start twice', concat(fromHex(START), a), [['LINK_INCOMPLETE', 0, 8], A]],
  [
    'an unknown escape',
    concat(fromHex(`${START}7600 1b1b1b1b02020202`), a),
    [['LINK_BAD_CHECKSUM', 0, 18], A],
  ],
  [
    'too much fill',
    concat(fromHex(`${START}7600 1b1b1b1b1a040000`), a),
    [['LINK_BAD_CHECKSUM', 0, 18], A],
  ],
  [
    'more fill than there is room for',
    concat(fromHex(`${START}761b1b1b1b1a030000`), a),
    [['LINK_BAD_CHECKSUM', 0, 17], A],
  ],
  ['transport version 2', fromHex('1b1b1b1b020202027600'), [['LINK_BAD_FORMAT', 0, 10]]],
  [
    'the longest frame and one that is longer',
    concat(encodeSmlFrame(new Uint8Array(4080).fill(2)), encodeSmlFrame(new Uint8Array(4081)), b),
    ['02'.repeat(4080), ['LINK_INCOMPLETE', 4096, 4100], B],
  ],
]
for (const [name, bytes, found] of cases)
  t.test(name, async t => {
    for (const size of [bytes.length || 1, 1, 7])
      t.same(deframe(bytes, size), found, `in chunks of ${size}`)
  })

t.test('wherever a frame is cut, the one behind it is found', async t => {
  for (let length = 0; length <= whole; length++)
    for (const size of [1, 1000])
      t.equal(deframe(concat(a.subarray(0, length), b), size).at(-1), B, `cut to ${length}`)
})

t.test('wherever an octet is lost, the frame behind it is found', async t => {
  for (let at = 0; at < whole; at++)
    t.equal(deframe(concat(a.subarray(0, at), a.subarray(at + 1), b)).at(-1), B, `octet ${at}`)
})

t.test('silence ends what is incomplete, and only that', async t => {
  const cut = concat(a.subarray(0, 15), b)
  t.same(deframe(cut, 1, [15]), [['LINK_INCOMPLETE', 0, 15], B])
  const transport = new SmlTransport({ frame: () => {}, rejected: () => {} })
  t.equal(transport.wakeAt, undefined)
  transport.push(a.subarray(0, 5), 100)
  t.equal(transport.wakeAt, 2100)
  transport.wake(2099)
  t.equal(transport.heldBytes, 5, 'too early does nothing')
  transport.wake(2100)
  t.same([transport.heldBytes, transport.wakeAt], [0, undefined])
  transport.push(a, 2200)
  t.same([transport.heldBytes, transport.wakeAt], [0, undefined], 'nothing is kept of a frame')
})

t.test('a frame with a wrong checksum is handed over only to who asks for it', async t => {
  const damaged = a.slice()
  damaged[10]! ^= 1
  const found: Found[] = []
  const transport = new SmlTransport({
    frame: f => found.push(`${f.isIntact} ${f.offset} ${f.length}`),
    salvages: f => f.offset > 0,
    rejected: (error, offset, length) => found.push([error.code, offset, length]),
  })
  transport.push(concat(damaged, damaged, a), 0)
  t.same(found, [
    ['LINK_BAD_CHECKSUM', 0, whole],
    `false ${whole} ${whole}`,
    `true ${2 * whole} ${whole}`,
  ])
})

const MEGABYTE = 1 << 20
const next = random(3)
const NOISES: [name: string, octet: (i: number) => number][] = [
  ['any octets', () => Math.floor(next() * 256)],
  ['octets 1B', () => 0x1b],
  ['starts', i => (i % 8 < 4 ? 0x1b : 0x01)],
  ['starts behind escapes', i => (i % 12 < 8 ? 0x1b : 0x01)],
  ['escapes without a start', i => (i % 9 < 4 ? 0x1b : 0x02)],
]
for (const [name, octet] of NOISES)
  t.test(`a megabyte of noise in constant memory: ${name}`, async t => {
    const runs: [number, number][] = []
    const frames: number[] = []
    const transport = new SmlTransport({
      frame: f => frames.push(f.offset),
      rejected: (_, offset, length) => runs.push([offset, length]),
    })
    let most = 0
    for (let sent = 0; sent < MEGABYTE; sent += 4096) {
      transport.push(
        Uint8Array.from({ length: 4096 }, (_, i) => octet(sent + i)),
        sent,
      )
      most = Math.max(most, transport.heldBytes)
    }
    t.ok(most < 4096, `${most} bytes held`)
    transport.push(b, MEGABYTE)
    t.same(frames, [MEGABYTE], 'and the frame behind it is found')
    t.same(runs, [[0, MEGABYTE]])
  })

t.test('any payload comes back, wherever the stream is cut', async t => {
  const octets = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc
      .array(fc.constantFrom(0x1b, 0x1b, 0x1b, 0x1a, 0x01, 0x00), { maxLength: 60 })
      .map(array => Uint8Array.from(array)),
  )
  fc.assert(
    fc.property(fc.array(octets, { maxLength: 5 }), fc.nat(90), (payloads, size) => {
      // A message ends with 00; a payload that ends with 1B would run into the end of the frame.
      const sent = payloads.map(payload => concat(payload, [0]))
      const stream = concat(...sent.map(payload => encodeSmlFrame(payload)))
      return JSON.stringify(deframe(stream, size + 1)) === JSON.stringify(sent.map(toHex))
    }),
    { numRuns: 3000 },
  )
  t.pass('3000 streams of frames')
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(a), fc.constant(b), octets), { maxLength: 8 }),
      fc.nat(90),
      (parts, size) => {
        const bytes = concat(...parts)
        return JSON.stringify(deframe(bytes, size + 1)) === JSON.stringify(deframe(bytes))
      },
    ),
    { numRuns: 3000 },
  )
})
