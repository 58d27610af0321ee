import t, { type Test } from 'tap'
import type { LimitCommand } from '../src/control/model.ts'
import { newCar, ORDINARY_CAR, offerCar, stepCar } from '../src/sim/car.ts'
import { home } from '../src/sim/home.ts'
import { Household } from '../src/sim/household.ts'
import { electricalState } from '../src/sim/norway/electrical.ts'
import { estimateCurrentL2, type Triple, total } from '../src/sim/phasor.ts'
import { simulatedTime } from '../src/sim/sim-time.ts'
import {
  commandWallbox,
  newWallbox,
  ORDINARY_WALLBOX,
  pilotState,
  stepWallbox,
} from '../src/sim/wallbox.ts'
import { wallboxOutput } from '../src/sim/wallbox-output.ts'

const close = (t: Test, found: number, wanted: number, name: string, tolerance = 0.006) =>
  t.ok(Math.abs(found - wanted) <= tolerance, `${name}: ${found} is about ${wanted}`)

const U: Triple = [230, 230, 230]

// Resistive loads between lines 1-2, 2-3 and 3-1, W; the line currents they must give, A.
const three: [name: string, pairsW: Triple, currentsA: Triple][] = [
  ['10 A between 1-2 and 10 A between 2-3', [2300, 2300, 0], [10, 17.32, 10]],
  ['16 A between 1-3 only', [0, 0, 3680], [16, 0, 16]],
  ['vehicle of 32 A between 1-3, 10 A between 1-2', [2300, 0, 7360], [38, 10, 32]],
  [
    '10 A on each line',
    [2300 / Math.sqrt(3), 2300 / Math.sqrt(3), 2300 / Math.sqrt(3)],
    [10, 10, 10],
  ],
]
for (const [name, pairsW, currentsA] of three)
  t.test(`three wires: ${name}`, async t => {
    const state = electricalState('3P3W', U, pairsW, [0, 0, 0])
    for (const line of [0, 1, 2] as const)
      close(t, state.currentsA[line], currentsA[line], `I${line + 1}`, 0.16)
    const { activeW, reactiveVar } = total(state)
    close(t, activeW, pairsW[0] + pairsW[1] + pairsW[2], 'the two elements add up to P', 1e-6)
    close(t, reactiveVar, 0, 'and to Q', 1e-6)
    const estimate = estimateCurrentL2({
      currentL1A: state.currentsA[0],
      currentL3A: state.currentsA[2],
      activeW,
      reactiveVar,
      voltageL1L2V: 230,
      voltageL2L3V: 230,
      voltageL1L3V: 230,
    })
    close(t, estimate.value, state.currentsA[1], 'the estimate finds I2', 1e-3)
  })

t.test('the estimate reproduces worked values, its mirror image included', async t => {
  // I1, I3, P, Q, U12, U23, U13, estimate, mirror; all from meters on three wires.
  const worked: [
    number,
    number,
    number,
    number,
    number,
    number,
    number | undefined,
    number,
    number,
  ][] = [
    [16, 16, 3680, 0, 230, 230, undefined, 0, 27.71],
    [13.4, 9.37, 5014, 287, 230, 230, undefined, 15.88, 22.18],
    [31.8, 34.32, 9460, 49, 235, 232, undefined, 9.27, 61.21],
    [7.087, 4.206, 2269, -720, 236.7, 236.7, undefined, 6.45, 11.29],
    [2.84, 10.21, 2690, -218, 238, 240, 239, 8.42, 12.97],
    [7.4, 6.4, 1321, 1385, 236.7, 233.9, 235.8, 1.71, 12.61],
  ]
  for (const [
    currentL1A,
    currentL3A,
    activeW,
    reactiveVar,
    u12,
    u23,
    u13,
    value,
    mirror,
  ] of worked) {
    const found = estimateCurrentL2({
      currentL1A,
      currentL3A,
      activeW,
      reactiveVar,
      voltageL1L2V: u12,
      voltageL2L3V: u23,
      ...(u13 === undefined ? {} : { voltageL1L3V: u13 }),
    })
    close(t, found.value, value, `estimate of ${value} A`, 0.01)
    close(t, found.mirror, mirror, `mirror of ${mirror} A`, 0.01)
  }
  const idle = { activeW: 0, reactiveVar: 0, voltageL1L2V: 230, voltageL2L3V: 230 }
  t.equal(estimateCurrentL2({ ...idle, currentL1A: 0, currentL3A: 4 }).value, 4)
  t.equal(estimateCurrentL2({ ...idle, currentL1A: 4, currentL3A: 0 }).value, 4)
})

