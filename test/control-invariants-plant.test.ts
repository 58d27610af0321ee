/** What must hold in the closed loop and for whole classes of readings: generated houses, nets, voltages, silences. */
import t from 'tap'
import { readLines } from '../src/control/lines.ts'
import type { ControlEvent } from '../src/control/model.ts'
import { controlParameters } from '../src/control/parameters.ts'
import { initialState, step } from '../src/control/step.ts'
import { reading, report } from './control-harness.ts'
import { run } from './control-house.ts'
import fc from './property.ts'

const RUNS = Number(process.env['RUNS'] ?? 100)

/** A house that is switched between two currents. */
function square(periodS: number, duty: number, amplitudeA: number, baseA: number) {
  return (s: number) => baseA + (s % periodS < duty * periodS ? amplitudeA : 0)
}

t.test(
  '10: a square wave of the house moves the command twice a period and 40 times an hour at most',
  async t => {
    const wave = fc.record({
      periodS: fc.oneof(fc.integer({ min: 2, max: 60 }), fc.integer({ min: 60, max: 1200 })),
      duty: fc.integer({ min: 10, max: 90 }).map(n => n / 100),
      amplitudeA: fc.integer({ min: 6, max: 14 }),
      baseA: fc.integer({ min: 1, max: 8 }),
      cadenceS: fc.constantFrom(1, 2, 10),
    })
    const within = ({ periodS, duty, amplitudeA, baseA, cadenceS }: Parameters<typeof check>[0]) =>
      check({ periodS, duty, amplitudeA, baseA, cadenceS })
    function check(w: {
      readonly periodS: number
      readonly duty: number
      readonly amplitudeA: number
      readonly baseA: number
      readonly cadenceS: number
    }): boolean {
      const seconds = 4500
      const baseA = square(w.periodS, w.duty, w.amplitudeA, w.baseA)
      const { changes } = run({ baseA, cadenceS: w.cadenceS, latencyS: 1 }, seconds)
      const later = changes.filter(({ s }) => s >= 900).length
      return later <= 40 && later <= 2 * (Math.ceil((seconds - 900) / w.periodS) + 1)
    }
    const found: [why: string, wave: Parameters<typeof check>[0]][] = [
      [
        "the worst of the law's own study",
        { periodS: 180, duty: 0.5, amplitudeA: 12, baseA: 4, cadenceS: 10 },
      ],
      [
        'a load a little longer than a ride',
        { periodS: 770, duty: 0.16, amplitudeA: 12, baseA: 7, cadenceS: 10 },
      ],
      [
        'gone for longer than the longest usual hold, every 152 s',
        { periodS: 152, duty: 0.11, amplitudeA: 14, baseA: 6, cadenceS: 2 },
      ],
      ['the same every 160 s', { periodS: 160, duty: 0.2, amplitudeA: 13, baseA: 7, cadenceS: 1 }],
    ]
    for (const [why, w] of found) t.ok(within(w), why)
    fc.assert(fc.property(wave, within), { numRuns: Math.max(8, RUNS / 10) })
  },
)

t.test('14: the computed line of a three-wire net is next to never low', async t => {
  const parameters = controlParameters({ installation: { grid: 'IT' } })
  const load = fc.record({
    a: fc.integer({ min: 0, max: 250 }).map(n => n / 10),
    lag: fc.integer({ min: 0, max: 41 }),
  })
  let low = 0
  let all = 0
  fc.assert(
    fc.property(fc.tuple(load, load, load), loads => {
      const { values, i2 } = threeWire(loads)
      const read = readLines(parameters, null, reading(0, values, { grid: 'IT' }), 0)
      all++
      if (read.lineMa[1]! < i2 * 1000 - 500) low++
      return true
    }),
    { numRuns: 20 * RUNS },
  )
  t.ok(low <= 0.005 * all, `${low} of ${all}`)
})

