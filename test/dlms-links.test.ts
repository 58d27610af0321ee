/** M-Bus, wrapper, HDLC segments and block transfer: every recording's framing, cuts, damage, silence, spans. */
import t from 'tap'
import { startsApdu } from '../src/dlms/apdu.ts'
import { BlockJoiner } from '../src/dlms/block-transfer.ts'
import { FrameScanner } from '../src/link/frame-scanner.ts'
import { HdlcDeframer, type HdlcFrame } from '../src/link/hdlc.ts'
import { HdlcLink } from '../src/link/hdlc-link.ts'
import type { InformationSink, Link } from '../src/link/information.ts'
import { MbusLink } from '../src/link/mbus.ts'
import { MbusFormat, type MbusFrame } from '../src/link/mbus-frame.ts'
import { WrapperLink } from '../src/link/wrapper.ts'
import { encodeBlock, encodeBlocks } from '../src/sim/encode/block-encoder.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeFrame, encodeSegments } from '../src/sim/encode/hdlc-encoder.ts'
import {
  AUSTRIA,
  encodeLongFrame,
  encodeMbusSegment,
  encodeMbusSegments,
  encodeSagemcomSegments,
  encodeShortFrame,
} from '../src/sim/encode/mbus-encoder.ts'
import { encodeWrapper } from '../src/sim/encode/wrapper-encoder.ts'
import {
  captureBytes,
  type DlmsCapture,
  dlmsCaptures,
  type Found,
  find,
  finderOf,
} from './dlms-captures.ts'
import fc from './property.ts'

const HDLC = { destination: [0x67], source: [0x01, 0x11], control: 0x13 }
const LLC = fromHex('e6e700')
/** Data-notification: 1.7.0 = 4321 W. */
const PUSH = fromHex(
  `0f000000010c07e9010f03121e00ffffc40002030906
   0100010700ff06000010e102020f00161b`,
)
const bytesUpTo = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 0xff)

type Event = [what: string, offset: number, length: number]
type MakeLink = (sink: InformationSink) => Link & { wake(now: number): void }

const mbus: MakeLink = sink => new MbusLink(sink, 4000)
const wrapper: MakeLink = sink => new WrapperLink(sink, 8192, startsApdu)
const hdlc: MakeLink = sink => new HdlcLink(sink, { maxBytes: 8192, repairCrlf: false })

/** What a link hands over: contents in hex, or the code of a rejection. */
function run(make: MakeLink, bytes: Uint8Array, size = bytes.length || 1): Event[] {
  const [events, sink] = recorder()
  const link = make(sink)
  for (let at = 0; at < bytes.length; at += size) link.push(bytes.subarray(at, at + size), 0)
  link.wake(Number.POSITIVE_INFINITY)
  return events
}

function recorder(): [events: Event[], sink: InformationSink] {
  const events: Event[] = []
  return [
    events,
    {
      information: ({ bytes, start, end, offset, length }) =>
        events.push([toHex(bytes.subarray(start, end)), offset, length]),
      rejected: ({ code }, offset, length) => events.push([code, offset, length]),
    },
  ]
}

/** A link with the block joiner behind it, as a decoder has them. */
const joined =
  (make: MakeLink): MakeLink =>
  sink => {
    const blocks = new BlockJoiner(sink, 8192)
    const link = make(blocks)
    return {
      push: (chunk, at) => link.push(chunk, at),
      wake: now => {
        link.wake(now)
        blocks.wake(now)
      },
      get wakeAt() {
        return Math.min(link.wakeAt ?? Infinity, blocks.wakeAt ?? Infinity)
      },
      get heldBytes() {
        return link.heldBytes + blocks.heldBytes
      },
    }
  }

