import t from 'tap'
import type { Reading } from '../src/reading.ts'
import type { Site } from '../src/sim/controllers/controller.ts'
import { CONTROLLERS } from '../src/sim/controllers/index.ts'
import { PEERS } from '../src/sim/peers/index.ts'
import { hasCurrents, lineCurrents, netPower } from '../src/sim/peers/lines.ts'
import { scenarioFrom } from '../src/sim/scenario-file.ts'
import { simulate } from '../src/sim/simulate.ts'

const SITE: Site = {
  limitA: [25, 25, 25],
  voltageV: 230,
  phases: 3,
  lines: [0, 1, 2],
  minA: 6,
  maxA: 16,
  stepA: 0.1,
  offsetS: 0,
  config: {},
}

function reading(at: number, [a, b, c]: readonly number[]): Reading {
  const values = {
    currentL1A: a!,
    currentL2A: b!,
    currentL3A: c!,
    activePowerImportW: (a! + b! + c!) * 230,
  }
  return { decoder: 'test', receivedAt: at, integrity: 'checksum', values, registers: [] }
}

/** Commands second by second for a house whose meter is right and a car that follows at once. */
function follow(
  id: string,
  seconds: number,
  houseA: (s: number) => readonly number[] | undefined,
  site: Site = SITE,
): number[] {
  const controller = PEERS[id]!(site)
  const commands: number[] = []
  let ev = 0
  for (let s = 0; s < seconds; s++) {
    const now = s * 1000
    const house = houseA(s)
    controller.charger(
      {
        chargePoint: '1',
        at: now,
        state: ev > 0 ? 'C' : 'B',
        offeredA: ev,
        currentA: [ev, ev, ev],
        powerW: ev * 690,
      },
      now,
    )
    if (house !== undefined)
      controller.reading(
        reading(
          now,
          house.map((a, line) => a + (site.lines.includes(line) ? ev : 0)),
        ),
        now,
      )
    ev = controller.tick(now, now)
    commands.push(ev)
  }
  return commands
}

const idle = () => [1, 1, 1]
const loaded = () => [1, 15, 1]
const after = (s: number, from: number) => (s < from ? [1, 1, 1] : [1, 15, 1])

t.test(
  'everyone charges fully in an idle house, and what the busiest line leaves otherwise',
  async t => {
    let visited = 0
    for (const id of Object.keys(PEERS)) {
      visited += 1
      const [free, busy] = [follow(id, 1200, idle), follow(id, 2400, loaded)]
      t.ok(free.at(-1)! >= 13.1, `${id} in an idle house: ${free.at(-1)} A`)
      if (id === 'static' || id === 'openevse') continue
      t.ok(busy.at(-1)! <= 10 && busy.at(-1)! >= 7, `${id} with 15 A on a line: ${busy.at(-1)} A`)
    }
    t.equal(visited, 9)
    t.equal(Object.keys(CONTROLLERS)[0], 'ampacity')
  },
)

const reactions: [id: string, within: number][] = [
  ['evcc-30', 30],
  ['evcc-10', 10],
  ['smartevse', 4],
  ['ha-conservative', 2],
  ['ha-optimised', 61],
  ['openwb', 10],
  ['warp', 20],
]
for (const [id, within] of reactions)
  t.test(`${id} gives way within ${within} s`, async t => {
    const commands = follow(id, 1700, s => after(s, 1605))
    t.ok(commands[1604]! > 13, `before: ${commands[1604]} A`)
    t.ok(commands[1605 + within]! <= 10.1, `after: ${commands[1605 + within]} A`)
  })

const silent: [id: string, staysFor: number, limit: number][] = [
  ['evcc-10', 60, 75],
  ['smartevse', 11, 13],
  ['openevse', 120, 123],
  ['warp', 65, 67],
]
for (const [id, staysFor, limit] of silent)
  t.test(`${id} stops when the meter is silent`, async t => {
    const commands = follow(id, 1800, s => (s <= 1600 ? [1, 1, 1] : undefined))
    t.ok(commands[1600 + staysFor - 1]! > 0, `still charges after ${staysFor - 1} s`)
    t.equal(commands[1600 + limit], 0)
  })

for (const id of ['openwb', 'ha-optimised', 'ha-conservative', 'static'])
  t.test(`${id} never asks how old a reading is`, async t => {
    const commands = follow(id, 3000, s => (s <= 1600 ? [1, 1, 1] : undefined))
    t.ok(commands.at(-1)! > 6)
  })

t.test('pauses last as the sources say', async t => {
  const overload = (s: number) => (s >= 1600 && s < 1620 ? [22, 22, 22] : [1, 1, 1])
  const least = (id: string): number => {
    const commands = follow(id, 2400, overload)
    const from = commands.findIndex((amperes, s) => s >= 1600 && amperes === 0)
    return commands.findIndex((amperes, s) => s > from && amperes > 0) - from
  }
  t.ok(least('openevse') >= 300)
  t.ok(least('warp') >= 210)
  t.ok(least('smartevse') >= 60)
  t.ok(least('evcc-10') <= 30, 'no delay')
})

t.test('a home with one phase, a vehicle with one phase', async t => {
  const single: Site = { ...SITE, limitA: [63], phases: 1, lines: [0], maxA: 32 }
  const onOne: Site = { ...SITE, phases: 1, lines: [1], maxA: 32 }
  for (const id of Object.keys(PEERS)) {
    t.ok(follow(id, 1500, () => [5, 0, 0], single).at(-1)! > 20, id)
    t.ok(follow(id, 1500, idle, onOne).at(-1)! > 6, id)
  }
})

t.test('what is taken from readings', async t => {
  const exporting: Reading = {
    ...reading(0, [3, 4, 5]),
    values: { currentL1A: 3, currentL2A: 4, activePowerImportL1W: 0, activePowerExportL1W: 690 },
  }
  t.same(lineCurrents(exporting, 3), [-3, 4, 0])
  t.equal(netPower(exporting, 3, 230), 230)
  t.equal(netPower(reading(0, [1, 1, 1]), 3, 230), 690)
  t.notOk(hasCurrents({ ...exporting, values: { activePowerImportW: 5 } }))
})

t.test('everyone runs in the closed loop', async t => {
  const scenario = scenarioFrom({ extends: 'B', start: '17:00', hours: 1 })
  for (const [id, controller] of Object.entries(PEERS)) {
    const metrics = simulate(scenario, { controller, seeds: [1], days: 1 })
    t.ok(metrics.energy_wh > 0, id)
  }
})
