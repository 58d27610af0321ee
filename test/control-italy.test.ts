/** The limiter of Italian meters: hours of 541/2020, what counts when, the countdown, and the report step. */
import t from 'tap'
import { limiterClock } from '../src/control/limiter.ts'
import type { ControlConfig } from '../src/control/parameters.ts'
import { isNight, nextEdge } from '../src/italy/calendar.ts'
import type { AvailablePower, Values } from '../src/reading.ts'
import { Core, reading } from './control-harness.ts'
import fc from './property.ts'

const ROME = new Intl.DateTimeFormat('en-GB', {
  timeZone: 'Europe/Rome',
  hourCycle: 'h23',
  weekday: 'short',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
})

t.test('the nights are those of the wall clock in Rome, every half hour of six years', async t => {
  // Easter Mondays of the years from the calendar of the church.
  const easter = [
    '2024-04-01',
    '2025-04-21',
    '2026-04-06',
    '2027-03-29',
    '2028-04-17',
    '2029-04-02',
  ]
  const fixed = '01-01 01-06 04-25 05-01 06-02 08-15 11-01 12-08 12-25 12-26'.split(' ')
  let visited = 0
  for (let ms = Date.UTC(2024, 0, 1); ms < Date.UTC(2030, 0, 1); ms += 1_800_000) {
    const part = Object.fromEntries(ROME.formatToParts(ms).map(p => [p.type, p.value]))
    const hour = Number(part['hour'])
    const date = `${part['month']}-${part['day']}`
    const year = new Date(ms + 7_200_000).getUTCFullYear()
    const rests =
      part['weekday'] === 'Sun' || fixed.includes(date) || easter.includes(`${year}-${date}`)
    if (isNight(ms) !== (hour < 7 || hour >= 23 || rests)) t.fail(new Date(ms).toISOString())
    visited++
  }
  t.equal(visited, 105_216)
})

t.test('edges', async t => {
  const cases: [what: string, from: string, edge: string][] = [
    ['an evening in winter', '2026-01-14T20:00:00Z', '2026-01-14T22:00:00Z'],
    ['the night after it', '2026-01-14T22:00:00Z', '2026-01-15T06:00:00Z'],
    ['an evening in summer', '2026-07-14T20:00:00Z', '2026-07-14T21:00:00Z'],
    ['Saturday night to Monday', '2026-01-17T22:30:00Z', '2026-01-19T06:00:00Z'],
    ['clocks go forward on a Sunday', '2026-03-28T22:30:00Z', '2026-03-30T05:00:00Z'],
    ['clocks go back on a Sunday', '2026-10-24T21:30:00Z', '2026-10-26T06:00:00Z'],
    ['New Year, a Thursday', '2025-12-31T22:30:00Z', '2026-01-02T06:00:00Z'],
    ['Saturday before Easter to Tuesday', '2026-04-04T21:30:00Z', '2026-04-07T05:00:00Z'],
    ['Christmas, a Friday, to Monday', '2026-12-24T22:30:00Z', '2026-12-28T06:00:00Z'],
  ]
  for (const [what, from, edge] of cases)
    t.equal(new Date(nextEdge(Date.parse(from))).toISOString(), edge.replace('Z', '.000Z'), what)
  const october = Date.parse('2026-10-04T12:00:00Z') + 365 * 86_400_000
  t.equal(isNight(october), false, 'the 4th of October 2027, a Monday')
  t.equal(isNight(october, ['10-04']), true, 'where the bands follow it')
})

const CONFIG: ControlConfig = {
  installation: {
    phases: 1,
    mainFuseA: 40,
    contractedPowerW: 3000,
    limiter: 'italy',
    night541: true,
  },
  chargePoint: { phases: 1, maxA: 32 },
  meter: { reportsChanges: true, latencyS: 4 },
  control: { probeS: 0 },
}
const without = (more: object): ControlConfig => ({
  ...CONFIG,
  installation: { ...CONFIG.installation, ...more },
})