const push = toHex(PUSH)
const worked: [name: string, make: MakeLink, hex: string, events: Event[]][] = [
  ['M-Bus, one frame', mbus, `682c2c6853ff100167 ${push} 3216`, [[push, 0, 50]]],
  [
    'M-Bus, two segments',
    mbus,
    `681d1d6853ff000167 ${push.slice(0, 48)} e016 681414 6853ff110167 ${push.slice(48)} 0d16`,
    [[push, 0, 61]],
  ],
  ['wrapper', wrapper, `0001 0001 0010 0027 ${push}`, [[push, 0, 47]]],
  ['HDLC, one frame', hdlc, `7ea034cf0223135599 e6e700 ${push} af9c7e`, [[`e6e700${push}`, 0, 54]]],
  [
    'HDLC, two segments',
    hdlc,
    `7ea822cf0223035427 e6e700 ${push.slice(0, 42)} 11f77e 7ea01ccf022313e4a3 ${push.slice(42)} 88577e`,
    [[`e6e700${push}`, 0, 66]],
  ],
  [
    'HDLC, two blocks',
    joined(hdlc),
    `7ea02ccf0223133577 e6e700 e040000100001 8 ${push.slice(0, 48)} 37ed7e
     7ea020cf0223130500 e0c00002 0000 0f ${push.slice(48)} 958d7e`,
    [[push, 0, 80]],
  ],
]
for (const [name, make, hex, events] of worked)
  t.test(`worked example: ${name}`, async t => {
    const bytes = fromHex(hex)
    for (const size of [bytes.length, 1, 7]) t.same(run(make, bytes, size), events, `in ${size}s`)
  })

const seg = (number: number, isLast: boolean, data: string): Uint8Array =>
  encodeMbusSegment(fromHex(data), AUSTRIA, number, isLast)
const long = (hex: string): Uint8Array => encodeLongFrame(fromHex(hex))
const E5 = Uint8Array.of(0xe5)

/** M-Bus frames, what comes of them, each `[what, length]` in the order of the bytes. */
const mbusCases: [name: string, parts: Uint8Array[], events: [what: string, length: number][]][] = [
  [
    'one frame after the other',
    [seg(0, true, 'aa'), seg(0, true, 'bb')],
    [
      ['aa', 12],
      ['bb', 12],
    ],
  ],
  [
    'three segments',
    [seg(0, false, 'aa'), seg(1, false, 'bb'), seg(2, true, 'cc')],
    [['aabbcc', 36]],
  ],
  [
    'zeros and acknowledgements between',
    [seg(0, false, 'aa'), Uint8Array.of(0, 0xe5, 13, 10), seg(1, true, 'bb')],
    [['aabb', 28]],
  ],
  [
    'the first segment is missing',
    [seg(1, true, 'bb'), seg(0, true, 'aa')],
    [
      ['LINK_INCOMPLETE', 12],
      ['aa', 12],
    ],
  ],
  [
    'a segment is missing',
    [seg(0, false, 'aa'), seg(2, true, 'cc'), seg(0, true, 'dd')],
    [
      ['LINK_INCOMPLETE', 24],
      ['dd', 12],
    ],
  ],
  [
    'wrong order',
    [seg(0, false, 'aa'), seg(2, true, 'cc'), seg(1, false, 'bb')],
    [['LINK_INCOMPLETE', 36]],
  ],
  [
    'twice the same segment',
    [seg(0, false, 'aa'), seg(1, false, 'bb'), seg(1, true, 'bb')],
    [['LINK_INCOMPLETE', 36]],
  ],
  [
    'a new telegram begins',
    [seg(0, false, 'aa'), seg(0, true, 'bb')],
    [
      ['LINK_INCOMPLETE', 12],
      ['bb', 12],
    ],
  ],
  [
    'the last segment is missing',
    [seg(0, true, 'bb'), seg(0, false, 'aa')],
    [
      ['bb', 12],
      ['LINK_INCOMPLETE', 12],
    ],
  ],
  [
    'noise between segments',
    [seg(0, false, 'aa'), Uint8Array.of(1, 2), seg(1, true, 'bb')],
    [['LINK_INCOMPLETE', 26]],
  ],
  [
    'noise before',
    [Uint8Array.of(1, 2), seg(0, true, 'bb')],
    [
      ['LINK_BAD_FORMAT', 2],
      ['bb', 12],
    ],
  ],
  [
    'a truncated frame first',
    [seg(0, true, 'aabbccddeeff').subarray(0, 14), seg(0, true, 'bb')],
    [
      ['LINK_INCOMPLETE', 14],
      ['bb', 12],
    ],
  ],
  [
    'joined in the middle',
    [seg(0, true, 'aabbccdd').subarray(3), seg(0, true, 'bb')],
    [
      ['LINK_BAD_FORMAT', 12],
      ['bb', 12],
    ],
  ],
  [
    'a false start',
    [Uint8Array.of(0x68, 0x09), seg(0, true, 'bb')],
    [
      ['LINK_BAD_FORMAT', 2],
      ['bb', 12],
    ],
  ],
  [
    'a length sent once',
    [Uint8Array.of(0x68, 9, 8, 0x68), seg(0, true, 'bb')],
    [
      ['LINK_BAD_CHECKSUM', 4],
      ['bb', 12],
    ],
  ],
  [
    'a false short frame',
    [Uint8Array.of(0x10, 0x40, 0xf0, 0x31, 0x16), seg(0, true, 'bb')],
    [
      ['LINK_BAD_CHECKSUM', 5],
      ['bb', 12],
    ],
  ],
  [
    'bytes of a short frame',
    [Uint8Array.of(0x10, 0x40, 0xf0, 0x30, 0x17), seg(0, true, 'bb')],
    [
      ['LINK_BAD_FORMAT', 5],
      ['bb', 12],
    ],
  ],
  [
    'a frame without access points',
    [long('53ff10'), seg(0, true, 'bb')],
    [
      ['LINK_BAD_FORMAT', 9],
      ['bb', 12],
    ],
  ],
  ['an empty segment', [long('53ff100167')], [['', 11]]],
  [
    'another CI',
    [long('53ff7a0102'), seg(0, true, 'bb')],
    [
      ['APDU_UNKNOWN', 11],
      ['bb', 12],
    ],
  ],
  ['another short frame', [encodeShortFrame(0x5b, 0xff)], [['APDU_UNKNOWN', 5]]],
  [
    'a call and OMS data',
    [encodeShortFrame(0x40, 0xf0), E5, long('53f05b0102'), E5],
    [
      ['', 5],
      ['5b0102', 11],
    ],
  ],
  [
    'OMS data between segments',
    [seg(0, false, 'aa'), long('53f05b'), seg(1, true, 'bb')],
    [
      ['LINK_INCOMPLETE', 12],
      ['5b', 9],
      ['LINK_INCOMPLETE', 12],
    ],
  ],
  ['nothing', [], []],
]
for (const [name, parts, expected] of mbusCases)
  t.test(`M-Bus: ${name}`, async t => {
    const bytes = concat(...parts)
    for (const size of [bytes.length || 1, 1, 7])
      t.same(
        run(mbus, bytes, size).map(([what, , length]) => [what, length]),
        expected,
        `in chunks of ${size}`,
      )
  })

