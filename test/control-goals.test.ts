/** What a person wants, below what is safe. */
import t from 'tap'
import type { Goal, Slot } from '../src/control/goals/model.ts'
import { chosenSlots, isUrgent } from '../src/control/goals/plan.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { Core, currents } from './control-harness.ts'

const START = 1_800_000_000_000
const HOUR = 3_600_000
const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

/** A three-phase home with a balance of the house in W (negative: production), and a vehicle that follows. */
function live(
  goal: Goal | null,
  houseW: (s: number) => number,
  seconds: number,
  more: { readonly config?: ControlConfig; readonly clock?: boolean; readonly from?: number } = {},
) {
  const core = new Core(more.config ?? CONFIG)
  if (goal !== null) core.feed({ type: 'goal', goal }, 0)
  const at: number[] = []
  const wallMs = (s: number) => (more.clock === false ? undefined : (more.from ?? START) + s * 1000)
  for (let s = 0; s < seconds; s++) {
    const net = houseW(s) + 690 * core.cmd
    const a = net / 690
    core.charger(s, core.cmd, { state: core.cmd > 0 ? 'C' : 'B' })
    if (s % 10 === 9)
      core.read(s, {
        ...currents(Math.abs(a), Math.abs(a), Math.abs(a)),
        activePowerImportW: Math.max(0, net),
        activePowerExportW: Math.max(0, -net),
      })
    core.feed({ type: 'tick', wallMs: wallMs(s) }, s)
    at.push(core.cmd)
  }
  return { core, at, changes: at.filter((x, s) => s > 0 && x !== at[s - 1]).length }
}

t.test('fast is the hard cap, off is nothing', async t => {
  t.equal(live({ mode: 'fast' }, () => 700, 200).core.cmd, 16)
  const off = live({ mode: 'off' }, () => 700, 200)
  t.equal(off.core.cmd, 0)
  t.match(off.core.last?.explanation, { code: 'LIMIT_USER', limitedBy: 'goal' })
})

t.test('a goal never raises beyond what is safe', async t => {
  for (const mode of ['fast', 'pv', 'minpv', 'schedule', 'tariff'] as const)
    t.ok(live({ mode }, () => 8000, 600).core.cmd <= 25 - 8000 / 690, mode)
})

t.test('surplus: waits for a minute of enough, then follows', async t => {
  const sun = (s: number) => (s < 100 ? 500 : -6900)
  const { core, at } = live({ mode: 'pv' }, sun, 900)
  t.equal(at[99], 0)
  t.equal(at[150], 0)
  t.ok(core.cmd >= 9 && core.cmd <= 10.3, `${core.cmd} A of 10`)
  t.match(core.last?.explanation, { code: 'WAIT_SURPLUS', text: /what the surplus gives/ })
})

t.test('surplus: a cloud is waited out at the minimum, dusk is not', async t => {
  const cloud = live({ mode: 'pv' }, s => (s > 900 && s < 1100 ? 0 : -6900), 1500)
  t.equal(Math.min(...cloud.at.slice(600)), 6)
  const dusk = live({ mode: 'pv' }, s => (s > 900 ? 500 : -6900), 1900)
  t.equal(dusk.core.cmd, 0)
  t.match(dusk.core.last?.explanation, { code: 'WAIT_SURPLUS', text: /waits for enough surplus/ })
  t.equal(live({ mode: 'minpv' }, () => 500, 600).core.cmd, 6, 'at least the minimum')
})

const slots: Slot[] = Array.from({ length: 12 }, (_, n) => ({
  fromMs: START + n * HOUR,
  untilMs: START + (n + 1) * HOUR,
  price: [3, 3, 1, 1, 5, 5, 1, 5, 2, 2, 5, 1][n]!,
}))

t.test('a plan of the cheapest hours', async t => {
  const goal: Goal = { mode: 'tariff', slots, energyWh: 33_000, readyByMs: START + 10 * HOUR }
  const hours = (g: Goal, done = 0) =>
    chosenSlots(g, done, 11_000, START).map(({ fromMs }) => (fromMs - START) / HOUR)
  t.strictSame(hours(goal), [2, 3, 6])
  t.strictSame(hours(goal, 15_000), [2, 3], 'less is missing, the earlier of equals')
  t.strictSame(hours({ ...goal, energyWh: 44_000 }), [2, 3, 6, 8])
  const interrupted = { ...goal, energyWh: 44_000, readyByMs: START + 12 * HOUR }
  t.strictSame(hours(interrupted), [2, 3, 6, 11], 'two interruptions')
  t.strictSame(
    hours({ ...interrupted, energyWh: 55_000 }),
    [2, 3, 6, 7, 8, 11],
    'a third is filled',
  )
  t.strictSame(
    hours({ mode: 'tariff', slots }),
    [2, 3, 6, 7, 8, 9, 11],
    'no energy named: below the mean',
  )
  t.strictSame(hours({ ...goal, delayS: 360 }), [2.1, 3.1, 6.1])
  t.strictSame(hours({ mode: 'schedule', slots: slots.slice(0, 2) }), [0, 1])
})

t.test('too little time left', async t => {
  const goal: Goal = { mode: 'tariff', energyWh: 22_000, readyByMs: START + 2 * HOUR }
  t.equal(isUrgent(goal, 0, 11_000, START), true)
  t.equal(isUrgent(goal, 1000, 11_000, START), false)
  t.equal(isUrgent(goal, 22_000, 11_000, START + 3 * HOUR), false)
  t.equal(isUrgent(goal, 0, 11_000, null), false)
})

t.test('tariff in the loop', async t => {
  const goal: Goal = { mode: 'tariff', slots, energyWh: 20_000, readyByMs: START + 10 * HOUR }
  const before = live(goal, () => 500, 300)
  t.equal(before.core.cmd, 0)
  t.match(before.core.last?.explanation, { code: 'WAIT_TARIFF', limitedBy: 'goal' })
  t.equal(live(goal, () => 500, 300, { from: START + 2 * HOUR }).core.cmd, 16)
  t.equal(live(goal, () => 500, 300, { clock: false }).core.cmd, 16, 'no clock: prices are off')
  t.equal(live({ ...goal, keepAwake: true }, () => 500, 300).core.cmd, 6)
  const urgent = { ...goal, readyByMs: START + HOUR }
  t.equal(live(urgent, () => 500, 300).core.cmd, 16)
  const done = live({ mode: 'schedule', slots: [slots[1]!] }, () => 500, 300)
  t.equal(done.core.cmd, 0)
})

const PEAK = { ...CONFIG, control: { peakTargetW: 5000, peakWindowS: 3600 } }

t.test('peak budget: the window ends below its target', async t => {
  const from = Math.ceil(START / HOUR) * HOUR
  let wh = 0
  const { core, at } = live(null, s => (s < 1800 ? 500 : 2000), 3600, { config: PEAK, from })
  at.forEach((a, s) => {
    wh += ((s < 1800 ? 500 : 2000) + 690 * a) / 3600
  })
  t.ok(wh <= 5000, `${wh} Wh`)
  t.ok(wh >= 4700, `${wh} Wh`)
  t.ok(core.state.goals.peak.usedWh > 4500)
  const without = live(null, () => 500, 600, { config: PEAK, clock: false })
  t.ok(500 + 690 * without.core.cmd <= 5000)
  t.match(without.core.last?.explanation, { code: 'PEAK_BUDGET', limitedBy: 'goal' })
  const house = live(null, () => 6000, 3000, { config: PEAK, from })
  t.ok(
    house.at.slice(300, 2900).every(a => a === 0),
    'the house alone is above it',
  )
})
