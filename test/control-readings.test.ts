import t from 'tap'
import { readLines } from '../src/control/lines.ts'
import { controlParameters } from '../src/control/parameters.ts'
import { medianOfThree } from '../src/control/three-wire.ts'
import { maximumSince, remember, type Window } from '../src/control/window.ts'
import type { Values } from '../src/reading.ts'
import { Core, currents, reading } from './control-harness.ts'

const parameters = controlParameters({ installation: { grid: 'auto' } })
const single = controlParameters({ installation: { phases: 1 } })
const read = (values: Values, p = parameters, grid?: 'TN' | 'IT') =>
  readLines(p, null, reading(0, values, grid === undefined ? {} : { grid }), 0)

/** Phase 1 alone; the others are idle. */
const one = (values: Values): Values => ({ ...values, currentL2A: 0, currentL3A: 0 })

const lines: [name: string, values: Values, l1: number | null][] = [
  ['a magnitude', one({ currentL1A: 12.3 }), 12_300],
  ['a negative current without phase power is taken as import', one({ currentL1A: -7.4 }), 7400],
  ['not available', one({ currentL1A: null }), null],
  ['not a number', one({ currentL1A: Number.NaN }), null],
  [
    'export of active current only',
    one({ currentL1A: 10, voltageL1V: 230, activePowerImportL1W: 0, activePowerExportL1W: 2300 }),
    -10_000,
  ],
  [
    'export with reactive current: only the active part gives way',
    one({ currentL1A: 10, voltageL1V: 230, activePowerImportL1W: 0, activePowerExportL1W: 1840 }),
    -2000,
  ],
  [
    'nearly all reactive: no room',
    one({ currentL1A: 10, voltageL1V: 230, activePowerImportL1W: 0, activePowerExportL1W: 1 }),
    9996,
  ],
  [
    'power of the phase, reactive unknown',
    one({ voltageL1V: 230, activePowerImportL1W: 2185 }),
    10_000,
  ],
  [
    'power of the phase, reactive known',
    one({ voltageL1V: 230, activePowerImportL1W: 1840, reactivePowerImportL1Var: 1380 }),
    10_000,
  ],
  ['total power is no phase current', one({ activePowerImportW: 2300 }), null],
]
for (const [name, values, expected] of lines)
  t.test(`line 1: ${name}`, async t => t.equal(read(values).lineMa[0], expected))

t.test('one phase: the total tells the direction', async t => {
  t.strictSame(
    read({ currentL1A: 4, voltageL1V: 230, activePowerImportW: 0, activePowerExportW: 920 }, single)
      .lineMa,
    [-4000],
  )
  t.strictSame(
    read({ currentL1A: 4, voltageL1V: 230, activePowerImportW: 920 }, single).lineMa,
    [4000],
  )
})

const IT = { voltageL1L2V: 230, voltageL2L3V: 230, voltageL1L3V: 230 }
/** 10 A between lines 1 and 2 and 10 A between 2 and 3. */
const TWO_PAIRS: Values = {
  ...IT,
  currentL1A: 10,
  currentL3A: 10,
  activePowerImportW: 4600,
  reactivePowerImportVar: 0,
}

t.test('three wires', async t => {
  const measured = read({ ...IT, currentL1A: 5, currentL2A: 6, currentL3A: 7 })
  t.equal(measured.threeWire, true)
  t.strictSame(measured.lineMa, [5000, 6000, 7000])
  t.strictSame(measured.computed, [false, false, false])
  const computed = read(TWO_PAIRS)
  t.strictSame(computed.lineMa, [10_000, 18_321, 10_000], 'estimate and one ampere')
  t.strictSame(computed.computed, [false, true, false])
  t.strictSame(computed.cutMa, [10_000, 12_000, 10_000], 'stands out: not yet believed for a cut')
  const again = readLines(parameters, computed.secondLine, reading(10_000, TWO_PAIRS), 10_000)
  t.strictSame(again.cutMa, [10_000, 18_321, 10_000], 'believed when it comes twice')
  t.strictSame(
    read({ ...TWO_PAIRS, currentL1A: -10 }).lineMa[0],
    10_000,
    'the sign belongs to the element',
  )
  const noQ = read({ ...IT, currentL1A: 10, currentL3A: 10, activePowerImportW: 4600 })
  t.strictSame([noQ.lineMa[1], noQ.computed[1]], [20_000, false], 'no reactive power: the bound')
  t.equal(
    read({ ...TWO_PAIRS, currentL1A: 0.4 }).lineMa[1],
    10_400,
    'too small for angles: the bound',
  )
  t.equal(read({ ...IT, currentL1A: 10, currentL3A: 10 }).lineMa[1], 20_000, 'no power: the bound')
  t.equal(read({ ...IT, currentL1A: 10 }).lineMa[1], null)
})

