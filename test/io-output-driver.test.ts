import t from 'tap'
import type { ChargerStatus } from '../src/control/model.ts'
import { OutputDriver } from '../src/io/output-driver.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { command, FakeBox, VirtualTime } from './io-fakes.ts'

function setUp() {
  const time = new VirtualTime()
  const box = new FakeBox(time)
  const events: SourceEvent[] = []
  const statuses: ChargerStatus[] = []
  const faults: unknown[] = []
  const driver = new OutputDriver(box, {
    clock: time,
    timers: time,
    onStatus: status => statuses.push(status),
    report: event => events.push(event),
    onFault: error => faults.push(error),
  })
  return { time, box, events, statuses, faults, driver }
}

await t.test('a command is with the output when submit returns', async t => {
  const { box, driver } = setUp()
  driver.submit(command(13.2))
  t.strictSame(box.asked, [13.2])
})

await t.test('the newest command wins while a write is in flight', async t => {
  const { time, box, driver } = setUp()
  box.lagMs = 300
  for (const limitA of [6, 7, 8, 9]) driver.submit(command(limitA))
  await time.advance(1000)
  t.strictSame(box.applied, [6, 9])
  t.equal(box.maxConcurrent, 1, 'one write at a time')
})

await t.test('a lower limit does not wait for a slow write', async t => {
  const { time, box, driver } = setUp()
  box.lagMs = 4000
  driver.submit(command(16))
  await time.advance(100)
  box.lagMs = 0
  driver.submit(command(6))
  await time.advance(10)
  t.strictSame(box.applied, [6])
})

await t.test(
  'a write that ignores its abort is left behind, and outvoted when it lands',
  async t => {
    const { time, box, driver, faults } = setUp()
    box.lagMs = 2500
    box.deaf = true
    driver.submit(command(16))
    await time.advance(100)
    box.lagMs = 0
    driver.submit(command(6))
    await time.advance(1000)
    t.strictSame(box.applied, [6], 'after the grace the lower limit goes out')
    await time.advance(2000)
    t.strictSame(box.applied, [6, 16, 6], 'the late write is followed by the newest command')
    t.strictSame(faults, [])
  },
)

await t.test('an unchanged command is sent again every ten seconds', async t => {
  const { time, box, driver } = setUp()
  driver.submit(command(10))
  for (let s = 0; s < 25; s += 1) {
    await time.advance(1000)
    driver.tick(time.now())
  }
  t.strictSame(box.applied, [10, 10, 10])
})

await t.test(
  'a refused write is retried with the newest command, and told after three',
  async t => {
    const { time, box, driver, events } = setUp()
    box.refuse = true
    driver.submit(command(16))
    await time.advance(500)
    driver.submit(command(12))
    t.strictSame(box.asked, [16, 12], 'a new command does not wait for the retry')
    t.strictSame(events, [])
    await time.advance(1500)
    t.strictSame(box.asked, [16, 12, 12])
    t.match(events, [{ level: 'error', code: 'output_unreachable', detail: /3 times .* refused/ }])
    await time.advance(20_000)
    t.equal(events.length, 1, 'told once')
    box.refuse = false
    driver.submit(command(9))
    await time.advance(0)
    t.strictSame(box.applied, [9])
    t.match(events[1], { level: 'info', code: 'output_recovered' })
  },
)

await t.test('an output that hangs is told too', async t => {
  const { time, box, driver, events } = setUp()
  box.hang = true
  driver.submit(command(16))
  await time.advance(30_000)
  t.match(events, [{ code: 'output_unreachable', detail: /no answer within 5 s/ }])
  t.ok(box.asked.length >= 3)
})

await t.test('what the box says comes back', async t => {
  const { time, box, driver, statuses } = setUp()
  box.status = {
    chargePoint: '1',
    at: 1000,
    state: 'C',
    offeredA: 10,
    currentA: [9.8, 9.9, 9.7],
    powerW: 6700,
  }
  driver.submit(command(10))
  await time.advance(0)
  t.strictSame(statuses, [box.status])
})

await t.test(
  'several charge points behind one output: each gets its own, the lowest first',
  async t => {
    const { time, box, driver } = setUp()
    box.lagMs = 100
    driver.submit(command(16, { chargePoint: '1' }))
    driver.submit(command(20, { chargePoint: '2' }))
    driver.submit(command(8, { chargePoint: '3' }))
    await time.advance(1000)
    t.strictSame(box.applied, [16, 8, 20])
  },
)

await t.test('closing waits for a running write no longer than its grace, then closes', async t => {
  const { time, box, driver } = setUp()
  box.lagMs = 60_000
  box.deaf = true
  driver.submit(command(16))
  await time.advance(10)
  const closed = driver.close()
  await time.advance(1000)
  await closed
  t.strictSame(box.applied, [0])
  driver.submit(command(32))
  driver.tick(time.now() + 60_000)
  await time.advance(1000)
  t.strictSame(box.asked, [16], 'nothing is sent after closing')
})
