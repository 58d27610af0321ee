/** `chargers`, `output-safe` and outputs in the configuration: what is listed, what is refused, what is left behind. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { outputsOf } from '../src/commands/outputs.ts'
import { parseConfig } from '../src/config.ts'
import { AmpacityError } from '../src/errors.ts'
import { systemClock } from '../src/io/clock.ts'
import { shippedProfiles } from '../src/io/modbus/profile-files.ts'
import { runCli } from './run-cli.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const PROFILES = `${ROOT}src/io/profiles/`

t.test('chargers: one line a box', async t => {
  const { status, stdout } = await runCli(['chargers'])
  t.equal(status, 0)
  const [heading, ...rows] = stdout.trimEnd().split('\n')
  t.match(heading, /^id +transport +dead man +pause +phases +verified +title$/)
  t.equal(rows.length, shippedProfiles().length)
  t.match(
    rows.find(row => row.startsWith('vestel')),
    /^vestel-evc04 +tcp +device 20 s +zero +idle-only +none +Vestel EVC04/,
  )
  t.ok(Math.max(...rows.map(row => row.length)) < 180)

  const { lines } = await runCli(['chargers', '--format', 'jsonl'])
  t.equal(lines.length, rows.length)
  t.match(
    lines.find(({ id }) => id === 'go-e'),
    {
      title: 'go-e Charger Gemini, V3, PRO',
      transport: ['tcp'],
      min_a: 6,
      max_a: 32,
      step_a: 1,
      pause: 'mode',
      phases: 'idle-only',
      readback: true,
      ev_meter: 'per-phase',
      dead_man: 'none',
      dead_man_timeout_s: null,
      stored: false,
      verified: 'none',
    },
  )
})

t.test("chargers: a maker's own file, and a bad one", async t => {
  const dir = t.testdir()
  const mine = JSON.parse(readFileSync(`${PROFILES}go-e.json`, 'utf8'))
  writeFileSync(join(dir, 'mine.json'), JSON.stringify({ ...mine, profile: 'mine', title: 'Mine' }))
  writeFileSync(join(dir, 'bad.json'), JSON.stringify({ ...mine, profile: 'bad', pause: 'yes' }))
  const good = await runCli(['chargers', join(dir, 'mine.json'), '--format', 'jsonl'])
  t.match(good.lines, [{ id: 'mine', title: 'Mine' }])
  const bad = await runCli(['chargers', join(dir, 'bad.json')])
  t.equal(bad.status, 2)
  t.match(bad.stderr, /PROFILE_INVALID: .*bad\.json: one problem\n {2}pause: found 'yes', expected/)
  t.equal((await runCli(['chargers', 'no-such-box'])).status, 2)
})

const WRONG: readonly [what: string, output: string, problem: RegExp][] = [
  ['no type', '{id: a}', /outputs\.0\.type: .*found nothing, expected one of file, modbus/],
  ['another type', '{id: a, type: smoke}', /outputs\.0\.type: .*found 'smoke'/],
  [
    'a key of another type',
    '{id: a, type: file, path: /x, unit: 1}',
    /outputs\.0\.unit: .*unknown key, expected one of id, type, path, chargePoint/,
  ],
  [
    'a misspelt key',
    '{id: a, type: modbus, profile: go-e, host: h, allow_stored: true}',
    /did you mean allowStored/,
  ],
  [
    'no way to the box',
    '{id: a, type: modbus, profile: go-e}',
    /outputs\.0: .*expected one of host and serial/,
  ],
  [
    'two ways to the box',
    '{id: a, type: modbus, profile: go-e, host: h, serial: /dev/x}',
    /one of host and serial/,
  ],
  [
    'line settings of a network',
    '{id: a, type: modbus, profile: go-e, host: h, baud: 9600}',
    /outputs\.0\.baud: .*found 9600, expected it with serial only/,
  ],
  [
    'a port of a line',
    '{id: a, type: modbus, profile: heidelberg-ec, serial: /dev/x, port: 502}',
    /outputs\.0\.port: .*with host only/,
  ],
  [
    'a unit that does not exist',
    '{id: a, type: modbus, profile: go-e, host: h, unit: 300}',
    /from 0 to 255/,
  ],
]

t.test('what is wrong with an output is said with its place', async t => {
  for (const [what, output, problem] of WRONG) {
    const parsed = parseConfig(`outputs:\n  - ${output}\n`)
    t.notOk(parsed.ok, what)
    const said = parsed.ok ? '' : parsed.problems.map(p => `${p.path}: ${p.message}`).join('\n')
    t.match(said, problem, what)
  }
  t.equal(WRONG.length, 9)
})

/** The outputs of a configuration in a folder, or why there are none. */
async function make(folder: string, ...outputs: string[]) {
  const parsed = parseConfig(`outputs:\n${outputs.map(output => `  - ${output}\n`).join('')}`)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return outputsOf(parsed.value, join(folder, 'home.yaml'), systemClock)
}