t.test(
  'three wires with swapped terminals: the other solution, the larger where both fit',
  async t => {
    const swapped = controlParameters({ installation: { phaseOrder: '3-2-1' } })
    const net: Values = {
      ...IT,
      currentL1A: 7.087,
      currentL3A: 4.206,
      activePowerImportW: 2269,
      reactivePowerExportVar: 720,
      reactivePowerImportVar: 0,
    }
    t.ok(read(net, swapped).computed[1])
    t.ok(
      read(net, swapped).lineMa[1]! >= read(net).lineMa[1]!,
      'never less where the ordinary one fits',
    )
    t.equal(read(TWO_PAIRS, swapped).lineMa[1], 18_321)
  },
)

t.test('three wires: a triangle that does not close', async t => {
  const first = read(TWO_PAIRS)
  const torn: Values = { ...TWO_PAIRS, activePowerImportW: 5060 }
  const at = (s: number) =>
    readLines(parameters, first.secondLine, reading(s * 1000, torn), s * 1000)
  t.equal(at(10).lineMa[1], 14_000, 'the last one used and the rise of power: 12 + 460 W / 230 V')
  t.equal(at(31).lineMa[1], 20_000, 'after half a minute the bound')
})

t.test('median of three', async t => {
  t.strictSame(medianOfThree([], 5), { ma: 5, recentMa: [5] })
  t.strictSame(medianOfThree([9], 5), { ma: 9, recentMa: [9, 5] })
  t.strictSame(medianOfThree([9, 5], 60), { ma: 9, recentMa: [5, 60] })
  t.strictSame(medianOfThree([5, 60], 6), { ma: 6, recentMa: [60, 6] })
})

t.test('running maximum', async t => {
  let window: Window = []
  for (const [at, ma] of [
    [0, 5],
    [10, 9],
    [20, 3],
    [30, 3],
    [40, 1],
  ] as const)
    window = remember(window, at, ma, 100)
  t.equal(maximumSince(window, 0), 9)
  t.equal(maximumSince(window, 10), 9, 'the instant itself counts')
  t.equal(maximumSince(window, 11), 3)
  t.equal(maximumSince(window, 31), 1)
  t.equal(maximumSince(window, 41), null)
  t.equal(maximumSince(remember(window, 130, 0, 100), 0), 3, 'forgotten')
})

const reasons: [name: string, values: Values, reason: RegExp | null][] = [
  ['voltage too low', { ...currents(1, 1, 1), voltageL1V: 170 }, /voltageL1V/],
  ['a four-wire meter on a net without neutral', { ...currents(1, 1, 1), voltageL1V: 133 }, null],
  ['line voltage of such a net', { ...currents(1, 1, 1), voltageL1L2V: 133 }, /voltageL1L2V/],
  ['more than three times the fuse', currents(76, 1, 1), /L1 carries 76 A/],
  ['power without currents', { ...currents(1, 1, 1), activePowerImportW: 2000 }, /power 2000 W/],
  ['power that fits', { ...currents(1, 1, 1), activePowerImportW: 690 }, null],
]
for (const [name, values, reason] of reasons) {
  t.test(`plausible: ${name}`, async t => {
    const core = new Core({})
    core.read(0, values)
    t.equal(core.state.rejected.count, reason === null ? 0 : 1)
    if (reason !== null) t.match(core.state.rejected.reason, reason)
  })
}

t.test('the energy register neither falls nor jumps', async t => {
  const core = new Core({})
  const at = (s: number, wh: number) =>
    core.read(s, { ...currents(1, 1, 1), activeEnergyImportWh: wh })
  at(0, 5_000_000)
  at(10, 4_999_990)
  t.match(core.state.rejected, { count: 1, reason: /fell by 10 Wh/ })
  at(20, 4_999_995)
  t.equal(core.state.rejected.count, 1, 'a changed meter costs one reading')
  at(30, 5_999_995)
  t.match(core.state.rejected, { count: 2, reason: /rose by/ })
})

t.test('a source that repeats itself while the vehicle moves is stale', async t => {
  const core = new Core({ meter: { cadenceS: 1 } })
  for (let s = 0; s < 60; s++) {
    core.charger(s, s < 30 ? 10 : 6)
    core.read(s, currents(20, 20, 20))
  }
  t.match(core.state.rejected.reason, /repeats itself/)
  t.equal(core.cmd, 6)
  t.equal(core.last?.explanation.code, 'STALE_MIN')
  core.tick(61)
  t.equal(core.cmd, 0)
  t.equal(core.last?.explanation.code, 'STALE_FAILSAFE')
})

