import t from 'tap'
import { amperes, floorToStep } from '../src/control/amperes.ts'
import { lineLimit, ratings, smallest, totalLimit } from '../src/control/limits.ts'
import type { DecisionCode, Limit } from '../src/control/model.ts'
import { ownShare } from '../src/control/own-share.ts'
import { type ControlConfig, controlParameters } from '../src/control/parameters.ts'
import { limitsOfSignal } from '../src/control/signal.ts'
import { cadence, heard } from '../src/control/staleness.ts'
import type { ControlState, FieldGroup } from '../src/control/state.ts'
import { initialState } from '../src/control/step.ts'
import type { AvailablePower } from '../src/reading.ts'
import { Core, currents } from './control-harness.ts'

const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

/** A core charging at 16 A with 4 A of house, its last reading at 0 s. */
function charging(config: ControlConfig = CONFIG): Core {
  const core = new Core(config)
  for (let s = -120; s <= 0; s++) {
    core.charger(s, core.cmd, { offeredA: core.cmd })
    if (s % 10 === 0) core.read(s, currents(4 + core.cmd, 4 + core.cmd, 4 + core.cmd))
  }
  return core
}

t.test('amperes come out without float noise', async t => {
  for (const [ma, text] of [
    [13_200, '13.2'],
    [13_270, '13.27'],
    [6000, '6'],
    [230_700, '230.7'],
  ] as const)
    t.equal(String(amperes(ma)), text)
  t.equal(floorToStep(13_270, 100), 13_200)
  t.equal(floorToStep(13_970, 1000), 13_000)
  t.equal(floorToStep(-5, 100), 0)
})

t.test('defaults', async t => {
  const p = controlParameters()
  t.match(p, {
    chargePoint: '1',
    phases: 3,
    minMa: 6000,
    maxMa: 32_000,
    stepMa: 100,
    marginMa: 100,
    failsafeMa: 0,
    validForS: 30,
    resendMs: 10_000,
  })
  t.strictSame(p.fuseMa, [25_000, 25_000, 25_000])
  t.strictSame(p.neverTripMa, [31_250, 31_250, 31_250])
  t.strictSame(
    controlParameters({ installation: { mainFuseA: 16, device: 'MCB-B', phases: 1 } }).neverTripMa,
    [18_080],
  )
  t.strictSame(
    controlParameters({ installation: { mainFuseA: [35, 25, 25], device: 'SLS-E' } }).neverTripMa,
    [36_750, 26_250, 26_250],
  )
  t.equal(controlParameters({ meter: { truncates: true } }).marginMa, 500)
  t.equal(controlParameters({ meter: { resolutionA: 1 } }).marginMa, 500)
  t.equal(
    controlParameters({ control: { failsafeA: 4 } }).failsafeMa,
    0,
    'nothing between 0 and the minimum',
  )
  t.equal(controlParameters({ chargePoint: { minA: 6.5, stepA: 1 } }).minMa, 7000)
  t.strictSame(controlParameters({ chargePoint: { phases: 1, lines: [1, 3] } }).lineOf, [0, 2])
})

t.test('the smallest limit wins and gives its name', async t => {
  const p = controlParameters({ installation: { mainFuseA: [35, 25, 20] } })
  const far = 1e9
  const site: Limit = { id: 'flex_window', perPhaseA: [30, 30, 18], expires: far }
  t.strictSame(
    [0, 1, 2]
      .map(line => lineLimit(p, [site], line))
      .map(({ id, ma, neverTripMa }) => [id, ma, neverTripMa]),
    [
      ['flex_window', 30_000, 30_000],
      ['main_fuse_l2', 25_000, 31_250],
      ['flex_window', 18_000, 18_000],
    ],
  )
  t.equal(totalLimit([site], 690), null)
  t.match(
    totalLimit(
      [
        { id: 'available_power', totalW: 6900, expires: far },
        { id: 'x', totalW: 9000, expires: far },
      ],
      690,
    ),
    { id: 'available_power', code: 'LIMIT_POWER', ma: 10_000 },
  )
  const own = ratings(
    p,
    [
      { id: 'section_14a', scope: 'chargePoint', totalW: 4200, expires: far },
      { id: 'cable', scope: 'chargePoint', perPhaseA: [20, 20, 20], expires: far },
    ],
    690,
  )
  t.match(smallest(own), { id: 'section_14a', code: 'LIMIT_14A', ma: 6086 })
  t.equal(
    smallest([
      { id: 'a', code: 'INIT', ma: 1 },
      { id: 'b', code: 'INIT', ma: 1 },
    ]).id,
    'a',
  )
})