t.test('M-Bus: what is handed over tells its kind', async t => {
  const kinds: string[] = []
  const link = new MbusLink(
    {
      information: ({ kind, integrity, source, segments }) =>
        kinds.push(`${kind} ${integrity} ${source} ${segments}`),
      rejected: ({ detail }) => kinds.push(detail),
    },
    4000,
  )
  const parts = [encodeShortFrame(0x40, 0xf0), long('53f05b'), seg(0, true, 'aa'), long('53ff72')]
  for (const part of parts) link.push(part, 0)
  t.same(kinds, [
    'snd-nke checksum 0 1',
    'oms checksum 0 1',
    'pdu checksum 0 1',
    'an M-Bus frame with CI 0x72',
  ])
})

t.test('M-Bus: silence ends segments and frames, and a frame on its way is waited for', async t => {
  const [events, sink] = recorder()
  const link = new MbusLink(sink, 4000)
  t.equal(link.wakeAt, undefined)
  link.push(seg(0, false, 'aa'), 100)
  t.same([link.wakeAt, link.heldBytes], [600, 1])
  link.wake(599)
  t.same(events, [], 'too early does nothing')
  const second = seg(1, true, 'bb')
  link.push(second.subarray(0, 5), 590)
  t.equal(link.wakeAt, 1090, 'the second frame is on its way')
  link.wake(700)
  link.push(second.subarray(5), 1080)
  t.same(events, [['aabb', 0, 24]])
  t.same([link.wakeAt, link.heldBytes], [undefined, 0])

  link.push(seg(0, false, 'cc'), 2000)
  link.wake(2500)
  t.same(events[1], ['LINK_INCOMPLETE', 24, 12])
  link.push(second.subarray(0, 5), 3000)
  link.wake(3499)
  t.equal(link.heldBytes, 5)
  link.wake(3500)
  t.same(events[2], ['LINK_INCOMPLETE', 36, 5])
  t.same([link.wakeAt, link.heldBytes, events.length], [undefined, 0, 3])
})