t.test('a meter that shows less than the vehicle draws is the wrong one', async t => {
  const core = new Core({})
  for (let s = 0; s < 300; s += 10) {
    core.charger(s, 16)
    core.read(s, currents(8 + (s % 3), 8, 8))
  }
  t.match(core.state.rejected.reason, /less than the vehicle/)
  t.equal(core.cmd, 0)
  t.equal(core.last?.explanation.code, 'MAPPING_UNKNOWN')
  const producing = new Core({})
  for (let s = 0; s < 300; s += 10) {
    producing.charger(s, 16)
    producing.read(s, { ...currents(8 + (s % 3), 8, 8), activeEnergyExportWh: 1000 })
  }
  t.equal(producing.state.rejected.count, 0, 'not with production behind the meter')
})

/** Charges at 16 A with 4 A of house on each line; currents every 10 s. */
function charging(values: Values = {}) {
  const core = new Core({
    installation: { grid: 'TN' },
    chargePoint: { maxA: 16 },
    meter: { latencyS: 1, cadenceS: 10 },
    control: { deadBandA: 0, pulseS: 0 },
  })
  for (let s = -120; s <= 0; s++) {
    core.charger(s, core.cmd)
    if (s % 10 === 0)
      core.read(s, {
        ...currents(4 + core.cmd, 4 + core.cmd, 4 + core.cmd),
        activePowerImportW: 690 * (4 + core.cmd),
        ...values,
      })
  }
  return core
}

t.test('power between the frames cuts, on every line', async t => {
  const core = charging()
  t.equal(core.cmd, 16)
  core.charger(2, 16)
  core.read(2.5, { activePowerImportW: 13_800 + 2300 })
  t.equal(core.cmd, 10.9, '10 A more on the worst line')
  t.match(core.commands.at(-1), { limitedBy: 'main_fuse_l1', limitA: 10.9 })
})

t.test('the vehicle does not cut itself by its own power', async t => {
  const core = charging()
  core.charger(2, 16)
  core.read(2.5, { activePowerImportW: 13_800 + 200 })
  t.equal(core.cmd, 16, 'a small rise is not worth a guess')
  for (let s = 3; s < 9; s++) core.charger(s, 6)
  core.read(9, { activePowerImportW: 13_800 - 6900 })
  t.equal(core.cmd, 16)
})

t.test('a vehicle that begins between the frames is not taken for the house', async t => {
  const core = charging()
  for (let s = 1; s <= 10; s++) core.charger(s, 6)
  core.read(10, { ...currents(16, 16, 16), activePowerImportW: 690 * 16 })
  for (let s = 11; s <= 19; s++) core.charger(s, 16)
  core.read(19, { activePowerImportW: 690 * 26 })
  t.equal(core.cmd, 14.9, 'what the frame left, not less')
})

t.test('a frame in which the vehicle was moving is no reference for a rise', async t => {
  const core = charging()
  // From 6 to 16 A in 5 s; the frame at 20 s is sampled while it moves, with 20 A of house beside it.
  for (let s = 1; s <= 60; s++) {
    const car = s < 16 ? 6 : Math.min(16, 6 + 2 * (s - 16))
    core.charger(s, car)
    const seen = Math.min(16, Math.max(6, 6 + 2 * (s - 1 - 16)))
    const values = { activePowerImportW: 690 * (4 + seen) }
    if (s % 10 === 0) core.read(s, { ...currents(4 + seen, 4 + seen, 4 + seen), ...values })
    else if (s % 10 === 3 || s % 10 === 7) core.read(s, values)
    t.equal(core.cmd, 16, `${s} s`)
  }
  core.read(61, { activePowerImportW: 690 * 20 + 2300 })
  t.equal(core.cmd, 10.9, 'a rise that is proven still cuts')
})

