/** Protected APDUs: the examples of the Green Book, every protection there and back, damage, replay, the right key. */
import t from 'tap'
import { type Opened, Opener, type OpenerOptions } from '../src/dlms/cipher.ts'
import { type CipherKey, type KeyRing, NO_KEYS } from '../src/dlms/keys.ts'
import { DecodeError } from '../src/errors.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import {
  encodeGeneralCiphering,
  encodeGeneralDed,
  encodeGeneralGlo,
  type Protection,
} from '../src/sim/encode/general-glo.ts'
import fc from './property.ts'

const EK = fromHex('000102030405060708090a0b0c0d0e0f')
const AK = fromHex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf')
const EK2 = fromHex('000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f')
const AK2 = fromHex('d0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeef')
const OTHER = fromHex('ffeeddccbbaa99887766554433221100')
const TITLE = '4d4d4d0000bc614e'

const key = (fields: Partial<CipherKey> = {}): CipherKey => ({
  systemTitle: '*',
  encryptionKey: EK,
  authenticationKey: AK,
  ...fields,
})
const RING: KeyRing = { keys: [key()] }
const STRICT: OpenerOptions = { authentication: 'required', counters: {}, replay: 'increasing' }

/** What an opener makes of one APDU: plaintext in hex, or the code of its refusal. */
function open(
  apdu: Uint8Array,
  ring: KeyRing = RING,
  options: Partial<OpenerOptions> = {},
): string {
  return result(new Opener(ring, { ...STRICT, ...options }), apdu)
}

