import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import t from 'tap'
import { auto, decoders } from '../decoders/index.ts'
import { simulate as command } from '../src/commands/simulate.ts'
import { AmpacityError } from '../src/errors.ts'
import { isWithin, secondsOf } from '../src/sim/scenario.ts'
import { loadScenario, scenarioFrom, shippedScenarios } from '../src/sim/scenario-file.ts'
import { startOf } from '../src/sim/wall-time.ts'

const folder = mkdtempSync(join(tmpdir(), 'ampacity-scenario-'))
const file = (name: string, text: string): string => {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}
/** What is wrong, as the user reads it. */
function refusal(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    if (error instanceof AmpacityError) return `${error.code} ${error.message}`
    throw error
  }
  return 'accepted'
}

t.test('every shipped scenario can be loaded', async t => {
  const names = shippedScenarios()
  t.ok(names.length >= 35, `${names.length} scenarios`)
  t.same(names.slice(0, 15).join(''), 'ABCDEFGHIJKLMNP')
  for (const name of names) t.equal(loadScenario(name).id, name)
})

t.test('a file of three lines is the shipped one with a difference', async t => {
  const path = file(
    'mine.json',
    '{"extends":"B",\n"supply":{"rating_a":[35,35,35]},\n"charge_points":[{"max_a":10}]}',
  )
  const [mine, b] = [loadScenario(path), loadScenario('B')]
  t.equal(mine.id, 'mine')
  t.same(mine.loads, b.loads)
  t.same(mine.meter, b.meter)
  t.same(
    mine.devices.map(({ limitA }) => limitA),
    [35, 35, 35],
  )
  t.equal(mine.maxA, 10)
  t.equal(b.meter.intervalS, 10)
})

t.test('everything has a default', async t => {
  const { devices, meter, minA, maxA, seconds, loads, car } = scenarioFrom({})
  t.equal(devices.length, 3)
  t.equal(devices[0]!.limitA, 25)
  t.equal(meter.kind, 'periodic')
  t.same([minA, maxA, seconds, car.maxA], [6, 16, 86_400, 16])
  t.same(loads, [{ appliance: 'household' }])
})

t.test('every problem is told at once, each with its path', async t => {
  const bad = {
    suply: {},
    grid: 'TT',
    loads: [{ appliance: 'toaster' }, { appliance: 'kettle', watts: 5 }],
    meter: { kind: 'periodic', interval: 10, loss: 2 },
    start: '25:00',
    control: { t0: 5 },
  }
  const told = refusal(() => scenarioFrom(bad))
  for (const part of [
    'suply: unknown key; did you mean supply?',
    "grid: found 'TT', expected one of TN, IT",
    'loads.0.appliance: ',
    'loads.1.watts: unknown key',
    'meter.interval: unknown key',
    'meter.loss: found 2, expected a share from 0 to 1',
    "start: found '25:00'",
    'control.t0: unknown key',
  ])
    t.match(told, part)
})

const refused: [name: string, raw: unknown, told: RegExp][] = [
  ['unknown parent', { extends: 'Z' }, /extends: found 'Z', expected one of A, B/],
  ['limiter without bands', { supply: { device: 'limiter' } }, /supply\.bands: found nothing/],
  ['fuse with bands', { supply: { bands: [{ up_to_w: 3300 }] } }, /supply\.bands: found bands/],
  ['two lines', { supply: { rating_a: [25, 25] } }, /supply\.rating_a: .* one or three ratings/],
  ['two charge points', { charge_points: [{}, {}] }, /charge_points: .*one charge point/],
  ['not an object', [], /scenario: .*expected an object/],
]
for (const [name, raw, told] of refused)
  t.test(`refused: ${name}`, async t => {
    t.match(
      refusal(() => scenarioFrom(raw)),
      told,
    )
  })

t.test('files that are no scenario', async t => {
  t.match(
    refusal(() => loadScenario('nowhere')),
    /^FILE_UNREADABLE no scenario 'nowhere', there are A, B/,
  )
  const path = file('broken.json', '{"id":')
  t.match(
    refusal(() => loadScenario(path)),
    /^CONFIG_INVALID .*broken\.json: no JSON/,
  )
})

const rows = (times: readonly number[], head = 't_s,current_l1_a,current_l2_a,current_l3_a') =>
  [head, ...times.map(s => `${s},${(s / 600) % 10},2,-3`)].join('\n')
const every = (seconds: number, step: number): number[] =>
  Array.from({ length: Math.floor(seconds / step) + 1 }, (_, k) => k * step)

t.test('a recorded house takes the place of the generated one', async t => {
  const csv = file('house.csv', rows(every(7200, 60), 'zeit,i1,i2,i3').replaceAll(',', ';'))
  const columns = { t_s: 'zeit', current_l1_a: 'i1', current_l2_a: 'i2', current_l3_a: 'i3' }
  const { house, loads } = scenarioFrom({ extends: 'B', house: { csv, columns, scale: 2 } })
  t.same(loads, [])
  t.equal(house!.seconds, 7200)
  t.same([house!.amperes[0][659], house!.amperes[0][660]], [2, 2.200000047683716])
  t.same([house!.amperes[1][7199], house!.amperes[2][0]], [4, -6])
  const both = scenarioFrom({ house: { csv, columns }, loads: [{ appliance: 'kettle' }] })
  t.equal(both.loads.length, 1)
})

