import t from 'tap'
import type { DecoderEvent } from '../src/decoder.ts'
import { DecodeError, type DecodeErrorCode } from '../src/errors.ts'
import {
  diagnose,
  type Finding,
  type LineFacts,
  type LineStats,
  newLineStats,
  observeBytes,
  observeEvent,
} from '../src/line-health.ts'
import { reading } from './daemon-fakes.ts'

const FACTS: LineFacts = {
  silenceMs: 60_000,
  settingsTried: ['2400 8E1', '2400 8N1'],
  expectsAscii: false,
}

function good(length: number): DecoderEvent {
  return { type: 'reading', reading: reading({}, 0), offset: 0, length }
}

function bad(code: DecodeErrorCode, length = 40): DecoderEvent {
  return { type: 'rejected', error: new DecodeError(code, 0, 'x'), offset: 0, length }
}

function times(n: number, ...events: DecoderEvent[]): DecoderEvent[] {
  return Array.from({ length: n }, () => events).flat()
}

function lineOf(bytes: Uint8Array | string, ...events: DecoderEvent[]): LineStats {
  const chunk = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  return events.reduce(observeEvent, observeBytes(newLineStats(0), chunk, 59_000))
}

const NOISE = new Uint8Array(300).fill(0xf8)
const SIGNAL = { type: 'signal' } as DecoderEvent

const cases: [name: string, stats: LineStats, code: Finding['code'] | undefined, says?: RegExp][] =
  [
    ['nothing came', newLineStats(0), 'no_meter_data', /no bytes for 60 s.*closed or unplugged/],
    ['all is well', lineOf(NOISE, ...times(20, good(41), good(123))), undefined],
    ['one damaged telegram', lineOf(NOISE, good(41), bad('LINK_BAD_CHECKSUM')), undefined],
    ['a few bytes', lineOf('tail'), undefined],
    [
      'noise',
      lineOf(NOISE, ...times(3, bad('LINK_BAD_FORMAT'))),
      'no_valid_frames',
      /300 bytes and not one valid telegram at 2400 8E1, 2400 8N1: wrong baud rate or parity/,
    ],
    [
      'damaged frames only',
      lineOf(NOISE, ...times(9, bad('LINK_BAD_CHECKSUM'))),
      'no_valid_frames',
    ],
    [
      'short good, long damaged',
      lineOf(
        NOISE,
        ...times(3, good(44), good(44), good(44)),
        ...times(6, bad('LINK_BAD_CHECKSUM', 262)),
      ),
      'adapter_truncates',
      /9 telegrams of up to 128 bytes arrived whole, 6 of 6 longer ones damaged.*FC722/,
    ],
    [
      'one long telegram in ten survives',
      lineOf(NOISE, ...times(10, good(44), bad('LINK_INCOMPLETE', 262)), good(269)),
      'adapter_truncates',
    ],
    [
      'damage of every length',
      lineOf(
        NOISE,
        ...times(4, good(44), good(269), bad('LINK_BAD_CHECKSUM', 262), bad('LINK_BAD_CHECKSUM')),
      ),
      'frames_damaged',
      /8 of 16 telegrams/,
    ],
    [
      'unknown lists',
      lineOf(NOISE, ...times(2, bad('LIST_UNKNOWN'))),
      'meter_unknown',
      /ampacity capture/,
    ],
    ['no notification', lineOf(NOISE, ...times(2, bad('APDU_UNKNOWN'))), 'meter_unknown'],
    [
      'encrypted',
      lineOf(NOISE, bad('CIPHER_KEY_NEEDED')),
      'key_needed',
      /ask the grid company for the keys/,
    ],
    ['wrong key', lineOf(NOISE, ...times(2, bad('CIPHER_AUTH_FAILED'))), 'key_mismatch'],
    ['one forged telegram', lineOf(NOISE, good(44), bad('CIPHER_AUTH_FAILED')), undefined],
    [
      'a bridge that translates line ends',
      lineOf(
        '\x7e\x0d\x0a'.repeat(30),
        ...times(3, good(44)),
        ...times(2, bad('LINK_BAD_CHECKSUM', 269)),
      ),
      'crlf_bridge',
      /all 30 bytes 0a follow a 0d, and 2 telegrams were damaged/,
    ],
    [
      'line feeds of their own',
      lineOf('\x7e\x0a'.repeat(40), bad('LINK_BAD_CHECKSUM')),
      'no_valid_frames',
    ],
    [
      'ASCII telegrams',
      lineOf(
        '/KFM5KAIFA\r\n1-0:1.7.0(01.3*kW)\r\n!A6F9\r\n'.repeat(9),
        ...times(2, bad('LINK_BAD_FORMAT')),
      ),
      'p1_profile',
      /9 ASCII telegrams.*use the decoder p1 or auto/i,
    ],
    ['signals', lineOf(NOISE, SIGNAL, good(30)), undefined],
  ]
for (const [name, stats, code, says] of cases) {
  await t.test(name, async t => {
    const finding = diagnose(stats, FACTS, 60_000)
    t.equal(finding?.code, code)
    if (says !== undefined) t.match(finding?.detail, says)
  })
}

await t.test('the cut between chunks hides nothing', async t => {
  const text = Buffer.from('x\r\n/ADN9 6534\r\n'.repeat(10))
  const whole = observeBytes(newLineStats(0), text, 1)
  let single = newLineStats(0)
  for (const byte of text) single = observeBytes(single, Uint8Array.of(byte), 1)
  t.strictSame(single, whole)
  t.match(whole, { lineFeeds: 20, afterReturn: 20, asciiStarts: 10 })
})

await t.test('a decoder for ASCII telegrams expects them', async t => {
  const stats = lineOf('/KFM5KAIFA\r\n'.repeat(9), ...times(9, bad('LINK_BAD_CHECKSUM')))
  t.equal(diagnose(stats, { ...FACTS, expectsAscii: true }, 60_000)?.code, 'no_valid_frames')
})

await t.test('silence after bytes', async t => {
  t.match(diagnose(lineOf(NOISE, good(44)), FACTS, 120_000), {
    code: 'no_meter_data',
    detail: /for 61 s/,
  })
})
