/** Stripping, stages of protection, keys and replay: what opens, and what fails closed. */
import { createCipheriv } from 'node:crypto'
import t from 'tap'
import { Checker } from '../src/chain2/check.ts'
import { parseChain2Keys } from '../src/chain2/keys.ts'
import type { Layer } from '../src/chain2/layer.ts'
import { Pipeline, type PipelineOptions } from '../src/chain2/pipeline.ts'
import { ReplayGuard } from '../src/chain2/replay-guard.ts'
import { parseSecurity } from '../src/chain2/security.ts'
import { parseStrip } from '../src/chain2/strip.ts'
import { DecodeError } from '../src/errors.ts'
import type { Sdu } from '../src/link/modem/dialect.ts'
import { concat, fromHex, integerBytes, toHex } from '../src/sim/encode/bytes.ts'
import { encodeCmac } from '../src/sim/encode/cmac-encoder.ts'
import { encodeGeneralGlo } from '../src/sim/encode/general-glo.ts'
import { encodeSs } from '../src/sim/encode/ss-encoder.ts'

const K1 = '404142434445464748494a4b4c4d4e4f'
const K2 = '505152535455565758595a5b5c5d5e5f'
const TITLE = '414d500000000007'
const KEYS = [{ system_title: TITLE, k1: K1, k2: K2 }]

/** A pipeline from what a person would write. */
function pipeline(raw: {
  strip?: unknown
  security?: unknown
  keys?: unknown
  allowUnauthenticated?: boolean
}): Pipeline {
  const checker = new Checker()
  const keys = parseChain2Keys(raw.keys ?? KEYS)
  if (!keys.ok) throw new Error(JSON.stringify(keys.problems))
  const options: PipelineOptions = {
    strip: parseStrip(checker, 'strip', raw.strip),
    security: parseSecurity(checker, 'security', raw.security),
    keys: keys.value,
    counters: {},
    allowUnauthenticated: raw.allowUnauthenticated ?? false,
  }
  if (checker.problems.length > 0) throw new Error(JSON.stringify(checker.problems))
  return new Pipeline(options)
}

const sdu = (bytes: Uint8Array, more: Partial<Sdu> = {}): Sdu => ({
  bytes,
  layer: 'DL',
  integrity: 'checksum',
  damaged: false,
  ...more,
})
const content = ({ bytes, start, end }: Layer): string => toHex(bytes.subarray(start, end))
const codeOf = (task: () => unknown): string => {
  try {
    task()
    return 'opened'
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    return error.code
  }
}

const PAYLOAD = fromHex('fa0102030405')
const ss = (more: { key?: string; header?: string; payload?: Uint8Array } = {}): Uint8Array =>
  encodeSs({
    key: fromHex(more.key ?? K1),
    header: fromHex(more.header ?? 'c2010007'),
    payload: more.payload ?? PAYLOAD,
    iv: integerBytes(5, 12),
    firstCounter: 0,
  })

t.test('frames of the security layer', async t => {
  const open = (unit: Uint8Array, security: unknown = 'st-ss') =>
    pipeline({ security }).open(sdu(unit))
  t.equal(content(open(ss())), toHex(PAYLOAD))
  t.equal(open(ss()).integrity, 'authenticated')
  const cases: [name: string, unit: Uint8Array, code: string][] = [
    ['another key', ss({ key: K2 }), 'CIPHER_AUTH_FAILED'],
    ['shorter than any', new Uint8Array(32), 'DATA_TRUNCATED'],
    ['longer than any', new Uint8Array(256), 'DATA_TRUNCATED'],
    ['a header of three bytes', ss({ header: 'c20100' }), 'DATA_BAD_VALUE'],
    ['a short header with nothing behind it', ss({ payload: new Uint8Array(0) }), 'DATA_BAD_VALUE'],
    [
      'a header that is too short to stand alone',
      ss({ header: 'c2'.repeat(15), payload: new Uint8Array(0) }),
      'DATA_BAD_VALUE',
    ],
    ['a header of 16 alone', ss({ header: 'c2'.repeat(16), payload: new Uint8Array(0) }), 'opened'],
  ]
  for (const [name, unit, code] of cases)
    t.equal(
      codeOf(() => open(unit)),
      code,
      name,
    )
  // HL beyond the frame, under a digest that is right.
  const covered = concat(fromHex('c2010007'), PAYLOAD, integerBytes(5, 12), [200])
  const forged = concat(covered, encodeCmac(fromHex(K1), covered))
  t.equal(
    codeOf(() => open(forged)),
    'DATA_BAD_VALUE',
  )
  t.equal(
    codeOf(() => open(ss(), { kind: 'st-ss', key: 'K2' })),
    'CIPHER_AUTH_FAILED',
  )
  t.not(content(open(ss(), { kind: 'st-ss', firstCounter: 1 })), toHex(PAYLOAD))
})

