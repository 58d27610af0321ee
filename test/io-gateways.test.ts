/** Sources that hand over messages, against counterparts on loopback: pushed, polled, broken in every way. */
import { once } from 'node:events'
import { createServer as createHttp } from 'node:http'
import { createServer } from 'node:net'
import t, { type Test } from 'tap'
import { encodePoll, readPoll } from '../decoders/sinapsi/poll.ts'
import { chain2GateSource } from '../src/io/chain2gate.ts'
import { systemClock } from '../src/io/clock.ts'
import { FloodGauge } from '../src/io/flood.ts'
import { getBody } from '../src/io/http-get.ts'
import { httpPollSource } from '../src/io/http-poll.ts'
import { modbusSource } from '../src/io/modbus-source.ts'
import { mqttSource } from '../src/io/mqtt-source.ts'
import type { Source, SourceEvent } from '../src/io/ports.ts'
import { isMarked, unmarked } from '../src/json/mark.ts'
import { AlfaServer } from '../src/sim/open-meter/alfa-server.ts'
import { Chain2GateServer } from '../src/sim/open-meter/chain2gate-server.ts'
import { BROKERS, Broker, freePort } from './io-broker.ts'
import { until } from './io-fakes.ts'

const FAST = { minMs: 5, maxMs: 20 }
const HOST = '127.0.0.1'
const clock = systemClock

/** Runs a source, remembers what it says, and ends it with the test. */
function run(t: Test, source: Source) {
  const messages: Uint8Array[] = []
  const events: SourceEvent[] = []
  const stop = new AbortController()
  const running = source.run(
    bytes => void messages.push(Uint8Array.from(bytes)),
    event => void events.push(event),
    stop.signal,
  )
  const end = async (): Promise<void> => {
    stop.abort()
    await running
  }
  t.teardown(end)
  const saw = (code: string, times = 1): Promise<boolean> =>
    until(() => events.filter(event => event.code === code).length >= times)
  const texts = (): string[] => messages.map(bytes => Buffer.from(unmarked(bytes)).toString())
  return { messages, events, saw, texts, end }
}

const frame = (
  cf: number,
  payload: { readonly [name: string]: number } = { InstantPower: 900 },
) => ({
  cf,
  meter: 'M1' as const,
  payload: { MessagePosixTimestamp: 1_767_225_600, ...payload },
})

t.test('Chain2Gate: tells of itself, is primed, pushes', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  gateway.push(frame(20, { ContractPower: 3000, AvailablePower: 3300 }), 1_767_225_580_000)
  gateway.push(frame(1), 1_767_225_580_000)
  const source = chain2GateSource({
    id: 'c2g',
    host: HOST,
    port: gateway.port,
    httpPort: gateway.port,
    clock,
  })
  const { messages, texts, saw } = run(t, source)
  t.ok(await until(() => messages.length >= 3))
  const kinds = () => texts().map(text => Object.keys(JSON.parse(text))[0])
  t.ok(kinds().includes('Chain2Info'), '! was answered')
  const primed = messages
    .filter(isMarked)
    .map(bytes => JSON.parse(Buffer.from(unmarked(bytes)).toString()))
  t.same(
    primed.map(({ Chain2Data }) => Chain2Data.Type),
    ['CF20', 'CF1'],
    'the contract first, marked as kept',
  )
  gateway.push(frame(21), 1_767_225_600_000)
  t.ok(await until(() => messages.length >= 4))
  t.notOk(isMarked(messages[3]!), 'what is pushed is new')
  source.send?.(Buffer.from('!'))
  t.ok(await until(() => kinds().filter(kind => kind === 'Chain2Info').length === 2))
  t.ok(await saw('port_opened'))
})

t.test('Chain2Gate: without a web server the meter tells in its own time', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  const options = { id: 'c2g', host: HOST, port: gateway.port, clock }
  const { events, saw } = run(t, chain2GateSource({ ...options, httpPort: await freePort() }))
  t.ok(await saw('priming_failed'))
  t.match(events.at(-1), { level: 'info' })
})

t.test('Chain2Gate: away, back, cut', async t => {
  const port = await freePort()
  const source = chain2GateSource({
    id: 'c2g',
    host: HOST,
    port,
    httpPort: port,
    clock,
    backoff: FAST,
  })
  const { events, saw, end } = run(t, source)
  t.ok(await saw('port_unavailable'))
  const gateway = await Chain2GateServer.start(port)
  t.ok(await saw('port_opened'))
  gateway.cut()
  t.ok(await saw('port_lost'))
  t.ok(await saw('port_opened', 2))
  await gateway.stop()
  t.ok(await saw('port_unavailable', 2))
  t.ok(
    events.filter(({ code }) => code === 'port_unavailable').length <= 3,
    'told once, not again and again',
  )
  const before = clock.now()
  await end()
  t.ok(clock.now() - before < 500, 'ends at once')
})