/** A core whose wall clock is that of the test; `s` counts from `start`. */
class Home {
  readonly core: Core
  private readonly startMs: number

  constructor(start: string, config: ControlConfig = CONFIG) {
    this.core = new Core(config)
    this.startMs = Date.parse(start)
  }

  tick(s: number): this {
    this.core.feed({ type: 'tick', wallMs: this.startMs + s * 1000 }, s)
    return this
  }

  /** A report; `aheadS`: how far the meter's clock is before the wall clock. */
  report(s: number, watts: number, aheadS?: number, more: Values = {}): this {
    const at = Math.round(s * 1000)
    const told = reading(at, { activePowerImportW: watts, uncertaintyW: 300, ...more })
    const clock = aheadS === undefined ? {} : { meterClockMs: this.startMs + (s + aheadS) * 1000 }
    this.core.feed({ type: 'reading', reading: { ...told, ...clock }, mayRaise: true }, s)
    return this
  }

  signal(s: number, more: Partial<AvailablePower>): this {
    const signal: AvailablePower = {
      availablePowerW: null,
      source: 'x',
      receivedAt: Math.round(s * 1000),
      integrity: 'checksum',
      toldAtMs: this.startMs + s * 1000,
      ...more,
    }
    this.core.feed({ type: 'signal', signal }, s)
    return this
  }

  get limit(): { id: string | undefined; totalW: number | undefined } {
    const last = this.core.state.inForce.at(-1)
    return { id: last?.id, totalW: last?.totalW }
  }
}

const DAY = { id: 'contracted_power', totalW: 3300 }
const NIGHT = { id: 'flex_window', totalW: 6050 }

t.test(
  'a configured night begins 60 s late and ends 60 s early, by the clock of the meter',
  async t => {
    // 23:00 in Rome is 22:00Z in winter, 07:00 is 06:00Z.
    for (const aheadS of [undefined, 0, 30, -30]) {
      const name = `meter ${aheadS ?? 'without a clock'} s ahead`
      const shift = aheadS ?? 0
      const limits: [s: number, limit: object][] = [
        [59 - shift, DAY],
        [61 - shift, NIGHT],
        [8 * 3600 - 61 - shift, NIGHT],
        [8 * 3600 - 59 - shift, DAY],
        [8 * 3600 + 61 - shift, DAY],
      ]
      const home = new Home('2026-01-14T21:58:00Z')
      for (const [s, limit] of limits) {
        if (aheadS !== undefined) home.report(s + 119, 500, aheadS)
        t.same(home.tick(s + 120).limit, limit, `${name}: ${s + shift} s after 23:00`)
      }
    }
  },
)

t.test('both nights on which the clocks change, New Year and Easter Monday', async t => {
  const cases: [at: string, limit: object][] = [
    ['2026-03-28T21:59:00Z', DAY],
    ['2026-03-28T22:01:30Z', NIGHT],
    ['2026-03-29T01:30:00Z', NIGHT],
    ['2026-03-30T04:58:30Z', NIGHT],
    ['2026-03-30T05:00:00Z', DAY],
    ['2026-10-24T21:01:30Z', NIGHT],
    ['2026-10-25T01:30:00Z', NIGHT],
    ['2026-10-26T05:58:30Z', NIGHT],
    ['2026-10-26T06:00:00Z', DAY],
    ['2025-12-31T12:00:00Z', DAY],
    ['2026-01-01T12:00:00Z', NIGHT],
    ['2026-04-06T12:00:00Z', NIGHT],
    ['2026-04-07T12:00:00Z', DAY],
  ]
  for (const [at, limit] of cases) t.same(new Home(at).tick(0).limit, limit, at)
})

