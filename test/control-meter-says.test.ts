/** What the meter itself says of the connection reaches the command. */
import t from 'tap'
import { Core, currents, reading } from './control-harness.ts'

const CONFIG = {
  installation: { mainFuseA: 25 },
  chargePoint: { maxA: 16 },
  meter: { cadenceS: 10 },
}

function charging(config: ConstructorParameters<typeof Core>[0]): Core {
  const core = new Core(config)
  for (let s = 0; s < 60; s += 10) {
    core.charger(s, core.cmd)
    core.read(s, currents(1 + core.cmd, 1 + core.cmd, 1 + core.cmd))
  }
  return core
}

const said = (core: Core, atS: number, more: object, mayRaise = true) =>
  core.feed(
    {
      type: 'reading',
      mayRaise,
      reading: {
        ...reading(atS * 1000, currents(1 + core.cmd, 1 + core.cmd, 1 + core.cmd)),
        ...more,
      },
    },
    atS,
  )

t.test('an open breaker pauses; closed again it takes a trusted reading and the wait', async t => {
  const core = charging(CONFIG)
  t.equal(core.cmd, 16)
  const open = said(core, 60, { breaker: 'disconnected' })
  t.equal(core.cmd, 0)
  t.equal(open.explanation.limitedBy, 'meter_breaker')
  t.equal(open.explanation.code, 'PAUSED_NO_CAPACITY')
  said(core, 70, { breaker: 'connected' }, false)
  t.ok(
    core.state.limits.some(({ id }) => id === 'meter_breaker'),
    'unprotected bytes do not lift it',
  )
  for (let s = 80; s < 300; s += 10) {
    core.charger(s, core.cmd)
    said(core, s, { breaker: 'connected' })
  }
  t.equal(core.cmd, 16)
})

t.test('thresholds bound the connection where they are to be followed, and only there', async t => {
  const values = { ...currents(23, 23, 23), limiterThresholdA: 20 }
  const ignoring = charging(CONFIG)
  said(ignoring, 60, { values })
  t.equal(ignoring.cmd, 16)
  const following = charging({
    ...CONFIG,
    installation: { mainFuseA: 25, limiter: 'meter' },
    control: { pulseS: 0, deadBandA: 0 },
  })
  const step = said(following, 60, { values })
  t.ok(following.cmd < 13.1 && following.cmd >= 6, `${following.cmd} A`)
  t.equal(step.explanation.limitedBy, 'meter_limiter')
})

t.test('power alone tells nothing of the lines once the house has exported', async t => {
  const core = new Core({
    installation: { mainFuseA: 35 },
    chargePoint: { maxA: 32 },
    meter: { powerCadenceS: 1 },
  })
  const power = (s: number, watts: number) => {
    core.charger(s, core.cmd)
    const total = 3 * 230 * core.cmd + watts
    core.read(s, {
      activePowerImportW: Math.max(0, total),
      activePowerExportW: Math.max(0, -total),
    })
  }
  for (let s = 0; s < 120; s++) power(s, 500)
  t.ok(core.cmd > 20, `charging with ${core.cmd} A`)
  power(120, -700 - 3 * 230 * core.cmd)
  for (let s = 121; s < 260; s++) power(s, 18_000)
  t.equal(core.cmd, 0, 'what is not known any more ages like silence')
  t.equal(core.last?.explanation.code, 'STALE_FAILSAFE')
})
