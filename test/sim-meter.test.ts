import t from 'tap'
import type { Clock, SourceEvent, Timers } from '../src/io/ports.ts'
import { deliveries, endsAtMs, listAt, nextDue, SimulatedMeter } from '../src/sim/meter.ts'
import { aidon, aidonSe } from '../src/sim/norway/aidon.ts'
import { electricalState, hanValues, NO_ENERGY } from '../src/sim/norway/electrical.ts'
import { kaifa, kaifaSeObis } from '../src/sim/norway/kaifa.ts'
import { kamstrup } from '../src/sim/norway/kamstrup.ts'
import type { HanProfile, MeterIdentity } from '../src/sim/norway/telegram.ts'
import { simulatedTime } from '../src/sim/sim-time.ts'
import { simulatedSource } from '../src/sim/source.ts'
import { byteTimeMs, lineBits, receiveBits } from '../src/sim/uart.ts'

const START = Date.parse('2026-01-15T17:59:50Z')
const METER: MeterIdentity = { id: '7359992000000001', model: '6534', wiring: '3P4W' }

/** A meter whose total power in W is the second of the minute plus 1000, whose energy grows by 10 Wh a second. */
function meter(profile: HanProfile, startMs = START, identity = METER): SimulatedMeter {
  return new SimulatedMeter({
    profile,
    meter: identity,
    startMs,
    state: epochMs =>
      electricalState('3P4W', [230, 230, 230], [1000 + ((epochMs / 1000) % 60), 0, 0], [0, 0, 0], {
        ...NO_ENERGY,
        activeImportWh: (10 * (epochMs - START)) / 1000,
      }),
  })
}

const schedules: [name: string, profile: HanProfile, expected: string][] = [
  ['Aidon', aidon, '0:2 2.5:1 5:1 7.5:1 10:2 12.5:1 15:1 17.5:1 20:3 22.5:1 25:1'],
  ['Kaifa', kaifa, '0:2 2:1 4:1 6:1 8:1 10:2 12:1 14:1 16:1 18:1 20:3 22:1 24:1'],
  ['Kamstrup', kamstrup, '0:2 10:2 15:3 20:2'],
  ['Swedish Aidon', aidonSe, '0:3 10:3 20:3'],
  ['Swedish Kaifa with OBIS codes', kaifaSeObis, '10:3 25:3'],
]
for (const [name, profile, expected] of schedules)
  t.test(`${name} sends its lists around the full hour when the makers say`, async t => {
    const identity = { ...METER, model: profile === kamstrup ? '6841131' : 'MA304H4' }
    const emissions = meter(profile, START, identity).next(START + 25_000)
    const seen = emissions.map(e => `${(e.sampledAtMs - START) / 1000}:${e.input.list}`)
    t.equal(seen.join(' '), expected)
  })

t.test('the next due instant is at or after the one asked for', async t => {
  t.equal(nextDue(aidon.schedule, START), START)
  t.equal(nextDue(aidon.schedule, START + 1), START + 2500)
  t.equal(listAt(aidon.schedule, START + 1), undefined)
})

t.test('a telegram says what was true when it was sampled', async t => {
  const source = meter(aidon)
  t.equal(source.wakeAt, START)
  t.same(source.next(START - 1), [], 'too early gives nothing')
  const [first] = source.next(START + 2000)
  t.equal(source.wakeAt, START + 2500)
  t.equal(first!.input.values['1.7.0'], 1050)
  t.equal(first!.startsAtMs, START + 230, 'sent after the latency')
  t.equal(endsAtMs(first!), START + 230 + (288 * 11000) / 2400, 'wire time of 288 bytes at 8E1')
})

t.test('the hourly list of Aidon shows clock and registers of the full hour', async t => {
  const list3 = meter(aidon)
    .next(START + 20_000)
    .at(-1)!
  t.equal(list3.input.list, 3)
  t.equal(list3.input.clock?.local, '2026-01-15T19:00:00')
  t.equal(list3.input.values['1.8.0'], 100)
  t.equal(list3.input.values['1.7.0'], 1010, 'the power is of now')
  const kaifa3 = meter(kaifa, START, { ...METER, model: 'MA304H4' })
    .next(START + 20_000)
    .at(-1)!
  t.equal(kaifa3.input.clock?.local, '2026-01-15T19:00:10', 'Kaifa shows the instant of sending')
})

t.test('Kamstrup has ten bits for each byte, the others eleven', async t => {
  t.equal(byteTimeMs(kamstrup.serial), 10_000 / 2400)
  t.equal(byteTimeMs(aidon.serial), 11_000 / 2400)
})