t.test('limits come and go', async t => {
  const core = charging()
  core.feed(
    {
      type: 'limit',
      limit: { id: 'user', scope: 'chargePoint', perPhaseA: [10, 10, 10], expires: 60_000 },
    },
    1,
  )
  t.equal(core.cmd, 10, 'at once')
  t.match(core.commands.at(-1), { code: 'LIMIT_USER', limitedBy: 'user', at: 1000 })
  for (let s = 2; s < 100; s++) {
    core.charger(s, core.cmd)
    if (s % 10 === 0) core.read(s, currents(4 + core.cmd, 4, 4))
    if (s < 60) t.equal(core.cmd, 10)
  }
  t.equal(core.cmd, 16, 'expired')
  core.feed(
    {
      type: 'limit',
      limit: { id: 'user', scope: 'chargePoint', perPhaseA: [5, 5, 5], expires: 1e9 },
    },
    101,
  )
  t.match(core.last?.explanation, { limitA: 0, code: 'LIMIT_USER', limitedBy: 'user' })
})

t.test('a signal never grants more than the contract beyond its end', async t => {
  const signal = { source: 'x', receivedAt: 0, integrity: 'checksum' } as const
  const watts = (more: Partial<AvailablePower>) =>
    limitsOfSignal({ ...signal, availablePowerW: null, ...more }).map(({ id, totalW }) => [
      id,
      totalW,
    ])
  t.strictSame(watts({}), [])
  t.strictSame(watts({ availablePowerW: 5000 }), [['available_power', 5000]])
  t.strictSame(watts({ availablePowerW: Number.NaN, contractedPowerW: -1 }), [])
  const more = { availablePowerW: 5000, contractedPowerW: 3300 }
  t.strictSame(watts(more)[1], ['available_power', 5000])
  t.strictSame(watts({ ...more, validUntil: '2026-01-01T00:00:00Z' })[1], ['available_power', 3300])
})

t.test('limits in watts hold the whole connection', async t => {
  const core = new Core(CONFIG)
  core.feed(
    {
      type: 'signal',
      signal: {
        availablePowerW: 9200,
        contractedPowerW: 11_000,
        source: 'x',
        receivedAt: 0,
        integrity: 'checksum',
      },
    },
    0,
  )
  for (let s = 1; s < 100; s++) {
    core.charger(s, core.cmd)
    // 2300 W of house, all on line 1.
    if (s % 10 === 0)
      core.read(s, {
        ...currents(10 + core.cmd, core.cmd, core.cmd),
        activePowerImportW: 2300 + 690 * core.cmd,
      })
    else core.tick(s)
  }
  // (9200 - 2300) W / 690 W per ampere - 0.1 A
  t.equal(core.cmd, 9.9)
  t.match(core.last?.explanation, { code: 'LIMIT_POWER', limitedBy: 'available_power' })
  core.read(102.5, { activePowerImportW: 5300 + 690 * 9.9 })
  t.equal(core.cmd, 0, 'a power-only telegram is enough to cut')
})

const ladder: [ageS: number, cmd: number, code: DecisionCode][] = [
  [24, 16, 'OK_FULL'],
  [26, 16, 'OK_FULL'],
  [35, 16, 'OK_FULL'],
  [36, 6, 'STALE_MIN'],
  [60, 6, 'STALE_MIN'],
  [61, 0, 'STALE_FAILSAFE'],
]
t.test('the ladder of age', async t => {
  const core = charging()
  for (let s = 1; s <= 61; s++) {
    core.tick(s)
    const row = ladder.find(([ageS]) => ageS === s)
    if (row !== undefined)
      t.strictSame([core.cmd, core.last?.explanation.code], row.slice(1), `${s} s`)
  }
  t.match(core.last?.explanation, { limitedBy: 'stale', readingAgeS: 61 })
  core.read(70, currents(4, 4, 4))
  t.equal(core.cmd, 0, 'one reading is not enough')
  core.read(80, currents(4, 4, 4))
  t.equal(core.cmd, 0, 'and a pause lasts a minute')
  for (let s = 90; s <= 130; s += 10) core.read(s, currents(4, 4, 4))
  t.equal(core.cmd, 16)
})