t.test('a lagging load between lines 3 and 1 turns element 1 negative while importing', async t => {
  const state = electricalState('3P3W', U, [0, 0, 900], [0, 0, 1500])
  t.ok(state.activeW[0] < 0)
  t.ok(total(state).activeW > 0)
})

t.test('a car waits, ramps up slowly, down quickly, and takes its time after a pause', async t => {
  let car = offerCar(ORDINARY_CAR, newCar(0), 10, 0)
  const at = (ms: number) => stepCar(ORDINARY_CAR, car, ms).currentA
  t.equal(at(12_000), 0, 'first current 12 s after the offer')
  t.equal(at(13_000), 2, 'then 2 A/s')
  t.equal(at(17_000), 10)
  t.equal(at(60_000), 10)
  car = offerCar(ORDINARY_CAR, car, 16, 60_000)
  t.equal(at(62_000), 10, 'follows after 2 s')
  t.equal(at(63_000), 12)
  t.equal(at(70_000), 16)
  car = offerCar(ORDINARY_CAR, car, 6, 70_000)
  t.equal(at(72_000), 16)
  t.equal(at(72_500), 13, 'down with 6 A/s')
  t.equal(at(80_000), 6)
  car = offerCar(ORDINARY_CAR, car, 0, 80_000)
  t.equal(at(83_000), 0, 'a pause ends the current 3 s later')
  car = offerCar(ORDINARY_CAR, car, 32, 90_000)
  t.equal(at(102_000), 0)
  t.equal(at(200_000), 16, 'never more than its own charger takes')
})

t.test('an offer changed while the car wakes up does not wake it earlier', async t => {
  let car = offerCar(ORDINARY_CAR, newCar(0), 10, 0)
  car = offerCar(ORDINARY_CAR, car, 8, 3000)
  t.equal(stepCar(ORDINARY_CAR, car, 12_000).currentA, 0)
  t.equal(stepCar(ORDINARY_CAR, car, 30_000).currentA, 8)
  car = offerCar(ORDINARY_CAR, car, 0, 5000)
  t.equal(stepCar(ORDINARY_CAR, car, 60_000).currentA, 0, 'a pause while waking up keeps it asleep')
})

t.test('some cars follow whole amperes only', async t => {
  const model = { ...ORDINARY_CAR, wholeAmperes: true }
  const car = offerCar(model, newCar(0), 9.9, 0)
  t.equal(stepCar(model, car, 60_000).currentA, 9)
})

t.test('a wallbox falls to its safe current when nobody tells it anything', async t => {
  for (const safeA of [0, 6]) {
    const model = { ...ORDINARY_WALLBOX, safeA }
    const told = commandWallbox(model, newWallbox(model, 0), 14, 30_000, 10_000)
    t.equal(told.offeredA, 14)
    t.equal(stepWallbox(model, told, 39_999).offeredA, 14)
    t.equal(stepWallbox(model, told, 40_000).offeredA, safeA, `falls to ${safeA} A`)
    t.equal(stepWallbox(model, told, 400_000).offeredA, safeA)
  }
})

t.test('duty cycles are five seconds apart, a pause comes at once', async t => {
  const model = ORDINARY_WALLBOX
  let box = commandWallbox(model, newWallbox(model, 0), 14, 30_000, 10_000)
  box = commandWallbox(model, box, 10, 30_000, 12_000)
  t.equal(box.offeredA, 14, 'too early')
  t.equal(stepWallbox(model, box, 15_000).offeredA, 10)
  box = commandWallbox(model, box, 0, 30_000, 12_500)
  t.equal(box.offeredA, 0)
})

t.test('a wallbox offers nothing between 0 and 6 A and never more than it can', async t => {
  const offer = (limitA: number) =>
    commandWallbox(ORDINARY_WALLBOX, newWallbox(ORDINARY_WALLBOX, 0), limitA, 1000, 10_000).offeredA
  t.equal(offer(5.9), 0)
  t.equal(offer(6), 6)
  t.equal(offer(40), 16)
  t.equal(pilotState(newWallbox(ORDINARY_WALLBOX, 0, false), 0), 'A')
  t.equal(pilotState(newWallbox(ORDINARY_WALLBOX, 0), 0), 'B')
  t.equal(pilotState(newWallbox(ORDINARY_WALLBOX, 0), 6), 'C')
})

