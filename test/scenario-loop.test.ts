import t from 'tap'
import { auto, decoders } from '../decoders/index.ts'
import type { Reading } from '../src/reading.ts'
import type { ControllerFactory } from '../src/sim/controllers/controller.ts'
import { CONTROLLERS } from '../src/sim/controllers/index.ts'
import { runScenario } from '../src/sim/loop.ts'
import { metricsOf, quantile, Tally } from '../src/sim/metrics.ts'
import { damageAfter, limiter, protection } from '../src/sim/protection.ts'
import { scenarioFrom } from '../src/sim/scenario-file.ts'
import { simulate } from '../src/sim/simulate.ts'
import { VEHICLES, Vehicle, type VehicleModel } from '../src/sim/vehicle.ts'

const DECODERS = [auto, ...decoders]

t.test('tripping times pass through the points of the standards', async t => {
  const cases: [name: string, amperes: number, seconds: number][] = [
    ['gG', 31.2, Infinity],
    ['gG', 31.25, Infinity],
    ['gG', 52, 10],
    ['gG', 150, 0.1],
    ['gG', 1000, 0.1],
    ['MCB-B', 25 * 1.13, Infinity],
    ['MCB-B', 25 * 2.55, 1],
    ['MCB-C', 25 * 5, 0.01],
    ['SLS-E', 25 * 1.2, 1800],
    ['SLS-E', 25 * 1.05, Infinity],
  ]
  for (const [name, amperes, seconds] of cases)
    t.ok(
      Math.abs(Math.log(protection(name as 'gG', 25).tripTime(amperes) / seconds)) < 1e-9 ||
        protection(name as 'gG', 25).tripTime(amperes) === seconds,
      `${name} at ${amperes} A: ${seconds} s`,
    )
  const times = [32, 35, 40, 52, 80, 150].map(a => protection('gG', 25).tripTime(a))
  t.same(
    times,
    [...times].sort((a, b) => b - a),
    'more current, less time',
  )
  t.ok(protection('gG', 35).tripTime(60) > 10, 'a rating between those of the table')
})

t.test('a limiter waits by its bands', async t => {
  const device = limiter([{ upToA: 14.35 }, { upToA: 17.39, seconds: 10_800 }, { seconds: 120 }])
  t.same(
    [14, 14.35, 15, 17.39, 18].map(a => device.tripTime(a)),
    [Infinity, Infinity, 10_800, 10_800, 120],
  )
  t.equal(device.neverTripA, 14.35)
})

t.test('damage adds up to one at the tripping time, and cools', async t => {
  const device = protection('gG', 16)
  const seconds = device.tripTime(33)
  let damage = 0
  for (let s = 0; s < Math.round(seconds); s++) damage = damageAfter(device, damage, 33, 1)
  t.ok(Math.abs(damage - 1) < 0.1)
  t.ok(Math.abs(damageAfter(device, 0.5, 10, 300) - 0.5 / Math.E) < 1e-9)
  t.equal(damageAfter(device, 0, 10, 1), 0)
})

/** Draw of the first phase over time under constant offers. */
function draws(model: VehicleModel, offers: readonly number[]): number[][] {
  const car = new Vehicle(model, 690)
  return offers.map(offer => {
    car.step(offer)
    return [...car.amperes]
  })
}
const hold = (...parts: [amperes: number, seconds: number][]): number[] =>
  parts.flatMap(([amperes, seconds]) => Array.from({ length: seconds }, () => amperes))

t.test('vehicles follow with delay and ramp', async t => {
  const ordinary = draws(VEHICLES['ordinary']!, hold([16, 40], [8, 10], [0, 10]))
  t.equal(ordinary[11]![0], 0, 'wakes after 12 s')
  t.equal(ordinary[12]![0], 2)
  t.equal(ordinary[20]![0], 16)
  t.same([ordinary[41]![0], ordinary[42]![0], ordinary[43]![0]], [16, 10, 8])
  t.equal(ordinary[59]![0], 0)
  const slow = draws(VEHICLES['slow']!, hold([10.9, 80]))
  t.equal(slow[79]![0], 10, 'whole amperes')
  t.equal(draws(VEHICLES['limited']!, hold([16, 60]))[59]![0], 6.9)
  const staggered = draws(VEHICLES['staggered']!, hold([16, 80]))
  t.ok(staggered[25]![0]! > 5 && staggered[25]![1] === 0 && staggered[25]![2] === 0)
  t.same(staggered[79], [16, 16, 16])
  t.same(draws(VEHICLES['single_phase']!, hold([32, 60]))[59], [32, 0, 0])
  const full = { ...VEHICLES['ordinary']!, taper: { afterWh: 1, minutes: 1 } }
  t.equal(draws(full, hold([16, 120]))[119]![0], 0)
})