/** Three passive loads between the lines of a net without neutral. */
function threeWire(loads: readonly { readonly a: number; readonly lag: number }[]) {
  const lines = [0, 0, 0].map(() => ({ x: 0, y: 0 }))
  let p = 0
  let q = 0
  loads.forEach(({ a, lag }, n) => {
    const angle = (([30, -90, 150][n]! - lag) * Math.PI) / 180
    for (const [line, sign] of [
      [n, 1],
      [(n + 1) % 3, -1],
    ] as const) {
      lines[line]!.x += sign * a * Math.cos(angle)
      lines[line]!.y += sign * a * Math.sin(angle)
    }
    p += 230 * a * Math.cos((lag * Math.PI) / 180)
    q += 230 * a * Math.sin((lag * Math.PI) / 180)
  })
  const [i1, i2, i3] = lines.map(({ x, y }) => Math.hypot(x, y))
  const values = {
    currentL1A: i1!,
    currentL3A: i3!,
    voltageL1L2V: 230,
    voltageL2L3V: 230,
    voltageL1L3V: 230,
    activePowerImportW: p,
    reactivePowerImportVar: q,
  }
  return { values, i2: i2! }
}

const CONFIG = {
  installation: { grid: 'TN' as const },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

t.test('16: reports that stop leave an unmetered charge point', async t => {
  const parameters = controlParameters(CONFIG)
  const unmetered = controlParameters({ ...CONFIG, chargePoint: { maxA: 16, metered: false } })
  const house = fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 10, maxLength: 30 })
  fc.assert(
    fc.property(house, fc.integer({ min: 3, max: 8 }), (houses, lost) => {
      let a = initialState(parameters, 0)
      let b = a
      return houses.every((base, n) => {
        const now = n * 10_000
        const own = a.cmdMa / 1000
        const events: ControlEvent[] = [
          { type: 'reading', reading: reading(now, lines(base + own)), mayRaise: true },
        ]
        if (n < lost) events.unshift({ type: 'charger', charger: report(now, own) })
        const before = a.cmdMa
        // Reports older than 20 s against the sample count as none.
        const without = n >= lost + 2
        for (const event of events) {
          b = step(without ? unmetered : parameters, a, event, now).state
          a = step(parameters, a, event, now).state
        }
        const holds = base + own <= 24.9 || a.cmdMa <= before
        return JSON.stringify(a) === JSON.stringify(b) && holds
      })
    }),
    { numRuns: RUNS },
  )
  t.pass('the same')
})

function lines(a: number) {
  const ampere = Math.round(a * 1000) / 1000
  return { currentL1A: ampere, currentL2A: ampere, currentL3A: ampere }
}

t.test('18: paragraph 14a holds in watts with the voltage measured', async t => {
  const parameters = controlParameters(CONFIG)
  const frame = fc.record({
    volts: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 2050, max: 2550 }))),
    base: fc.integer({ min: 0, max: 60 }).map(n => n / 10),
    watts: fc.option(fc.integer({ min: 0, max: 12_000 }), { nil: undefined }),
  })
  fc.assert(
    fc.property(fc.array(frame, { minLength: 5, maxLength: 40 }), frames => {
      let state = initialState(parameters, 0)
      let limitW = Number.POSITIVE_INFINITY
      return frames.every(({ volts, base, watts }, n) => {
        const now = n * 10_000
        const feed = (event: ControlEvent) => {
          state = step(parameters, state, event, now).state
        }
        const own = state.cmdMa / 1000
        feed({ type: 'charger', charger: report(now, own) })
        if (watts !== undefined) {
          limitW = watts
          const limit = {
            id: 'section_14a',
            scope: 'chargePoint',
            totalW: watts,
            expires: 1e12,
          } as const
          feed({ type: 'limit', limit })
        }
        const u = volts.map(v => v! / 10)
        const values = {
          ...lines(base + own),
          voltageL1V: u[0]!,
          voltageL2V: u[1]!,
          voltageL3V: u[2]!,
        }
        feed({ type: 'reading', reading: reading(now, values), mayRaise: true })
        return (state.cmdMa / 1000) * (u[0]! + u[1]! + u[2]!) <= limitW + 1e-6
      })
    }),
    { numRuns: RUNS },
  )
  t.pass('within')
})