t.test(
  'a home is the same for the same seed, differs for another, and cooks within a minute',
  async t => {
    const kitchen = home(3)
    t.same(kitchen.at(1e6), home(3).at(1e6))
    t.notSame(kitchen.at(1e6).activeW, home(4).at(1e6).activeW)
    t.same(kitchen.at(10_000).running, [])
    t.same(kitchen.at(35_000).running, ['kettle'])
    t.ok(kitchen.at(35_000).activeW[0] > 2200)
    t.same(kitchen.at(130_000).running, [])
    t.same(kitchen.at(250_000).running, ['oven'])
    const seen = new Set<string>()
    for (let s = 0; s < 86_400; s += 60)
      for (const name of kitchen.at(s * 1000).running) seen.add(name)
    t.equal(seen.size, 5, 'every appliance runs within a day')
  },
)

const START = Date.parse('2026-01-15T17:00:00Z')
const quiet = {
  at: () => ({ activeW: [100, 100, 100] as const, reactiveVar: [0, 0, 0] as const, running: [] }),
}

t.test('what the vehicle draws appears in the line currents', async t => {
  const cases: [wiring: '1P' | '3P4W' | '3P3W', phases: 1 | 3, lines: Triple, powerW: number][] = [
    ['3P4W', 3, [16, 16, 16], 3 * 230 * 16],
    ['3P4W', 1, [16, 0, 0], 230 * 16],
    ['3P3W', 3, [16, 16, 16], Math.sqrt(3) * 230 * 16],
    ['3P3W', 1, [16, 0, 16], 230 * 16],
    ['1P', 1, [16, 0, 0], 230 * 16],
  ]
  for (const [wiring, phases, lines, powerW] of cases) {
    const name = `${wiring}, ${phases} phase(s)`
    const household = new Household({
      wiring,
      startMs: START,
      home: quiet,
      nominalV: 230,
      lineOhm: 0,
      wallbox: { ...ORDINARY_WALLBOX, phases },
    })
    household.command(16, 3_600_000, START)
    const before = household.electrical(START + 5000).currentsA
    const after = household.electrical(START + 60_000).currentsA
    for (const line of [0, 1, 2] as const)
      close(t, after[line] - before[line], lines[line], `${name}, line ${line + 1}`, 0.5)
    const status = household.chargePoint(START + 60_000)
    t.match(status, { state: 'C', offeredA: 16 })
    t.same(status.currentA, phases === 3 ? [16, 16, 16] : [16, 0, 0])
    close(t, status.powerW, powerW, `${name}, power`)
  }
})

t.test('registers count what flows, and voltage sags under load', async t => {
  const household = new Household({ wiring: '3P4W', startMs: START, home: quiet, pluggedIn: false })
  const { energy, voltagesV } = household.electrical(START + 1_800_000)
  close(t, energy.activeImportWh, 150, 'half an hour of 300 W')
  t.ok(voltagesV[0] < 231 && voltagesV[0] > 230)
  t.equal(household.chargePoint(START).state, 'A')
})

const command = (limitA: number): LimitCommand => ({
  seq: 1,
  chargePoint: '1',
  limitA,
  phases: 3,
  code: 'OK_FULL',
  limitedBy: 'charger',
  text: '',
  headroomA: [],
  validForS: 30,
  readingAgeS: null,
  at: 0,
})

t.test('as an output the wallbox obeys, answers, falls back and lets go safely', async t => {
  let now = 1000
  const clock = { now: () => now, wall: () => START }
  const household = new Household({ wiring: '3P4W', startMs: START, home: quiet })
  const time = simulatedTime(clock, START, 10)
  t.equal(time.instantOf(time.now()), now)
  const output = wallboxOutput({ id: 'box', household, time, clock })
  const { signal } = new AbortController()
  t.match(await output.apply(command(13), signal), {
    chargePoint: '1',
    at: 1000,
    state: 'B',
    offeredA: 13,
    currentA: [0, 0, 0],
    powerW: 0,
  })
  now += 6000
  t.match(await output.apply(command(13), signal), { state: 'C', currentA: [13, 13, 13] })
  t.equal(await output.apply({ ...command(10), chargePoint: '2' }, signal), undefined)
  t.equal(await output.apply(command(10), AbortSignal.abort()), undefined)
  t.equal(
    household.chargePoint(START + 60_000 + 299_000).offeredA,
    13,
    'valid for 30 s of real time',
  )
  t.equal(household.chargePoint(START + 60_000 + 301_000).offeredA, 6, 'then safe')
  now += 40_000
  await output.apply(command(0), signal)
  await output.close()
  t.equal(household.chargePoint(time.now() + 1000).offeredA, 6)
})