t.test('after a silence two readings are needed, ticks or not', async t => {
  const core = charging()
  core.read(10, currents(30, 30, 30))
  const low = core.cmd
  core.read(200, currents(4 + low, 4 + low, 4 + low))
  t.ok(core.cmd <= low, 'the first one after it')
  core.charger(209, low)
  core.read(210, currents(4 + low, 4 + low, 4 + low))
  t.equal(core.cmd, 16)
})

t.test('charging resumes only with an ampere to spare', async t => {
  for (const [house, cmd] of [
    [18.4, 0],
    [17.9, 7],
  ] as const) {
    const core = new Core(CONFIG)
    for (let s = 0; s <= 100; s += 10) {
      core.charger(s, 0, { state: 'B' })
      core.read(s, currents(house, 4, 4))
    }
    t.equal(core.cmd, cmd)
  }
})

t.test('a fail-safe current is never more than what was offered', async t => {
  const core = charging({ ...CONFIG, control: { failsafeA: 6 } })
  for (let s = 1; s <= 100; s++) core.tick(s)
  t.equal(core.cmd, 6)
  const paused = new Core({ ...CONFIG, control: { failsafeA: 6 } })
  for (let s = 1; s <= 100; s++) paused.tick(s)
  t.equal(paused.cmd, 0)
})

t.test('a slow or late source is no present current', async t => {
  for (const meter of [{ cadenceS: 60 }, { cadenceS: 10, latencyS: 16 }]) {
    const core = new Core({ ...CONFIG, meter })
    for (let s = 0; s <= 600; s += 10) core.read(s, currents(1, 1, 1))
    t.equal(core.cmd, 0)
  }
})

t.test('the cadence is learned as the median', async t => {
  let group: FieldGroup = { at: null, intervals: [], usualMs: null }
  t.equal(cadence(group, null), 10_000)
  for (const at of [0, 2000, 4000, 8000, 10_000]) group = heard(group, at)
  t.equal(cadence(group, null), 2000, 'a lost telegram changes nothing')
  t.equal(cadence(group, 5000), 5000, 'configured')
  t.strictSame(heard(group, 1_000_000).intervals, group.intervals, 'an outage is no interval')
  for (const at of [10_100, 10_200, 10_300, 10_400, 10_500]) group = heard(group, at)
  t.equal(cadence(group, null), 1000, 'never below a second')
})

t.test('start: nothing before two readings', async t => {
  const core = new Core(CONFIG)
  t.strictSame(core.tick(1).commands, [], 'the charger may be heard yet')
  t.match(core.tick(5).commands, [
    { limitA: 0, code: 'INIT', limitedBy: 'stale', readingAgeS: null },
  ])
  t.equal(core.read(10, currents(4, 4, 4)).explanation.code, 'INIT')
  t.equal(core.cmd, 0)
  core.read(20, currents(4, 4, 4))
  t.equal(core.cmd, 16)
})

t.test('start: the first telegram is answered', async t => {
  const first = new Core(CONFIG).read(0, currents(4, 4, 4))
  t.match(first.commands, [
    { limitA: 0, code: 'INIT', headroomA: [20.9, 20.9, 20.9], readingAgeS: 0 },
  ])
})

t.test('start: a charge found running is held at the minimum', async t => {
  const core = new Core(CONFIG)
  core.charger(0, 13, { offeredA: 13 })
  t.match(core.commands, [{ limitA: 6, code: 'INIT' }])
  for (let s = 1; s <= 60; s++) core.tick(s)
  t.equal(core.cmd, 6)
  core.tick(61)
  t.equal(core.cmd, 0, 'not for ever')
  const offeredNothing = new Core(CONFIG)
  offeredNothing.charger(0, 0, { offeredA: 0 })
  t.equal(offeredNothing.cmd, 0)
  const idle = new Core(CONFIG)
  idle.charger(0, 0, { state: 'B', offeredA: 16 })
  t.equal(idle.cmd, 0)
  const resumed = new Core(CONFIG)
  resumed.charger(0, 6, { offeredA: 16 })
  for (const s of [1, 11, 21]) {
    resumed.charger(s, 6)
    resumed.read(s, currents(10, 10, 10))
  }
  t.equal(resumed.cmd, 16)
})

t.test('unchanged commands are sent again every ten seconds', async t => {
  const core = charging()
  const from = core.commands.length
  for (let s = 1; s <= 30; s++) core.tick(s)
  const again = core.commands.slice(from).filter(({ limitA }) => limitA === 16)
  t.ok(again.length >= 2 && again.length <= 4)
  const numbers = core.commands.map(({ seq }) => seq)
  t.strictSame(
    numbers,
    numbers.map((_, index) => numbers[0]! + index),
    'numbered without gaps',
  )
  t.ok(core.commands.every(({ validForS }) => validForS === 30))
  t.equal(initialState(core.parameters, 0, 1_700_000_000_000).seq, 1_700_000_000_000)
})

