import t from 'tap'
import { type HouseModel, houseDay, LOAD_NAMES } from '../src/sim/appliances/index.ts'
import type { Load } from '../src/sim/appliances/load.ts'
import { chooseWeighted, count, draw } from '../src/sim/appliances/spread.ts'
import { magnitude, measureThreeWires } from '../src/sim/phasor.ts'
import { random } from '../src/sim/random.ts'
import { roomIn, stretchOf } from '../src/sim/supply.ts'

const NOON = 12 * 3600
const HOME: HouseModel = {
  loads: [{ appliance: 'household' }],
  voltageV: 230,
  startS: NOON,
  slots: [1, 2, 3],
}

const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.floor(share * values.length)]!
const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / values.length

/** Steps up of a phase: size, second, and until the current is back below half the step. Inrush is no load. */
function steps(load: Load, leastW: number): { atS: number; amperes: number; lastsS: number }[] {
  const found: { atS: number; amperes: number; lastsS: number }[] = []
  for (const values of load.activeA)
    for (let s = 1; s < load.seconds; s++) {
      const before = values[s - 1]!
      const amperes = values[s]! - before
      if (amperes * 230 <= leastW) continue
      let end = s
      while (end < load.seconds && values[end]! >= before + amperes / 2) end++
      if (end - s > 1) found.push({ atS: s, amperes, lastsS: end - s })
    }
  return found
}

t.test('homes are like measured ones', async t => {
  const days: Load[] = []
  for (let seed = 1; seed <= 30; seed++) days.push(houseDay(HOME, seed, seed % 3))
  const large = days.map(day => steps(day, 1000))
  const lengths = large.flat().map(({ lastsS }) => lastsS)
  const sizes = large.flat().map(({ amperes }) => amperes)
  const between = (value: number, least: number, most: number, what: string): void => {
    t.ok(value >= least && value <= most, `${what}: ${value.toFixed(2)} in ${least}..${most}`)
  }
  between(quantile(lengths, 0.5), 55, 120, 'loads above 1 kW last, s, median')
  between(lengths.filter(s => s < 60).length / lengths.length, 0, 0.61, 'of them under 60 s')
  between(quantile(sizes, 0.5), 6, 9, 'steps up, A, median')
  between(quantile(sizes, 0.9), 10.5, 13, 'steps up, A, 90th percentile')
  const many = days.map(day => steps(day, 400).length)
  between(quantile(many, 0.5), 50, 300, 'loads above 400 W a day, median')
  between(quantile(many, 0.1), 50, 300, 'loads above 400 W a day, 10th percentile')
  const hourly = large.flatMap(found =>
    Array.from(
      { length: 24 },
      (_, hour) => found.filter(({ atS }) => Math.floor(atS / 3600) === hour).length,
    ),
  )
  const perHour = mean(hourly)
  between(perHour, 2.1, 4.6, 'steps above 1 kW an hour')
  between(mean(hourly.map(n => (n - perHour) ** 2)) / perHour, 10, 26, 'variance over mean')
  between(hourly.filter(n => n === 0).length / hourly.length, 0.35, 0.77, 'hours without any')
  const at = (hour: number): number => mean(hourly.filter((_, k) => (k + 12) % 24 === hour))
  t.ok(at(17) > at(10) && at(10) > at(3), 'most at 17 h, fewest at night')
})

t.test('noise differs by 0.1 A between samples of 10 s', async t => {
  const day = houseDay({ ...HOME, loads: [{ appliance: 'base', power_w: 900 }] }, 1, 0)
  const values = day.activeA[0]
  const differences: number[] = []
  for (let s = 10; s < 86_400; s += 10) differences.push(values[s]! - values[s - 10]!)
  const sd = Math.sqrt(mean(differences.map(d => d * d)))
  t.ok(sd > 0.08 && sd < 0.13, `${sd.toFixed(3)} A`)
})

t.test('the same seed is the same home, another is another', async t => {
  const [one, same, other, next] = [
    houseDay(HOME, 1, 0),
    houseDay(HOME, 1, 0),
    houseDay(HOME, 2, 0),
    houseDay(HOME, 1, 1),
  ]
  const bytes = (load: Load): Buffer => Buffer.from(load.activeA[0].buffer)
  t.ok(bytes(one).equals(bytes(same)))
  t.notOk(bytes(one).equals(bytes(other)))
  t.notOk(bytes(one).equals(bytes(next)))
})

