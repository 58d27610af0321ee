/** Stripping, stages of protection, keys and replay: what opens, what fails closed, and that no message holds a key. */
import { createCipheriv } from 'node:crypto'
import t from 'tap'
import { chain2 } from '../decoders/it-chain2.ts'
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

t.test('options: every problem with its path, and no key in any message', async t => {
  const problems = (raw: unknown) => {
    const parsed = chain2.parseOptions(raw)
    return parsed.ok ? [] : parsed.problems
  }
  const paths = (raw: unknown): string[] => problems(raw).map(({ path }) => path)
  const cases: [raw: unknown, paths: string[]][] = [
    [undefined, []],
    [{}, []],
    ['x', ['']],
    [
      { dialect: 'x', check: 'md5', prefixBytes: 3, apdu: 1 },
      ['dialect', 'check', 'prefixBytes', 'apdu'],
    ],
    [{ strip: 3 }, ['strip']],
    [
      { strip: [{ op: 'jump' }, { op: 'skip' }, { op: 'expect', hex: 'x' }] },
      ['strip.0.op', 'strip.1.n', 'strip.2.hex'],
    ],
    [
      {
        strip: [
          { op: 'crc', form: 'md5' },
          { op: 'crc', form: { width: 7 } },
        ],
      },
      ['strip.0.form', 'strip.1.form.width'],
    ],
    [{ security: 'des' }, ['security']],
    [
      { security: [{ kind: 'ctr' }, null, { kind: 'toString' }] },
      ['security.0.nonce', 'security.1.kind', 'security.2.kind'],
    ],
    [{ security: { kind: 'ctr', nonce: ['systemTitle'] } }, ['security.nonce']],
    [
      { security: { kind: 'ctr', nonce: ['iv', 'x'] } },
      [
        'security.fields.iv',
        'security.fields.iv.offset',
        'security.fields.iv.size',
        'security.nonce.1',
      ],
    ],
    [
      { security: { kind: 'cmac-trailer', macBytes: 3, key: 'K3' } },
      ['security.macBytes', 'security.key'],
    ],
    [
      { security: { kind: 'st-ss', counter: {} } },
      ['security.counter.offset', 'security.counter.size'],
    ],
    [{ keys: [{ k1: '00'.repeat(16) }] }, ['keys.0.k1']],
    [{ keys: [{ k1: 'ab'.repeat(16), k2: K2 }] }, ['keys.0.k1']],
    [{ keys: [{ k1: `${K1}${K2}` }] }, ['keys.0.k1']],
    [{ keys: [{ k1: K1.slice(2) }] }, ['keys.0.k1']],
    [
      { keys: { keys: [{ system_title: '*', encryption_key: '11'.repeat(16) }] } },
      ['keys.keys.0.encryption_key'],
    ],
    [{ keys: [7] }, ['keys.0']],
    [{ dictionary: 'gas' }, ['dictionary']],
    [{ dictionary: {} }, ['dictionary.dictionary', 'dictionary.version', 'dictionary.frames']],
    [{ counters: { a: 'x' } }, ['counters']],
    [{ gapW: 1, allowUnauthenticated: 1, y: 1 }, ['y', 'gapW', 'allowUnauthenticated']],
  ]
  for (const [raw, expected] of cases) t.same(paths(raw), expected, JSON.stringify(raw))
  // The same key wherever it may be put by mistake.
  const misplaced: unknown[] = [
    { security: K1 },
    { security: { kind: K1 } },
    { keys: K1 },
    { keys: [K1] },
    { keys: [{ k1: `${K1}0` }] },
    { keys: [{ k1: `${K1.slice(0, 31)}x` }] },
    { keys: [{ system_title: K1, k1: K2 }] },
    { dictionary: K1 },
    { dialect: K1 },
    { strip: [{ op: K1 }] },
    { security: { kind: 'ctr', nonce: [`${K1}zz`] } },
  ]
  for (const raw of misplaced) {
    const messages = JSON.stringify(problems(raw)).toLowerCase()
    t.ok(messages.length > 2, 'there is a problem')
    for (let at = 0; at + 8 <= K1.length; at += 4)
      if (messages.includes(K1.slice(at, at + 8)) || messages.includes(K2.slice(at, at + 8)))
        t.fail(`${JSON.stringify(raw)}: ${messages}`)
  }
})

t.test('no key in errors, explanations, counters and events', async t => {
  const parsed = chain2.parseOptions({
    dialect: 'raw',
    security: { kind: 'st-ss', counter: { offset: 2, size: 2 } },
    keys: KEYS,
    dictionary: 'template-250',
  })
  if (!parsed.ok) return t.fail('options')
  const decoder = chain2.create(parsed.value)
  const units = [ss(), ss(), ss({ key: K2 }), ss({ payload: fromHex('63') })]
  const said = units.map(unit => {
    const bytes = concat(integerBytes(unit.length, 2), unit)
    const events = decoder.push(bytes, 0)
    const errors = events.map(e => (e.type === 'rejected' ? e.error.message + e.error.stack : ''))
    return JSON.stringify([events, errors, chain2.explain!(bytes, parsed.value)])
  })
  t.match(said.join(), /CIPHER_REPLAY/)
  for (const key of [K1, K2])
    for (let at = 0; at + 8 <= key.length; at += 2)
      if (
        said
          .join()
          .toLowerCase()
          .includes(key.slice(at, at + 8))
      )
        t.fail(`digits of a key at ${at}`)
})
