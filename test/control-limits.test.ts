/** Limits of grid, contract, law and charge point: schedules, expiry, and what they mean in amperes. */
import t from 'tap'
import type { ChargerStatus, DecisionCode, Limit } from '../src/control/model.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { inForce } from '../src/control/schedule.ts'
import { limitsOfSignal } from '../src/control/signal.ts'
import { epochMs } from '../src/control/wall.ts'
import { Core, currents } from './control-harness.ts'

const FAR = Number.MAX_SAFE_INTEGER
const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

t.test('times without a clock', async t => {
  for (const iso of [
    '1970-01-01T00:00:00Z',
    '2024-02-29T12:30:15Z',
    '2026-11-21T14:07:24.123Z',
    '2027-03-01T00:00:00+01:00',
    '1999-12-31T23:59-0530',
  ])
    t.equal(epochMs(iso), Math.floor(Date.parse(iso) / 1000) * 1000, iso)
  for (const iso of ['', '2026-11-21', '2026-11-21T14:07:24', 'noon']) t.equal(epochMs(iso), null)
})

t.test('a window applies 20 s early and 30 s longer', async t => {
  const at = 1_800_000_000_000
  const limit: Limit = {
    id: 'flex_window',
    totalW: 11_000,
    expires: FAR,
    windows: [{ fromMs: at, untilMs: at + 3_600_000, totalW: 4000 }],
  }
  const watts = (ms: number, more: Partial<Limit> = {}) =>
    inForce({ limits: [{ ...limit, ...more }], wall: { at: 0, ms: at + ms } }, 0)[0]?.totalW
  t.equal(watts(-20_001), 11_000)
  t.equal(watts(-20_000), 4000)
  t.equal(watts(3_630_000), 4000)
  t.equal(watts(3_630_001), 11_000)
  t.equal(watts(-60_000, { guardS: { before: 60, after: 60 } }), 4000)
  const none = inForce({ limits: [limit], wall: null }, 0)
  t.strictSame(none, [{ id: 'flex_window', totalW: 4000, expires: FAR }], 'no clock: the smallest')
  const { totalW: _, ...bare } = limit
  const outside = inForce({ limits: [bare], wall: { at: 0, ms: at - 100_000 } }, 0)
  t.strictSame(outside, [{ id: 'flex_window', expires: FAR }], 'nothing outside it')
})

t.test('a higher window begins late and ends early', async t => {
  const at = 1_800_000_000_000
  const windows = [
    { fromMs: at, untilMs: at + 100_000, perPhaseA: [10, 10, 10] as const },
    { fromMs: at + 100_000, untilMs: at + 200_000, perPhaseA: [20, 12, 20] as const },
  ]
  const limit: Limit = { id: 'flex_window', perPhaseA: [16, 16, 16], expires: FAR, windows }
  const amperes = (ms: number) =>
    inForce({ limits: [limit], wall: { at: 0, ms: at + ms } }, 0)[0]?.perPhaseA
  t.strictSame(amperes(110_000), [10, 10, 10])
  t.strictSame(amperes(140_000), [20, 12, 20])
  t.strictSame(amperes(190_000), [16, 12, 16])
})

t.test('a limit that expires falls back to its own value', async t => {
  const limit: Limit = {
    id: 'section_14a',
    scope: 'chargePoint',
    totalW: 11_000,
    expires: 1000,
    onExpiry: { totalW: 4200 },
  }
  t.match(inForce({ limits: [limit], wall: null }, 1000), [{ totalW: 4200 }])
  t.match(inForce({ limits: [limit], wall: null }, 999), [{ totalW: 11_000 }])
})

t.test('a schedule cuts with a tick, before its time', async t => {
  const start = 1_800_000_000_000
  const core = new Core(CONFIG)
  const windows = [{ fromMs: start + 200_000, untilMs: FAR, perPhaseA: [12, 12, 12] as const }]
  core.feed({ type: 'limit', limit: { id: 'flex_window', windows, expires: FAR } }, 0)
  for (let s = 0; s < 190; s++) {
    core.charger(s, core.cmd)
    if (s % 10 === 9) core.read(s, currents(4 + core.cmd, 4 + core.cmd, 4 + core.cmd))
    core.feed({ type: 'tick', wallMs: start + s * 1000 }, s)
    if (s > 30) t.equal(core.cmd, s < 180 ? 16 : 7.9, `${s} s`)
  }
  t.match(core.last?.explanation, { code: 'LIMIT_FLEX_WINDOW', limitedBy: 'flex_window' })
})

t.test('a signal with a time counts in it', async t => {
  const signal = { source: 'x', receivedAt: 0, integrity: 'checksum' } as const
  const [, available] = limitsOfSignal({
    ...signal,
    availablePowerW: 6000,
    contractedPowerW: 3300,
    validFrom: '2027-01-15T08:00:00Z',
    validUntil: '2027-01-15T09:00:00Z',
  })
  const at = Date.parse('2027-01-15T08:00:00Z')
  const watts = (ms: number | null) =>
    inForce({ limits: [available!], wall: ms === null ? null : { at: 0, ms } }, 0)[0]?.totalW
  t.equal(watts(at), 3300)
  t.equal(watts(at + 31_000), 6000)
  t.equal(watts(at + 3_590_000), 3300)
  t.equal(watts(null), 3300)
})

