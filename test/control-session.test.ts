/** Charging sessions second by second. */
import t from 'tap'
import {
  meanPowerW,
  NO_SESSION,
  recovered,
  type Session,
  type SessionFacts,
  type SessionState,
  sessionStep,
} from '../src/control/session.ts'
import { report } from './control-harness.ts'

const START = 1_800_000_000_000 - (1_800_000_000_000 % 3_600_000)

function facts(
  s: number,
  more: Partial<SessionFacts> = {},
  powerW: number | null = 0,
): SessionFacts {
  return {
    now: s * 1000,
    wallMs: START + s * 1000,
    charger: report(s * 1000, null, { state: 'C', powerW }),
    assumedW: 0,
    limitA: 16,
    code: 'OK_FULL',
    netW: null,
    meterWh: 1_000_000 + s,
    ...more,
  }
}

/** Seconds in turn; returns the state and every session that ended. */
function play(all: readonly SessionFacts[], from: SessionState = NO_SESSION) {
  const ended: Session[] = []
  let state = from
  for (const one of all) {
    const step = sessionStep(state, one)
    state = step.state
    if (step.ended !== null) ended.push(step.ended)
  }
  return { state, ended }
}

const gone = (s: number): SessionFacts =>
  facts(s, { charger: report(s * 1000, null, { state: 'A', powerW: 0 }) })
const seconds = (n: number, of: (s: number) => SessionFacts) =>
  Array.from({ length: n }, (_, s) => of(s))

t.test('one hour at 3600 W', async t => {
  const { ended, state } = play([...seconds(3601, s => facts(s, { netW: 1800 }, 3600)), gone(3601)])
  const [session] = ended
  t.equal(ended.length, 1)
  t.equal(state.current, null)
  t.ok(Math.abs(session!.energyWh - 3600) < 2)
  t.ok(Math.abs(session!.energyGridWh - 1800) < 2)
  t.ok(Math.abs(session!.energyPvWh - 1800) < 2)
  t.equal(Math.round(meanPowerW(session!)), 3600)
  t.match(session, {
    chargePoint: '1',
    pluggedAt: START,
    unpluggedAt: START + 3_601_000,
    firstChargeAt: START + 1000,
    energyMetered: true,
    powerMaxW: 3600,
    stopReason: 'unplugged',
    meterStartWh: 1_000_000,
    meterEndWh: 1_003_601,
    cost: null,
  })
})

t.test('prices by slot, peak by window', async t => {
  const prices = [
    { fromMs: START, untilMs: START + 3_600_000, perKwh: 2 },
    { fromMs: START + 3_600_000, untilMs: START + 7_200_000, perKwh: 1 },
  ]
  const { ended } = play([
    ...seconds(5401, s => facts(s, { prices, currency: 'NOK' }, 1000)),
    gone(5401),
  ])
  const session = ended[0]!
  t.equal(session.currency, 'NOK')
  t.ok(Math.abs(session.cost! - 2.5) < 0.01)
  t.equal(session.costBySlot.length, 2)
  t.ok(Math.abs(session.peakWh - 1000) < 1)
})

t.test('pauses, changes and codes', async t => {
  const all = seconds(300, s =>
    facts(
      s,
      s < 100
        ? { limitA: 16, code: 'OK_FULL' }
        : s < 200
          ? { limitA: 0, code: 'PAUSED_NO_CAPACITY' }
          : { limitA: 10, code: 'LIMIT_FUSE_L1' },
    ),
  )
  const { state } = play(all)
  t.match(state.current, {
    pauses: 1,
    changes: 2,
    secondsByCode: { OK_FULL: 99, PAUSED_NO_CAPACITY: 100, LIMIT_FUSE_L1: 100 },
  })
})

t.test('a charge point without a meter, a gap, a fault, a restart', async t => {
  const { state } = play([facts(0, {}, null), facts(10, { assumedW: 3600 }, null)])
  t.match(state.current, { energyMetered: false, energyWh: 10 })
  const gap = play([facts(0, {}, 3600), facts(3600, {}, 3600)])
  t.equal(gap.state.current!.energyWh, 10, 'ten seconds at most are taken for known')
  const fault = facts(3601, { charger: report(3_601_000, null, { state: 'F', powerW: 0 }) })
  t.equal(play([fault], gap.state).state.current?.id, gap.state.current?.id, 'a fault ends nothing')
  const copy = JSON.parse(JSON.stringify(gap.state)) as SessionState
  t.strictSame(play([facts(3602)], copy), play([facts(3602)], gap.state))
  t.match(recovered(gap.state.current!), { stopReason: 'restart', unpluggedAt: START + 3_600_000 })
  t.equal(meanPowerW(play([facts(0)]).state.current!), 0)
  t.equal(play([gone(0)]).state.current, null, 'nothing plugged, nothing begun')
})

t.test('the clock unknown', async t => {
  const { ended } = play([
    facts(0, { wallMs: null }),
    facts(1, { wallMs: null }, 3600),
    { ...gone(2), wallMs: null },
  ])
  t.match(ended[0], { pluggedAt: null, unpluggedAt: null, id: '1-0-1' })
})