t.test('M-Bus: a length modulo 256 is understood where the checksum says so', async t => {
  const apdu = bytesUpTo(260)
  const [first, second] = encodeSagemcomSegments(apdu, AUSTRIA) as [Uint8Array, Uint8Array]
  t.same([first[1], first.length], [1, 263])
  const whole = toHex(apdu)
  for (const size of [1, 64, 263]) t.same(run(mbus, concat(first, second), size), [[whole, 0, 282]])
  t.same(run(mbus, first.subarray(0, 200)), [['LINK_INCOMPLETE', 0, 200]])
  const damaged = first.with(100, first[100]! ^ 1)
  t.same(run(mbus, concat(damaged, second)), [['LINK_BAD_CHECKSUM', 0, 282]])
  for (const length of [3, 4, 8]) {
    const short = encodeLongFrame(concat([0x53, 0xf0, 0x5b], bytesUpTo(length - 3)))
    t.equal(run(mbus, short)[0]?.[2], length + 6, 'a short frame is taken at its word')
    t.same(run(mbus, short.with(4, 0)), [['LINK_BAD_CHECKSUM', 0, short.length]])
    const longer = encodeLongFrame(concat([0x53, 0xf0, 0x5b], bytesUpTo(253 + length)), length)
    t.equal(run(mbus, longer)[0]?.[2], 262 + length)
  }
})

t.test('M-Bus: what segments add up to is bounded', async t => {
  const apdu = bytesUpTo(1000)
  const segments = encodeMbusSegments(apdu, AUSTRIA, 250)
  t.equal(segments.length, 5)
  t.same(run(mbus, concat(...segments)), [[toHex(apdu), 0, 1055]])
  const small: MakeLink = sink => new MbusLink(sink, 999)
  t.same(run(small, concat(...segments, seg(0, true, 'aa'))), [
    ['LINK_OVERFLOW', 0, 1055],
    ['aa', 1055, 12],
  ])
  t.throws(() => encodeMbusSegments(new Uint8Array(5000), AUSTRIA, 250), RangeError)
  t.throws(() => encodeLongFrame(new Uint8Array(256)), RangeError)
})

const wrapped = encodeWrapper(PUSH)
const wrapperCases: [name: string, bytes: Uint8Array, events: Event[]][] = [
  [
    'two in a segment',
    concat(wrapped, wrapped),
    [
      [push, 0, 47],
      [push, 47, 47],
    ],
  ],
  [
    'version 2 first',
    concat([0, 2, 0, 1], wrapped),
    [
      ['LINK_BAD_FORMAT', 0, 4],
      [push, 4, 47],
    ],
  ],
  [
    'joined in the middle',
    concat(wrapped.subarray(20), wrapped),
    [
      ['LINK_BAD_FORMAT', 0, 27],
      [push, 27, 47],
    ],
  ],
  [
    'a length of nothing',
    concat(wrapped.subarray(0, 6), [0, 0], wrapped),
    [
      ['LINK_BAD_FORMAT', 0, 8],
      [push, 8, 47],
    ],
  ],
  [
    'the rest is missing',
    concat(wrapped, wrapped.subarray(0, 20)),
    [
      [push, 0, 47],
      ['LINK_INCOMPLETE', 47, 20],
    ],
  ],
  [
    'the header is missing',
    concat(wrapped, wrapped.subarray(0, 3)),
    [
      [push, 0, 47],
      ['LINK_INCOMPLETE', 47, 3],
    ],
  ],
  [
    'one zero',
    concat(wrapped, [0]),
    [
      [push, 0, 47],
      ['LINK_BAD_FORMAT', 47, 1],
    ],
  ],
  [
    'longer than allowed',
    encodeWrapper(new Uint8Array(8193)).subarray(0, 9),
    [['LINK_BAD_FORMAT', 0, 9]],
  ],
]
for (const [name, bytes, events] of wrapperCases)
  t.test(`wrapper: ${name}`, async t => {
    for (const size of [bytes.length, 1, 7])
      t.same(run(wrapper, bytes, size), events, `in ${size}s`)
  })

t.test('wrapper: a message in parts is waited for, and says what protects it', async t => {
  const found: unknown[] = []
  const link = new WrapperLink(
    {
      information: ({ kind, integrity, segments }) => found.push([kind, integrity, segments]),
      rejected: ({ code, detail }) => found.push([code, detail]),
    },
    8192,
    startsApdu,
  )
  link.push(wrapped.subarray(0, 20), 1000)
  t.same([link.heldBytes, link.wakeAt], [20, 6000])
  link.wake(5999)
  link.push(wrapped.subarray(20), 6000)
  t.same(found, [['pdu', 'none', 1]])
  t.same([link.heldBytes, link.wakeAt], [0, undefined])
  link.push(wrapped.subarray(0, 20), 7000)
  link.wake(12_000)
  t.same(found[1], ['LINK_INCOMPLETE', 'a frame with a good header lacks 27 bytes'])
})