t.test(
  'a schedule raises only where it was configured, for contracts that may take part',
  async t => {
    const night = '2026-01-15T01:00:00Z'
    t.same(new Home(night, without({ night541: false })).tick(0).limit, DAY)
    for (const [contractedPowerW, totalW] of [
      [1500, 1650],
      [2000, 6050],
      [4500, 6050],
      [5000, 5500],
      [6000, 6600],
    ] as const)
      t.equal(new Home(night, without({ contractedPowerW })).tick(0).limit.totalW, totalW)
    const unknown = new Home('2026-01-15T01:00:00Z')
    unknown.core.tick(0)
    t.same(unknown.limit, DAY, 'without a clock the smallest')
  },
)

t.test('what the meter says comes first', async t => {
  const told = (watts: number) => ({ availablePowerW: watts, contractedPowerW: 3000 })
  const available = (totalW: number) => ({ id: 'available_power', totalW })
  const noNights = without({ night541: false })

  const up = new Home('2026-01-14T21:59:00Z', noNights).tick(0).signal(62, told(6050))
  t.same(up.tick(63).limit, { id: 'flex_window', totalW: 3300 }, 'not before the guard')
  t.same(up.tick(121).limit, available(6050), '23:01')
  t.same(up.tick(60 + 8 * 3600 - 61).limit, available(6050))
  t.same(up.tick(60 + 8 * 3600 - 59).limit, { id: 'flex_window', totalW: 3300 }, 'ends by itself')
  t.same(up.tick(60 + 8 * 3600 + 700).limit, DAY, 'and stays so')
  t.same(up.tick(60 + 24 * 3600 + 700).limit, DAY, 'the next night it has to say so again')

  const down = new Home('2026-01-15T03:00:00Z').tick(0)
  t.same(down.limit, NIGHT)
  t.same(down.signal(1, told(3300)).limit, available(3300), 'less than the schedule, at once')
  t.same(down.tick(3 * 3600 + 300).limit, available(3300), 'for the rest of the night')

  const noon = new Home('2026-01-15T11:00:00Z').tick(0).signal(1, told(3300))
  t.same(noon.tick(11 * 3600 + 500).limit, available(3300), '23:08: the meter may still say more')
  t.same(noon.tick(11 * 3600 + 700).limit, NIGHT, '23:11: as configured')

  const reduced = new Home('2026-01-15T11:00:00Z', noNights).tick(0).signal(1, told(495))
  for (const s of [60, 12 * 3600, 48 * 3600]) t.same(reduced.tick(s).limit, available(495))
  t.same(reduced.signal(48 * 3600 + 1, told(3300)).tick(48 * 3600 + 90).limit, available(3300))

  const old = new Home('2026-01-15T11:00:00Z', noNights)
  old.tick(0).signal(1, { ...told(6050), toldAtMs: Date.parse('2026-01-14T22:00:05Z') })
  t.same(old.tick(2).limit, DAY, 'a word of last night does not count at noon')

  const contract = new Home('2026-01-15T11:00:00Z', without({ contractedPowerW: 3000 }))
  contract.tick(0).signal(1, { contractedPowerW: 4500 })
  t.equal(contract.tick(2).limit.totalW, 4950, 'the contract as the meter knows it')

  const forged = new Home('2026-01-15T11:00:00Z').tick(0).signal(1, told(3300))
  forged.signal(2, { ...told(9000), integrity: 'none' })
  t.same(forged.tick(3).limit, available(3300), 'without protection nothing is raised')
  forged.signal(4, { ...told(2000), integrity: 'none' })
  t.same(forged.tick(5).limit, available(2000))
})

t.test('available power told with an overload counts for a quarter of an hour', async t => {
  const home = new Home('2026-01-15T11:00:00Z', without({ night541: false })).tick(0)
  home.signal(1, { availablePowerW: 2000, tripInS: 118 })
  t.equal(home.tick(2).limit.totalW, 2000)
  t.equal(home.tick(900).limit.totalW, 2000)
  t.equal(home.tick(902).limit.totalW, 3300)
  home.signal(1000, { availablePowerW: 6000, tripInS: 118 })
  home.signal(1010, { availablePowerW: 3300, contractedPowerW: 3000 })
  t.equal(home.tick(1011).limit.totalW, 3300, 'a newer contract that allows less')
})