t.test('Chain2Gate: a socket that hangs half open is found by its missing pong', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  const source = chain2GateSource({
    id: 'c2g',
    host: HOST,
    port: gateway.port,
    httpPort: gateway.port,
    clock,
    pingMs: 50,
    connectMs: 100,
    backoff: FAST,
  })
  const { events, saw } = run(t, source)
  t.ok(await saw('port_opened'))
  await new Promise(resolve => setTimeout(resolve, 250))
  t.equal(events.filter(({ code }) => code === 'port_lost').length, 0, 'a live one answers')
  gateway.hang()
  t.ok(await saw('port_lost'))
  t.match(
    events.find(({ code }) => code === 'port_lost'),
    { detail: /no answer to a ping for 0\.05 s/ },
  )
  t.ok(await saw('port_unavailable'), 'and it does not take new connections either')
})

t.test('Chain2Gate: a message of more than a megabyte ends the connection', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  const options = { id: 'c2g', host: HOST, port: gateway.port, httpPort: gateway.port, clock }
  const { events, messages, saw } = run(t, chain2GateSource({ ...options, backoff: FAST }))
  t.ok(await until(() => gateway.clients === 1))
  const before = process.memoryUsage().arrayBuffers
  const big = Buffer.alloc(64 << 20, 0x20)
  gateway.say(big)
  t.ok(await saw('message_overflow'))
  t.ok(await saw('port_lost'))
  t.ok(messages.every(bytes => bytes.length < 1000))
  const grown = process.memoryUsage().arrayBuffers - before - big.length
  t.ok(grown < 24 << 20, `${grown >> 20} MB held for a message of 64 MB`)
  t.ok(await saw('port_opened', 2), 'and it is tried again')
  t.match(
    events.find(({ code }) => code === 'message_overflow'),
    { level: 'error' },
  )
})

t.test('Chain2Gate: a flood ends the connection, and every further one', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  const source = chain2GateSource({
    id: 'c2g',
    host: HOST,
    port: gateway.port,
    httpPort: gateway.port,
    clock,
    backoff: FAST,
    flood: { burst: 50, perSecond: 10 },
  })
  const { messages, saw } = run(t, source)
  t.ok(await until(() => gateway.clients === 1))
  for (let i = 0; i < 5000; i++) gateway.say('{"x":1}')
  t.ok(await saw('message_flood'))
  t.ok(messages.length <= 60, `${messages.length} messages were let through`)
  t.ok(await saw('port_opened', 2))
})

t.test('a gauge admits a burst, then so many a second', async t => {
  const gauge = new FloodGauge({ burst: 3, perSecond: 2 })
  t.same(
    [0, 0, 0, 0, 400, 500, 500, 1000, 9000, 9000, 9000, 9000].map(at => gauge.admits(at)),
    [true, true, true, false, false, true, false, true, true, true, true, false],
  )
})

for (const kind of BROKERS)
  t.test(
    `MQTT (${kind}): messages, what was retained is marked, the broker goes and comes`,
    async t => {
      const { connect } = await import('mqtt')
      const broker = new Broker(kind, await freePort())
      await broker.start()
      t.teardown(() => broker.stop())
      const publisher = connect(broker.url, { protocolVersion: 4, reconnectPeriod: 20 })
      publisher.on('error', () => {})
      t.teardown(() => publisher.endAsync(true))
      await publisher.publishAsync('home/meter', 'old', { qos: 1, retain: true })
      const source = mqttSource({
        id: 'mqtt',
        url: broker.url,
        clientId: 'reader',
        topic: 'home/+',
        clock,
        backoff: FAST,
      })
      const { messages, texts, saw } = run(t, source)
      t.ok(await until(() => messages.length >= 1))
      t.same([texts()[0], isMarked(messages[0]!)], ['old', true])
      await publisher.publishAsync('home/meter', 'new', { qos: 1 })
      await publisher.publishAsync('elsewhere', 'no', { qos: 1 })
      t.ok(await until(() => messages.length >= 2))
      t.same([texts()[1], isMarked(messages[1]!)], ['new', false])
      await broker.stop()
      t.ok(await saw('port_lost'))
      t.ok(await saw('port_unavailable'))
      await broker.start()
      t.ok(await saw('port_opened', 2))
      await publisher.publishAsync('home/meter', 'again', { qos: 1 })
      t.ok(await until(() => texts().includes('again')))
      t.notOk(texts().includes('no'))
    },
  )

t.test('MQTT: a flood is cut off', async t => {
  const { connect } = await import('mqtt')
  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  t.teardown(() => broker.stop())
  const options = {
    id: 'mqtt',
    url: broker.url,
    clientId: 'reader',
    topic: '#',
    clock,
    backoff: FAST,
  }
  const { messages, saw } = run(t, mqttSource({ ...options, flood: { burst: 20, perSecond: 1 } }))
  t.ok(await saw('port_opened'))
  const publisher = connect(broker.url, { protocolVersion: 4 })
  t.teardown(() => publisher.endAsync(true))
  for (let i = 0; i < 200; i++) publisher.publish('x', 'y')
  t.ok(await saw('message_flood'))
  t.ok(messages.length <= 20)
})

