/** Protected APDUs: the examples of the Green Book, every protection there and back, damage, replay, the right key. */
import fc from 'fast-check'
import t from 'tap'
import { type Opened, Opener, type OpenerOptions } from '../src/dlms/cipher.ts'
import { type CipherKey, type KeyRing, NO_KEYS } from '../src/dlms/keys.ts'
import { DecodeError } from '../src/errors.ts'
import { asciiBytes, concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import {
  encodeGeneralCiphering,
  encodeGeneralDed,
  encodeGeneralGlo,
  type Protection,
} from '../src/sim/encode/general-glo.ts'

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
