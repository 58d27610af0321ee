/** Several charge points on one connection. */
import t from 'tap'
import { allocate, type Claim } from '../src/control/allocate.ts'
import { type ControlConfig, controlParameters } from '../src/control/parameters.ts'
import { initialSite, siteStep } from '../src/control/several.ts'
import { currents, reading, report } from './control-harness.ts'
import fc from './property.ts'

const claim = (id: string, more: Partial<Claim> = {}): Claim => ({
  id,
  lines: [0, 1, 2],
  minMa: 6000,
  mostMa: 16_000,
  stepMa: 100,
  priority: 1,
  readyBy: null,
  energyWh: 0,
  isProtected: false,
  ...more,
})

const shares: [
  name: string,
  claims: Claim[],
  capacity: number[],
  expected: Record<string, number>,
][] = [
  ['room for all', [claim('a'), claim('b')], [40_000, 40_000, 40_000], { a: 16_000, b: 16_000 }],
  ['halves', [claim('a'), claim('b')], [20_000, 22_000, 20_000], { a: 10_000, b: 10_000 }],
  ['one has to wait', [claim('a'), claim('b')], [11_000, 20_000, 20_000], { a: 11_000, b: 0 }],
  ['nothing', [claim('a')], [5000, 20_000, 20_000], { a: 0 }],
  ['priority', [claim('a'), claim('b', { priority: 0 })], [8000, 9000, 9000], { a: 0, b: 8000 }],
  ['hurry', [claim('a'), claim('b', { readyBy: 5 })], [8000, 9000, 9000], { a: 0, b: 8000 }],
  [
    'one uses less',
    [claim('a', { mostMa: 7000 }), claim('b')],
    [20_000, 20_000, 20_000],
    { a: 7000, b: 13_000 },
  ],
  [
    'other lines',
    [claim('a', { lines: [0] }), claim('b', { lines: [1] })],
    [16_000, 9000, 0],
    { a: 16_000, b: 9000 },
  ],
  [
    'a protected one stays',
    [claim('a'), claim('b', { isProtected: true })],
    [9000, 9000, 9000],
    { a: 0, b: 9000 },
  ],
]
for (const [name, claims, capacity, expected] of shares)
  t.test(name, async t => t.strictSame(allocate(claims, capacity), expected))

t.test('those that tie take turns', async t => {
  const both = [claim('a'), claim('b')]
  t.strictSame(allocate(both, [9000, 9000, 9000], 0), { a: 9000, b: 0 })
  t.strictSame(allocate(both, [9000, 9000, 9000], 1), { a: 0, b: 9000 })
})

t.test('15: no line is exceeded, who is let in has the minimum, equals get the same', async t => {
  const lines = fc.constantFrom([0], [1], [2], [0, 1, 2], [0, 1])
  const one = fc.record({
    lines,
    mostMa: fc.integer({ min: 0, max: 320 }).map(n => n * 100),
    priority: fc.nat(2),
  })
  const capacity = fc.tuple(
    fc.integer({ min: -5000, max: 70_000 }),
    fc.integer({ min: 0, max: 70_000 }),
    fc.integer({ min: 0, max: 70_000 }),
  )
  fc.assert(
    fc.property(
      fc.array(one, { minLength: 1, maxLength: 8 }),
      capacity,
      fc.nat(9),
      (all, cap, turn) => {
        const claims = all.map((c, n) => claim(String(n), c))
        const got = allocate(claims, cap, turn)
        const isFull = (line: number) =>
          claims.reduce((sum, c) => sum + (c.lines.includes(line) ? got[c.id]! : 0), 0) <=
          Math.max(0, cap[line]!)
        const inRange = claims.every(
          c => got[c.id] === 0 || (got[c.id]! >= 6000 && got[c.id]! <= c.mostMa),
        )
        const same = claims.every(a =>
          claims.every(
            b =>
              got[a.id] === 0 ||
              got[b.id] === 0 ||
              a.mostMa !== b.mostMa ||
              a.lines.join() !== b.lines.join() ||
              Math.abs(got[a.id]! - got[b.id]!) <= 100,
          ),
        )
        return [0, 1, 2].every(isFull) && inRange && same
      },
    ),
    { numRuns: 300 },
  )
  t.pass('shared')
})

/** Two vehicles that follow at once, and a house on all lines. */
function live(
  houseA: (s: number) => number,
  seconds: number,
  gone: (s: number) => boolean = () => false,
) {
  const config: ControlConfig = {
    installation: { grid: 'TN', mainFuseA: 35 },
    meter: { latencyS: 1, cadenceS: 10 },
  }
  const parameters = ['1', '2'].map(id =>
    controlParameters({ ...config, chargePoint: { id, maxA: 16 } }),
  )
  let site = initialSite(parameters, 0)
  const at: number[][] = []
  for (let s = 0; s < seconds; s++) {
    const cmds = site.points.map(({ cmdMa }) => cmdMa / 1000)
    const draws = cmds.map((a, n) => (n === 1 && gone(s) ? 0 : a))
    draws.forEach((a, n) => {
      const state = n === 1 && gone(s) ? 'A' : a > 0 ? 'C' : 'B'
      const charger = { ...report(s * 1000, a, { state }), chargePoint: String(n + 1) }
      site = siteStep(parameters, site, { type: 'charger', charger }, s * 1000).state
    })
    const line = houseA(s) + draws[0]! + draws[1]!
    const event =
      s % 10 === 9
        ? ({
            type: 'reading',
            reading: reading(s * 1000, currents(line, line, line)),
            mayRaise: true,
          } as const)
        : ({ type: 'tick', wallMs: undefined } as const)
    site = siteStep(parameters, site, event, s * 1000).state
    at.push(site.points.map(({ cmdMa }) => cmdMa / 1000))
  }
  return { at, site }
}

t.test('two share what the house leaves', async t => {
  const { at } = live(() => 10, 300)
  t.strictSame(at.at(-1), [12.5, 12.4])
  const full = live(() => 2, 300)
  t.strictSame(full.at.at(-1), [16, 16])
})

t.test('a load cuts both once, at once', async t => {
  const { at } = live(s => (s < 300 ? 5 : 18), 400)
  t.ok(at[310]![0]! + at[310]![1]! <= 35 - 0.1 - 18 + 0.01, String(at[310]))
  t.ok(at[310]![0]! >= 6 && at[310]![1]! >= 6, String(at[310]))
})

t.test('where two do not fit one goes on', async t => {
  const { at } = live(s => (s < 300 ? 5 : 25), 420)
  const last = at.at(-1)!
  t.ok(last[0]! + last[1]! <= 9.9, String(last))
  t.ok(Math.max(...last) >= 6, String(last))
})

t.test('one that has gone leaves its share', async t => {
  const { at } = live(
    () => 20,
    600,
    s => s > 300,
  )
  t.ok(at[290]![0]! < 9, String(at[290]))
  t.ok(at.at(-1)![0]! >= 14, String(at.at(-1)))
})

t.test('15: the sum stays below every line whatever the house does', async t => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 4, maxLength: 12 }),
      houses => {
        const { at } = live(s => houses[Math.floor(s / 60)] ?? 0, houses.length * 60)
        return at.every((cmds, s) => {
          if (s % 10 !== 9 || cmds[0]! + cmds[1]! === 0) return true
          const base = houses[Math.floor((s - 1) / 60)]!
          const sum = cmds[0]! + cmds[1]!
          return sum <= Math.max(34.9 - base + 0.01, 6) || base + sum <= 43.75
        })
      },
    ),
    { numRuns: 15 },
  )
  t.pass('below')
})
