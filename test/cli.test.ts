/** The command line as a user types it: output, messages, exit statuses. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { bytesOfHex, type Recording, recordingBytes, recordings } from './captures.ts'
import { runCli } from './run-cli.ts'

const FIXTURES = fileURLToPath(new URL('../fixtures/norway/', import.meta.url))
const fixture = (id: string): string => `${FIXTURES}${id}.constructed.hex`
const bytesOf = (id: string): Uint8Array => bytesOfHex(readFileSync(fixture(id), 'utf8'))
const folder = mkdtempSync(join(tmpdir(), 'ampacity-'))
const file = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

t.test('decode: one telegram, one line', async t => {
  const { status, lines, stderr } = await runCli(['decode', fixture('aidon-6534-list2')])
  t.equal(status, 0)
  t.equal(stderr, '')
  t.equal(lines.length, 1)
  t.match(lines[0], {
    type: 'reading',
    decoder: 'no-aidon',
    offset: 0,
    length: bytesOf('aidon-6534-list2').length,
    integrity: 'checksum',
    meter: { maker: 'aidon', model: '6534', grid: 'TN' },
    registers: { '1-0:1.7.0*255': { unit: 'W' } },
  })
})

t.test('decode: the same from hex, binary and standard input, cut anywhere', async t => {
  const bytes = bytesOf('noise-between')
  const expected = (await runCli(['decode', fixture('noise-between')])).stdout
  const hex = Buffer.from(bytes).toString('hex')
  t.equal((await runCli(['decode', file('b.bin', bytes)])).stdout, expected, 'binary')
  t.equal((await runCli(['decode', '-'], [hex])).stdout, expected, 'hex on standard input')
  t.equal(
    (await runCli(['decode', '--input', 'hex', '-'], [hex.slice(0, 7), hex.slice(7)])).stdout,
    expected,
  )
  const pieces = Array.from({ length: bytes.length }, (_, i) => bytes.subarray(i, i + 1))
  t.equal((await runCli(['decode'], pieces)).stdout, expected, 'byte by byte on standard input')
})

t.test('decode: spans cover the input without overlap', async t => {
  let visited = 0
  for (const id of [
    'joined-mid-frame',
    'shared-flags',
    'fill-flags',
    'truncated-then-good',
    'truncated-at-end',
    'crlf-translated',
    'noise-between',
    'false-header',
    'segmented',
    'first-segment-missing',
    'last-segment-missing',
    'truncating-adapter',
    'wrong-fcs',
    'zero-padding',
  ]) {
    const { lines } = await runCli(['decode', fixture(id)])
    let at = 0
    for (const { offset, length } of lines) {
      t.equal(offset, at, `${id}: no gap before ${offset}`)
      at = offset + length
    }
    t.equal(at, bytesOf(id).length, `${id}: to the end`)
    visited++
  }
  t.equal(visited, 14)
})

t.test('decode: fill alone, and nothing', async t => {
  const fill = await runCli(['decode', '--input', 'hex', '-'], ['7e7e0d0a00'])
  t.match(fill.lines, [{ type: 'rejected', code: 'LINK_BAD_FORMAT', offset: 0, length: 5 }])
  t.equal(fill.status, 1)
  const empty = await runCli(['decode', file('empty', '')])
  t.equal(empty.status, 1)
  t.match(empty.stderr, /^ampacity: INPUT_EMPTY: /)
})

t.test('decode: LLC PDUs without HDLC are recognised and not protected', async t => {
  const { lines, status } = await runCli(['decode', fixture('llc-aidon-6534-list2')])
  t.equal(status, 0)
  t.match(lines, [{ type: 'reading', integrity: 'none', decoder: 'no-aidon' }])
  const piped = await runCli(['decode'], [bytesOf('llc-aidon-6534-list2')])
  t.same(piped.lines, lines, 'also through a pipe')
})

t.test('decode: repair only where asked for', async t => {
  t.equal((await runCli(['decode', fixture('crlf-translated')])).status, 1)
  const { lines, status } = await runCli(['decode', '--repair', 'crlf', fixture('crlf-translated')])
  t.equal(status, 0)
  t.equal(lines.filter(l => l.notes?.includes('repaired_crlf')).length, 1)
})

t.test('decode: a decoder by its id reads its own lists only', async t => {
  const { lines, status } = await runCli([
    'decode',
    '--decoder',
    'no-kaifa',
    fixture('aidon-6534-list2'),
  ])
  t.equal(status, 1)
  t.match(lines, [{ type: 'rejected', code: 'LIST_UNKNOWN' }])
})

t.test('decode: table and explanation', async t => {
  const table = await runCli(['decode', '--format', 'table', fixture('aidon-6525-list2')])
  t.match(table.stdout, /offset decoder .*import/)
  t.match(table.stdout, /no-aidon .* W .* ~[\d.]+ A/, 'a derived current is marked')
  const rejected = await runCli(['decode', '--format', 'table', fixture('wrong-fcs')])
  t.match(rejected.stdout, /LINK_BAD_CHECKSUM: frame checksum/)
  const explained = await runCli(['decode', '--format', 'explain', fixture('kaifa-ma304h3e-list1')])
  t.match(explained.stdout, /frame checksum \(FCS\), right/)
  t.match(explained.stdout, /double-long-unsigned \d+/)
  const damaged = await runCli(['decode', '--format', 'explain', fixture('wrong-fcs')])
  t.match(damaged.stdout, /frame checksum 0x[0-9a-f]+ sent, 0x[0-9a-f]+ computed/)
  const live = await runCli(['decode', '--format', 'table'], [bytesOf('shared-flags')])
  t.equal(live.stdout.trim().split('\n').length, 4)
})

const mistakes: [args: string[], status: number, message: RegExp][] = [
  [[], 2, /ampacity decode/],
  [['frobnicate'], 2, /USAGE: unknown command 'frobnicate', there are run, decode/],
  [['decode', '--frob'], 2, /USAGE: Unknown option '--frob'/],
  [['decode', 'a', 'b'], 2, /USAGE: unexpected argument 'b'/],
  [['decode', '--format', 'xml', 'a'], 2, /USAGE: --format xml: expected jsonl, table, explain/],
  [['decode', '--repair', 'all', 'a'], 2, /USAGE: --repair all: expected crlf/],
  [['decode', join(folder, 'missing')], 2, /FILE_UNREADABLE: .*missing/],
  [['decode', folder], 2, /FILE_UNREADABLE/],
  [
    ['decode', '--decoder', 'no-such', 'a'],
    2,
    /DECODER_UNKNOWN: no decoder 'no-such', there are auto, no-aidon/,
  ],
  [['decode', '--input', 'hex', file('nothex', 'zz')], 2, /INPUT_NOT_HEX/],
  [['replay'], 2, /USAGE: FILE is missing/],
  [['replay', '--speed', '0', fixture('aidon-6534-list2')], 2, /USAGE: --speed 0/],
  [
    ['replay', '--set', 'installation.mainFuseA=99999', fixture('aidon-6534-list2')],
    2,
    /CONFIG_INVALID: [\s\S]*mainFuseA: found 99999/,
  ],
  [['replay', '--set', 'instalation.mainFuseA=20', fixture('aidon-6534-list2')], 2, /did you mean/],
  [['replay', file('bad.jsonl', '{"capture":1}\n{"at_ms":"x"}\n')], 2, /CAPTURE_INVALID: .*line 2/],
  [['capture'], 2, /USAGE: expected one of --serial, --tcp, --chain2gate, --sinapsi/],
  [['capture', '--serial', '/dev/ampacity-none'], 1, /PORT_MISSING: .*ampacity-none/],
  [['capture', '--serial', '/dev/null'], 1, /PORT_UNUSABLE/],
  [['capture', '--serial', 'x', '--line', '8X1'], 2, /USAGE: line format 8X1/],
  [['capture', '--tcp', 'nowhere'], 2, /USAGE: address nowhere: expected host:port/],
  [['capture', '--tcp', 'localhost:1', '--seconds=-3'], 2, /USAGE: --seconds -3/],
  [['run', '--demo', 'mars'], 2, /USAGE: no demo 'mars', there are norway/],
  [['run', '--config', join(folder, 'missing.yaml')], 2, /FILE_UNREADABLE/],
  [
    ['run', '--config', file('none.yaml', 'device: {id: x}\n')],
    2,
    /CONFIG_INVALID: meter.source: nothing found/,
  ],
  [
    [
      'run',
      '--config',
      file('bad.yaml', 'meter: {source: {serial: x, tcp: y}}\ninstallation: {mainFuse: 3}\n'),
    ],
    2,
    /CONFIG_INVALID[\s\S]*mainFuse/,
  ],
  [
    ['run', '--config', file('opt.yaml', 'meter: {source: {serial: x}, options: {grid: XX}}\n')],
    2,
    /CONFIG_INVALID: grid: found "XX"/,
  ],
]
t.test(
  'mistakes: one message that says what was found and what to do, and the right status',
  async t => {
    for (const [args, status, message] of mistakes) {
      const result = await runCli(args)
      const name = `ampacity ${args.join(' ').replaceAll(folder, '…')}`
      t.equal(result.status, status, name)
      t.match(result.stderr, message)
      t.notMatch(result.stderr, /\n\s+at /, 'no stack trace')
      t.equal(result.stdout, '')
    }
  },
)

t.test('help of every command fits one screen and shows an example', async t => {
  const overview = await runCli(['--help'])
  t.equal(overview.status, 0)
  const names = [...overview.stdout.matchAll(/^ {2}ampacity ([\w-]+)/gm)].map(m => m[1]!)
  t.same(names, [
    'run',
    'decode',
    'replay',
    'capture',
    'simulate',
    'decoders',
    'chargers',
    'output-safe',
  ])
  for (const name of names) {
    const { stdout, status } = await runCli([name, '--help'])
    t.equal(status, 0)
    t.ok(stdout.split('\n').length <= 24, name)
    t.match(stdout, /Example: {2}/)
  }
  t.match((await runCli(['--version'])).stdout, /^\d+\.\d+\.\d+\n$/)
})

t.test('decoders', async t => {
  const { lines } = await runCli(['decoders', '--format', 'jsonl'])
  t.same(
    lines.map(l => l.id),
    [
      'auto',
      'no-aidon',
      'no-kaifa',
      'no-kamstrup',
      'dlms-push',
      'p1',
      'sml',
      'it-chain2gate',
      'it-sinapsi',
      'it-chain2',
      'json-map',
    ],
  )
  t.match((await runCli(['decoders'])).stdout, /no-kaifa +Kaifa.*2400 8E1, 2400 8N1/)
})

const EVENING = `${FIXTURES}evening-aidon-6534.jsonl`
t.test('replay: readings and decisions, the same every time', async t => {
  const first = await runCli(['replay', EVENING])
  t.equal(first.status, 0)
  const decisions = first.lines.filter(l => l.type === 'decision')
  t.equal(decisions[0].code, 'INIT')
  t.ok(decisions.some(d => d.limit_a >= 6))
  let at = 0
  for (const line of first.lines) {
    t.ok(Number.isInteger(line.at_ms) && line.at_ms >= at, 'in the order of the recording')
    at = line.at_ms
  }
  const firstReading = first.lines.findIndex(l => l.type === 'reading')
  t.equal(
    first.lines[firstReading + 1].type,
    'decision',
    'the first decision comes with the first telegram',
  )
  t.equal((await runCli(['replay', EVENING])).stdout, first.stdout)
  const small = await runCli(['replay', EVENING, '--set', 'installation.mainFuseA=16'])
  const limits = small.lines.filter(l => l.type === 'decision').map(d => d.limit_a)
  t.ok(Math.max(...limits) < 16, 'a smaller fuse gives smaller limits')
})

t.test('replay: at the pace of the recording', async t => {
  const chunks = [0, 120].map(at_ms =>
    JSON.stringify({ at_ms, hex: Buffer.from(bytesOf('aidon-6534-list2')).toString('hex') }),
  )
  const path = file('two.jsonl', `${['{"capture":1}', ...chunks].join('\n')}\n`)
  const before = performance.now()
  t.equal(
    (await runCli(['replay', path, '--speed', '1'])).lines.filter(l => l.type === 'reading').length,
    2,
  )
  t.ok(performance.now() - before >= 119)
})

const found = recordings('norway')
if (typeof found === 'string') t.test('timed recordings', { skip: found }, async () => {})
else
  t.test(
    'timed recordings: a reading is out with its last byte, and the run repeats itself',
    async t => {
      const root = fileURLToPath(new URL('../../shared/captures/norway/', import.meta.url))
      for (const id of ['timed-kaifa-ma304h3e', 'timed-kamstrup-6841121']) {
        const recording = found.find(c => c.id === id) as Recording
        const { lines, stdout, status } = await runCli(['replay', `${root}${recording.file}`])
        const readings = lines.filter(l => l.type === 'reading')
        t.equal(readings.length, recording.expected.valid_frames, id)
        t.equal(status, lines.some(l => l.type === 'rejected') ? 1 : 0)
        // Each chunk's end, so that a telegram's instant is that of the chunk with its last byte.
        let sum = 0
        const ends = recording.chunks_ms_and_bytes!.map(([ms, count]) => {
          sum += count
          return [ms, sum] as const
        })
        t.equal(sum, recordingBytes('norway', recording).length)
        for (const { offset, length, at_ms } of readings) {
          const chunk = ends.find(([, end]) => end >= offset + length)!
          if (at_ms !== chunk[0]) t.fail(`${id}: telegram at ${offset} is late`)
        }
        t.ok(lines.filter(l => l.type === 'decision').length > 0)
        t.equal((await runCli(['replay', `${root}${recording.file}`])).stdout, stdout, 'identical')
      }
    },
  )

t.test('run: the simulated homes speak and are commanded', async t => {
  const stop = new AbortController()
  const running = runCli(['run', '--demo', 'aidon'], [], stop.signal)
  setTimeout(() => stop.abort(), 4000).unref()
  const { stdout, status } = await running
  t.equal(status, 0)
  t.match(stdout, /no-aidon: import \d+ W, L1/)
  t.match(stdout, /limit 0 A \(INIT\)/)
  t.match(stdout, /safe current back/)
})