t.test('an adapter hands over what is complete, byte by byte or in pieces', async t => {
  const [emission] = meter(aidon).next(START)
  const join = (everyMs: number) => Buffer.concat(deliveries(emission!, everyMs).map(d => d.bytes))
  for (const everyMs of [0, 1, 16, 300])
    t.same(join(everyMs), Buffer.from(emission!.bytes), `every ${everyMs} ms`)
  const pieces = deliveries(emission!, 16)
  t.equal(pieces[0]!.bytes.length, 3, 'three bytes fit into 16 ms')
  t.equal(pieces[0]!.atMs, emission!.startsAtMs + 16)
  t.equal(deliveries(emission!, 0).at(-1)!.atMs, endsAtMs(emission!))
})

t.test('makers differ in signs and sums', async t => {
  const state = electricalState('3P4W', [230, 230, 230], [-460, 230, 0], [100, -40, 0])
  const signed = hanValues(aidon, state)
  t.match(signed, { '1.7.0': 0, '2.7.0': 230, '3.7.0': 60, '4.7.0': 0 })
  t.ok(signed['31.7.0']! < 0, 'Aidon: current of an exporting phase is negative')
  const bySign = hanValues(kamstrup, state)
  t.match(bySign, { '3.7.0': 100, '4.7.0': 40 })
  t.ok(bySign['31.7.0']! > 0, 'Kamstrup sends magnitudes')
})

t.test('right settings give the bytes back, wrong parity does not', async t => {
  const [emission] = meter(aidon).next(START)
  const bits = lineBits(emission!.bytes, aidon.serial)
  t.same(receiveBits(bits, aidon.serial), emission!.bytes)
  t.same(
    receiveBits(lineBits(emission!.bytes, kamstrup.serial), kamstrup.serial),
    emission!.bytes,
    '8N1',
  )
  const wrong = receiveBits(bits, { ...aidon.serial, parity: 'none' })
  t.notSame(wrong, emission!.bytes)
})

/** A clock that stands still until it is moved, and timers that run when it is. */
function steppedClock(): Clock & Timers & { runUntil(at: number): Promise<void> } {
  let now = 5000
  let tasks: { at: number; task: () => void }[] = []
  return {
    now: () => now,
    wall: () => START,
    schedule(at, task) {
      const entry = { at, task }
      tasks.push(entry)
      return () => {
        tasks = tasks.filter(other => other !== entry)
      }
    },
    async runUntil(at) {
      for (;;) {
        await new Promise(resolve => setImmediate(resolve))
        const [next] = tasks.toSorted((a, b) => a.at - b.at)
        if (next === undefined || next.at > at) break
        now = Math.max(now, next.at)
        next.task()
      }
      now = at
    },
  }
}

t.test('the source delivers at wire speed, faster when told so, and ends on abort', async t => {
  for (const speed of [1, 10]) {
    const clock = steppedClock()
    const time = simulatedTime(clock, START, speed)
    const abort = new AbortController()
    const events: SourceEvent[] = []
    const arrived: { length: number; at: number }[] = []
    const source = simulatedSource({
      id: 'demo',
      meter: meter(aidon),
      profile: aidon,
      time,
      clock,
      timers: clock,
    })
    const run = source.run(
      (chunk, at) => arrived.push({ length: chunk.length, at }),
      event => events.push(event),
      abort.signal,
    )
    await clock.runUntil(5000 + 2600 / speed)
    t.match(events, [{ code: 'port_opened', detail: 'simulated aidon meter at 2400 8E1' }])
    t.equal(
      arrived.reduce((sum, { length }) => sum + length, 0),
      288,
      'the long list is complete, the short one has not begun',
    )
    t.equal(arrived[0]!.at, 5000 + (230 + 16) / speed)
    t.ok(Math.abs(arrived.at(-1)!.at - (5000 + (230 + 1328) / speed)) < 1e-6, 'the last piece')
    abort.abort()
    await run
    await clock.runUntil(5000 + 20_000)
    t.equal(arrived.at(-1)!.at < 5000 + 2600 / speed, true, 'silent after the abort')
  }
})

t.test('a source aborted before it runs or while it delivers lets go', async t => {
  const clock = steppedClock()
  const make = () =>
    simulatedSource({
      id: 'demo',
      meter: meter(aidon),
      profile: aidon,
      time: simulatedTime(clock, START),
      clock,
      timers: clock,
      everyMs: 0,
    })
  const ignore = () => {}
  await make().run(ignore, ignore, AbortSignal.abort())
  const abort = new AbortController()
  const run = make().run(() => abort.abort(), ignore, abort.signal)
  await clock.runUntil(clock.now() + 1000)
  await run
  t.pass('both ended')
})
