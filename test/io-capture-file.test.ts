import { join } from 'node:path'
import t from 'tap'
import { AmpacityError, type ErrorCode } from '../src/errors.ts'
import {
  captureChunkLine,
  captureHeaderLine,
  type InputForm,
  loadRecording,
  parseRecording,
  readInput,
} from '../src/io/capture-file.ts'
import fc from './property.ts'

const HEADER = '{"capture":1,"started_at":"2026-01-05T11:00:00.000Z","source":"/dev/ttyUSB0"}\n'

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

const forms: [name: string, content: string | Uint8Array, form: string, hex: string][] = [
  [
    'hex digits with white space and comments',
    '# Aidon\n7E A0\r\n\t27 01 # id\n',
    'hex',
    '7ea02701',
  ],
  ['a byte split over two lines', '7\ne', 'hex', '7e'],
  ['hex with the mark of a text editor', '\ufeff7ea0', 'hex', '7ea0'],
  ['bytes', Uint8Array.of(0x7e, 0xa0, 0x00, 0xff), 'binary', '7ea000ff'],
  ['an ASCII telegram', '/KFM5KAIFA', 'binary', '2f4b464d354b41494641'],
  ['a recording', `${HEADER}{"at_ms":3,"hex":"7e"}\n{"at_ms":9,"hex":"A0"}\n`, 'capture', '7ea0'],
]
for (const [name, content, form, hex] of forms) {
  await t.test(`auto: ${name}`, async t => {
    const recording = parseRecording(typeof content === 'string' ? bytesOf(content) : content)
    t.equal(recording.form, form)
    t.equal(Buffer.from(recording.bytes).toString('hex'), hex)
    const joined = [...recording.chunks].map(chunk => Buffer.from(chunk.bytes).toString('hex'))
    t.equal(joined.join(''), hex, 'the chunks are the same bytes')
  })
}

const faults: [name: string, content: string, form: InputForm, code: ErrorCode, says: RegExp][] = [
  ['nothing', '', 'auto', 'INPUT_EMPTY', /holds no bytes/],
  ['only a comment', '# nothing\n', 'auto', 'INPUT_EMPTY', /holds no bytes/],
  ['a header alone', HEADER, 'auto', 'INPUT_EMPTY', /holds no bytes/],
  ['no hex', '7e a0\n7e xa\n', 'hex', 'INPUT_NOT_HEX', /f\.hex, line 2, column 4: found "x"/],
  ['half a byte', '7e\n7ea\n', 'hex', 'INPUT_NOT_HEX', /line 2: 5 hex digits/],
  ['another version', '{"capture":2}\n', 'auto', 'CAPTURE_INVALID', /line 1: found capture 2/],
  [
    'a cut line',
    `${HEADER}{"at_ms":0,"hex":"7e"}\n{"at_ms":1,"he`,
    'auto',
    'CAPTURE_INVALID',
    /line 3: .*cut off/,
  ],
  ['no instant', `${HEADER}{"hex":"7e"}`, 'auto', 'CAPTURE_INVALID', /line 2: found at_ms undef/],
  [
    'time going back',
    `${HEADER}{"at_ms":9,"hex":"7e"}\n{"at_ms":8,"hex":"7e"}`,
    'auto',
    'CAPTURE_INVALID',
    /line 3: at_ms goes back from 9 to 8/,
  ],
  ['half a byte', `${HEADER}{"at_ms":9,"hex":"7"}`, 'auto', 'CAPTURE_INVALID', /line 2: hex/],
  ['a number as line', `${HEADER}17`, 'auto', 'CAPTURE_INVALID', /line 2: found no JSON object/],
]
for (const [name, content, form, code, says] of faults) {
  await t.test(`${code}: ${name}`, async t => {
    try {
      parseRecording(bytesOf(content), form, 'f.hex')
      t.fail('accepted')
    } catch (error) {
      t.ok(error instanceof AmpacityError)
      t.match(error, { code, message: says })
    }
  })
}

await t.test('what is written is read back', async t => {
  const chunk = fc.record({ gapMs: fc.nat(20_000), bytes: fc.uint8Array({ minLength: 1 }) })
  fc.assert(
    fc.property(fc.array(chunk, { minLength: 1, maxLength: 8 }), list => {
      let atMs = 0
      const chunks = list.map(({ gapMs, bytes }) => {
        atMs += gapMs
        return { atMs, bytes }
      })
      const serial = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const
      const startedAt = '2026-01-05T11:00:00.000Z'
      const file = [
        captureHeaderLine({ startedAt, source: 'x', serial }),
        ...chunks.map(captureChunkLine),
      ]
      const read = parseRecording(bytesOf(file.join('')))
      t.strictSame(read.header, { startedAt, source: 'x', serial: { baud: 2400, format: '8E1' } })
      const back = [...read.chunks].map(c => ({ atMs: c.atMs, bytes: Uint8Array.from(c.bytes) }))
      t.strictSame(back, chunks)
    }),
    { numRuns: 50 },
  )
})

await t.test('a plain file arrives at 2400 baud, 11 bits a byte', async t => {
  const { chunks } = parseRecording(new Uint8Array((2400 / 11) * 11).fill(0x7e), 'binary')
  const list = [...chunks]
  t.equal(list[0]!.atMs, 5)
  t.equal(list.at(-1)!.atMs, 11_000)
  t.equal([...chunks].length, list.length, 'the chunks can be walked through again')
})

await t.test('files', async t => {
  const dir = t.testdir({
    'index.json': JSON.stringify({
      conventions: {},
      captures: [
        {
          id: 'a',
          file: 'timed.hex',
          chunks_ms_and_bytes: [
            [0, 2],
            [2008, 1],
          ],
        },
        { id: 'b', file: 'short.hex', chunks_ms_and_bytes: [[0, 9]] },
        { id: 'c', file: 'odd.hex', chunks_ms_and_bytes: [[0]] },
        { id: 'd', file: 'plain.hex' },
      ],
    }),
    'timed.hex': '7ea0\n27',
    'short.hex': '7ea027',
    'odd.hex': '7ea027',
    'plain.hex': '7ea027',
    other: { 'index.json': 'no json', 'plain.hex': '7ea027' },
  })
  const timed = await loadRecording(join(dir, 'timed.hex'))
  t.strictSame(
    [...timed.chunks].map(c => [c.atMs, c.bytes.length]),
    [
      [0, 2],
      [2008, 1],
    ],
  )
  for (const path of ['plain.hex', 'other/plain.hex'])
    t.equal(
      [...(await loadRecording(join(dir, path))).chunks].length,
      3,
      'no instants: by the line',
    )
  await t.rejects(loadRecording(join(dir, 'short.hex')), {
    code: 'CAPTURE_INVALID',
    message: /9 bytes, the file has 3/,
  })
  await t.rejects(loadRecording(join(dir, 'odd.hex')), {
    code: 'CAPTURE_INVALID',
    message: /pairs/,
  })
  await t.rejects(loadRecording(join(dir, 'none.hex')), {
    code: 'FILE_UNREADABLE',
    message: /no such file/,
  })
  await t.rejects(loadRecording(dir), { code: 'FILE_UNREADABLE', message: /folder/ })
})

await t.test('- is standard input', async t => {
  async function* stdin() {
    yield '7e'
    yield Buffer.from(' a0')
  }
  t.equal(Buffer.from(await readInput('-', stdin())).toString(), '7e a0')
  t.equal((await loadRecording('-', 'auto', stdin())).bytes.length, 2)
})