/** Blocks in frames of their own; the first with LLC bytes. */
const inFrames = (blocks: readonly Uint8Array[]): Uint8Array[] =>
  blocks.map((block, i) => encodeFrame(i === 0 ? concat(LLC, block) : block, HDLC))
const [one, two, three] = inFrames(encodeBlocks(PUSH, 15)) as [Uint8Array, Uint8Array, Uint8Array]
const [n1, n2, n3] = [one.length, two.length, three.length]
const other = encodeFrame(concat(LLC, PUSH), HDLC)
const last = encodeFrame(encodeBlock(Uint8Array.of(1), 9, true), HDLC)
const bad = (hex: string): Uint8Array => encodeFrame(fromHex(hex), HDLC)
const plain: [what: string, length: number] = [`e6e700${push}`, other.length]
const blockCases: [name: string, parts: Uint8Array[], events: [what: string, length: number][]][] =
  [
    ['three in order', [one, two, three], [[push, n1 + n2 + n3]]],
    ['one alone', inFrames([encodeBlock(PUSH, 1, true)]), [[push, PUSH.length + 22]]],
    ['another APDU is not touched', [other], [plain]],
    ['one lost', [one, three, other], [['LINK_INCOMPLETE', n1 + n3], plain]],
    ['the first lost', [two, three, other], [['LINK_INCOMPLETE', n2 + n3], plain]],
    ['the last lost', [one, two, other], [['LINK_INCOMPLETE', n1 + n2], plain]],
    ['one twice', [one, two, two, three], [[push, n1 + 2 * n2 + n3]]],
    [
      'the first twice',
      [one, one, two, three],
      [
        ['LINK_INCOMPLETE', n1],
        [push, n1 + n2 + n3],
      ],
    ],
    [
      'the last twice',
      [one, two, three, three],
      [
        [push, n1 + n2 + n3],
        ['LINK_INCOMPLETE', n3],
      ],
    ],
    [
      'wrong order',
      [one, three, two, one, two, three],
      [
        ['LINK_INCOMPLETE', n1 + n3 + n2],
        [push, n1 + n2 + n3],
      ],
    ],
    [
      'abandoned and begun again',
      [one, two, one, two, three],
      [
        ['LINK_INCOMPLETE', n1 + n2],
        [push, n1 + n2 + n3],
      ],
    ],
    [
      'noise between',
      [one, Uint8Array.of(1, 2), two, three, other],
      [['LINK_INCOMPLETE', n1 + 2 + n2 + n3], plain],
    ],
    [
      'one damaged',
      [one, two.with(20, 0), three, other],
      [['LINK_INCOMPLETE', n1 + n2 + n3], plain],
    ],
    [
      'the first damaged',
      [one.with(20, 0xff), two, three, other],
      [['LINK_BAD_CHECKSUM', n1 + n2 + n3], plain],
    ],
    ['a last one out of nowhere', [last, other], [['LINK_INCOMPLETE', last.length], plain]],
    ['a block cut', [bad('e0c00001'), other], [['DATA_TRUNCATED', 16], plain]],
    [
      'a block of another length',
      [one, bad('e0c00002000005aa'), three],
      [['LINK_INCOMPLETE', n1 + 20 + n3]],
    ],
  ]
for (const [name, parts, expected] of blockCases)
  t.test(`blocks: ${name}`, async t => {
    const bytes = concat(...parts)
    for (const size of [bytes.length, 1, 7])
      t.same(
        run(joined(hdlc), bytes, size).map(([what, , length]) => [what, length]),
        expected,
        `in chunks of ${size}`,
      )
  })

t.test(
  'blocks: silence ends a transfer, lasting disturbance is told of, memory is bounded',
  async t => {
    const [events, sink] = recorder()
    const link = joined(hdlc)(sink)
    link.push(one, 1000)
    link.push(two, 1640)
    t.equal(link.wakeAt, 3640)
    link.wake(3639)
    t.same(events, [])
    link.wake(3640)
    t.same(events, [['LINK_INCOMPLETE', 0, n1 + n2]])
    for (let second = 10; second < 14; second++) {
      link.push(Uint8Array.of(1, 2, 3), second * 1000)
      link.wake(second * 1000 + 900)
    }
    link.wake(13_900)
    t.ok(events.length > 1, 'although it never stops for two seconds')

    const blocks = encodeBlocks(bytesUpTo(9000), 100)
    const [found] = [run(joined(hdlc), concat(...inFrames(blocks), other))]
    t.same(
      found.map(([what]) => what),
      ['LINK_OVERFLOW', `e6e700${push}`],
    )
  },
)

