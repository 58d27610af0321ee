/** Options of the modem route: every problem is named, and no digit of a key is in anything that is said. */
import t from 'tap'
import { chain2 } from '../decoders/it-chain2.ts'
import { concat, fromHex, integerBytes } from '../src/sim/encode/bytes.ts'
import { encodeSs } from '../src/sim/encode/ss-encoder.ts'

const K1 = '404142434445464748494a4b4c4d4e4f'
const K2 = '505152535455565758595a5b5c5d5e5f'
const KEYS = [{ system_title: '414d500000000007', k1: K1, k2: K2 }]
const ss = ({ key = K1, payload = fromHex('fa0102030405') } = {}): Uint8Array =>
  encodeSs({
    key: fromHex(key),
    header: fromHex('c2010007'),
    payload,
    iv: integerBytes(5, 12),
    firstCounter: 0,
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