t.test('HTTP: a document again and again, failures told once', async t => {
  let answer: { status: number; body: string | Buffer } = { status: 200, body: '{"p":1}' }
  const server = createHttp((_, response) => {
    response.statusCode = answer.status
    response.end(answer.body)
  }).listen(0, HOST)
  await once(server, 'listening')
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const url = `http://${HOST}:${port}/status?token=secret`
  const { messages, events, saw } = run(t, httpPollSource({ id: 'http', url, everyMs: 20, clock }))
  t.ok(await until(() => messages.length >= 3))
  answer = { status: 503, body: '' }
  t.ok(await saw('port_lost'))
  t.match(events.at(-1)?.detail, /status 503/)
  answer = { status: 200, body: Buffer.alloc(3_000_000, 0x20) }
  t.ok(await until(() => /more than 1048576 bytes/.test(events.at(-1)?.detail ?? '')))
  answer = { status: 200, body: '{"p":2}' }
  t.ok(await saw('port_opened', 2))
  t.ok(
    events.every(({ detail }) => !detail.includes('secret')),
    'what stands behind ? is not told',
  )
})

t.test('HTTP: nobody there, nobody answers', async t => {
  const silent = createServer(() => {}).listen(0, HOST)
  await once(silent, 'listening')
  t.teardown(() => silent.close())
  const { port } = silent.address() as { port: number }
  const { signal } = new AbortController()
  await t.rejects(getBody(`http://${HOST}:${port}/`, { signal, timeoutMs: 50 }), {
    code: 'HOST_UNREACHABLE',
    message: /no answer within 0\.05 s/,
  })
  await t.rejects(getBody(`http://${HOST}:${await freePort()}/`, { signal }), {
    code: 'HOST_UNREACHABLE',
  })
})

t.test(
  'Sinapsi: power and warning often, the rest once a minute, faster while charging',
  async t => {
    const alfa = await AlfaServer.start()
    t.teardown(() => alfa.stop())
    alfa.registers.take({
      cf: 1,
      meter: 'M1',
      payload: {
        InstantPower: 1260,
        TotalActEnergy: 8_123_456,
        TariffCode: 3,
        QuartAveragePower: 1240,
      },
    })
    const source = modbusSource({
      id: 'sinapsi',
      host: HOST,
      port: alfa.port,
      clock,
      everyMs: 400,
      chargingEveryMs: 20,
      encode: encodePoll,
    })
    const { messages, saw } = run(t, source)
    t.ok(await until(() => messages.length >= 1))
    const first = readPoll(messages[0]!)
    t.same(
      [
        first.get(2),
        first.get(5)! * 65_536 + first.get(6)!,
        first.get(9),
        first.get(203),
        first.get(782),
      ],
      [1260, 8_123_456, 1240, 3, 65_535],
    )
    t.same(alfa.reads.slice(0, 5), [2, 780, 203, 30, 921])
    source.charging?.(true)
    t.ok(await until(() => messages.length >= 6))
    t.same([...readPoll(messages[4]!).keys()].length, 21, 'only what control needs')
    t.ok(await saw('port_opened'))
    alfa.cut()
    t.ok(await saw('port_lost'))
  },
)

t.test('Sinapsi: registers that are not there, a gateway that comes back', async t => {
  const alfa = await AlfaServer.start(address => address !== 921)
  const { port } = alfa
  const source = modbusSource({
    id: 'sinapsi',
    host: HOST,
    port,
    clock,
    everyMs: 20,
    slowEveryMs: 20,
    backoff: FAST,
    encode: encodePoll,
  })
  const { messages, events, saw } = run(t, source)
  t.ok(await until(() => messages.length >= 3))
  t.equal(events.filter(({ code }) => code === 'registers_absent').length, 1)
  t.equal(alfa.reads.filter(address => address === 921).length, 1, 'asked once')
  await alfa.stop()
  t.ok(await saw('port_lost'))
  t.ok(await saw('port_unavailable'))
  const again = await AlfaServer.start(() => true, port)
  t.teardown(() => again.stop())
  const before = messages.length
  t.ok(await until(() => messages.length > before))
})

t.test('Sinapsi: a second client makes both fail, and the message says so', async t => {
  for (const behaviour of ['silent', 'closing'] as const) {
    const busy = createServer(socket => {
      socket.on('error', () => {})
      if (behaviour === 'closing') socket.once('data', () => socket.destroy())
    }).listen(0, HOST)
    await once(busy, 'listening')
    const { port } = busy.address() as { port: number }
    const source = modbusSource({
      id: 'sinapsi',
      host: HOST,
      port,
      clock,
      replyMs: 40,
      backoff: FAST,
      encode: encodePoll,
    })
    const { events, saw, end } = run(t, source)
    t.ok(await saw('gateway_busy'), behaviour)
    t.match(
      events.find(({ code }) => code === 'gateway_busy'),
      { detail: /one Modbus client at a time/ },
    )
    await end()
    busy.close()
  }
})