t.test('a meter clock that is a day wrong is not used', async t => {
  const home = new Home('2026-01-15T11:00:00Z').tick(0).report(1, 500, 90_000)
  t.equal(limiterClock(home.core.state, 2000), Date.parse('2026-01-15T11:00:02Z'))
  home.report(2, 500, 25)
  t.equal(limiterClock(home.core.state, 4000), Date.parse('2026-01-15T11:00:29Z'))
  home.core.tick(70)
  t.equal(limiterClock(home.core.state, 70_000), Date.parse('2026-01-15T11:01:35Z'), 'also alone')
})

/** A house whose meter reports steps of 300 W 4 s late; the vehicle follows in two seconds. */
class Living extends Home {
  houseW = 400
  private s = 0
  private carA = 0
  private reportedW = -1e9
  private readonly offers: number[] = []
  private readonly due: { readonly at: number; readonly watts: number }[] = []

  /** Lives until `s`; without `reports` none leaves the meter. */
  until(s: number, reports = true): this {
    for (; this.s <= s; this.s++) {
      this.carA = this.offers[this.s - 2] ?? 0
      const watts = this.houseW + 230 * this.carA
      if (reports && Math.abs(watts - this.reportedW) > 300) {
        this.due.push({ at: this.s + 4, watts })
        this.reportedW = watts
      }
      this.core.charger(this.s, [this.carA, 0, 0], { state: this.carA > 0 ? 'C' : 'B' })
      if (this.due[0] !== undefined && this.due[0].at <= this.s)
        this.report(this.s, this.due.shift()!.watts)
      this.tick(this.s)
      this.offers.push(this.core.cmd)
    }
    return this
  }
}

/** Charges with 400 W of house at 3.3 kW, settled after two minutes. */
function charging(config: ControlConfig = without({ night541: false })): Living {
  return new Living('2026-01-15T11:00:00Z', config).until(120)
}

t.test(
  'one report and silence are enough to begin; power alone of one phase is its current',
  async t => {
    const home = charging()
    // (3300 - 400) W / 230 V - 0.3 A
    t.equal(home.core.cmd, 12.3)
    t.match(home.core.last?.explanation, { code: 'LIMIT_POWER', limitedBy: 'contracted_power' })
  },
)

t.test('a countdown: what fits at once, the minimum under 60 s, nothing under 30 s', async t => {
  const cases: [tripInS: number, houseW: number, cmd: number][] = [
    [118, 1100, 9.2],
    [61, 1100, 9.2],
    [59, 1100, 6],
    [31, 1100, 6],
    [29, 1100, 0],
    [0, 1100, 0],
    [118, 2200, 6],
    [29, 2200, 0],
    [118, 2900, 0],
  ]
  for (const [tripInS, houseW, cmd] of cases) {
    const home = charging()
    home.report(121, houseW + 230 * home.core.cmd)
    home.signal(121, { availablePowerW: 3300, tripInS })
    t.equal(home.core.cmd, cmd, `${tripInS} s, ${houseW} W of house`)
  }
})

t.test('while it runs the current follows what is left, and nothing is raised', async t => {
  const home = charging()
  home.houseW = 1100
  home.report(121, 1100 + 230 * 12.3).signal(121, { availablePowerW: 3300, tripInS: 118 })
  t.equal(home.until(131, false).core.cmd, 9.2)
  t.ok(home.until(182, false).core.cmd <= 6, 'under a minute left and no report of less')
  t.equal(home.until(212, false).core.cmd, 0, 'under half a minute')
  t.equal(home.until(400, false).core.cmd, 0, 'nobody has said that it is over')
})

t.test(
  'a report of no more than the available power ends it; five minutes later it is raised',
  async t => {
    const home = charging()
    home.houseW = 1100
    home.report(121, 1100 + 230 * 12.3).signal(121, { availablePowerW: 3300, tripInS: 118 })
    home.until(140)
    t.equal(home.core.cmd, 9.2)
    t.equal(home.core.state.countdown?.isOver, true)
    home.houseW = 400
    t.equal(home.until(420).core.cmd, 9.2)
    t.equal(home.until(450).core.cmd, 12.3)
  },
)

