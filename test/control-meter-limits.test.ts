/** What the meter's own breaker and limiter mean for charging. */
import t from 'tap'
import { limitsOfReading, withMeterLimits } from '../src/control/meter-limits.ts'
import type { Limit } from '../src/control/model.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import type { Breaker, Reading, Register, Values } from '../src/reading.ts'
import { Core, currents, reading } from './control-harness.ts'

const NEVER = Number.MAX_SAFE_INTEGER
const FOLLOW = { limiter: 'meter' } as const

const said = (values: Values, breaker?: Breaker, registers: readonly Register[] = []): Reading => ({
  ...reading(5000, values),
  registers,
  ...(breaker === undefined ? {} : { breaker }),
})
const register = (obis: string, value: number, unit: string): Register => ({ obis, value, unit })

t.test('one reading', async t => {
  const cases: [name: string, reading: Reading, followed: Limit[], unasked?: Limit[]][] = [
    ['nothing said', said({ activePowerImportW: 100 }), []],
    [
      'connected',
      said({}, 'connected'),
      [{ id: 'meter_breaker', expires: 5000 }],
      [{ id: 'meter_breaker', expires: 5000 }],
    ],
    ...(['disconnected', 'ready'] as const).map((state): (typeof cases)[number] => {
      const limit: Limit = { id: 'meter_breaker', perPhaseA: [0, 0, 0], expires: NEVER }
      return [state, said({}, state), [limit], [limit]]
    }),
    [
      'limiter in W',
      said({ limiterThresholdW: 16_100 }),
      [{ id: 'meter_limiter', totalW: 16_100, expires: NEVER }],
    ],
    [
      'limiter in VA',
      said({ limiterThresholdVa: 69_000 }),
      [{ id: 'meter_limiter', totalW: 65_550, expires: NEVER }],
    ],
    [
      'limiter in A',
      said({ limiterThresholdA: 16 }),
      [{ id: 'meter_limiter', perPhaseA: [16, 16, 16], expires: NEVER }],
    ],
    [
      'current thresholds',
      said({ fuseThresholdA: 25 }),
      [{ id: 'meter_fuse', perPhaseA: [25, 25, 25], expires: NEVER }],
    ],
    [
      'sentinels, which fill no field',
      said({}, undefined, [
        register('0-0:17.0.0*255', 999, 'A'),
        register('1-0:31.4.0*255', 999.99, 'A'),
      ]),
      [
        { id: 'meter_limiter', expires: 5000 },
        { id: 'meter_fuse', expires: 5000 },
      ],
    ],
    ['a threshold of 0', said({ limiterThresholdW: 0, fuseThresholdA: 0 }), []],
    ['not available', said({ limiterThresholdW: null }), []],
  ]
  for (const [name, telegram, followed, unasked = []] of cases) {
    t.strictSame(limitsOfReading(telegram, FOLLOW), followed, name)
    t.strictSame(limitsOfReading(telegram), unasked, `${name}, unasked`)
  }
})

t.test('one reading after the other', async t => {
  const user: Limit = { id: 'user', totalW: 5000, expires: NEVER }
  const none = [user]
  t.equal(withMeterLimits(none, said({}, 'connected')), none, 'nothing to lift')
  const open = withMeterLimits(none, said({}, 'disconnected'))
  t.strictSame(
    open.map(({ id }) => id),
    ['user', 'meter_breaker'],
  )
  t.equal(withMeterLimits(open, said({}, 'ready')), open, 'the same again')
  t.equal(withMeterLimits(open, said({})), open, 'a telegram without the breaker changes nothing')
  t.strictSame(withMeterLimits(open, said({}, 'connected')), none)

  const first = withMeterLimits(none, said({ limiterThresholdW: 9000 }), FOLLOW)
  const second = withMeterLimits(first, said({ limiterThresholdW: 12_000 }), FOLLOW)
  t.strictSame(second.at(-1), { id: 'meter_limiter', totalW: 12_000, expires: NEVER })
  const sentinel = said({}, undefined, [register('0-0:17.0.0*255', 999_900, 'W')])
  t.strictSame(withMeterLimits(second, sentinel, FOLLOW), none)
})

const CONFIG: ControlConfig = {
  installation: { grid: 'TN' },
  chargePoint: { maxA: 16 },
  meter: { latencyS: 1, cadenceS: 10 },
}

/** Charges at 16 A with 4 A of house, then hears a limit. */
function chargingWith(limit: Limit): Core {
  const core = new Core(CONFIG)
  for (let s = 0; s < 200; s++) {
    core.charger(s, core.cmd)
    if (s === 150) core.feed({ type: 'limit', limit }, s)
    const line = 4 + core.cmd
    if (s % 10 === 9)
      core.read(s, { ...currents(line, line, line), activePowerImportW: 690 * line })
    else core.tick(s)
  }
  return core
}

t.test('a breaker that is not connected pauses, a limiter bounds', async t => {
  const [open] = limitsOfReading(said({}, 'ready'))
  const paused = chargingWith(open!)
  t.equal(paused.cmd, 0)
  t.equal(paused.last?.explanation.limitedBy, 'meter_breaker')
  const [limiter] = limitsOfReading(said({ limiterThresholdW: 9200 }), FOLLOW)
  const bounded = chargingWith(limiter!)
  t.ok(bounded.cmd >= 6 && bounded.cmd <= 9200 / 690 - 4, `${bounded.cmd} A`)
})