const badCsv: [name: string, text: string, told: RegExp][] = [
  ['short', rows(every(3000, 60)), /house\.csv: 3000 s long, at least 3600/],
  ['gap', rows([...every(3600, 60), 5000]), /row 63: a gap of 1400 s begins at 3600 s/],
  ['backwards', rows([...every(3600, 60), 100]), /row 63: 100 s follows 3600 s/],
  ['no column', rows(every(3600, 60), 't,a,b,c'), /no column 't_s', there are t, a, b, c/],
  ['words', `${rows(every(3600, 60))}\n3700,a,b,c`, /row 63: '3700,a,b,c' is no row/],
]
for (const [name, text, told] of badCsv)
  t.test(`a recording is refused and says where: ${name}`, async t => {
    const csv = file(`${name}.csv`, text)
    t.match(
      refusal(() => scenarioFrom({ house: { csv } })),
      told,
    )
  })

t.test('a recording that is not repeated has to last', async t => {
  const csv = file('once.csv', rows(every(7200, 60)))
  t.match(
    refusal(() => scenarioFrom({ house: { csv, repeat: false } })),
    /7200 s long and not to be repeated, expected 86400 s/,
  )
  t.equal(scenarioFrom({ hours: 2, house: { csv, repeat: false } }).seconds, 7200)
  t.match(
    refusal(() => scenarioFrom({ house: { csv: join(folder, 'none.csv') } })),
    /^FILE_UNREADABLE/,
  )
})

t.test('times of day', async t => {
  t.equal(secondsOf('18:30'), 66_600)
  const night = { fromS: secondsOf('23:00'), untilS: secondsOf('05:00') }
  t.same(
    [22, 23, 4, 5].map(hour => isWithin(night, hour * 3600)),
    [false, true, true, false],
  )
  t.ok(isWithin({ fromS: 0, untilS: secondsOf('24:00') }, 40_000), 'the whole day')
  t.equal(
    new Date(startOf('Europe/Oslo', secondsOf('12:00'))).toISOString(),
    '2026-01-14T11:00:00.000Z',
  )
  t.equal(new Date(startOf('UTC', 0)).toISOString(), '2026-01-14T00:00:00.000Z')
})

async function run(
  args: readonly string[],
): Promise<{ stdout: string; stderr: string; status: number }> {
  const text = { stdout: '', stderr: '' }
  const sink = (name: 'stdout' | 'stderr') =>
    Object.assign(
      new Writable({
        write(chunk, _encoding, done) {
          text[name] += chunk
          done()
        },
      }),
      { isTTY: name === 'stderr' },
    )
  const status = await command.run(args, {
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    stdin: (async function* () {})(),
    decoders: [auto, ...decoders],
    signal: new AbortController().signal,
  })
  return { ...text, status }
}

t.test('the command prints one object and writes a trace', async t => {
  const scenario = file('hour.json', '{"extends":"B","hours":1}')
  const trace = join(folder, 'trace.csv')
  const { stdout, stderr, status } = await run([
    scenario,
    '--seeds',
    '1..3',
    '--controller',
    'evcc-10',
    '--trace',
    trace,
  ])
  t.equal(status, 0)
  t.match(stderr, /3 of 3 days simulated\n$/)
  t.equal(stdout.split('\n').length, 2)
  const object = JSON.parse(stdout)
  t.same(Object.keys(object).sort(), [
    'above_int_s_max',
    'above_int_s_p95',
    'changes_per_hour',
    'clairvoyant_wh',
    'code_share',
    'controller',
    'cpu_s_per_day',
    'd_max',
    'days',
    'energy_ratio',
    'energy_wh',
    'overload_as',
    'reaction_ms_p99',
    'scenario',
    'seeds',
    'stops_per_day',
    'trips',
  ])
  t.match(object, { scenario: 'hour', controller: 'evcc-10', seeds: [1, 2, 3], days: 1, trips: 0 })
  const shares = Object.values(object.code_share as { [code: string]: number })
  t.ok(Math.abs(shares.reduce((a, b) => a + b, 0) - 1) < 1e-4)
  const lines = readFileSync(trace, 'utf8').trim().split('\n')
  t.equal(
    lines[0],
    't_s,base_l1_a,base_l2_a,base_l3_a,ev_l1_a,ev_l2_a,ev_l3_a,limit_a,code,limited_by,damage_l1,damage_l2,damage_l3',
  )
  t.equal(lines.length, 3601)
  t.equal(lines.at(-1)!.split(',').length, 13)
})

const wrong: [args: string[], code: string][] = [
  [['B', '--seed', 'x'], 'USAGE'],
  [['B', '--seeds', '3..1'], 'USAGE'],
  [['B', '--seed', '1', '--seeds', '1..2'], 'USAGE'],
  [['B', '--days', '0'], 'USAGE'],
  [['B', '--controller', 'nobody'], 'USAGE'],
  [[], 'USAGE'],
  [['B', '--trace', join(folder, 'no', 'trace.csv')], 'FILE_UNWRITABLE'],
  [['no-such-file.json'], 'FILE_UNREADABLE'],
]
for (const [args, code] of wrong)
  t.test(`wrong usage: ${args.join(' ')}`, async t => {
    await t.rejects(run(args), { code })
  })