const short = (raw: object, seed = 1, controller = 'ampacity') =>
  simulate(scenarioFrom(raw), {
    controller: CONTROLLERS[controller]!,
    seeds: [seed],
    days: 1,
    decoders: DECODERS,
  })

t.test('the product charges and trips nothing', async t => {
  const metrics = short({ extends: 'B', start: '16:00', hours: 4 })
  t.equal(metrics.trips, 0)
  t.ok(metrics.energy_ratio! > 0.9, `${metrics.energy_ratio}`)
  t.ok(metrics.d_max < 0.6)
  t.ok(metrics.reaction_ms_p99 < 50)
})

t.test('without control the fuse blows', async t => {
  const metrics = short({ extends: 'C' }, 1, 'static')
  t.ok(metrics.trips > 0)
  t.ok(metrics.overload_as > 1000)
  t.ok(metrics.energy_ratio! > 1)
  t.equal(metrics.stops_per_day, 0)
})

t.test('the same seed gives the same run', async t => {
  const [one, two] = [1, 1].map(seed => short({ extends: 'G', start: '17:00', hours: 1 }, seed))
  const plain = ({ cpu_s_per_day: _, reaction_ms_p99: __, ...rest }: typeof one & object) => rest
  t.same(plain(one!), plain(two!))
})

t.test('an outage pauses, a charge point that ignores is noticed', async t => {
  const outage = short({
    extends: 'B',
    start: '17:30',
    hours: 1,
    meter: { outages: [{ from: '17:50', minutes: 20 }] },
  })
  t.ok(outage.code_share['STALE_FAILSAFE']! > 0.1)
  const ignoring = short({ extends: 'ignoring-charger', start: '17:00', hours: 1 })
  t.equal(ignoring.trips, 0)
})

t.test('limits are told when they begin, and count for what was possible', async t => {
  const limits = [{ id: '14a', from: '12:30', until: '12:45', w: 4200 }]
  const base = { extends: 'B', loads: [{ appliance: 'base' }], hours: 1 }
  const [free, held] = [short(base), short({ ...base, limits })]
  t.ok(held.energy_wh < free.energy_wh - 1000)
  const site = [{ id: 'w', schedule: [{ from: '12:30', until: '12:45', w: 6000 }] }]
  const narrow = short({ ...base, limits: site })
  t.ok(narrow.clairvoyant_wh < free.clairvoyant_wh - 1000)
  t.ok(narrow.energy_ratio! > 0.9)
})

t.test('a limiter and a meter that reports changes', async t => {
  const metrics = short({ extends: 'K', hours: 1, loads: [{ appliance: 'base', power_w: 300 }] })
  t.equal(metrics.trips, 0)
  t.ok(metrics.clairvoyant_wh > 2500 && metrics.clairvoyant_wh < 3100)
})

/** Keeps the readings of a run at a constant command. */
function recorder(readings: { at: number; reading: Reading }[], limitA = 10): ControllerFactory {
  return () => ({
    reading(reading, at) {
      readings.push({ at, reading })
    },
    charger() {},
    tick: () => limitA,
    code: 'FULL',
    limitedBy: 'charger',
  })
}