t.test('a countdown of hours spends the long band, one of minutes does not', async t => {
  for (const [tripInS, damage] of [
    [10_200, 0],
    [5100, 0.5],
    [170, 0],
  ] as const) {
    const home = charging()
    home.signal(121, { availablePowerW: 3300, tripInS })
    t.ok(Math.abs(home.core.state.limiterDamage - damage) < 0.01, `${tripInS} s`)
  }
})

t.test('nothing is raised and limits hold whatever comes while a meter counts down', async t => {
  const step = fc.record({
    afterS: fc.integer({ min: 1, max: 40 }),
    kind: fc.constantFrom('report', 'report', 'charger', 'tick', 'tick', 'trip', 'contract'),
    houseW: fc.integer({ min: 0, max: 4000 }),
    tripInS: fc.integer({ min: 0, max: 180 }),
    watts: fc.constantFrom(2000, 3300, 6050),
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), steps => {
      const home = charging()
      let s = 121
      for (const { afterS, kind, houseW, tripInS, watts } of steps) {
        s += afterS
        const before = home.core.state
        if (kind === 'report') home.report(s, houseW + 230 * home.core.cmd)
        if (kind === 'charger') home.core.charger(s, [home.core.cmd, 0, 0])
        if (kind === 'tick') home.tick(s)
        if (kind === 'trip') home.signal(s, { availablePowerW: watts, tripInS })
        if (kind === 'contract') home.signal(s, { availablePowerW: watts, contractedPowerW: 3000 })
        const { cmdMa, countdown } = home.core.state
        if (countdown === null) continue
        const leftS = (countdown.tripAt - s * 1000) / 1000
        if (!countdown.isOver && leftS < 60 && cmdMa > 6000) return false
        if (!countdown.isOver && leftS < 30 && cmdMa > 0) return false
        const isHeld = !countdown.isOver || s * 1000 - countdown.heardAt < 300_000
        if (isHeld && cmdMa > before.cmdMa) return false
      }
      return true
    }),
    { numRuns: 300, seed: 1 },
  )
  t.pass('held')
})

t.test('strict: the whole step counts as drawn (worked examples)', async t => {
  const cases: [reportW: number, carA: number, cmd: number][] = [
    [1500, 6, 11],
    [2700, 11, 11],
  ]
  const config = {
    ...without({ night541: false }),
    chargePoint: { phases: 1 as const, maxA: 32, stepA: 1 },
    control: { probeS: 0, strictGap: true },
  }
  for (const [watts, carA, cmd] of cases) {
    const home = new Home('2026-01-15T11:00:00Z', config)
    home.core.charger(0, [carA, 0, 0])
    home.report(0, watts)
    for (let s = 1; s < 120; s++) {
      home.core.charger(s, [carA, 0, 0])
      home.tick(s)
    }
    t.equal(home.core.cmd, cmd, `${watts} W with ${carA} A`)
  }
})

t.test('strict by itself: no ride is allowed, or the meter counts lost reports', async t => {
  const noRide = charging({
    ...without({ night541: false }),
    control: { probeS: 0, rideMaxS: 0 },
  })
  // 150 W and a step of 300 W in place of 0.3 A.
  t.equal(noRide.core.cmd, 10.6)
  const losing = charging()
  t.equal(losing.core.cmd, 12.3)
  const lost = reading(121_000, { activePowerImportW: 400 + 230 * 12.3, uncertaintyW: 300 })
  losing.core.feed({ type: 'reading', reading: { ...lost, missedReports: 1 }, mayRaise: true }, 121)
  t.ok(losing.core.state.echo.lost > 0)
  t.equal(losing.until(600).core.cmd, 10.6)
  t.equal(losing.core.state.echo.missedAt, 121_000)
  losing.core.feed({ type: 'tick', wallMs: undefined }, 121 + 3600)
  t.equal(losing.core.state.echo.missedAt, null, 'forgotten after an hour')
})