t.test('a cut by power alone is explained by its own numbers', async t => {
  const core = charging()
  core.charger(2, 16)
  core.read(2.5, { activePowerImportW: 13_800 + 2300 })
  t.match(core.commands.at(-1), {
    code: 'LIMIT_FUSE_L1',
    headroomA: [10.9, 10.9, 10.9],
    text: 'Charging limited to 10.9 A by the main fuse on L1; 10.9 A free (all power added since the last currents counted on each line).',
  })
  core.read(5, { activePowerImportW: 13_800 + 4600 })
  t.match(core.commands.at(-1), {
    code: 'RIDE_THROUGH',
    headroomA: [0.9, 0.9, 0.9],
    text: /Kept at 6\.0 A although the main fuse on L1 leaves 0\.9 A .*pause in 120 s/,
  })
  core.read(7.5, { activePowerImportW: 13_800 + 9200 })
  t.match(core.commands.at(-1), {
    code: 'PAUSED_NO_CAPACITY',
    text: /^Charging paused by the main fuse on L1: 0\.0 A free \(.*\), 7\.0 A needed to resume/,
  })
  for (let s = 8; s <= 40; s++) {
    core.charger(s, 0)
    if (s % 10 === 0) core.read(s, { ...currents(4, 4, 4), activePowerImportW: 2760 })
    else core.tick(s)
  }
  t.match(
    core.last?.explanation.text,
    /20\.9 A free now; resumes with one of the next readings, at the earliest in 28 s/,
  )
})

t.test('power between the frames never raises', async t => {
  const core = charging()
  core.read(10, currents(32, 32, 32))
  const low = core.cmd
  for (let s = 12.5; s < 200; s += 2.5) {
    core.charger(s, core.cmd)
    core.read(s, { activePowerImportW: 1000 })
    t.ok(core.cmd <= low)
  }
  t.equal(core.cmd, 0, 'nor does it keep the currents fresh')
})

t.test('a meter that sends power alone', async t => {
  const core = new Core({
    installation: { grid: 'TN' },
    chargePoint: { maxA: 16 },
    meter: { powerCadenceS: 5 },
  })
  core.charger(0, 0, { state: 'A' })
  for (let s = 0; s <= 25; s += 5) core.read(s, { activePowerImportW: 1955 })
  t.equal(core.cmd, 0, 'currents may still come')
  for (let s = 30; s <= 40; s += 5) core.read(s, { activePowerImportW: 1955 })
  t.strictSame(
    core.last?.explanation.headroomA,
    [14.9, 14.9, 14.9],
    '1955 W / (0.85 x 230 V) on every line',
  )
  t.equal(core.cmd, 14.9)
})

t.test('power alone with production is no reading', async t => {
  const core = new Core({ meter: { powerCadenceS: 5 } })
  for (let s = 0; s <= 100; s += 5)
    core.read(s, { activePowerImportW: 100, activePowerExportW: s === 5 ? 50 : 0 })
  t.equal(core.cmd, 0)
})

t.test('power alone that says 0 W, or a known producer, is no reading', async t => {
  const hiding = new Core({ meter: { powerCadenceS: 5 } })
  for (let s = 0; s <= 100; s += 5) hiding.read(s, { activePowerImportW: s === 5 ? 0 : 400 })
  t.equal(hiding.cmd, 0)
  const known = new Core({ installation: { production: true }, meter: { powerCadenceS: 5 } })
  for (let s = 0; s <= 100; s += 5) known.read(s, { activePowerImportW: 400 })
  t.equal(known.cmd, 0)
  const idle = new Core({ meter: { cadenceS: 10 } })
  for (let s = 0; s <= 20; s += 10) idle.read(s, { ...currents(0, 0, 0), activePowerImportW: 0 })
  t.equal(idle.state.exported, false, 'currents of 0 are an empty house')
})

t.test('three wires in the loop: the computed line has its own margin', async t => {
  const core = new Core({ chargePoint: { maxA: 16 }, meter: { cadenceS: 10 } })
  for (const s of [0, 10, 20]) {
    core.charger(s, 0, { state: 'B' })
    core.read(s, TWO_PAIRS)
  }
  t.strictSame(core.last?.explanation.headroomA, [14.9, 5.679, 14.9], '25 - 0.1 - 0.9 - 18.321 A')
  t.equal(core.cmd, 0)
  t.match(core.last?.explanation, { code: 'PAUSED_NO_CAPACITY', limitedBy: 'main_fuse_l2' })
})

t.test('three wires: a single absurd estimate neither cuts far nor blocks raises', async t => {
  const core = new Core({ chargePoint: { maxA: 16 }, meter: { cadenceS: 10 } })
  const house: Values = {
    ...IT,
    currentL1A: 6,
    currentL3A: 6,
    activePowerImportW: 2390,
    reactivePowerImportVar: 0,
  }
  const absurd: Values = { ...house, activePowerImportW: 2760, reactivePowerImportVar: 0 }
  for (let s = 0; s <= 90; s += 10) {
    core.charger(s, 0, { state: 'B' })
    core.read(s, s === 50 ? absurd : house)
  }
  t.equal(core.cmd, 16)
})