t.test('telegrams say what the readings of the object say, at the same time', async t => {
  const makers = [
    ['no-kamstrup', 0.01, 2.33, ['TN', 'IT']],
    ['no-aidon', 0.1, 1.23, ['TN', 'IT']],
    ['no-kaifa', 0.001, 1.23, ['TN', 'IT']],
    ['dlms-push', 0.01, 3.4, ['TN']],
  ] as const
  for (const [decoder, resolution, latency_s, grids] of makers)
    for (const grid of grids) {
      const run = (meter: object) => {
        const readings: { at: number; reading: Reading }[] = []
        const scenario = scenarioFrom({ extends: 'B', grid, hours: 1, meter })
        runScenario(
          scenario,
          { controller: recorder(readings), seed: 1, days: 1, decoders: DECODERS },
          new Tally(),
        )
        return readings.filter(({ reading }) => reading.values.currentL1A !== undefined)
      }
      const bytes = run({ kind: 'telegrams', decoder, latency_s })
      const objects = run({ kind: 'periodic', interval_s: 10, latency_s, resolution_a: resolution })
      t.ok(bytes.length >= 355, `${decoder} ${grid}: ${bytes.length} lists`)
      const worst = { amperes: 0, watts: 0, seconds: 0 }
      let hourly = 0
      for (const { at, reading } of bytes) {
        const other = objects.reduce((a, b) => (Math.abs(b.at - at) < Math.abs(a.at - at) ? b : a))
        // The list of the hour comes between two others.
        if (Math.abs(other.at - at) > 3000) {
          hourly += 1
          continue
        }
        worst.seconds = Math.max(worst.seconds, Math.abs(other.at - at) / 1000)
        for (const name of ['currentL1A', 'currentL3A'] as const)
          worst.amperes = Math.max(
            worst.amperes,
            Math.abs(Math.abs(reading.values[name]!) - other.reading.values[name]!),
          )
        worst.watts = Math.max(
          worst.watts,
          Math.abs(reading.values.activePowerImportW! - other.reading.values.activePowerImportW!),
        )
      }
      t.ok(hourly <= 1, `${decoder} ${grid}: ${hourly} lists between`)
      t.ok(worst.amperes <= resolution + 1e-6, `${decoder} ${grid}: ${worst.amperes} A apart`)
      t.ok(worst.watts <= 1, `${decoder} ${grid}: ${worst.watts} W apart`)
      t.ok(worst.seconds < 1.5, `${decoder} ${grid}: ${worst.seconds} s apart`)
    }
})

t.test('encrypted Danish telegrams end as the readings of the object do', async t => {
  const base = { extends: 'dk-telegrams', start: '16:30', hours: 3 }
  const bytes = short(base)
  const objects = short({
    ...base,
    meter: { kind: 'periodic', interval_s: 10, latency_s: 3.4, resolution_a: 0.01 },
  })
  t.ok(bytes.energy_wh > 5000, `${bytes.energy_wh} Wh`)
  t.same([bytes.trips, objects.trips], [0, 0])
  const apart = Math.abs(bytes.energy_wh / objects.energy_wh - 1)
  t.ok(apart < 0.01, `${apart} of the energy apart`)
  t.ok(Math.abs(bytes.d_max - objects.d_max) < 0.02)
  t.throws(() => short({ ...base, grid: 'IT' }), { message: /needs a neutral/ })
})

t.test('lost and frozen telegrams', async t => {
  const count = (meter: object): Reading[] => {
    const readings: { at: number; reading: Reading }[] = []
    runScenario(
      scenarioFrom({ extends: 'B', hours: 1, meter }),
      { controller: recorder(readings), seed: 1, days: 1, decoders: DECODERS },
      new Tally(),
    )
    return readings.map(({ reading }) => reading)
  }
  const all = count({}).length
  t.equal(all, 360)
  const lost = count({ loss: 0.5 }).length / all
  t.ok(lost > 0.4 && lost < 0.6)
  const damaged = count({ kind: 'telegrams', loss: 0.5 }).length / all
  t.ok(damaged > 0.4 && damaged < 0.6, 'damaged telegrams give no reading')
  t.equal(count({ outages: [{ from: '12:10', minutes: 20 }] }).length, 240)
  const frozen = count({ frozen: [{ from: '12:10', minutes: 20 }] }).slice(60, 180)
  t.equal(new Set(frozen.map(({ values }) => values.activePowerImportW)).size, 1)
})

t.test('a decoder that is not there', async t => {
  t.throws(
    () =>
      simulate(scenarioFrom({ extends: 'telegrams', hours: 1 }), {
        controller: CONTROLLERS['static']!,
        seeds: [1],
        days: 1,
      }),
    { code: 'DECODER_UNKNOWN' },
  )
})

t.test('figures', async t => {
  t.equal(quantile([], 0.95), 0)
  t.equal(quantile([3, 1, 2], 1), 3)
  t.equal(quantile([1, 2, 3, 4], 0.5), 2)
  const tally = new Tally()
  tally.seconds = 7200
  tally.changes = 10
  tally.stops = 1
  t.match(metricsOf(tally), { changes_per_hour: 5, stops_per_day: 12, energy_ratio: null })
})