t.test('outputs are made as they are configured', async t => {
  const dir = t.testdir()
  const mine = JSON.parse(readFileSync(`${PROFILES}keba-p40.json`, 'utf8'))
  const stored = {
    ...mine,
    profile: 'stored',
    limit: { ...mine.limit, storage: 'flash', minWriteIntervalS: 60 },
  }
  writeFileSync(join(dir, 'stored.json'), JSON.stringify(stored))
  const outputs = await make(
    dir,
    '{id: a, type: modbus, profile: go-e, host: 192.0.2.1}',
    '{id: b, type: modbus, profile: heidelberg-ec, host: 192.0.2.2, unit: 2}',
    '{id: c, type: modbus, profile: heidelberg-ec, serial: /dev/ttyX, baud: 9600}',
    '{id: d, type: modbus, profile: ./stored.json, host: 192.0.2.3, allowStored: true}',
    '{id: e, type: file, path: /x}',
  )
  t.strictSame(
    outputs.map(({ id }) => id),
    ['a', 'b', 'c', 'd', 'e'],
  )
  const refused: readonly [output: string, code: string, message: RegExp][] = [
    [
      '{id: a, type: modbus, profile: ./stored.json, host: h}',
      'CONFIG_INVALID',
      /outputs\.a\.allowStored: found nothing, expected true.*register 5004, which is stored.*wait 60 s/,
    ],
    [
      '{id: a, type: modbus, profile: go-e, serial: /dev/ttyX}',
      'CONFIG_INVALID',
      /outputs\.a\.serial: .*go-e has no serial line/,
    ],
    ['{id: a, type: modbus, profile: ./gone.json, host: h}', 'FILE_UNREADABLE', /gone\.json/],
    ['{id: a, type: modbus, profile: gone, host: h}', 'PROFILE_UNKNOWN', /no profile 'gone'/],
  ]
  for (const [output, code, message] of refused) {
    const error = await make(dir, output).catch((caught: unknown) => caught)
    t.ok(error instanceof AmpacityError && error.code === code, `${output}: ${error}`)
    t.match(String(error), message)
  }
})

t.test('output-safe: what it needs, and a pause in a file', async t => {
  t.equal((await runCli(['output-safe'])).status, 2)
  const dir = t.testdir()
  const path = join(dir, 'limit.json')
  const config = join(dir, 'home.yaml')
  const outputs = `outputs: [{id: box, type: file, path: ${path}, chargePoint: garage}]\n`
  writeFileSync(config, outputs)
  const { status, stdout } = await runCli(['output-safe', '--config', config])
  t.equal(status, 0)
  t.equal(stdout, 'box: pause\n')
  const limit = JSON.parse(readFileSync(path, 'utf8'))
  t.match(limit, {
    charge_point: 'garage',
    limit_a: 0,
    code: 'STALE_FAILSAFE',
    limited_by: 'stale',
  })
  const set = ['--set', 'control.failsafeA=8']
  t.equal((await runCli(['output-safe', '--config', config, ...set])).stdout, 'box: 8 A\n')
  t.equal(JSON.parse(readFileSync(path, 'utf8')).limit_a, 8)
  t.ok(JSON.parse(readFileSync(path, 'utf8')).seq >= limit.seq)

  writeFileSync(
    config,
    `outputs: [{id: box, type: file, path: ${join(dir, 'gone', 'limit.json')}}]\n`,
  )
  const failed = await runCli(['output-safe', '--config', config], [], AbortSignal.timeout(300))
  t.equal(failed.status, 1)
  t.match(failed.stdout, /^box: not reached: /)
})

t.test('systemd calls it when the agent has ended in whatever way', async t => {
  const unit = readFileSync(`${ROOT}systemd/ampacity@.service`, 'utf8')
  const start = /^ExecStart=(.*) run --config (.*)$/m.exec(unit)
  const after = /^ExecStopPost=-(.*) output-safe --config (.*)$/m.exec(unit)
  t.ok(start && after)
  t.strictSame(after?.slice(1), start?.slice(1), 'the same program, the same configuration')
})

t.test('the guide knows every box, with its class and its line', async t => {
  const guide = readFileSync(`${ROOT}docs/wallboxes.md`, 'utf8')
  const rows = [...guide.matchAll(/^\| `([a-z0-9-]+)` \|(.*)\|$/gm)]
    .map(([, id, rest]) => [id!, ...rest!.split('|').map(cell => cell.trim())] as const)
    .filter(cells => cells.length === 9)
  t.strictSame(
    rows.map(([id]) => id),
    shippedProfiles().map(({ profile }) => profile),
  )
  for (const profile of shippedProfiles()) {
    const [id, , line, deadMan, , , , , step] = rows.find(([name]) => name === profile.profile)!
    t.equal(deadMan, profile.deadMan, id)
    t.equal(step, `${profile.limit.step} A`, id)
    t.match(line, new RegExp(`\\b${profile.transport.unit}\\b`), id)
    const { serial } = profile.transport
    if (serial !== undefined) t.match(line, `${serial.baud} ${serial.format}`, id)
  }
})

t.test("the guide's smallest profile is one", async t => {
  const guide = readFileSync(`${ROOT}docs/wallboxes.md`, 'utf8')
  const [, example] = /```json\n([\s\S]*?)```/.exec(guide)!
  const path = join(t.testdir(), 'my-box.json')
  writeFileSync(path, example!)
  t.equal((await runCli(['chargers', path])).status, 0)
  const [, config] = /```yaml\n([\s\S]*?)```/.exec(guide)!
  t.ok(parseConfig(config!).ok, JSON.stringify(parseConfig(config!)))
})
