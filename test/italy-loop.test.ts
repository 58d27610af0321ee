/** Italian homes in the closed loop: through the real decoder, against a breaker that opens. */
import t from 'tap'
import { auto, decoders } from '../decoders/index.ts'
import { chain2gate } from '../decoders/it-chain2gate.ts'
import { sinapsi } from '../decoders/it-sinapsi.ts'
import { encodePoll } from '../decoders/sinapsi/poll.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { ampacity } from '../src/sim/controllers/ampacity.ts'
import type { LimiterBand } from '../src/sim/open-meter/limiter.ts'
import { OpenHome, type OpenHomeOptions } from '../src/sim/open-meter/open-home.ts'
import { OpenMeter } from '../src/sim/open-meter/open-meter.ts'
import { scenarioFrom } from '../src/sim/scenario-file.ts'
import { simulate } from '../src/sim/simulate.ts'
import { VEHICLES } from '../src/sim/vehicle.ts'

const CAR = { ...VEHICLES['single_phase']!, upAPerS: 2, maxA: 16 }
const CONFIG: ControlConfig = {
  installation: { phases: 1, mainFuseA: 40, contractedPowerW: 3000, limiter: 'italy' },
  chargePoint: { phases: 1, maxA: 16 },
  meter: { reportsChanges: true, latencyS: 4 },
}
/** A working day in winter, noon. */
const NOON = Date.UTC(2026, 0, 14, 11)

function home(
  more: Partial<OpenHomeOptions> & { readonly bands?: readonly LimiterBand[] },
): OpenHome {
  const { bands, ...rest } = more
  return new OpenHome({
    meter: { contractedW: 3000, startMs: NOON, ...(bands === undefined ? {} : { bands }) },
    decoder: chain2gate.create({}),
    car: CAR,
    config: CONFIG,
    houseW: () => 400,
    latencyS: 4,
    ...rest,
  })
}

t.test('whatever time the meter leaves from 10 s on, it never opens', async t => {
  let [visited, overloads] = [0, 0]
  for (let seconds = 10; seconds <= 180; seconds++)
    for (const jumpW of [700, 1500, 2500])
      for (const isDeaf of [false, true]) {
        visited++
        const loop = home({
          bands: [{ seconds }],
          houseW: s => (s < 200 ? 400 : 400 + jumpW),
          // The overload itself is heard; after it nothing.
          loses: ({ cf }, s) => isDeaf && (s > 200 || cf !== 22) && s >= 200,
        })
        for (let s = 0; s < 450; s++) {
          if (s === 200) t.ok(loop.carA > 12, 'the car had all there was')
          loop.step()
          if (s === 200 && loop.netW > 3300) overloads++
        }
        if (loop.trips > 0) t.fail(`${seconds} s, ${jumpW} W more, deaf ${isDeaf}: opened`)
      }
  t.equal(visited, 1026)
  t.equal(overloads, visited, 'each was one')
})

t.test('a power that nobody lowers opens it, after its time', async t => {
  const meter = new OpenMeter({ contractedW: 3000, startMs: NOON })
  const opensAfter = (importW: number): number => {
    meter.limiter.close()
    for (let s = 1; s < 20_000; s++) {
      meter.step(clock++ * 1000, { importW })
      if (meter.limiter.isOpen) return s
    }
    return Number.POSITIVE_INFINITY
  }
  let clock = NOON / 1000
  t.equal(opensAfter(3300), Number.POSITIVE_INFINITY)
  t.ok(Math.abs(opensAfter(3900) - 10_800) <= 2)
  t.ok(Math.abs(opensAfter(4100) - 120) <= 2)
})

t.test('a quarter of an hour without a frame ends charging', async t => {
  const loop = home({ loses: (_, s) => s >= 200 })
  const seen: number[] = []
  for (let s = 0; s < 1500; s++) {
    loop.step()
    seen[s] = loop.limitA
  }
  t.ok(seen[190]! > 12)
  t.ok(seen[200 + 965]! <= 6, 'at most the minimum after 16 minutes')
  t.equal(seen[200 + 1030], 0, 'nothing after 17')
  t.equal(loop.trips, 0)
})

t.test('quarter hours alone keep charging alive; 30 minutes without one do not', async t => {
  for (const [lost, ends] of [
    [0, false],
    [1, true],
    [2, true],
  ] as const) {
    let quarters = 0
    const loop = home({
      loses: ({ cf }, s) => s > 100 && (cf !== 1 || ++quarters <= lost),
      config: { ...CONFIG, control: { probeS: 0 } },
    })
    let isPaused = false
    for (let s = 0; s < 3000; s++) {
      loop.step()
      if (s > 200) isPaused ||= loop.limitA === 0
    }
    t.equal(isPaused, ends, `${lost} lost`)
    t.equal(loop.trips, 0)
  }
})

/** The same home behind a Sinapsi Alfa that is polled every five seconds. */
function polled(
  more: Partial<OpenHomeOptions> & { readonly bands?: readonly LimiterBand[] },
): OpenHome {
  return home({
    decoder: sinapsi.create({}),
    config: { ...CONFIG, meter: { reportsChanges: true, latencyS: 7 } },
    poll: {
      everyS: 5,
      bytes: registers =>
        encodePoll(
          [
            [2, 18],
            [780, 3],
            [203, 1],
          ].map(([address = 0, count = 0]) => ({
            address,
            words: Array.from({ length: count }, (_, i) => registers.read(address + i)),
          })),
        ),
    },
    ...more,
  })
}

t.test('polled registers: warm-up, charging, and no disconnection from 20 s on', async t => {
  for (const seconds of [20, 25, 30, 45, 60, 90, 120, 180])
    for (const jumpW of [700, 1500, 2500])
      for (const isDeaf of [false, true]) {
        const loop = polled({
          bands: [{ seconds }],
          houseW: s => (s < 1800 ? 400 : 400 + jumpW),
          loses: ({ cf }, s) => isDeaf && (s > 1800 || cf !== 22) && s >= 1800,
        })
        let most = 0
        for (let s = 0; s < 2400; s++) {
          loop.step()
          if (s < 900) most = Math.max(most, loop.limitA)
          if (s === 1799) t.ok(loop.carA > 10, `${loop.carA} A`)
        }
        t.equal(most, 0, 'nothing before the first quarter of an hour fills the registers')
        t.equal(loop.trips, 0, `${seconds} s, ${jumpW} W more, deaf ${isDeaf}`)
      }
})

const SCENARIOS = { 'open-meter': 0.88, 'open-meter-lossy': 0.88 }
for (const [name, energy] of Object.entries(SCENARIOS))
  t.test(`${name}: K and L through the decoder, nothing trips`, async t => {
    const scenario = scenarioFrom({ extends: name })
    const metrics = simulate(scenario, {
      controller: ampacity,
      seeds: [1, 2],
      days: 1,
      decoders: [auto, ...decoders],
    })
    t.equal(metrics.trips, 0)
    t.ok(metrics.d_max < 1)
    t.ok(metrics.energy_ratio! > energy, `${metrics.energy_ratio} of the energy`)
  })
