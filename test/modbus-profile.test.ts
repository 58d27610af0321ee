/** Profile files: what is taken, what is refused, and what the refusal says. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { AmpacityError } from '../src/errors.ts'
import { atConnector } from '../src/io/modbus/connector.ts'
import { loadProfile, shippedProfileIds, shippedProfiles } from '../src/io/modbus/profile-files.ts'
import { parseChargerProfile } from '../src/io/modbus/profile-schema.ts'
import { planReads } from '../src/io/modbus/read-plan.ts'

/** The least a maker has to say. */
const MINE = {
  schema: 1,
  profile: 'my-box',
  title: 'My Box',
  transport: { kinds: ['tcp'], unit: 7, minGapMs: 50 },
  limit: {
    write: { address: '0x0010', type: 'uint16', fc: 6, scale: 0.1 },
    min: 6,
    max: 16,
    step: 0.1,
    storage: 'volatile',
    readback: null,
  },
  pause: { kind: 'zero' },
  deadMan: 'none',
  keepalive: { kind: 'none' },
  evidence: ['my own register table'],
  verified: 'none',
}

type Json = { [key: string]: unknown }

/** A copy with a value put at a path; `undefined` removes it. */
function changed(path: string, value: unknown): Json {
  const copy = structuredClone(MINE) as Json
  const keys = path.split('.')
  const last = keys.pop()!
  const parent = keys.reduce<Json>((at, key) => {
    at[key] ??= {}
    return at[key] as Json
  }, copy)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return copy
}

const DEVICE = {
  ...MINE,
  deadMan: 'device',
  keepalive: { kind: 'any', everyS: 5 },
  failsafe: {
    timeout: { least: 10, most: 600, defaultS: 60 },
    current: { least: 6, most: 16, zeroAllowed: true, defaultA: null },
  },
}

await t.test('a small file is a whole profile', async t => {
  const parsed = parseChargerProfile(MINE)
  t.ok(parsed.ok, JSON.stringify(parsed))
  if (!parsed.ok) return
  const { limit, transport, read, require, stored } = parsed.value
  t.equal(limit.write.address, 16, 'hexadecimal as manuals print it')
  t.equal(transport.port, 502)
  t.equal(transport.wordOrder, 'big')
  t.strictSame([read.blocks, require, stored], [[], [], []])
  t.ok(parseChargerProfile(DEVICE).ok)
})

const REFUSED: readonly [what: string, raw: unknown, path: string, message: RegExp][] = [
  ['nothing', null, 'profile', /expected a mapping with schema, profile/],
  ['an unknown key', changed('limit.maximum', 16), 'limit.maximum', /unknown key/],
  [
    'a misspelt key',
    changed('transport.minGapMS', 1),
    'transport.minGapMS',
    /did you mean minGapMs/,
  ],
  ['an unknown key of a pause', changed('pause.onn', 1), 'pause.onn', /expected one of kind, fc/],
  [
    'an address beyond the table',
    changed('limit.write.address', 70_000),
    'limit.write.address',
    /from 0 to 65535/,
  ],
  [
    'an address of a manual',
    changed('limit.write.address', '4x0010'),
    'limit.write.address',
    /0x4100/,
  ],
  [
    'no title',
    changed('title', undefined),
    'title',
    /found nothing, expected what the box is called/,
  ],
  ['another edition', changed('schema', 2), 'schema', /found 2, expected 1/],
  ['no source of the facts', changed('evidence', []), 'evidence', /at least one source/],
  [
    'a box that cannot pause',
    changed('pause', { kind: 'none' }),
    'pause.kind',
    /cannot be protected/,
  ],
  ['a claim', changed('verified', 'yes'), 'verified', /one of none, bench, field/],
  [
    'a minimum above the maximum',
    changed('limit.min', 20),
    'limit.min',
    /at most max, which is 16/,
  ],
  [
    'a limit that does not fit',
    changed('limit.write.scale', 0.0001),
    'limit.write.scale',
    /expected at least max/,
  ],
  [
    'function 6 for two registers',
    changed('limit.write.type', 'float32'),
    'limit.write.fc',
    /found 6, expected 16: float32 takes 2/,
  ],
  [
    'a coil function for a register',
    changed('limit.write.fc', 5),
    'limit.write.fc',
    /expected 5 for a coil/,
  ],
  ['a limit that wears out', changed('stored', [[0, 100]]), 'limit.write.address', /wears out/],
  [
    'a stored limit without an interval',
    changed('limit.storage', 'flash'),
    'limit.minWriteIntervalS',
    /at least 10/,
  ],
  [
    'a serial box without line settings',
    changed('transport.kinds', ['rtu']),
    'transport.serial',
    /baud and format/,
  ],
  [
    'a read longer than the box allows',
    changed('transport.maxReadWords', 1),
    'read.power.type',
    /at most maxReadWords/,
  ],
  [
    'a dead man that nothing keeps alive',
    changed('deadMan', 'device'),
    'keepalive.kind',
    /found none, expected any/,
  ],
  [
    'a dead man without a fail-safe',
    changed('deadMan', 'device'),
    'failsafe',
    /expected timeout and current/,
  ],
  ['a fail-safe without a dead man', { ...DEVICE, deadMan: 'none' }, 'failsafe', /deadMan is none/],
  [
    'a pause that is none',
    changed('pause', { kind: 'mode', write: { address: 1, type: 'uint16', fc: 6 }, on: 1, off: 1 }),
    'pause.off',
    /another value than on/,
  ],
  [
    'a life sign of an unknown time-out',
    {
      ...DEVICE,
      keepalive: {
        kind: 'token',
        write: { address: 2, type: 'uint16', fc: 6 },
        value: 'timeout',
        everyS: 5,
      },
    },
    'failsafe.timeout.read',
    /writes the time-out again/,
  ],
]