t.test('a MAC at the end', async t => {
  const covered = fromHex('aabbccdd')
  const mac = encodeCmac(fromHex(K2), covered.subarray(1))
  for (const macBytes of [4, 8, 16]) {
    const unit = concat(covered, mac.subarray(0, macBytes))
    const stage = { kind: 'cmac-trailer', key: 'K2', macBytes, from: 1 }
    const layer = pipeline({ security: stage }).open(sdu(unit))
    t.equal(content(layer), 'aabbccdd')
    t.equal(layer.integrity, 'authenticated')
    const codes = Array.from(unit, (_, i) =>
      codeOf(() =>
        pipeline({ security: stage }).open(sdu(unit.map((b, at) => (at === i ? b ^ 1 : b)))),
      ),
    )
    t.same(
      codes,
      ['opened', ...Array(unit.length - 1).fill('CIPHER_AUTH_FAILED')],
      'byte 0 is not covered',
    )
    t.equal(
      codeOf(() => pipeline({ security: stage }).open(sdu(unit.subarray(0, macBytes + 1)))),
      'DATA_TRUNCATED',
    )
  }
})

t.test('counter mode with a nonce put together, behind a MAC', async t => {
  const counter = fromHex('00000009')
  const block = concat(fromHex(TITLE), counter, fromHex('00000001'))
  const cipher = createCipheriv('aes-128-ctr', fromHex(K1), block)
  const covered = concat(counter, cipher.update(PAYLOAD))
  const unit = concat(covered, encodeCmac(fromHex(K2), covered).subarray(0, 8))
  const ctr = {
    kind: 'ctr',
    header: 4,
    nonce: ['systemTitle', 'counter32', '00000001'],
    fields: { counter32: { offset: 0 } },
  }
  const security = [
    { kind: 'cmac-trailer', key: 'K2', macBytes: 8, counter: { offset: 0, size: 4 } },
    ctr,
  ]
  const layer = pipeline({ security }).open(sdu(unit))
  t.equal(content(layer), toHex(PAYLOAD))
  t.match(layer, { integrity: 'authenticated', counter: { value: 9 } })
  t.match(layer.counter?.id, new RegExp(`^${TITLE}/K2/`))
  const alone = pipeline({ security: ctr, allowUnauthenticated: true })
  t.equal(alone.open(sdu(covered)).integrity, 'checksum', 'nothing proved')
  t.equal(
    codeOf(() => pipeline({ security: ctr }).open(sdu(covered))),
    'CIPHER_KEY_NEEDED',
    'fail closed',
  )
  const anyMeter = pipeline({ security: ctr, keys: [{ k1: K1 }], allowUnauthenticated: true })
  t.equal(
    codeOf(() => anyMeter.open(sdu(covered))),
    'CIPHER_KEY_NEEDED',
    'no system title',
  )
  t.equal(
    codeOf(() => alone.open(sdu(fromHex('0102')))),
    'DATA_TRUNCATED',
  )
})

t.test('general-glo-ciphering, with its counter', async t => {
  const glo = (invocationCounter: number) =>
    encodeGeneralGlo(PAYLOAD, {
      systemTitle: fromHex(TITLE),
      encryptionKey: fromHex(K1),
      authenticationKey: fromHex(K2),
      invocationCounter,
    })
  const opened = pipeline({ security: 'general-glo' })
  t.match(opened.open(sdu(glo(5))), { integrity: 'authenticated', counter: { value: 5 } })
  t.equal(content(opened.open(sdu(glo(6)))), toHex(PAYLOAD))
  t.equal(
    codeOf(() => opened.open(sdu(glo(6)))),
    'CIPHER_REPLAY',
  )
  t.equal(
    codeOf(() => opened.open(sdu(concat(glo(7), [0])))),
    'DATA_TRAILING',
  )
  const unit = glo(8)
  for (let i = 12; i < unit.length; i++) {
    const code = codeOf(() => opened.open(sdu(unit.map((b, at) => (at === i ? b ^ 1 : b)))))
    if (code === 'opened') t.fail(`byte ${i}`)
  }
})