function result(opener: Opener, apdu: Uint8Array): string {
  try {
    return plaintext(opener.open(apdu, 0, apdu.length))
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
}

function plaintext(opened: Opened): string {
  return toHex(opened.bytes.subarray(opened.start, opened.end))
}

function refusal(opener: Opener, apdu: Uint8Array): DecodeError {
  try {
    opener.open(apdu, 0, apdu.length)
  } catch (error) {
    if (error instanceof DecodeError) return error
    throw error
  }
  throw new Error('was opened')
}

/** Data-notification of 39 bytes: 1.7.0 = 4321 W. */
const PUSH = `0f000000010c07e9010f03121e00ffffc40002030906
  0100010700ff06000010e102020f00161b`.replaceAll(/\s/g, '')
const SEALED = `de61000a03bf79b8708bd719975d8ea842aa33ab11cbfa355870e3c4e12572b079d8d2b9c4e893`
const GET_REQUEST = 'c0010000080000010000ff0200'

/** Green Book 9.2: the get-request under the three protections, and a push under the same keys. */
const examples: [name: string, hex: string, plain: string, ring: KeyRing, authentic: boolean][] = [
  [
    'get-request, authenticated only',
    `db08${TITLE} 1e 10 01234567 ${GET_REQUEST} 06725d910f9221d263877516`,
    GET_REQUEST,
    RING,
    true,
  ],
  [
    'get-request, authenticated and encrypted',
    `db08${TITLE} 1e 30 01234567 411312ff935a47566827c467bc 7d825c3be4a77c3fcc056b6b`,
    GET_REQUEST,
    RING,
    true,
  ],
  [
    'challenge under GMAC',
    'db08 4d4d4d0000000001 19 10 00000001 503677524a323146 1a52fe7dd3e72748973c1e28',
    '503677524a323146',
    RING,
    true,
  ],
  [
    'push, authenticated and encrypted',
    `db08${TITLE} 38 30 00000001 ${SEALED} d7fb10e5eb9120a85a1bf385`,
    PUSH,
    RING,
    true,
  ],
  ['push, encrypted only', `db08${TITLE} 2c 20 00000001 ${SEALED}`, PUSH, RING, false],
  [
    'push, authenticated only',
    `db08${TITLE} 38 10 00000001 ${PUSH} 5212848fe334bdc8f054ffb5`,
    PUSH,
    RING,
    true,
  ],
  [
    'push in general-ciphering',
    `dd08 0102030405060708 08${TITLE} 08 4d4d4d0000000001 00 00 00 38 30 00000001 ${SEALED} f0d1c73373bdc2f4437e6975`,
    PUSH,
    RING,
    true,
  ],
  [
    'push, suite 2',
    `db08${TITLE} 38 32 00000001 6011aeefac8ac2f2be0f1c6b1f6f6978df2a0e5113e55e3cd9370ccae1476ddfb4d7aea8996991
     0a4d443c076b18c88570fba9`,
    PUSH,
    { keys: [key({ encryptionKey: EK2, authenticationKey: AK2 })] },
    true,
  ],
]
for (const [name, hex, plain, ring, authentic] of examples)
  t.test(`example: ${name}`, async t => {
    const apdu = concat([1, 2], fromHex(hex), [0, 0])
    const opened = new Opener(ring, STRICT).open(apdu, 2, apdu.length)
    t.equal(plaintext(opened), plain)
    t.equal(opened.authenticated, authentic)
    t.equal(opened.systemTitle, hex.includes('dd08') ? TITLE : toHex(fromHex(hex)).slice(4, 20))
    t.equal(opened.inputEnd, apdu.length - 2, 'padding begins behind the announced length')
    t.equal(opened.swapped, false)
    t.equal(opened.counter === undefined, !authentic)
  })

t.test(
  'the encryption-only get-request of the book deciphers to the bytes of the book',
  async t => {
    // A get-request is no push: only the reading of one key without a tag refuses it.
    const apdu = fromHex(`db08${TITLE} 12 20 01234567 411312ff935a47566827c467bc`)
    const error = refusal(new Opener(RING, STRICT), apdu)
    t.equal(error.code, 'CIPHER_AUTH_FAILED')
    t.match(error.detail, /4d4d4d0000bc614e \(MMM\) sent without a tag begins as no push/)
  },
)

const sender = (fields: Partial<Protection> = {}): Protection => ({
  systemTitle: fromHex(TITLE),
  encryptionKey: EK,
  authenticationKey: AK,
  invocationCounter: 1,
  ...fields,
})
const CONTENT = fromHex(PUSH)
const glo = (fields: Partial<Protection> = {}): Uint8Array =>
  encodeGeneralGlo(CONTENT, sender(fields))

t.test('a telegram of every protection is opened, and its padding is told', async t => {
  const wraps: [name: string, wrap: (apdu: Uint8Array, p: Protection) => Uint8Array][] = [
    ['glo', encodeGeneralGlo],
    ['ded', encodeGeneralDed],
    [
      'ciphering',
      (apdu, p) =>
        encodeGeneralCiphering(apdu, p, {
          transactionId: fromHex('0102'),
          recipientTitle: fromHex('0000000000000001'),
          dateTime: fromHex('07e9010f03121e00ffffc400'),
          otherInformation: fromHex('aa'),
          keyInfo: fromHex('0000'),
        }),
    ],
  ]
  let runs = 0
  for (const [name, wrap] of wraps)
    for (const suite of [0, 1, 2])
      for (const bits of [0x00, 0x10, 0x20, 0x30, 0x50, 0x60, 0x70]) {
        const [encryptionKey, authenticationKey] = suite === 2 ? [EK2, AK2] : [EK, AK]
        const protection = sender({
          encryptionKey,
          authenticationKey,
          securityControl: bits | suite,
        })
        const keys = [key({ encryptionKey, authenticationKey })]
        const ring = { keys, broadcastKey: encryptionKey, dedicatedKey: encryptionKey }
        for (const length of [1, 39, 100, 130, 300]) {
          const content = concat([0x0f], new Uint8Array(length - 1).fill(length))
          const apdu = wrap(content, protection)
          const opened = new Opener(ring, STRICT).open(concat(apdu, [0, 0, 0]), 0, apdu.length + 3)
          const what = `${name}, SC ${(bits | suite).toString(16)}, ${length} bytes`
          if (plaintext(opened) !== toHex(content)) t.fail(what)
          if (opened.inputEnd !== apdu.length) t.fail(`${what}: end`)
          if (opened.authenticated !== ((bits & 0x10) !== 0)) t.fail(`${what}: authenticated`)
          runs++
        }
      }
  t.equal(runs, 3 * 3 * 7 * 5)
})

t.test('which keys open a telegram', async t => {
  const wrong = key({ encryptionKey: OTHER })
  const titled = key({ systemTitle: TITLE })
  const elsewhere = key({ systemTitle: '4b464d0000000001' })
  const short = key({ authenticationKey: null })
  const zero = { systemTitle: new Uint8Array(8) }
  const untitled = (fields: Partial<Protection> = {}) => glo({ withoutTitle: true, ...fields })
  const cases: [name: string, apdu: Uint8Array, ring: KeyRing, found: string][] = [
    ['none', glo(), NO_KEYS, 'CIPHER_KEY_NEEDED'],
    ['one for the title', glo(), { keys: [titled] }, PUSH],
    ['one for another title', glo(), { keys: [elsewhere] }, 'CIPHER_KEY_NEEDED'],
    ['a wrong one', glo(), { keys: [wrong] }, 'CIPHER_AUTH_FAILED'],
    [
      'a wrong authentication key',
      glo(),
      { keys: [key({ authenticationKey: OTHER })] },
      'CIPHER_AUTH_FAILED',
    ],
    ['the second of two for any title', glo(), { keys: [wrong, key()] }, PUSH],
    [
      'one for any beside a wrong one for the title',
      glo(),
      { keys: [key({ ...titled, encryptionKey: OTHER }), key()] },
      PUSH,
    ],
    [
      'one of the wrong length',
      glo(),
      { keys: [key({ encryptionKey: EK2, authenticationKey: AK2 })] },
      'CIPHER_KEY_NEEDED',
    ],
    [
      'one of either length',
      glo(),
      { keys: [key({ encryptionKey: EK2, authenticationKey: AK2 }), key()] },
      PUSH,
    ],
    ['without authentication key', glo(), { keys: [short] }, 'CIPHER_KEY_NEEDED'],
    [
      'authenticated only, without authentication key',
      glo({ securityControl: 0x10 }),
      { keys: [short] },
      'CIPHER_KEY_NEEDED',
    ],
    ['one of two lacks the authentication key', glo(), { keys: [short, titled] }, PUSH],
    ['not encrypted, none', glo({ securityControl: 0x00 }), NO_KEYS, PUSH],
    [
      'encrypted only, without authentication key',
      glo({ securityControl: 0x20 }),
      { keys: [short] },
      PUSH,
    ],
    [
      'encrypted only, a wrong one',
      glo({ securityControl: 0x20 }),
      { keys: [wrong] },
      'CIPHER_AUTH_FAILED',
    ],
    [
      'encrypted only, the second of two',
      glo({ securityControl: 0x20 }),
      { keys: [wrong, short] },
      PUSH,
    ],
    ['no title sent, that of the key is meant', untitled(), { keys: [elsewhere, titled] }, PUSH],
    [
      'no title sent, the key is of another',
      untitled(),
      { keys: [elsewhere] },
      'CIPHER_AUTH_FAILED',
    ],
    ['no title sent, none configured: eight zero bytes', untitled(zero), { keys: [key()] }, PUSH],
    [
      'eight zero bytes are a title',
      glo(zero),
      { keys: [key({ systemTitle: '0000000000000000' })] },
      PUSH,
    ],
    ['eight zero bytes are not any title', glo(zero), { keys: [titled] }, 'CIPHER_KEY_NEEDED'],
    ['broadcast, not configured', glo({ securityControl: 0x70 }), RING, 'CIPHER_KEY_NEEDED'],
    [
      'broadcast',
      glo({ securityControl: 0x70, encryptionKey: OTHER }),
      { ...RING, broadcastKey: OTHER },
      PUSH,
    ],
    [
      'broadcast, under the unicast key',
      glo({ securityControl: 0x70 }),
      { ...RING, broadcastKey: OTHER },
      'CIPHER_AUTH_FAILED',
    ],
    [
      'unicast, under the broadcast key',
      glo({ encryptionKey: OTHER }),
      { ...RING, broadcastKey: OTHER },
      'CIPHER_AUTH_FAILED',
    ],
    [
      'broadcast without tag, nothing else configured',
      glo({ securityControl: 0x60 }),
      { keys: [], broadcastKey: EK },
      PUSH,
    ],
    [
      'broadcast with tag, nothing else configured',
      glo({ securityControl: 0x70 }),
      { keys: [], broadcastKey: EK },
      'CIPHER_KEY_NEEDED',
    ],
    ['dedicated, not configured', encodeGeneralDed(CONTENT, sender()), RING, 'CIPHER_KEY_NEEDED'],
    [
      'dedicated',
      encodeGeneralDed(CONTENT, sender({ encryptionKey: OTHER })),
      { ...RING, dedicatedKey: OTHER },
      PUSH,
    ],
  ]
  for (const [name, apdu, ring, found] of cases) t.equal(open(apdu, ring), found, name)
  t.equal(open(glo(), { keys: [short] }, { authentication: 'optional' }), PUSH, 'optional')
  t.equal(
    open(glo({ securityControl: 0x10 }), { keys: [short] }, { authentication: 'optional' }),
    PUSH,
    'optional, authenticated only',
  )
  t.equal(
    open(glo(), { keys: [key({ authenticationKey: OTHER })] }, { authentication: 'optional' }),
    'CIPHER_AUTH_FAILED',
    'what can be checked is checked',
  )
})

t.test('what the telegram asks for and cannot be given', async t => {
  const fields = { transactionId: new Uint8Array(0), recipientTitle: new Uint8Array(0) }
  const ciphering = (keyInfo: string, fields2: Partial<Protection> = {}) =>
    encodeGeneralCiphering(CONTENT, sender(fields2), { ...fields, keyInfo: fromHex(keyInfo) })
  const cases: [name: string, apdu: Uint8Array, found: string, detail: RegExp][] = [
    [
      'compression',
      glo({ securityControl: 0xb0 }),
      'CIPHER_UNSUPPORTED',
      /compressed content \(SC 0xb0/,
    ],
    ['suite 3', glo({ securityControl: 0x33 }), 'CIPHER_UNSUPPORTED', /suite 3, known are 0 to 2/],
    ['a wrapped key', ciphering('0100'), 'CIPHER_UNSUPPORTED', /wrapped-key/],
    ['an agreed key', ciphering('0200'), 'CIPHER_UNSUPPORTED', /agreed-key/],
    ['key id 2', ciphering('0002'), 'CIPHER_UNSUPPORTED', /key id 2/],
    ['key id 1 without broadcast key', ciphering('0001'), 'CIPHER_KEY_NEEDED', /broadcast key/],
    ['a signature', fromHex('df0000000000000000'), 'CIPHER_UNSUPPORTED', /general-signing/],
    ['a glo-get-request', fromHex('c81e30'), 'APDU_UNKNOWN', /0xc8, 0xdb, 0xdc or 0xdd/],
    ['a title of six bytes', fromHex('db06010203040506'), 'DATA_BAD_VALUE', /6 bytes, 8 or none/],
    ['a length of five octets', fromHex('db00850000000001'), 'DATA_BAD_VALUE', /5 octets/],
    ['a length too long', fromHex(`db00053000000001`), 'DATA_TRUNCATED', /5 bytes from SC/],
    ['more announced than there is', fromHex(`db00403000000001`), 'LINK_INCOMPLETE', /64 bytes, 5/],
    ['a counter cut', fromHex('db0003300000'), 'DATA_TRUNCATED', /needs 4 bytes/],
  ]
  for (const [name, apdu, code, detail] of cases) {
    const error = refusal(new Opener(RING, STRICT), apdu)
    t.equal(error.code, code, name)
    t.match(error.detail, detail, name)
  }
  const broadcast = ciphering('0001', { encryptionKey: OTHER })
  t.equal(open(broadcast, { ...RING, broadcastKey: OTHER }), PUSH, 'key id 1')
})

t.test('no message holds a byte of a key', async t => {
  const keys = [
    key({ systemTitle: TITLE, encryptionKey: OTHER }),
    key({ authenticationKey: OTHER }),
  ]
  for (const [ring, securityControl] of [
    [{ keys }, 0x30],
    [{ keys: [key({ authenticationKey: null })] }, 0x30],
    [{ keys }, 0x32],
    [{ keys: [keys[0]!] }, 0x20],
  ] as const) {
    const { message } = refusal(new Opener(ring, STRICT), glo({ securityControl }))
    for (const secret of [EK, AK, OTHER])
      t.notOk(message.includes(toHex(secret).slice(0, 8)), message)
    t.match(message, /4d4d4d0000bc614e \(MMM\)/)
  }
})

t.test('keys the wrong way round are found out by the tag', async t => {
  const ring = { keys: [key({ encryptionKey: AK, authenticationKey: EK })] }
  const opener = new Opener(ring, STRICT)
  const first = glo({ invocationCounter: 1 })
  const opened = opener.open(first, 0, first.length)
  t.same([plaintext(opened), opened.authenticated, opened.swapped], [PUSH, true, true])
  t.equal(result(opener, glo({ invocationCounter: 2 })), PUSH, 'and stay that way')
  t.equal(result(opener, glo({ invocationCounter: 2 })), 'CIPHER_REPLAY')
  t.equal(
    open(glo({ securityControl: 0x20 }), ring),
    'CIPHER_AUTH_FAILED',
    'without a tag nothing tells',
  )
  const straight = new Opener(RING, STRICT)
  t.equal(straight.open(first, 0, first.length).swapped, false)
  const exchanged = glo({ encryptionKey: AK, authenticationKey: EK, invocationCounter: 9 })
  t.equal(result(straight, exchanged), 'CIPHER_AUTH_FAILED', 'not tried once the keys were right')
})

t.test('a counter is accepted once, and only ever rises', async t => {
  const opener = new Opener(RING, STRICT)
  const found = [100, 101, 101, 99, 102].map(invocationCounter =>
    result(opener, glo({ invocationCounter })),
  )
  t.same(found, [PUSH, PUSH, 'CIPHER_REPLAY', 'CIPHER_REPLAY', PUSH])
  const twice = refusal(opener, glo({ invocationCounter: 102 }))
  t.match(twice.detail, /^invocation counter 102 a second time; a new meter or a new key counts/)
  const old = refusal(opener, glo({ invocationCounter: 5 }))
  t.match(old.detail, /counter 5, the last accepted one is 102;.*stored counter 4d4d4d0000bc614e/)
  t.equal(result(opener, glo({ invocationCounter: 0xffff_ffff })), PUSH)
})

t.test('counters belong to title, key set and key, and are kept outside', async t => {
  const ring = { ...RING, broadcastKey: EK }
  const opener = new Opener(ring, STRICT)
  const telegrams = [
    glo({ invocationCounter: 7 }),
    glo({ invocationCounter: 7, securityControl: 0x70 }),
    glo({ invocationCounter: 7, systemTitle: fromHex('4b464d0000000001') }),
  ]
  const counters = telegrams.map(apdu => opener.open(apdu, 0, apdu.length).counter!)
  t.same(
    counters.map(({ value }) => value),
    [7, 7, 7],
  )
  // Fingerprint: the first four bytes of the SHA-256 of the encryption key.
  t.equal(counters[0]!.id, `${TITLE}/unicast/be45cb26`)
  t.equal(counters[1]!.id, `${TITLE}/broadcast/be45cb26`)
  t.equal(counters[2]!.id, '4b464d0000000001/unicast/be45cb26')
  const stored = Object.fromEntries(counters.map(({ id, value }) => [id, value]))
  const later = new Opener(ring, { ...STRICT, counters: stored })
  for (const apdu of telegrams) t.equal(result(later, apdu), 'CIPHER_REPLAY')
  t.equal(result(later, glo({ invocationCounter: 8 })), PUSH)
  const renewed = { keys: [key({ encryptionKey: OTHER })] }
  t.equal(
    open(glo({ encryptionKey: OTHER, invocationCounter: 0 }), renewed, { counters: stored }),
    PUSH,
    'a renewed key counts from the start',
  )
})

t.test('a meter that repeats its counter is opened where that was agreed', async t => {
  const opener = new Opener(RING, { ...STRICT, replay: 'none' })
  const same = glo({ invocationCounter: 0 })
  for (let i = 0; i < 3; i++) {
    const opened = opener.open(same, 0, same.length)
    t.same([plaintext(opened), opened.authenticated, opened.counter], [PUSH, true, undefined])
  }
})

t.test('nothing that was not proved moves or meets a counter', async t => {
  const highest = 0xffff_ffff
  const forged: [name: string, apdu: Uint8Array, found: string][] = [
    [
      'wrong tag',
      glo({ authenticationKey: OTHER, invocationCounter: highest }),
      'CIPHER_AUTH_FAILED',
    ],
    ['no tag', glo({ securityControl: 0x20, invocationCounter: highest }), PUSH],
    ['in clear', glo({ securityControl: 0x00, invocationCounter: highest }), PUSH],
    ['no tag, an old counter', glo({ securityControl: 0x20, invocationCounter: 1 }), PUSH],
  ]
  const opener = new Opener(RING, STRICT)
  t.equal(result(opener, glo({ invocationCounter: 10 })), PUSH)
  for (const [name, apdu, found] of forged) {
    t.equal(result(opener, apdu), found, name)
    if (found === PUSH) {
      const { authenticated, counter } = opener.open(apdu, 0, apdu.length)
      t.same([authenticated, counter], [false, undefined], name)
    }
  }
  t.equal(result(opener, glo({ invocationCounter: 11 })), PUSH, 'the meter is not locked out')

  const unchecked = new Opener(
    { keys: [key({ authenticationKey: null })] },
    { ...STRICT, authentication: 'optional' },
  )
  const apdu = glo({ invocationCounter: highest })
  const opened = unchecked.open(apdu, 0, apdu.length)
  t.same([opened.authenticated, opened.counter], [false, undefined], 'a tag passed over')
})

t.test(
  'no single wrong bit and no missing byte of a tagged telegram is taken for genuine',
  async t => {
    const general = encodeGeneralCiphering(CONTENT, sender(), {
      transactionId: fromHex('0102030405060708'),
      recipientTitle: fromHex('4d4d4d0000000001'),
    })
    const telegrams = [
      glo(),
      glo({ securityControl: 0x10 }),
      encodeGeneralDed(CONTENT, sender({ encryptionKey: OTHER })),
      general,
    ]
    const ring = { ...RING, dedicatedKey: OTHER }
    for (const apdu of telegrams) {
      let opened = 0
      for (let bit = 0; bit < apdu.length * 8; bit++) {
        const damaged = apdu.slice()
        damaged[bit >> 3]! ^= 1 << (bit & 7)
        try {
          if (new Opener(ring, STRICT).open(damaged, 0, damaged.length).authenticated)
            t.fail(`bit ${bit} is taken for genuine`)
          opened++
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error
        }
      }
      // The bit that says whether there is a tag: without it the tag stands behind the content as further bytes.
      t.ok(opened <= 1, `${opened} of ${apdu.length * 8} are opened unproven`)
      for (let length = 0; length < apdu.length; length++) {
        const { code } = refusal(new Opener(ring, STRICT), apdu.slice(0, length))
        if (code !== 'DATA_TRUNCATED' && code !== 'LINK_INCOMPLETE') t.fail(`${length}: ${code}`)
      }
    }
  },
)

t.test('any bytes give a plaintext or a DecodeError, and no more is held', async t => {
  const warnings: Error[] = []
  const note = (warning: Error) => warnings.push(warning)
  process.on('warning', note)
  const opener = new Opener({ ...RING, broadcastKey: OTHER, dedicatedKey: EK }, STRICT)
  const head = fc.constantFrom(fromHex(`db08${TITLE}`), fromHex('dc00'), fromHex('dd0000000000'))
  fc.assert(
    fc.property(head, fc.uint8Array({ maxLength: 80 }), (start, rest) => {
      result(opener, concat(start, rest))
      result(opener, concat(start, [rest.length], rest))
      return true
    }),
    { numRuns: 3000 },
  )
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 300 }),
      fc.nat(0xffff_ffff),
      fc.constantFrom(0x10, 0x11, 0x30, 0x31),
      (content, invocationCounter, securityControl) =>
        open(encodeGeneralGlo(content, sender({ invocationCounter, securityControl }))) ===
        toHex(content),
    ),
  )
  await new Promise(resolve => setImmediate(resolve))
  process.off('warning', note)
  t.same(warnings, [], 'no warning of the runtime')
})
