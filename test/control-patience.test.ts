/** Changes that are not made: small ones, short ones, and raises that a step of the house would not survive. */
import t from 'tap'
import { type ControlConfig, controlParameters } from '../src/control/parameters.ts'
import {
  carriedMa,
  damaged,
  type MainDevice,
  tripCurve,
  tripTimeMs,
} from '../src/control/protection.ts'
import { Core, currents } from './control-harness.ts'
import { run } from './control-house.ts'

const trips: [device: MainDevice, ratingA: number, a: number, seconds: number][] = [
  ['gG', 25, 31.25, Number.POSITIVE_INFINITY],
  ['gG', 25, 31.26, 3600],
  ['gG', 25, 52, 10],
  ['gG', 25, 150, 0.1],
  ['gG', 25, 500, 0.1],
  ['gG', 16, 32.8, 10.6],
  ['gG', 16, 33, 10],
  ['gG', 63, 160, 10],
  ['gG', 35, 82.03, 10],
  ['gG', 10, 20.6, 10],
  ['MCB-B', 16, 18.08, Number.POSITIVE_INFINITY],
  ['MCB-B', 16, 40.8, 1],
  ['MCB-B', 16, 48, 0.01],
  ['MCB-C', 16, 48, 0.329],
  ['SLS-E', 35, 36.75, Number.POSITIVE_INFINITY],
  ['SLS-E', 35, 42, 1800],
  ['SLS-E', 35, 70, 30],
]
for (const [device, ratingA, a, seconds] of trips) {
  t.test(`${device} ${ratingA} A at ${a} A`, async t => {
    const ms = tripTimeMs(tripCurve(device, ratingA * 1000), a * 1000)
    if (seconds === Number.POSITIVE_INFINITY) t.equal(ms, seconds)
    else t.ok(Math.abs(ms / 1000 / seconds - 1) < 0.02, `${ms / 1000} s`)
  })
}

t.test('what is carried for a time', async t => {
  const gg16 = tripCurve('gG', 16_000)
  t.ok(Math.abs(carriedMa(gg16, 30_000) - 30_000) < 300, '30 A for 30 s')
  t.equal(carriedMa(gg16, 4_000_000), 20_000)
  t.equal(carriedMa(gg16, 10), 85_000)
})

t.test('damage adds up and fades', async t => {
  const curve = tripCurve('gG', 25_000)
  t.equal(damaged(0.25, curve, 52_000, 5000), 0.75)
  t.ok(Math.abs(damaged(1, curve, 20_000, 300_000) - 1 / Math.E) < 1e-9)
})

const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

/** Feeds a house on line 1 every `cadenceS` with a vehicle that follows at once. */
function drive(config: ControlConfig, house: (s: number) => number, seconds: number) {
  const core = new Core(config)
  const cadence = config.meter?.cadenceS ?? 10
  const at: number[] = []
  for (let s = -200; s <= seconds; s++) {
    core.charger(s, core.cmd)
    if (s % cadence === 0) core.read(s, currents(house(s) + core.cmd, 2 + core.cmd, 2 + core.cmd))
    else core.tick(s)
    if (s >= 0) at.push(core.cmd)
  }
  return { core, at, changes: at.filter((a, s) => s > 0 && a !== at[s - 1]).length }
}

t.test('less than half an ampere too much is not cut, more is', async t => {
  const small = drive(CONFIG, s => (s < 0 ? 4 : 9.3), 300)
  t.equal(small.changes, 0)
  t.match(small.core.last?.explanation, {
    code: 'RIDE_THROUGH',
    limitedBy: 'main_fuse_l1',
    text: 'Kept at 16.0 A although the main fuse on L1 leaves 15.6 A: too little to change, and nothing can trip.',
  })
  const more = drive(CONFIG, s => (s < 0 ? 4 : 9.5), 300)
  t.equal(more.at.at(-1), 15.4)
  const breaker = { ...CONFIG, installation: { ...CONFIG.installation, device: 'SLS-E' as const } }
  t.equal(
    drive(breaker, s => (s < 0 ? 4 : 11.9), 300).at.at(-1),
    13,
    'beyond its never-trip current at once',
  )
})

t.test('a load shorter than the patience is waited out, a longer one is cut', async t => {
  const short = drive(CONFIG, s => (s >= 0 && s < 60 ? 14 : 4), 300)
  t.equal(short.changes, 0)
  const long = drive(CONFIG, s => (s >= 0 && s < 100 ? 14 : 4), 300)
  t.equal(long.at[59], 16)
  t.equal(long.at[60], 10.9)
  const waiting = drive(CONFIG, s => (s >= 0 ? 14 : 4), 10)
  t.match(waiting.core.last?.explanation.text, /carries this without tripping; cut in 50 s unless/)
  const beyond = drive(CONFIG, s => (s >= 0 && s < 20 ? 15.3 : 4), 300)
  t.equal(beyond.at[0], 9.6, 'more than the device carries for ever: at once')
})

t.test('a second or two above the never-trip current with a fast meter', async t => {
  const fast = { ...CONFIG, meter: { latencyS: 0, cadenceS: 1 } }
  const pulse = (a: number, seconds: number) => (s: number) => (s >= 0 && s < seconds ? a : 4)
  t.equal(drive(fast, pulse(17, 2), 100).changes, 0)
  t.ok(drive(fast, pulse(17, 5), 100).changes > 0)
  t.equal(drive(fast, pulse(17, 5), 100).at[2], 16)
  t.equal(drive(fast, pulse(17, 5), 100).at[3], 7.9, 'cut after three seconds')
  t.equal(drive(fast, pulse(34, 2), 100).at[0], 0, 'not where lost telegrams could trip it')
})

t.test('a limit without a device behind it does not wait', async t => {
  const core = drive(CONFIG, () => 4, 0).core
  const limit = { id: 'user', perPhaseA: [25, 25, 25] as const, expires: 1e9 }
  core.feed({ type: 'limit', limit: { ...limit, perPhaseA: [19.9, 25, 25] } }, 1)
  t.equal(core.cmd, 15.8)
})

t.test('a meter that truncates to whole amperes settles on any plateau', async t => {
  for (const house of [9, 9.1, 9.3, 9.5, 9.7, 9.9, 12.5]) {
    const config = { meter: { truncates: true, resolutionA: 1 } }
    const plant = { baseA: () => house, cadenceS: 1, latencyS: 1, resolutionA: 1, truncate: true }
    const { changes, core } = run(plant, 1200, config)
    t.ok(changes.filter(({ s }) => s > 120).length <= 1, `${house} A: ${JSON.stringify(changes)}`)
    t.ok(core.cmd + house < 26.5, `${house} A: ${core.cmd} A`)
  }
})

t.test('a small fuse keeps room for the largest step seen', async t => {
  const small = (more: ControlConfig = {}): ControlConfig => ({
    ...CONFIG,
    installation: { mainFuseA: 16, grid: 'TN' },
    ...more,
  })
  // 17 A for ten seconds, then next to nothing.
  const house = (s: number) => (s >= 0 && s < 10 ? 18 : 1)
  const { at } = drive(small(), house, 1200)
  t.equal(at.at(-1), 12, '30 A are carried for 30 s; 17 A of step, 1 A of house')
  t.equal(drive(small({ control: { stepReserve: false } }), house, 1200).at.at(-1), 13.9)
  const large = { ...CONFIG, installation: { mainFuseA: 25, grid: 'TN' as const } }
  t.equal(drive(large, house, 1200).at.at(-1), 16)
  t.equal(controlParameters().stepReserve, 'auto')
})