t.test('blocks: a good frame of something else stands for itself', async t => {
  const blocks = encodeBlocks(PUSH, 15).map(block => encodeMbusSegment(block, AUSTRIA, 0, true))
  const [first, second, third] = blocks as [Uint8Array, Uint8Array, Uint8Array]
  const found = run(joined(mbus), concat(first, long('53ff7a'), second, third))
  t.same(
    found.map(([what, , length]) => [what, length]),
    [
      ['LINK_INCOMPLETE', first.length],
      ['APDU_UNKNOWN', 9],
      ['LINK_INCOMPLETE', second.length + third.length],
    ],
  )
})

t.test('HDLC: a long segment that is still arriving is waited for', async t => {
  const [events, sink] = recorder()
  const link = new HdlcLink(sink, { maxBytes: 2047, repairCrlf: false })
  const apdu = concat(LLC, bytesUpTo(500))
  const [first, second] = encodeSegments(apdu, HDLC, 260) as [Uint8Array, Uint8Array]
  link.push(first, 0)
  t.equal(link.wakeAt, 1000)
  // 2400 baud: 256 bytes take 1.2 s.
  for (let at = 0; at < second.length; at += 64) {
    const now = 200 + at * 4
    link.wake(now)
    link.push(second.subarray(at, at + 64), now)
  }
  t.same(events, [[toHex(apdu), 0, first.length + second.length]])
})

t.test(
  'HDLC: segments beyond the bound are one rejection, not a telegram of their last part',
  async t => {
    const segments = encodeSegments(concat(LLC, bytesUpTo(200)), HDLC, 64)
    const small: MakeLink = sink => new HdlcLink(sink, { maxBytes: 100, repairCrlf: false })
    const bytes = concat(...segments)
    t.same(run(small, concat(bytes, other)), [
      ['LINK_OVERFLOW', 0, bytes.length],
      [`e6e700${push}`, bytes.length, other.length],
    ])
  },
)

t.test('any bytes are accounted for, cut anywhere, and little is held', async t => {
  const makes: [make: MakeLink, parts: Uint8Array[]][] = [
    [
      mbus,
      [
        seg(0, false, 'aa'),
        seg(1, true, 'bb'),
        ...encodeSagemcomSegments(bytesUpTo(255), AUSTRIA),
        encodeShortFrame(0x40, 0xf0),
      ],
    ],
    [wrapper, [wrapped, wrapped.subarray(0, 12)]],
    [joined(hdlc), [one, two, three, other]],
  ]
  for (const [make, parts] of makes)
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...parts), fc.uint8Array({ maxLength: 30 })), {
          maxLength: 8,
        }),
        fc.integer({ min: 1, max: 300 }),
        (some, size) => {
          const bytes = concat(...some)
          const [events, sink] = recorder()
          const link = make(sink)
          for (let at = 0; at < bytes.length; at += size) {
            link.push(bytes.subarray(at, at + size), 0)
            if (link.heldBytes > 2 * 8200) return false
          }
          link.wake(Number.POSITIVE_INFINITY)
          let end = 0
          for (const [, offset, length] of events) {
            if (offset < end || length <= 0) return false
            end = offset + length
          }
          return (
            end <= bytes.length &&
            JSON.stringify(events) === JSON.stringify(run(make, bytes)) &&
            (link.wakeAt === undefined || link.wakeAt === Number.POSITIVE_INFINITY)
          )
        },
      ),
      { numRuns: 2000 },
    )
  t.equal(makes.length, 3)
})

