/** Meters that report changes: silence as information, echoes, probes, and the limiter behind them. */
import t from 'tap'
import { lossEstimate } from '../src/control/echo.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { Core } from './control-harness.ts'

const CONFIG: ControlConfig = {
  installation: { phases: 1, mainFuseA: 40, contractedPowerW: 3300 },
  chargePoint: { phases: 1, maxA: 16 },
  meter: { reportsChanges: true, latencyS: 4 },
}

interface Home {
  readonly config?: ControlConfig
  readonly houseW?: (s: number) => number
  readonly loses?: (s: number) => boolean
  readonly seconds: number
  readonly each?: (core: Core, s: number) => void
}

/** A home whose meter reports changes beyond a tenth, 4 s late; the vehicle follows in two seconds. */
function live({ config = CONFIG, houseW = () => 400, loses = () => false, seconds, each }: Home) {
  const core = new Core(config)
  const due: { at: number; watts: number }[] = []
  const offers: number[] = []
  let reported = -1e9
  let last = -1e9
  let changes = 0
  let most = 0
  for (let s = 0; s < seconds; s++) {
    const car = offers[s - 2] ?? 0
    const watts = houseW(s) + car * 230
    most = s > 60 ? Math.max(most, watts) : most
    if (Math.abs(watts - reported) > Math.max(30, 0.1 * reported) || s - last >= 900) {
      if (!loses(s)) due.push({ at: s + 4, watts })
      reported = watts
      last = s
    }
    core.charger(s, [car, 0, 0], { state: car > 0 ? 'C' : 'B' })
    while (due[0] !== undefined && due[0].at <= s) {
      const { watts: w } = due.shift()!
      core.read(s, { currentL1A: w / 230, activePowerImportW: w, voltageL1V: 230 })
    }
    core.tick(s)
    if (core.cmd !== (offers.at(-1) ?? 0)) changes++
    offers.push(core.cmd)
    each?.(core, s)
  }
  return { core, changes, most }
}

t.test('charging begins from one report and silence, and stays through quiet hours', async t => {
  const { core, changes } = live({
    houseW: s => (s < 10 ? 450 : 380),
    seconds: 3600,
    config: { ...CONFIG, control: { probeS: 0 } },
  })
  t.ok(core.cmd >= 11.8 && core.cmd <= 12.6, `${core.cmd} A`)
  t.ok(changes <= 4, `${changes} changes`)
})

t.test('a load is cut with its report', async t => {
  const config = { ...CONFIG, control: { probeS: 0 } }
  const { core } = live({
    config,
    houseW: s => (s < 10 ? 450 : s < 600 ? 380 : 1600),
    seconds: 800,
  })
  t.ok(core.cmd <= 7.4 && core.cmd >= 6, `${core.cmd} A`)
})

t.test('nothing for a quarter of an hour and more', async t => {
  const lost = live({
    houseW: s => (s < 10 ? 450 : 380),
    loses: s => s > 100,
    seconds: 1300,
    config: { ...CONFIG, control: { probeS: 0 } },
  })
  t.equal(lost.core.cmd, 0)
  t.equal(lost.core.last?.explanation.code, 'STALE_FAILSAFE')
})

t.test('without echoes the current is asked back', async t => {
  const seen: number[] = []
  const { core } = live({
    houseW: s => (s < 10 ? 450 : 380),
    loses: s => s > 120,
    seconds: 500,
    each: (core, s) => (seen[s] = core.cmd),
  })
  t.ok(Math.max(...seen.slice(40, 100)) > 11)
  t.ok(core.cmd <= 6, 'a probe without an answer ends at the minimum')
  t.ok(core.state.echo.lost > 0)
})

t.test('where every echo comes, probing ends', async t => {
  const { core } = live({ houseW: s => (s % 240 < 120 ? 300 : 900), seconds: 7200 })
  t.equal(core.state.echo.lost, 0)
  t.ok(core.state.echo.came > 50, `${core.state.echo.came} echoes`)
  t.ok(lossEstimate(core.state) < 0.02, 'one more that is lost would not change that')
})

t.test('a load that started unseen is found', async t => {
  const houseW = (s: number) => (s < 10 ? 450 : s < 600 ? 380 : 2600)
  const seen: number[] = []
  live({
    houseW,
    loses: s => s >= 600 && s < 604,
    seconds: 900,
    each: (core, s) => (seen[s] = core.cmd),
  })
  t.ok(seen[720]! <= 6, `${seen[720]} A two minutes later`)
})

t.test('the limiter is ridden through for a part of its long band, never above it', async t => {
  const config = { ...CONFIG, control: { probeS: 0 } }
  const house = (w: number) => (s: number) => (s < 10 ? 450 : s < 600 ? 380 : w)
  const ridden = live({ config, houseW: house(2200), seconds: 1000 })
  t.equal(ridden.core.cmd, 6)
  t.equal(ridden.core.state.mode.type, 'riding')
  t.ok(ridden.core.state.limiterDamage > 0)
  const long = live({ config, houseW: house(2200), seconds: 2800 })
  t.equal(long.core.cmd, 0, 'half an hour at most')
  const above = live({ config, houseW: house(2700), seconds: 700 })
  t.equal(above.core.cmd, 0)
})
