import { readFileSync } from 'node:fs'
import t from 'tap'
import type { LimitCommand } from '../src/control/model.ts'
import { controlParameters } from '../src/control/parameters.ts'
import { type AgentOptions, createAgent, decisionEvents } from '../src/daemon.ts'
import type { AgentEvent } from '../src/event-log.ts'
import type { Output } from '../src/io/ports.ts'
import { type Spoken, say, spoken } from './daemon-fakes.ts'
import { command, FakeBox, memoryLog, PushSource, settle, VirtualTime } from './io-fakes.ts'

function setUp(more: Partial<AgentOptions> = {}) {
  const time = new VirtualTime()
  const source = new PushSource('han')
  const box = new FakeBox(time)
  const log = memoryLog()
  const events: AgentEvent[] = []
  const decisions: LimitCommand[] = []
  const agent = createAgent({
    parameters: controlParameters({ meter: { cadenceS: 10 }, installation: { mainFuseA: 25 } }),
    meters: [{ source, definition: spoken, options: undefined }],
    outputs: [box],
    clock: time,
    timers: time,
    log,
    onEvent: event => events.push(event),
    onDecision: decision => decisions.push(decision),
    ...more,
  })
  const stop = new AbortController()
  const ended = agent.run(stop.signal)
  const tell = (what: Spoken) => source.push(say(what), time.now())
  /** A telegram every ten seconds; no two are equal, as in a house. */
  const live = async (seconds: number, what: Spoken) => {
    for (let s = 0; s < seconds; s += 10) {
      const [l1, l2, l3] = what.a ?? [1, 1, 1]
      tell({ ...what, a: [l1 + (s % 20) / 100, l2, l3] })
      await time.advance(10_000)
    }
  }
  const halt = async () => {
    stop.abort()
    await time.advance(2500)
    await ended
  }
  const codes = () => events.map(event => event.code)
  return { time, source, box, log, events, codes, decisions, agent, stop, ended, tell, live, halt }
}

await t.test('telegrams become limits, and silence the fail-safe', async t => {
  const { time, box, live, halt, codes, events, agent, decisions } = setUp()
  await live(120, { a: [2, 3, 4], id: '6970631401753985' })
  t.ok(box.applied.at(-1)! > 6, `charging is allowed: ${box.applied}`)
  t.equal(box.applied.at(-1), decisions.at(-1)!.limitA)
  t.ok(codes().includes('meter_online'))
  t.ok(codes().includes('limit_changed'))
  const raised = box.applied.at(-1)
  await time.advance(120_000)
  t.equal(box.applied.at(-1), 0, 'no telegram for two minutes')
  const order = codes().filter(code => /meter_stale|failsafe/.test(code))
  t.strictSame(order, ['meter_stale', 'failsafe_enter'])
  await live(300, { a: [2, 3, 4], id: '6970631401753985' })
  t.ok(codes().includes('failsafe_exit'))
  t.equal(box.applied.at(-1), raised)
  t.match(agent.status(), {
    meters: [{ source: 'han', readings: 42 }],
    commands: [{ limitA: raised }],
  })
  t.ok(events.every(event => event.at > Date.UTC(2026, 0, 1)))
  await halt()
})

await t.test('the decision leaves in the turn in which the last byte arrives', async t => {
  const { source, box, live, time, halt } = setUp()
  await live(120, { a: [2, 3, 4] })
  const before = box.asked.length
  const telegram = say({ a: [2, 70, 4] })
  source.push(telegram.subarray(0, 10), time.now())
  t.equal(box.asked.length, before)
  source.push(telegram.subarray(10), time.now())
  t.equal(box.asked.length, before + 1, 'no await in between')
  t.equal(box.asked.at(-1), 0)
  await halt()
})

await t.test('an unchanged command is repeated while it is valid', async t => {
  const { box, live, halt } = setUp()
  await live(200, { a: [2, 3, 4] })
  const settled = box.applied.length
  await live(60, { a: [2, 3, 4] })
  const more = box.applied.length - settled
  t.ok(more >= 5 && more <= 7, `${more} times in a minute`)
  await halt()
})

await t.test(
  'a box that refuses is told, and gets the newest command when it listens again',
  async t => {
    const { box, live, halt, codes, decisions, log } = setUp()
    await live(60, { a: [2, 3, 4] })
    box.refuse = true
    await live(60, { a: [2, 20, 4] })
    t.ok(codes().includes('output_unreachable'))
    box.refuse = false
    await live(20, { a: [2, 20, 4] })
    t.ok(codes().includes('output_recovered'))
    t.equal(box.applied.at(-1), decisions.at(-1)!.limitA)
    t.ok(log.lines.some(line => line['level'] === 'error' && line['code'] === 'output_unreachable'))
    await halt()
  },
)

await t.test('what the box says goes back into control', async t => {
  const { box, time, live, halt, decisions } = setUp()
  box.status = {
    chargePoint: '1',
    at: time.now(),
    state: 'C',
    offeredA: 10,
    currentA: [10, 10, 10],
    powerW: 6900,
  }
  await live(20, { a: [12, 12, 12] })
  for (let i = 0; i < 12; i += 1) {
    box.status = { ...box.status, at: time.now(), offeredA: decisions.at(-1)?.limitA ?? 10 }
    await live(10, { a: [12, 12, 12] })
  }
  const [l1] = decisions.at(-1)!.headroomA
  t.ok(l1! > 20, `the car's 10 A are not the house's: ${l1} A free on L1`)
  await halt()
})