t.test('there and back: any APDU, in pieces of any size', async t => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 3000 }),
      fc.integer({ min: 200, max: 255 }),
      (content, largest) => {
        // What begins as a block would be taken for one.
        const apdu = concat([0x0f], content)
        const found = [
          run(mbus, concat(...encodeMbusSegments(apdu, AUSTRIA, largest))),
          run(wrapper, encodeWrapper(apdu)),
          run(joined(hdlc), concat(...inFrames(encodeBlocks(apdu, largest)))),
          run(
            joined(mbus),
            concat(
              ...encodeBlocks(apdu, largest - 20).flatMap(block =>
                encodeMbusSegments(block, AUSTRIA, 100),
              ),
            ),
          ),
          run(
            joined(wrapper),
            concat(...encodeBlocks(apdu, largest).map(block => encodeWrapper(block))),
          ),
        ]
        return found.every(events => events.length === 1 && events[0]?.[0] === toHex(apdu))
      },
    ),
    { numRuns: 300 },
  )
  t.pass('300 runs')
})

t.test('a single wrong bit or a missing byte never gives another telegram', async t => {
  const telegrams: [name: string, make: MakeLink, bytes: Uint8Array][] = [
    ['M-Bus', mbus, encodeMbusSegment(PUSH, AUSTRIA, 0, true)],
    ['M-Bus, segments', mbus, concat(...encodeMbusSegments(PUSH, AUSTRIA, 25))],
    ['M-Bus, modulo 256', mbus, concat(...encodeSagemcomSegments(bytesUpTo(260), AUSTRIA))],
    ['blocks', joined(hdlc), concat(one, two, three)],
  ]
  for (const [name, make, bytes] of telegrams) {
    const whole = run(make, bytes)
    t.equal(whole.length, 1, name)
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)))
      for (const [what] of run(make, damaged))
        if (!what.startsWith('LINK_') && what !== 'APDU_UNKNOWN')
          t.fail(`${name}, bit ${bit}: ${what}`)
    }
    for (let length = 0; length < bytes.length; length++)
      // A block transfer is whole without the closing flag of its last frame only if a flag follows.
      for (const [what] of run(make, bytes.subarray(0, length)))
        if (!what.startsWith('LINK_')) t.fail(`${name}, ${length} bytes: ${what}`)
  }
})

const captures = dlmsCaptures()
const skip = typeof captures === 'string' ? captures : false
const all = typeof captures === 'string' ? [] : captures

interface FrameRow {
  readonly [field: string]: string | number | boolean
}

/** Frames as the index describes them, the fields that the deframers tell. */
function framesOf({ transport }: DlmsCapture, bytes: Uint8Array): FrameRow[] {
  const rows: FrameRow[] = []
  const byte = (value: number): string => toHex(Uint8Array.of(value))
  const nothing = (): void => {}
  if (transport === 'hdlc') {
    const width = (address: number): string =>
      address.toString(16).padStart(address > 0xff ? 4 : 2, '0')
    const frame = (f: HdlcFrame): void => {
      const dst = width(f.destination)
      const src = width(f.source)
      // Format, addresses, control, HCS, information, FCS.
      const len =
        2 + (dst.length + src.length) / 2 + 1 + 2 + f.informationEnd - f.informationStart + 2
      rows.push({ len, segmented: f.segmented, dst, src, control: byte(f.control) })
    }
    new HdlcDeframer({ frame, rejected: nothing }).push(bytes, 0)
  } else {
    const frame = ({ bytes: b, start, end, control, offset }: MbusFrame): void => {
      rows.push({
        l_field: bytes[offset + 1]!,
        user_bytes: end - start + 2,
        c: byte(control),
        a: byte(b[start - 1]!),
        ci: byte(b[start]!),
        stsap: byte(b[start + 1]!),
        dtsap: byte(b[start + 2]!),
      })
    }
    new FrameScanner(new MbusFormat(frame), nothing).push(bytes, 0)
  }
  return rows
}

t.test('recordings: frames', { skip }, async t => {
  let checked = 0
  for (const capture of all) {
    const expected: FrameRow[] | undefined = capture.expected.framing?.frames
    if (expected === undefined) continue
    const found = framesOf(capture, captureBytes(capture))
    const good = expected.filter(row => row['hcs_ok'] !== false && row['fcs_ok'] !== false)
    t.equal(found.length, good.length, `${capture.id}: ${good.length} frames`)
    for (const [i, row] of good.entries())
      for (const [field, value] of Object.entries(row))
        if (found[i] !== undefined && field in found[i]) {
          t.equal(found[i][field], value, `${capture.id}: frame ${i}, ${field}`)
          checked++
        }
  }
  t.ok(checked > 250, `${checked} fields`)
})