/** Charges with 4 A of house; the charge point reports more of itself. */
function charging(config: ControlConfig, more: Partial<ChargerStatus>, volts = 230): Core {
  const core = new Core(config)
  for (let s = 0; s < 200; s++) {
    core.charger(s, core.cmd, s > 100 ? more : {})
    const line = 4 + core.cmd
    const u = { voltageL1V: volts, voltageL2V: volts, voltageL3V: volts }
    if (s % 10 === 9)
      core.read(s, { ...currents(line, line, line), ...u, activePowerImportW: 3 * volts * line })
    else core.tick(s)
  }
  return core
}

const own: [more: Partial<ChargerStatus>, cmd: number, code: DecisionCode, by: string][] = [
  [{ cableA: 13 }, 13, 'LIMIT_CABLE', 'cable'],
  [{ maxA: 10 }, 10, 'OK_FULL', 'charger'],
  [{ temperatureC: 60 }, 16, 'OK_FULL', 'charger'],
  [{ temperatureC: 67.5 }, 11, 'LIMIT_TEMP', 'temperature'],
  [{ temperatureC: 77 }, 6, 'LIMIT_TEMP', 'temperature'],
  [{ temperatureC: 81 }, 0, 'LIMIT_TEMP', 'temperature'],
  [{ temperatureC: Number.NaN, cableA: null }, 16, 'OK_FULL', 'charger'],
]
for (const [more, cmd, code, by] of own) {
  t.test(`charge point: ${JSON.stringify(more)}`, async t => {
    const core = charging(CONFIG, more)
    t.equal(core.cmd, cmd)
    t.match(core.last?.explanation, { code, limitedBy: by })
  })
}

t.test('too hot lasts until it has cooled down', async t => {
  const core = charging(CONFIG, { temperatureC: 81 })
  core.charger(201, 0, { temperatureC: 66 })
  t.equal(core.state.isHot, true)
  core.charger(202, 0, { temperatureC: 64 })
  t.equal(core.state.isHot, false)
})

t.test('14a: the measured voltage decides whether 6 A fit', async t => {
  for (const [volts, cmd] of [
    [230, 6],
    [235, 0],
  ] as const) {
    const core = charging(CONFIG, {}, volts)
    const limit: Limit = { id: 'section_14a', scope: 'chargePoint', totalW: 4200, expires: FAR }
    core.feed({ type: 'limit', limit }, 200)
    t.equal(core.cmd, cmd, `${volts} V`)
    t.match(core.last?.explanation, { code: 'LIMIT_14A', limitedBy: 'section_14a' })
  }
})

t.test('14a: a car on one phase has all of it', async t => {
  const core = new Core({ ...CONFIG, chargePoint: { maxA: 32, lines: [1, 2, 3] } })
  const limit: Limit = { id: 'section_14a', scope: 'chargePoint', totalW: 4200, expires: FAR }
  core.feed({ type: 'limit', limit }, 0)
  for (let s = 1; s < 400; s++) {
    core.charger(s, [core.cmd, 0, 0])
    if (s % 10 === 9) core.read(s, { ...currents(4 + core.cmd, 4, 4), voltageL1V: 230 })
    else core.tick(s)
  }
  t.equal(core.cmd, 18.2)
})

t.test('the contract as configured', async t => {
  const config = { ...CONFIG, installation: { ...CONFIG.installation, contractedPowerW: 9200 } }
  const core = charging(config, {})
  t.equal(core.cmd, 9.2, '9200 W / 690 - 4 - 0.1')
  t.match(core.last?.explanation, { code: 'LIMIT_POWER', limitedBy: 'contracted_power' })
})

t.test('unbalance counts where one line alone is loaded', async t => {
  const chargePoint = { phases: 1 as const, lines: [2], maxA: 32 }
  const installation = { grid: 'TN' as const, mainFuseA: 35, unbalanceA: 20 }
  const core = new Core({ ...CONFIG, installation, chargePoint })
  for (let s = 1; s < 400; s++) {
    core.charger(s, [core.cmd, 0, 0])
    if (s % 10 === 9) core.read(s, currents(3, 5 + core.cmd, 6))
    else core.tick(s)
  }
  t.equal(core.cmd, 18, '3 + 20 - 5')
  t.match(core.last?.explanation, { code: 'LIMIT_UNBALANCE', limitedBy: 'unbalance' })
  const three = new Core({ ...CONFIG, installation })
  for (let s = 9; s < 400; s += 10) {
    three.charger(s, 0, { state: 'B' })
    three.read(s, currents(3, 9, 6))
  }
  t.equal(three.cmd, 16, 'three phases load all lines alike')
})