await t.test('what is wrong is named with its place and what would be right', async t => {
  for (const [what, raw, path, message] of REFUSED) {
    const power = { address: 9, type: 'uint32' }
    const given = path.startsWith('read.power') ? { ...(raw as Json), read: { power } } : raw
    const parsed = parseChargerProfile(given)
    t.notOk(parsed.ok, what)
    if (parsed.ok) continue
    const found = parsed.problems.find(problem => problem.path === path)
    t.match(found?.message ?? JSON.stringify(parsed.problems), message, what)
  }
  t.equal(REFUSED.length, 24)
})

await t.test('every problem at once', async t => {
  const raw = { ...changed('title', ''), verified: 'yes', colour: 'red' }
  const parsed = parseChargerProfile(raw)
  t.equal(parsed.ok ? 0 : parsed.problems.length, 3)
})

await t.test('shipped profiles: complete, named after their files, claimed by nobody', async t => {
  const profiles = shippedProfiles()
  t.equal(profiles.length, 21)
  t.strictSame(
    profiles.map(({ profile }) => profile),
    shippedProfileIds(),
  )
  for (const { profile, verified, evidence, notes, deadMan } of profiles) {
    t.equal(verified, 'none', profile)
    t.ok(evidence.length > 0 && notes.length > 0, profile)
    t.match(deadMan, /^(device|none)$/)
  }
})

await t.test("a maker's own file, beside the configuration", async t => {
  const dir = t.testdir()
  writeFileSync(join(dir, 'my-box.json'), JSON.stringify(MINE))
  writeFileSync(join(dir, 'my-box.yaml'), `# a comment\n${JSON.stringify(MINE, null, 1)}`)
  t.equal((await loadProfile('./my-box.json', dir)).transport.unit, 7)
  t.equal((await loadProfile('my-box.yaml', dir)).title, 'My Box')
  t.equal((await loadProfile(join(dir, 'my-box.json'), '/nowhere')).limit.write.address, 16)

  writeFileSync(join(dir, 'bad.json'), JSON.stringify(changed('limit.max', 'much')))
  writeFileSync(join(dir, 'other.json'), JSON.stringify(MINE))
  writeFileSync(join(dir, 'cut.json'), '{"schema": 1,')
  const codes: readonly [name: string, code: string, message: RegExp][] = [
    [
      './bad.json',
      'PROFILE_INVALID',
      /bad\.json: one problem\n {2}limit\.max: found 'much', expected/,
    ],
    ['./other.json', 'PROFILE_INVALID', /found 'my-box', expected 'other', the name of the file/],
    ['./cut.json', 'PROFILE_INVALID', /cut\.json: one problem/],
    ['./gone.json', 'FILE_UNREADABLE', /gone\.json/],
    ['keba', 'PROFILE_UNKNOWN', /there are abb-terra-ac, .*keba-p30/],
  ]
  for (const [name, code, message] of codes) {
    const error = await loadProfile(name, dir).then(
      () => undefined,
      (caught: unknown) => caught,
    )
    t.ok(error instanceof AmpacityError && error.code === code, `${name}: ${error}`)
    t.match(String(error), message)
    t.equal((error as AmpacityError).exitStatus, 2)
  }
})

await t.test('the second connector of a controller has its registers further up', async t => {
  const charx = await loadProfile('phoenix-charx', '.')
  const second = atConnector(charx, 2)
  t.equal(charx.limit.write.address, 1301)
  t.equal(second.limit.write.address, 2301)
  t.equal(second.read.state?.address, 2299)
  t.equal(second.pause.kind === 'zero' ? 0 : second.pause.write.address, 2300)
  t.equal(atConnector(charx, 1), charx)
})

await t.test(
  'reads: the block of the profile, neighbours together, never across what a box forbids',
  async t => {
    const plan = async (id: string) => {
      const profile = await loadProfile(id, '.')
      const { state, currents, power, temperature } = profile.read
      const registers = [state, ...(currents ?? []), power, temperature].flatMap(r =>
        r ? [r] : [],
      )
      return planReads(profile, registers).map(({ address, words }) => [address, words])
    }
    t.strictSame(await plan('heidelberg-ec'), [[5, 14]])
    t.strictSame(await plan('keba-p30'), [
      [1000, 2],
      [1008, 2],
      [1010, 2],
      [1012, 2],
      [1020, 2],
    ])
    t.strictSame(await plan('alfen-ng9xx'), [
      [320, 6],
      [344, 2],
      [1201, 5],
    ])
    t.strictSame(await plan('vestel-evc04'), [
      [1001, 1],
      [1008, 1],
      [1010, 1],
      [1012, 1],
      [1020, 2],
    ])
  },
)