t.test('untrusted readings cut but do not raise', async t => {
  for (const [mayRaise, integrity] of [
    [false, 'checksum'],
    [true, 'none'],
  ] as const) {
    const core = new Core(CONFIG)
    for (let s = 0; s < 200; s += 10) core.read(s, currents(4, 4, 4), mayRaise, { integrity })
    t.equal(core.cmd, 0)
    const running = charging()
    running.read(10, currents(36, 20, 20), mayRaise, { integrity })
    t.equal(running.cmd, 6, 'ridden out at the minimum')
  }
})

t.test('a lower offer that lasts is someone else’s will', async t => {
  const core = charging()
  for (let s = 1; s <= 30; s++) {
    core.charger(s, 10, { offeredA: 10 })
    if (s % 10 === 0) core.read(s, currents(14, 14, 14))
    const external = core.last?.explanation.code === 'LIMIT_EXTERNAL'
    t.equal(external, s > 16, `${s} s`)
  }
  t.match(core.last?.explanation, { limitA: 16, limitedBy: 'external', text: /10\.0 A/ })
  core.charger(31, 16, { offeredA: 16 })
  t.equal(core.last?.explanation.code, 'OK_FULL')
})

t.test('a charger that ignores a cut', async t => {
  const core = charging()
  core.read(10, currents(32, 20, 20))
  t.equal(core.cmd, 8.9)
  const sent = core.commands.length
  const codes: Record<number, string> = {}
  for (let s = 11; s <= 40; s++) {
    core.charger(s, 16, { offeredA: 16 })
    codes[s] = core.last!.explanation.code
    if (s === 19) t.ok(core.commands.length >= sent + 2, 'said again')
  }
  t.equal(codes[19], 'LIMIT_FUSE_L1')
  t.equal(codes[21], 'CHARGER_IGNORES')
  t.match(core.last?.explanation, { limitA: 0, code: 'CHARGER_IGNORES', limitedBy: 'charger' })
  core.charger(41, 0, { offeredA: 0 })
  t.not(core.last?.explanation.code, 'CHARGER_IGNORES', 'over when it obeys')
})

t.test('a vehicle that takes more than offered gets less of the lines', async t => {
  const core = charging()
  for (let s = 1; s <= 120; s++) {
    core.charger(s, core.cmd + 0.6)
    if (s % 10 === 0) core.read(s, currents(14 + core.cmd + 0.6, 4, 4))
  }
  t.equal(core.state.overdrawMa, 600)
  t.equal(core.cmd, 10.3, '25 - 0.1 - 14 - 0.6')
})

/** State with reports of one current per second, the last at 0 s. */
function drawing(
  p: ReturnType<typeof controlParameters>,
  draw: (s: number) => number,
  last = 0,
): ControlState {
  const telemetry = Array.from({ length: 40 }, (_, n) => n - 39 + last).map(s => ({
    at: s * 1000,
    ma: [draw(s) * 1000, draw(s) * 1000, draw(s) * 1000] as const,
    charging: true,
  }))
  return { ...initialState(p, -100_000), telemetry }
}

t.test('own share: at the sample, not now', async t => {
  const p = controlParameters({ ...CONFIG, meter: { latencyS: 10 } })
  const settled = ownShare(
    p,
    drawing(p, s => (s > -4 ? 16 : 8)),
    0,
  )
  t.match(settled, { settled: true, metered: true, nearestMa: [8000, 8000, 8000] })
  const moving = ownShare(
    p,
    drawing(p, s => (s > -8 ? 16 : 8)),
    0,
  )
  t.match(moving, { settled: false, mostMa: [16_000, 16_000, 16_000], leastMa: [8000, 8000, 8000] })
})

t.test('own share: a raise newer than the newest report', async t => {
  const p = controlParameters({ ...CONFIG, meter: { latencyS: 0 } })
  const quiet = drawing(p, () => 8, -1)
  t.equal(ownShare(p, quiet, 0).settled, true)
  const raise = {
    at: -3000,
    fromMa: 8000,
    toMa: 12_000,
    fromRest: false,
    capMa: 20_000,
    lineMa: [],
    followed: false,
  }
  const raised = { ...quiet, cmdMa: 12_000, raise }
  t.strictSame(ownShare(p, raised, 0).mostMa, [12_000, 12_000, 12_000], 'may already follow')
  t.strictSame(
    ownShare(p, { ...raised, raise: { ...raise, at: -10_000 } }, 0).mostMa,
    [8000, 8000, 8000],
  )
})