t.test('recordings: security', { skip }, async t => {
  let checked = 0
  for (const capture of all) {
    const messages: { security?: { [name: string]: unknown } }[] = capture.expected.messages ?? []
    const found = find(capture, captureBytes(capture)).filter(f => f.code !== 'CIPHER_REPLAY')
    for (const [i, { security }] of messages.entries()) {
      if (security === undefined) continue
      const telegram = found[i]
      const { id } = capture
      checked++
      if ('tag_ok' in security) {
        t.equal(telegram?.opened?.authenticated, security['tag_ok'] === true, `${id}: tag`)
        const title = security['system_title'] || capture.keys?.system_title?.toLowerCase()
        t.equal(telegram?.opened?.systemTitle, title, `${id}: title`)
        if (security['tag_ok'])
          t.equal(telegram?.opened?.counter?.value, security['ic'], `${id}: ic`)
      } else {
        t.equal(telegram?.code, 'CIPHER_KEY_NEEDED', id)
        t.match(telegram?.detail, new RegExp(String(security['system_title'])), `${id}: title`)
      }
    }
  }
  t.equal(checked, 32)
})

/** What the index says is wrong with a recording, and the code of contract 2 for it. */
const ERRORS: Readonly<Record<string, string>> = {
  'authentication tag': 'CIPHER_AUTH_FAILED',
  'block gap': 'LINK_INCOMPLETE',
  'first segment missing': 'LINK_INCOMPLETE',
  'segment order': 'LINK_INCOMPLETE',
  checksum: 'LINK_BAD_CHECKSUM',
  truncated: 'DATA_TRUNCATED',
  nesting: 'DATA_TOO_DEEP',
  count: 'DATA_TRUNCATED',
}

/** Telegrams that a reader of tagged A-XDR lists does not read, and recordings without a key. */
const isReadable = ({ expected, id }: DlmsCapture): boolean =>
  id !== 'cz-sagemcom-xt211' &&
  (expected.messages ?? []).every(
    (m: { security?: object; apdu?: string }) =>
      m.apdu === undefined && (m.security === undefined || 'tag_ok' in m.security),
  )

t.test('recordings: telegrams found and refused, cut anywhere', { skip }, async t => {
  for (const capture of all) {
    const bytes = captureBytes(capture)
    const found = find(capture, bytes)
    const { error, messages = [] } = capture.expected
    if (isReadable(capture))
      t.equal(
        found.filter(f => f.plain !== undefined).length,
        messages.length,
        `${capture.id}: messages`,
      )
    if (ERRORS[error] !== undefined)
      t.same([...new Set(found.map(f => f.code))], [ERRORS[error]], `${capture.id}: ${error}`)
    const said = JSON.stringify(found.map(telegramOf))
    for (const size of [1, 7, 64])
      t.equal(
        JSON.stringify(find(capture, bytes, size).map(telegramOf)),
        said,
        `${capture.id} in ${size}s`,
      )
    let end = 0
    for (const { offset, length } of found) {
      if (offset < end) t.fail(`${capture.id}: spans overlap`)
      end = offset + length
    }
    if (end > bytes.length) t.fail(`${capture.id}: beyond the input`)
  }
})

const telegramOf = ({ offset, length, code, plain }: Found): unknown => [
  offset,
  length,
  code,
  plain,
]

t.test(
  'recordings: a single wrong bit or a missing byte gives no other telegram',
  { skip },
  async t => {
    let tried = 0
    // Thousands of refusals are not looked at: without their stacks the loop takes a quarter of the time.
    const { stackTraceLimit } = Error
    Error.stackTraceLimit = 0
    for (const capture of all) {
      if (!/^(hdlc|mbus)/.test(capture.transport) || capture.expected.error) continue
      const bytes = captureBytes(capture)
      const findIn = finderOf(capture, 'none')
      const genuine = new Set(findIn(bytes).map(f => f.plain))
      const fails = (damaged: Uint8Array): boolean =>
        findIn(damaged).some(f => f.plain !== undefined && !genuine.has(f.plain))
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        if (fails(bytes.with(bit >> 3, bytes[bit >> 3]! ^ (1 << (bit & 7)))))
          t.fail(`${capture.id}: bit ${bit}`)
        tried++
      }
      for (let length = 0; length < bytes.length; length++)
        if (fails(bytes.subarray(0, length))) t.fail(`${capture.id}: ${length} bytes`)
    }
    Error.stackTraceLimit = stackTraceLimit
    t.ok(tried > 10_000, `${tried} bits`)
  },
)
