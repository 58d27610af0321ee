/** Which lines the vehicle loads, learned from its own steps. */
import t from 'tap'
import { linesOf } from '../src/control/mapping.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { Core, currents } from './control-harness.ts'

const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 5 },
}

/** A car on one phase of the charge point that hangs on one line of the grid, told to pause now and then by a limit. */
function singlePhase(
  config: ControlConfig,
  line: number,
  houseA: (s: number, line: number) => number,
  seconds: number,
  each: (core: Core, s: number) => void = () => {},
): Core {
  const core = new Core(config)
  for (let s = 0; s < seconds; s++) {
    core.charger(s, [core.cmd, 0, 0])
    if (s % 600 === 300) {
      const limit = { id: 'user', scope: 'chargePoint' as const, perPhaseA: [8, 8, 8] as const }
      core.feed({ type: 'limit', limit: { ...limit, expires: (s + 60) * 1000 } }, s)
    }
    const lines = [0, 1, 2].map(n => houseA(s, n) + (n === line ? core.cmd : 0))
    if (s % 5 === 4) core.read(s, currents(lines[0]!, lines[1]!, lines[2]!))
    else core.tick(s)
    each(core, s)
  }
  return core
}

t.test('three steps that agree', async t => {
  const core = singlePhase(CONFIG, 1, () => 3, 1500)
  t.equal(linesOf(core.parameters, core.state, 1), 2, 'line 2')
  t.equal(core.state.mapping.used, 2)
  t.equal(core.cmd, 16)
})

t.test('other lines no longer limit it', async t => {
  const house = (s: number, line: number) => (s > 1500 && line === 0 ? 23 : 3)
  const core = singlePhase(CONFIG, 1, house, 1700)
  t.equal(core.cmd, 16)
  const own = singlePhase(CONFIG, 1, (s, line) => (s > 1500 && line === 1 ? 15 : 3), 1700)
  t.equal(own.cmd, 9.9)
  const unknown = singlePhase(CONFIG, 1, (s, line) => (s > 200 && line === 0 ? 30 : 3), 295)
  t.ok(unknown.cmd < 16, 'before it is known they do')
})

t.test('a second car that uses all phases is limited by all lines', async t => {
  const core = singlePhase(CONFIG, 1, () => 3, 1500)
  core.charger(1500, 0, { state: 'A' })
  t.equal(core.state.mapping.used, null)
  for (let s = 1501; s < 1700; s++) {
    core.charger(s, core.cmd)
    const a = s > 1600 ? 20 : 3
    if (s % 5 === 4) core.read(s, currents(a + core.cmd, 3 + core.cmd, 3 + core.cmd))
  }
  t.ok(core.cmd < 6 || core.state.mode.type === 'riding')
})

t.test('steps that contradict what was configured', async t => {
  const codes = new Set<string>()
  const config = { ...CONFIG, chargePoint: { maxA: 16, lines: [1, 2, 3] } }
  const core = singlePhase(
    config,
    2,
    () => 3,
    1400,
    ({ last }) => codes.add(last!.explanation.code),
  )
  t.ok(codes.has('MAPPING_UNKNOWN'))
  t.equal(core.state.mapping.alarm, false, 'learned anew')
  t.equal(core.state.mapping.used, 4)
})

t.test('a house that steps along teaches nothing', async t => {
  const core = singlePhase(CONFIG, 1, (s, line) => (line === 0 && s % 600 < 300 ? 8 : 3), 1500)
  t.notOk(core.state.mapping.learned['1'] === 1, 'not the wrong line')
})

t.test(
  'told the wrong line: after one step all lines limit, after three the right one',
  async t => {
    const config: ControlConfig = {
      ...CONFIG,
      chargePoint: { phases: 1, maxA: 16, lines: [1] },
    }
    const early = singlePhase(config, 2, (s, line) => (s > 60 && line === 2 ? 15 : 3), 290)
    t.equal(early.cmd, 9.9, 'line 3 limits')
    t.equal(early.last?.explanation.limitedBy, 'main_fuse_l3')
    const later = singlePhase(config, 2, (s, line) => (s > 1500 && line === 0 ? 23 : 3), 1700)
    t.equal(later.state.mapping.used, 4)
    t.equal(later.cmd, 16, 'line 1 no longer does')
  },
)