t.test('own share: lines', async t => {
  const single = controlParameters({ chargePoint: { phases: 1, lines: [1, 3] } })
  const at = {
    ...initialState(single, 0),
    telemetry: [{ at: 0, ma: [9000, 0, 0] as const, charging: true }],
  }
  t.strictSame(ownShare(single, at, 1000).nearestMa, [9000, 0, 9000])
  const turned = controlParameters({ chargePoint: { lines: [2, 3, 1] } })
  const three = {
    ...initialState(turned, 0),
    telemetry: [{ at: 0, ma: [1, 2, 3] as const, charging: true }],
  }
  t.strictSame(ownShare(turned, three, 1000).nearestMa, [3, 1, 2])
})

t.test('own share without a meter in the charge point', async t => {
  const p = controlParameters({
    ...CONFIG,
    chargePoint: { metered: false },
    meter: { latencyS: 0 },
  })
  const state = (charging: boolean): ControlState => ({
    ...initialState(p, 0),
    commands: [
      [0, 0],
      [10_000, 8000],
      [20_000, 12_000],
    ],
    telemetry: [{ at: 5000, ma: null, charging }],
  })
  t.match(ownShare(p, state(true), 30_000), {
    metered: false,
    settled: true,
    nearestMa: [12_000, 12_000, 12_000],
  })
  t.match(ownShare(p, state(true), 22_000), {
    settled: false,
    leastMa: [8000, 8000, 8000],
    mostMa: [12_000, 12_000, 12_000],
  })
  t.match(ownShare(p, state(false), 30_000), { settled: true, mostMa: [0, 0, 0] })
})

t.test('without a meter in the charge point', async t => {
  /** A vehicle that takes at most `most`, house of 4 A and from 100 s on `later`. */
  const drive = (most: number, later: number, until: number) => {
    const core = new Core({ ...CONFIG, chargePoint: { maxA: 16, metered: false } })
    const offers: number[] = []
    for (let s = 0; s <= until; s++) {
      const car = Math.min(most, offers[s - 3] ?? 0)
      core.charger(s, null, { state: 'C' })
      if (s % 10 === 0) {
        const line = (s >= 100 ? later : 4) + car
        core.read(s, currents(line, line, line))
      }
      offers.push(core.cmd)
    }
    return core
  }
  const normal = drive(32, 4, 300)
  t.equal(normal.cmd, 16)
  const persisting = drive(9, 23, 140)
  t.ok(persisting.cmd <= 6, 'an overload that persists after a cut: the vehicle was drawing less')
  const unfollowed = new Core({ ...CONFIG, chargePoint: { metered: false } })
  for (let s = 0; s <= 300; s += 10) {
    unfollowed.charger(s, null, { state: 'C' })
    // 19 A of house at first, then 4 A, and a vehicle that never takes more than 6 A.
    const house = s < 60 ? 12 : 4
    unfollowed.read(s, currents(house + Math.min(6, unfollowed.cmd), 5, 5))
  }
  const raises = unfollowed.commands.filter((c, n, all) => n > 0 && c.limitA > all[n - 1]!.limitA)
  t.ok(raises.length <= 3, 'no raise on a raise that the meter did not show')
})

t.test('every explanation says something', async t => {
  const core = charging()
  const seen = new Map<string, string>()
  for (let s = 1; s < 900; s++) {
    core.charger(s, core.cmd)
    const house = s % 300 < 30 ? 12 : s % 300 < 60 ? 20 : s % 300 < 100 ? 30 : 4
    if (s % 10 === 0 && s % 300 < 200) core.read(s, currents(house + core.cmd, 4, 4))
    const { code, text } = core.last!.explanation
    seen.set(code, text)
  }
  for (const code of [
    'OK_FULL',
    'LIMIT_FUSE_L1',
    'RIDE_THROUGH',
    'PAUSED_NO_CAPACITY',
    'STALE_MIN',
    'STALE_FAILSAFE',
  ])
    t.ok(seen.has(code), code)
  for (const text of seen.values()) t.match(text, /^[A-Z].*\d.*\.$/)
  t.notMatch([...seen.values()].join(' '), /NaN|undefined|null|Infinity/)
})
