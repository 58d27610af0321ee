/** The keys file: what is read from it, and what is said about its faults. */
import t from 'tap'
import { NO_KEYS, parseKeyRing } from '../src/dlms/keys.ts'
import { fromHex } from '../src/sim/encode/bytes.ts'

const EK = '000102030405060708090a0b0c0d0e0f'
const AK = 'D0D1D2D3D4D5D6D7D8D9DADBDCDDDEDF'
const EK2 = `${EK}${AK}`

t.test('keys are read in upper and lower case, with and without authentication key', async t => {
  const parsed = parseKeyRing({
    keys: [
      { system_title: '4D4D4D0000BC614E', encryption_key: EK, authentication_key: AK },
      { system_title: '*', encryption_key: EK2, authentication_key: null },
      { system_title: '0000000000000000', encryption_key: EK },
    ],
    broadcast_key: AK,
    dedicated_key: EK,
  })
  t.same(parsed, {
    ok: true,
    value: {
      keys: [
        {
          systemTitle: '4d4d4d0000bc614e',
          encryptionKey: fromHex(EK),
          authenticationKey: fromHex(AK),
        },
        { systemTitle: '*', encryptionKey: fromHex(EK2), authenticationKey: null },
        { systemTitle: '0000000000000000', encryptionKey: fromHex(EK), authenticationKey: null },
      ],
      broadcastKey: fromHex(AK),
      dedicatedKey: fromHex(EK),
    },
  })
  if (parsed.ok) t.equal(parseKeyRing(parsed.value).ok && parsed.value, parsed.value, 'read again')
})

t.test('no keys at all', async t => {
  t.same(parseKeyRing(undefined), { ok: true, value: NO_KEYS })
  t.same(parseKeyRing(NO_KEYS), { ok: true, value: NO_KEYS })
  t.same(parseKeyRing({ keys: [] }), { ok: true, value: NO_KEYS })
  t.same(parseKeyRing({ broadcast_key: EK }), {
    ok: true,
    value: { keys: [], broadcastKey: fromHex(EK) },
  })
})

const key = (fields: object) => ({
  keys: [{ system_title: '*', encryption_key: EK, ...fields }],
})
const faults: [name: string, raw: unknown, path: string, message: RegExp][] = [
  ['an empty file', null, '', /nothing, expected a mapping with keys/],
  ['a list', [], '', /a list, expected a mapping/],
  ['text', EK, '', /a string, expected a mapping/],
  ['a mapping without keys', {}, 'keys', /nothing, expected a list/],
  ['keys as a mapping', { keys: {} }, 'keys', /a mapping, expected a list/],
  ['a key that is text', { keys: ['x'] }, 'keys.0', /a string, expected a mapping/],
  ['an unknown field', { keys: [], kyes: [] }, 'kyes', /unknown field, expected keys/],
  ['an unknown field of a key', key({ ek: EK }), 'keys.0.ek', /unknown field, expected system_/],
  ['no title', key({ system_title: undefined }), 'keys.0.system_title', /nothing, expected 16/],
  ['a short title', key({ system_title: '4B464D' }), 'keys.0.system_title', /'4B464D', expected/],
  ['no key', key({ encryption_key: undefined }), 'keys.0.encryption_key', /nothing, expected 32/],
  ['a null key', key({ encryption_key: null }), 'keys.0.encryption_key', /nothing, expected 32/],
  [
    'a number',
    key({ encryption_key: 1_234_567 }),
    'keys.0.encryption_key',
    /a number \(put the key in quotes\), expected 32/,
  ],
  ['a short key', key({ encryption_key: EK.slice(1) }), 'keys.0.encryption_key', /31 hex digits/],
  ['24 bytes', key({ encryption_key: EK2.slice(16) }), 'keys.0.encryption_key', /48 hex digits/],
  [
    'a letter too far',
    key({ authentication_key: `${AK.slice(0, 31)}g` }),
    'keys.0.authentication_key',
    /than a hex digit at place 32 of 32/,
  ],
  [
    'keys of different suites',
    key({ authentication_key: EK2 }),
    'keys.0.authentication_key',
    /64 hex digits, expected 32 as in/,
  ],
  ['a bad broadcast key', { keys: [], broadcast_key: '00' }, 'broadcast_key', /2 hex digits/],
  ['a dedicated key as a list', { keys: [], dedicated_key: [] }, 'dedicated_key', /a list/],
  ['a ring with a text for a key', { keys: [], broadcastKey: EK }, 'broadcastKey', /unknown/],
]
for (const [name, raw, path, message] of faults)
  t.test(`refused: ${name}`, async t => {
    const parsed = parseKeyRing(raw)
    if (parsed.ok) return t.fail('was accepted')
    t.same(
      parsed.problems.map(problem => problem.path),
      [path],
    )
    t.match(parsed.problems[0]?.message, message)
  })

t.test('every problem is listed, and no message holds a key', async t => {
  const parsed = parseKeyRing({
    keys: [
      { system_title: 5, encryption_key: EK.slice(2), authentication_key: `${AK}00` },
      { encryption_key: 'x'.repeat(32) },
    ],
    broadcast_key: EK.slice(4),
  })
  if (parsed.ok) return t.fail('was accepted')
  t.same(
    parsed.problems.map(problem => problem.path),
    [
      'keys.0.system_title',
      'keys.0.encryption_key',
      'keys.0.authentication_key',
      'keys.1.system_title',
      'keys.1.encryption_key',
      'broadcast_key',
    ],
  )
  const text = JSON.stringify(parsed.problems).toLowerCase()
  for (const digits of [EK.slice(4, 12), AK.slice(0, 8).toLowerCase(), 'xxxx'])
    t.notOk(text.includes(digits))
})