await t.test('rejections are counted, told once a minute with how often', async t => {
  const { tell, time, halt, events, log, agent } = setUp()
  for (let s = 0; s <= 60; s += 5) {
    tell({ reject: 'LINK_BAD_CHECKSUM' })
    await time.advance(5000)
  }
  const told = events.filter(event => event.code === 'frame_crc_error')
  t.match(told, [{ source: 'han', level: 'warn' }, { count: 12 }])
  t.equal(told.length, 2)
  t.equal(log.lines.filter(line => line['code'] === 'frame_crc_error').length, 2)
  t.equal(agent.status().meters[0]!.rejected.LINK_BAD_CHECKSUM, 13)
  await halt()
})

await t.test('several sources feed one core', async t => {
  const time = new VirtualTime()
  const sources = [new PushSource('one'), new PushSource('two')]
  const { box, halt, agent, codes } = setUp({
    clock: time,
    timers: time,
    meters: sources.map(source => ({ source, definition: spoken, options: undefined })),
  })
  for (let s = 0; s < 120; s += 10) {
    sources[(s / 10) % 2]!.push(say({ a: [2, 3, 4] }), time.now())
    await time.advance(10_000)
  }
  t.strictSame(
    agent.status().meters.map(meter => meter.readings),
    [6, 6],
  )
  t.equal(codes().filter(code => code === 'meter_online').length, 2)
  t.ok(box.asked.length > 0)
  const stopped = halt()
  await time.advance(3000)
  await stopped
})

await t.test('stopping', async t => {
  await t.test('writes the safe value and lets go of everything', async t => {
    const { box, source, time, live, halt } = setUp()
    await live(60, { a: [2, 3, 4] })
    await halt()
    t.equal(box.applied.at(-1), 0)
    t.ok(box.closed)
    t.notOk(source.running)
    t.equal(time.pending, 0, 'no timer is left')
    const asked = box.asked.length
    source.push(say({ a: [2, 3, 4] }), time.now())
    await time.advance(20_000)
    t.equal(box.asked.length, asked, 'nothing is sent any more')
  })

  await t.test('does not wait longer than two seconds for an output', async t => {
    const time = new VirtualTime()
    const hangs: Output = {
      id: 'hangs',
      apply: async () => undefined,
      close: () => new Promise(() => {}),
    }
    const good = new FakeBox(time)
    const { stop, ended } = setUp({ clock: time, timers: time, outputs: [hangs, good] })
    let over = false
    const waiting = ended.then(() => {
      over = true
    })
    stop.abort()
    await time.advance(1900)
    t.ok(good.closed, 'the others get their safe value at once')
    t.notOk(over)
    await time.advance(200)
    await waiting
    t.ok(over)
  })

  await t.test('names an output that does not take the safe value', async t => {
    const { box, halt, events } = setUp()
    box.refuse = true
    await halt()
    t.match(events.at(-1), { code: 'output_unreachable', detail: /did not take the safe value/ })
  })

  await t.test('before it began', async t => {
    const time = new VirtualTime()
    const box = new FakeBox(time)
    const agent = createAgent({
      parameters: controlParameters(),
      meters: [],
      outputs: [box],
      clock: time,
      timers: time,
      log: memoryLog(),
    })
    await agent.run(AbortSignal.abort())
    t.ok(box.closed)
  })

  await t.test(
    'an output that holds a connection keeps it until the safe value is out',
    async t => {
      const time = new VirtualTime()
      const order: string[] = []
      const output: Output = {
        id: 'broker',
        apply: async () => undefined,
        close: async () => {
          order.push('closed')
        },
        run: async (report, signal) => {
          report({ level: 'error', code: 'output_unreachable', detail: 'no broker' })
          await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
          order.push('run ended')
        },
      }
      const { stop, ended, events } = setUp({ clock: time, timers: time, outputs: [output] })
      await settle()
      stop.abort()
      await ended
      t.strictSame(order, ['closed', 'run ended'])
      t.match(events[0], { code: 'output_unreachable', source: 'broker' })
    },
  )
})

await t.test('a fault of our own ends the agent after the safe value', async t => {
  const causes: [name: string, cause: (s: ReturnType<typeof setUp>) => void][] = [
    ['in a decoder', ({ tell }) => tell({ bug: true })],
    ['in a source', ({ source }) => source.breakDown(new Error('a fault of ours'))],
  ]
  for (const [name, cause] of causes) {
    await t.test(name, async t => {
      const running = setUp()
      await running.time.advance(10)
      const failed = t.rejects(running.ended, /a fault of ours/)
      cause(running)
      await running.time.advance(10)
      await failed
      t.ok(running.box.closed)
    })
  }
})

await t.test('what a command means for people', async t => {
  const codes = (before: LimitCommand | undefined, after: LimitCommand) =>
    decisionEvents(before, after).map(event => event.code)
  const stale = command(6, { code: 'STALE_MIN' })
  const failsafe = command(0, { code: 'STALE_FAILSAFE' })
  t.strictSame(codes(undefined, command(0, { code: 'INIT' })), ['limit_changed'])
  t.strictSame(codes(command(6), command(6)), [])
  t.strictSame(codes(command(9), stale), ['meter_stale', 'limit_changed'])
  t.strictSame(codes(stale, failsafe), ['failsafe_enter', 'limit_changed'])
  t.strictSame(codes(failsafe, command(0)), ['failsafe_exit', 'meter_online'])
  t.strictSame(codes(stale, command(9)), ['meter_online', 'limit_changed'])
})

await t.test('the composition knows no meter family and no simulation', async t => {
  for (const file of ['daemon.ts', 'meter-feed.ts', 'event-log.ts']) {
    const text = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')
    t.notMatch(text, /from '.*(decoders|sim)\//, file)
  }
})
