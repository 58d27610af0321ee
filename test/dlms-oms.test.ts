/** AMIS TD-351x: the telegram printed by the operator, keys, records, damage. */
import t from 'tap'
import { isoLocal } from '../src/dlms/date-time.ts'
import type { KeyRing } from '../src/dlms/keys.ts'
import { OmsOpener, type OmsTelegram } from '../src/dlms/oms.ts'
import { DecodeError } from '../src/errors.ts'
import { MbusLink } from '../src/link/mbus.ts'
import { concat, fromHex, toHex } from '../src/sim/encode/bytes.ts'
import { encodeLongFrame } from '../src/sim/encode/mbus-encoder.ts'
import { type AmisValues, encodeAmisRecords, encodeOms } from '../src/sim/encode/oms-encoder.ts'
import { captureBytes, dlmsCaptures } from './dlms-captures.ts'
import fc from './property.ts'

const KEY = fromHex('00112233445566778899aabbccddeeff')
const OTHER = fromHex('0f0e0d0c0b0a09080706050403020100')
const ADDRESS = '785634122d4c010e'
const SENDER = {
  identification: fromHex('78563412'),
  manufacturer: 'SAM',
  version: 1,
  medium: 14,
  accessNumber: 7,
  key: KEY,
}
const ring = (encryptionKey: Uint8Array, systemTitle = '*'): KeyRing => ({
  keys: [{ systemTitle, encryptionKey, authenticationKey: null }],
})
const VALUES: AmisValues = {
  local: '2026-02-28T23:59:58',
  importWh: 4_294_967_295,
  exportWh: 1,
  importVarh: 2,
  exportVarh: 3,
  importW: 4321,
  exportW: 0,
  importVar: 5,
  exportVar: 6,
  balanceWh: -7,
}

function open(user: Uint8Array, keys: KeyRing = ring(KEY)): OmsTelegram | string {
  const bytes = concat([1, 2, 3], user)
  try {
    return new OmsOpener(keys).open(bytes, 3, bytes.length)
  } catch (error) {
    if (error instanceof DecodeError) return error.code
    throw error
  }
}

const captures = dlmsCaptures()
const skip = typeof captures === 'string' ? captures : false
t.test('the telegram of the operator, read and written', { skip }, async t => {
  const capture = (captures as Exclude<typeof captures, string>).find(
    c => c.transport === 'mbus-oms',
  )!
  const frame = captureBytes(capture)
  const keys = ring(fromHex(capture.keys!.ek!))
  const telegrams: OmsTelegram[] = []
  const link = new MbusLink(
    {
      information: ({ kind, bytes, start, end }) => {
        t.equal(kind, 'oms')
        telegrams.push(new OmsOpener(keys).open(bytes, start, end))
      },
      rejected: error => t.fail(error.message),
    },
    8192,
  )
  link.push(frame, 0)
  const [telegram] = telegrams
  const { expected } = capture
  const [message] = expected.messages
  t.equal(isoLocal(telegram!.clock!), message.meter_time.local)
  t.same(
    Object.fromEntries(telegram!.registers.map(({ obis, value, unit }) => [obis, { value, unit }])),
    message.registers,
  )
  const { access_number, status } = expected.framing.frames[0]
  t.same([telegram!.accessNumber, telegram!.status], [access_number, status])
  t.same([telegram!.identification, telegram!.manufacturer], ['00000000', 'SAM'])

  const records = fromHex(expected.plaintext)
  const user = encodeOms(records.subarray(2), {
    ...SENDER,
    identification: new Uint8Array(4),
    accessNumber: access_number,
  })
  t.equal(toHex(encodeLongFrame(concat([0x53, 0xf0], user))), toHex(frame))
})

t.test('what is encoded is read again', async t => {
  const telegram = open(encodeOms(encodeAmisRecords(VALUES), SENDER)) as OmsTelegram
  t.equal(isoLocal(telegram.clock!), VALUES.local)
  t.same([telegram.identification, telegram.manufacturer], ['12345678', 'SAM'])
  t.same(
    telegram.registers.map(({ obis, value, unit }) => `${obis} ${value} ${unit}`),
    [
      '1-0:1.8.0*255 4294967295 Wh',
      '1-0:2.8.0*255 1 Wh',
      '1-0:3.8.1*255 2 varh',
      '1-0:4.8.1*255 3 varh',
      '1-0:1.7.0*255 4321 W',
      '1-0:2.7.0*255 0 W',
      '1-0:3.7.0*255 5 var',
      '1-0:4.7.0*255 6 var',
      '1-0:1.128.0*255 -7 Wh',
    ],
  )
  const noClock = encodeOms(fromHex('066d000000000000'), SENDER)
  t.equal((open(noClock) as OmsTelegram).clock, undefined, 'month 0')
})

t.test('keys, modes and records that cannot be', async t => {
  const records = encodeAmisRecords(VALUES)
  const user = encodeOms(records, SENDER)
  const suite2: KeyRing = ring(concat(KEY, KEY))
  const two: KeyRing = { keys: [...ring(OTHER).keys, ...ring(KEY).keys] }
  const refused: [name: string, user: Uint8Array, keys: KeyRing, code: string][] = [
    ['no key', user, { keys: [] }, 'CIPHER_KEY_NEEDED'],
    ['a key of another meter', user, ring(KEY, '00000000000000ff'), 'CIPHER_KEY_NEEDED'],
    ['a key of 32 bytes', user, suite2, 'CIPHER_KEY_NEEDED'],
    ['a wrong key', user, ring(OTHER), 'CIPHER_AUTH_FAILED'],
    ['another access number', user.with(9, 8), ring(KEY), 'DATA_UNKNOWN_TAG'],
    [
      'a record of two bytes',
      encodeOms(fromHex('02fd460900'), SENDER),
      ring(KEY),
      'DATA_UNKNOWN_TAG',
    ],
    ['mode 7', user.with(12, 7), ring(KEY), 'CIPHER_UNSUPPORTED'],
    ['no blocks', user.with(11, 0), ring(KEY), 'DATA_TRUNCATED'],
    ['too many blocks', user.with(11, 0xf0), ring(KEY), 'DATA_TRUNCATED'],
    ['half a header', user.subarray(0, 12), ring(KEY), 'DATA_TRUNCATED'],
    [
      'a record cut',
      encodeOms(fromHex('2f2f2f2f2f2f2f2f2f2f0403010000'), SENDER).subarray(0, 29).with(11, 0x10),
      ring(KEY),
      'DATA_TRUNCATED',
    ],
    ['a record of any size', encodeOms(fromHex('0d780161'), SENDER), ring(KEY), 'DATA_UNKNOWN_TAG'],
  ]
  for (const [name, bytes, keys, code] of refused) t.equal(open(bytes, keys), code, name)
  t.equal(typeof open(user, ring(KEY, ADDRESS)), 'object', 'a key for this address')
  t.equal(typeof open(user, two), 'object', 'the second of two keys')
})

t.test('any bytes give a telegram or a DecodeError', async t => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), records => {
      open(encodeOms(records, SENDER))
      open(records)
      return true
    }),
    { numRuns: 2000 },
  )
  t.pass('2000 runs')
})