t.test('nothing is read that nothing authenticates, unless somebody says so', async t => {
  const open = (unit: Sdu, allowUnauthenticated: boolean) =>
    pipeline({ allowUnauthenticated }).open(unit).integrity
  const bytes = fromHex('fa')
  t.equal(
    codeOf(() => open(sdu(bytes), false)),
    'CIPHER_KEY_NEEDED',
  )
  t.equal(open(sdu(bytes), true), 'checksum')
  t.equal(open(sdu(bytes, { integrity: 'none' }), true), 'none')
  t.equal(open(sdu(bytes, { integrity: 'authenticated' }), false), 'authenticated', 'by the modem')
  t.equal(
    codeOf(() => open(sdu(bytes, { integrity: 'none', damaged: true }), true)),
    'LINK_BAD_CHECKSUM',
  )
  for (const security of ['st-ss', 'cmac-trailer', 'general-glo'])
    t.equal(
      codeOf(() => pipeline({ security, keys: [], allowUnauthenticated: true }).open(sdu(ss()))),
      security === 'general-glo' ? 'APDU_UNKNOWN' : 'CIPHER_KEY_NEEDED',
      security,
    )
})

t.test('stripping', async t => {
  const open = (strip: unknown, hex: string) =>
    pipeline({ strip, allowUnauthenticated: true }).open(sdu(fromHex(hex), { integrity: 'none' }))
  const cases: [strip: unknown, hex: string, expected: string][] = [
    [[{ op: 'skip', n: 2 }], 'aabbcc', 'cc'],
    [[{ op: 'skip', n: 4 }], 'aabbcc', 'DATA_TRUNCATED'],
    [[{ op: 'expect', offset: 1, hex: 'bb' }], 'aabbcc', 'aabbcc'],
    [[{ op: 'expect', hex: 'bb' }], 'aabbcc', 'APDU_UNKNOWN'],
    [[{ op: 'expect', offset: 2, hex: 'ccdd' }], 'aabbcc', 'APDU_UNKNOWN'],
    [[{ op: 'lengthField', offset: 1 }], 'aa02bbccdd', 'bbcc'],
    [[{ op: 'lengthField', size: 2, adjust: -1 }], '0003bbccdd', 'bbcc'],
    [[{ op: 'lengthField' }], '04bbccdd', 'DATA_TRUNCATED'],
    [[{ op: 'lengthField', adjust: -9 }], '04bbccdd', 'DATA_TRUNCATED'],
    [[{ op: 'lengthField', offset: 9 }], '04bbccdd', 'DATA_TRUNCATED'],
    [
      [{ op: 'crc', form: 'crc16-x25', endian: 'le' }],
      '3132333435363738396e90',
      '313233343536373839',
    ],
    [[{ op: 'crc', form: 'crc32' }], '313233343536373839cbf43926', '313233343536373839'],
    [
      [{ op: 'crc', form: { width: 8, polynomial: 7 } }],
      '313233343536373839f4',
      '313233343536373839',
    ],
    [[{ op: 'crc', form: 'crc8', from: 1 }], 'ff313233343536373839f4', 'ff313233343536373839'],
    [[{ op: 'crc', form: 'crc8' }], '313233343536373839f5', 'LINK_BAD_CHECKSUM'],
    [[{ op: 'crc', form: 'crc32' }], 'aabb', 'DATA_TRUNCATED'],
    [
      [
        { op: 'skip', n: 1 },
        { op: 'expect', hex: 'bb' },
        { op: 'skip', n: 1 },
      ],
      'aabbcc',
      'cc',
    ],
  ]
  for (const [strip, hex, expected] of cases) {
    let found = ''
    const code = codeOf(() => {
      found = content(open(strip, hex))
    })
    t.equal(code === 'opened' ? found : code, expected, JSON.stringify(strip))
  }
  t.equal(open([{ op: 'crc', form: 'crc8' }], '313233343536373839f4').integrity, 'checksum')
  const sniffed = { integrity: 'none', damaged: true } as const
  const own = pipeline({ strip: [{ op: 'crc', form: 'crc8' }], allowUnauthenticated: true })
  t.equal(
    content(own.open(sdu(fromHex('313233343536373839f4'), sniffed))),
    '313233343536373839',
    'a check of our own',
  )
})

t.test('counters grow', async t => {
  const guard = new ReplayGuard({ a: 5 }, 0)
  t.throws(() => guard.accept('a', 5), { code: 'CIPHER_REPLAY' })
  t.same(guard.accept('a', 6), { id: 'a', value: 6 })
  t.same(guard.accept('b', 1), { id: 'b', value: 1 }, 'another meter')
  for (let i = 0; i < 50; i++) t.throws(() => guard.accept('a', i % 7), { code: 'CIPHER_REPLAY' })
  const patient = new ReplayGuard({ a: 100 }, 3)
  for (const value of [1, 2, 2, 3, 4]) t.throws(() => patient.accept('a', value))
  t.same(patient.accept('a', 5), { id: 'a', value: 5 }, 'it began again: three refused ones grew')
  t.throws(() => patient.accept('a', 5))
})