t.test('the step a meter names holds for silence and echoes', async t => {
  const home = charging()
  home.report(130, 400 + 230 * 12.3, undefined, { uncertaintyW: 1000 })
  t.equal(home.core.state.frame?.reportStepW, 1000)
  t.equal(home.core.state.echo.drawMa, 12_300)
  home.core.charger(131, [9, 0, 0])
  t.equal(home.core.state.echo.due, null, '760 W are no reason for a report')
  home.core.charger(132, [7, 0, 0])
  t.not(home.core.state.echo.due, null, '1219 W are')
})

t.test('three phases: power alone on every line, without waiting for currents', async t => {
  const config: ControlConfig = {
    installation: { phases: 3, mainFuseA: 25, contractedPowerW: 10_000, limiter: 'italy' },
    chargePoint: { phases: 3, maxA: 16 },
    meter: { reportsChanges: true, latencyS: 4 },
    control: { probeS: 0 },
  }
  const home = new Home('2026-01-15T11:00:00Z', config)
  const [offers, due]: [number[], { at: number; watts: number }[]] = [[], []]
  let reported = -1e9
  for (let s = 0; s < 200; s++) {
    const carA = offers[s - 2] ?? 0
    const watts = 900 + 690 * carA
    home.core.charger(s, carA, { state: carA > 0 ? 'C' : 'B' })
    if (Math.abs(watts - reported) > 1000) due.push({ at: s + 4, watts })
    if (Math.abs(watts - reported) > 1000) reported = watts
    if (due[0] !== undefined && due[0].at <= s)
      home.report(s, due.shift()!.watts, undefined, { uncertaintyW: 1000 })
    home.tick(s)
    offers.push(home.core.cmd)
  }
  // (11,000 - 900) W / 690 W per ampere - 0.3 A
  t.equal(home.core.cmd, 14.3)
})

t.test(
  'exporting: net power counts, import alone that says 0 is no proof against the vehicle',
  async t => {
    const home = new Home('2026-06-15T11:00:00Z', without({ night541: false }))
    home.report(0, 0, undefined, { activePowerExportW: 2000 })
    for (let s = 1; s < 60; s++) {
      home.core.charger(s, [0, 0, 0], { state: 'B' })
      home.tick(s)
    }
    // (3300 + 2000) W / 230 V - 0.3 A
    t.equal(home.core.cmd, 22.7)
    const hidden = new Home('2026-06-15T11:00:00Z', without({ night541: false }))
    for (let s = 0; s < 60; s++) {
      hidden.core.charger(s, [8, 0, 0])
      if (s % 20 === 0) hidden.report(s, 0)
      hidden.tick(s)
    }
    t.notMatch(hidden.core.last?.explanation, { code: 'MAPPING_UNKNOWN' })
  },
)

t.test('a quarter hour that is told half a minute late', async t => {
  const late = (home: Living, at: number, watts: number) => {
    const told = reading(at * 1000, { activePowerImportW: watts, uncertaintyW: 300 })
    home.core.feed({ type: 'reading', reading: { ...told, ageMs: 25_000 }, mayRaise: true }, at)
  }
  const overtaken = charging()
  overtaken.report(125, 1100 + 230 * 12.3)
  late(overtaken, 130, 400 + 230 * 12.3)
  t.equal(overtaken.core.state.frame?.powerW, 1100 + 230 * 12.3, 'a report in between is newer')
  t.match(overtaken.core.state.rejected, { count: 1, reason: 'older than the newest reading' })

  const moving = charging()
  for (let s = 121; s < 160; s++) moving.core.charger(s, [s < 140 ? 12.3 : 6, 0, 0])
  late(moving, 160, 400 + 230 * 12.3)
  t.equal(moving.core.cmd, 12.3, 'it may be of before the vehicle moved: no load is seen in it')
  t.ok(moving.core.state.unsettled !== null)
})