t.test('every load that can be named does something', async t => {
  let visited = 0
  for (const appliance of LOAD_NAMES) {
    let sum = 0
    for (let seed = 1; seed <= 30 && sum === 0; seed++) {
      const load = houseDay({ ...HOME, loads: [{ appliance }] }, seed, 0, 43_200)
      for (const values of load.activeA) for (const a of values) sum += Math.abs(a)
    }
    t.ok(sum > 0, appliance)
    visited += 1
  }
  t.equal(visited, LOAD_NAMES.length)
  t.throws(() => houseDay({ ...HOME, loads: [{ appliance: 'toaster' }] }, 1, 0), /toaster/)
})

t.test('what a scenario says of a load counts', async t => {
  const day = (load: object): Load =>
    houseDay({ ...HOME, loads: [{ appliance: 'kettle', per_day: 20, ...load }] }, 3, 0)
  const most = (values: Float32Array): number => Math.max(...values.subarray(0, 86_400))
  t.equal(most(day({}).activeA[1]), 0)
  t.ok(most(day({ phase: 2 }).activeA[1]) > 5)
  t.ok(most(day({ power_w: 1000, on_s: 60 }).activeA[0]) < most(day({}).activeA[0]))
  // Two at once shorten what is seen of each.
  const long = steps(day({ on_s: 300 }), 1000).map(({ lastsS }) => lastsS)
  t.equal(quantile(long, 0.5), 300)
  const ten = houseDay({ ...HOME, loads: [{ appliance: 'ten_seconds', phase: 1 }] }, 1, 0)
  t.ok(
    steps(ten, 900).every(({ atS }) => atS % 10 === 0),
    'multiples of ten seconds',
  )
})

t.test('a hob never draws more than 3.7 kW from a phase', async t => {
  for (let seed = 1; seed <= 20; seed++) {
    const load = houseDay({ ...HOME, loads: [{ appliance: 'hob', per_day: 12 }] }, seed, 0)
    for (const values of load.activeA) t.ok(values.every(a => a <= 3700 / 230 + 1e-3))
  }
})

t.test('production is negative by day and absent by night', async t => {
  const day = houseDay({ ...HOME, loads: [{ appliance: 'pv' }] }, 1, 0)
  t.ok(day.activeA[0][3600]! < -1)
  t.equal(day.activeA[0][10 * 3600], 0)
})

t.test('line currents without neutral are those of the phasors', async t => {
  const load = houseDay(HOME, 5, 0, 3600)
  const model = { wiring: '3P3W', voltageV: 230, carPhases: 3, firstLine: 0 } as const
  const single = { ...model, carPhases: 1, firstLine: 2 } as const
  const registers = {
    activeImportWh: 0,
    activeExportWh: 0,
    reactiveImportVarh: 0,
    reactiveExportVarh: 0,
  }
  for (const [supply, car, loaded] of [
    [model, [10, 10, 10], [1, 1, 1]],
    [single, [10, 0, 0], [1, 0, 1]],
  ] as const) {
    const stretch = stretchOf(supply, load)
    for (let s = 0; s < 3600; s += 97) {
      const { currentsA } = stretch.measure(s, car, registers)
      for (const line of [0, 1, 2] as const) {
        const re = stretch.along[line]![s]! + 10 * loaded[line]
        const im = stretch.across[line]![s]!
        t.ok(Math.abs(magnitude({ re, im }) - currentsA[line]) < 1e-3, `line ${line + 1} at ${s} s`)
      }
    }
  }
  const { currentsA } = measureThreeWires([230, 230, 230], [2300, 2300, 0], [0, 0, 0])
  t.ok(
    Math.abs(currentsA[1] - 17.32) < 0.01,
    'two loads of 10 A make 17.3 A on the line they share',
  )
})

t.test('room is what may be added along the home’s current', async t => {
  t.equal(roomIn(25, 10, 0), 15)
  t.equal(roomIn(25, -5, 0), 30)
  t.ok(Math.abs(roomIn(25, 10, 15) - 10) < 1e-9)
  t.ok(roomIn(16, 20, 0) < 0)
})

t.test('spreads keep their quantiles', async t => {
  const next = random(1)
  const values = Array.from({ length: 4000 }, () => draw([21, 44, 81], next))
  for (const [share, expected] of [
    [0.1, 21],
    [0.5, 44],
    [0.9, 81],
  ] as const)
    t.ok(Math.abs(quantile(values, share) / expected - 1) < 0.08, `${share}`)
  t.equal(draw(7, next), 7)
  const even = Array.from({ length: 1000 }, () => draw([2, 4], next))
  t.ok(Math.min(...even) >= 2 && Math.max(...even) <= 4)
  t.ok(Math.abs(mean(Array.from({ length: 2000 }, () => count(3.5, next))) - 3.5) < 0.2)
  t.equal(chooseWeighted([0, 1, 0], next), 1)
})
