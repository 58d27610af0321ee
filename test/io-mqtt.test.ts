import { writeFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { systemClock } from '../src/io/clock.ts'
import { type MqttOptions, mqttOutput } from '../src/io/mqtt.ts'
import { checkBroker, wantsOtherVersion } from '../src/io/mqtt-connection.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import type { Reading } from '../src/reading.ts'
import { BROKERS, Broker, freePort, Listener } from './io-broker.ts'
import { command, until } from './io-fakes.ts'

const signal = new AbortController().signal

const READING: Reading = {
  decoder: 'no-kaifa',
  receivedAt: 0,
  integrity: 'checksum',
  meter: { id: '6970631401753985', maker: 'kaifa' },
  values: { activePowerImportW: 1321, currentL1A: 1.7 },
  registers: [{ obis: '1-0:1.7.0*255', value: 1321, unit: 'W' }],
}

function fresh(limitA: number, more = {}) {
  return command(limitA, { at: systemClock.now(), ...more })
}

async function setUp(t: Test, kind: 'mosquitto' | 'aedes', more: Partial<MqttOptions> = {}) {
  const broker = new Broker(kind, await freePort())
  await broker.start()
  const listener = await Listener.to(broker)
  const events: SourceEvent[] = []
  const output = mqttOutput({
    id: 'mqtt',
    url: broker.url,
    clientId: 'ampacity-test',
    base: 'ampacity/test',
    failsafeA: 0,
    clock: systemClock,
    backoff: { minMs: 20, maxMs: 60 },
    ...more,
  })
  const stop = new AbortController()
  const ended = output.run(event => events.push(event), stop.signal)
  t.teardown(async () => {
    stop.abort()
    await ended
    await listener.end()
    await broker.stop()
  })
  return { broker, listener, events, output, stop, ended }
}

for (const kind of BROKERS) {
  await t.test(`with ${kind}`, async t => {
    await t.test('status, limit, decision and readings', async t => {
      const { listener, output, ended, broker, events } = await setUp(t, kind)
      t.ok(await listener.saw('ampacity/test/status', 'online'))
      t.strictSame(events, [], 'an older protocol is no event')
      await output.apply(fresh(13.2), signal)
      t.ok(await listener.saw('ampacity/test/limit', '"limit_a":13.2'))
      t.ok(await listener.saw('ampacity/test/decision', '"limit_a":13.2'))
      const [limit] = listener.on('ampacity/test/limit')
      t.match(JSON.parse(limit!.text), {
        charge_point: '1',
        limit_a: 13.2,
        phases: 3,
        valid_for_s: 30,
        seq: Number,
        code: 'LIMIT_FUSE_L2',
        limited_by: 'main_fuse_l2',
        t: Number,
      })
      t.equal(limit!.packet.qos, 1)
      if (kind === 'mosquitto') {
        const { messageExpiryInterval } = limit!.packet.properties ?? {}
        t.ok(messageExpiryInterval! >= 29 && messageExpiryInterval! <= 30, 'it expires on its way')
      }
      const decision = JSON.parse(listener.on('ampacity/test/decision')[0]!.text)
      t.match(decision, {
        text: String,
        headroom_a: [20, 13.2, 20],
        seq: Number,
        valid_until: /Z$/,
      })
      t.notOk('at_ms' in decision || 'type' in decision)

      output.publishReading(READING, [], 'han')
      t.ok(await listener.saw('ampacity/test/meter', '1321'))
      const reading = JSON.parse(listener.on('ampacity/test/meter')[0]!.text)
      t.match(reading, { active_power_import_w: 1321, current_l1_a: 1.7, source: 'han', t: Number })
      t.notOk('registers' in reading || 'offset' in reading)

      await output.apply(fresh(8, { chargePoint: '2' }), signal)
      t.ok(await listener.saw('ampacity/test/limit/2', '"limit_a":8'), 'a second charge point')

      const late = await Listener.to(broker)
      t.ok(await late.saw('ampacity/test/decision', '13.2'), 'the decision is retained')
      t.ok(await late.saw('ampacity/test/status', 'online'), 'the status is retained')
      t.equal(late.on('ampacity/test/limit').length, 0, 'the limit is not')
      await late.end()

      await output.close()
      await ended
      t.ok(await listener.saw('ampacity/test/status', 'offline'))
      t.ok(await listener.saw('ampacity/test/limit', '"limit_a":0'), 'the safe value')
      const order = listener.messages.map(m => m.topic.split('/')[2])
      t.ok(order.lastIndexOf('limit') < order.lastIndexOf('status'), 'before it leaves')
      t.equal(listener.on('ampacity/test/status').length, 2, 'the will is not told')
    })

    await t.test('the broker goes and comes back: only the newest limit is sent', async t => {
      const { broker, listener, events, output } = await setUp(t, kind)
      await listener.saw('ampacity/test/status', 'online')
      await output.apply(fresh(16), signal)
      await listener.saw('ampacity/test/limit', '16')
      await broker.stop()
      t.ok(await until(() => events.some(e => e.code === 'output_unreachable')))
      for (const limitA of [6, 7, 8, 9, 10]) await output.apply(fresh(limitA), signal)
      output.publishReading(READING, [], 'han')
      await new Promise(resolve => setTimeout(resolve, 100))
      t.ok(await until(() => !listener.connected))
      listener.messages.length = 0
      await broker.start()
      t.ok(await until(() => listener.connected))
      t.ok(await until(() => events.some(e => e.code === 'output_recovered')))
      await output.apply(fresh(10.5), signal)
      t.ok(await listener.saw('ampacity/test/limit', '"limit_a":10.5'))
      const limits = listener.on('ampacity/test/limit').map(m => JSON.parse(m.text).limit_a)
      t.ok(
        limits.every(limitA => limitA >= 10),
        `nothing old is sent: ${limits}`,
      )
      t.equal(listener.on('ampacity/test/meter').length, 0, 'nor old readings')
      t.equal(events.filter(e => e.code === 'output_unreachable').length, 1, 'told once')
    })

    await t.test('a lost connection is told by the will', async t => {
      const { listener, stop, ended } = await setUp(t, kind)
      await listener.saw('ampacity/test/status', 'online')
      stop.abort()
      await ended
      t.ok(await listener.saw('ampacity/test/status', 'offline'))
    })

    await t.test('check', async t => {
      const broker = new Broker(kind, await freePort())
      const options = { url: broker.url, clientId: 'check' }
      await t.rejects(checkBroker(options), { code: 'BROKER_UNREACHABLE', message: /ECONNREFUSED/ })
      await broker.start()
      await checkBroker(options)
      await broker.stop()
    })
  })
}

await t.test('no broker at all: commands are taken, nothing is thrown', async t => {
  const events: SourceEvent[] = []
  const output = mqttOutput({
    id: 'mqtt',
    url: `mqtt://127.0.0.1:${await freePort()}`,
    clientId: 'x',
    base: 'x',
    failsafeA: 0,
    clock: systemClock,
    backoff: { minMs: 10, maxMs: 20 },
  })
  const ended = output.run(event => events.push(event), signal)
  for (let i = 0; i < 10; i += 1) await output.apply(fresh(6 + i), signal)
  t.ok(await until(() => events.length > 0))
  t.match(events, [{ code: 'output_unreachable', level: 'error', detail: /ECONNREFUSED/ }])
  await output.close()
  await ended
})

await t.test(
  'a broker that never answers: the connection is given up, closing is not held up',
  async t => {
    const sockets: Socket[] = []
    const server = createServer(socket => {
      socket.on('error', () => {})
      sockets.push(socket)
    }).listen(0, '127.0.0.1')
    await new Promise(resolve => server.once('listening', resolve))
    const { port } = server.address() as { port: number }
    const events: SourceEvent[] = []
    const output = mqttOutput({
      id: 'mqtt',
      url: `mqtt://127.0.0.1:${port}`,
      clientId: 'x',
      base: 'x',
      failsafeA: 0,
      clock: systemClock,
      connectTimeoutMs: 50,
      backoff: { minMs: 10, maxMs: 20 },
    })
    const ended = output.run(event => events.push(event), signal)
    t.ok(await until(() => events.length > 0 && sockets.length > 1), 'told, and tried again')
    t.match(events, [{ code: 'output_unreachable' }])
    await output.close()
    await ended
    for (const socket of sockets) socket.destroy()
    server.close()
  },
)

await t.test('a message that is never acknowledged ends the connection', async t => {
  let connections = 0
  const server = createServer(socket => {
    connections += 1
    socket.on('error', () => {})
    // CONNACK of MQTT 5: accepted, no properties. Then nothing more.
    socket.once('data', () => socket.write(Uint8Array.of(0x20, 3, 0, 0, 0)))
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const stop = new AbortController()
  const output = mqttOutput({
    id: 'mqtt',
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'x',
    base: 'x',
    failsafeA: 0,
    clock: systemClock,
    ackMs: 40,
    backoff: { minMs: 10, maxMs: 20 },
  })
  const ended = output.run(() => {}, stop.signal)
  await output.apply(fresh(10), signal)
  t.ok(await until(() => connections > 1))
  const closing = output.close()
  stop.abort()
  await ended
  await Promise.race([closing, new Promise(resolve => setTimeout(resolve, 50))])
  server.close()
})

await t.test('a lower limit does not wait for an acknowledgement, a higher one does', async t => {
  let received = ''
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write(Uint8Array.of(0x20, 3, 0, 0, 0))
      socket.on('data', data => {
        received += data.toString('latin1')
      })
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const stop = new AbortController()
  const output = mqttOutput({
    id: 'mqtt',
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'x',
    base: 'x',
    failsafeA: 0,
    clock: systemClock,
    backoff: { minMs: 10, maxMs: 20 },
  })
  const ended = output.run(() => {}, stop.signal)
  const sent = () =>
    [...received.matchAll(/x\/limit[^{]*\{[^}]*"limit_a":([\d.]+)/g)].map(m => m[1])
  await output.apply(fresh(12), signal)
  t.ok(await until(() => sent().length === 1))
  await output.apply(fresh(14), signal)
  await output.apply(fresh(9), signal)
  t.ok(await until(() => sent().length === 2))
  t.same(sent(), ['12', '9'])
  const closing = output.close()
  stop.abort()
  await ended
  await Promise.race([closing, new Promise(resolve => setTimeout(resolve, 50))])
  server.close()
})

await t.test('secrets are files', async t => {
  const dir = t.testdir()
  const events: SourceEvent[] = []
  const seen: string[] = []
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', data => {
      seen.push(data.toString('latin1'))
      socket.destroy()
    })
  }).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  const output = mqttOutput({
    id: 'mqtt',
    url: `mqtt://127.0.0.1:${port}`,
    clientId: 'x',
    base: 'x',
    failsafeA: 0,
    clock: systemClock,
    usernameFile: join(dir, 'user'),
    passwordFile: join(dir, 'password'),
    backoff: { minMs: 10, maxMs: 20 },
  })
  const ended = output.run(event => events.push(event), signal)
  t.ok(await until(() => events.length > 0))
  t.match(events, [{ code: 'output_unreachable', detail: /user: ENOENT/ }])
  writeFileSync(join(dir, 'user'), 'anna\n')
  writeFileSync(join(dir, 'password'), 'hemmelig\n')
  t.ok(await until(() => seen.some(data => data.includes('anna') && data.endsWith('hemmelig'))))
  await output.close()
  await ended
  server.close()
})

await t.test('which failures call for the other protocol version', async t => {
  const failure = (code?: unknown) =>
    Object.assign(new Error('x'), code === undefined ? {} : { code })
  t.ok(wantsOtherVersion(failure()), 'the broker closed the connection')
  t.ok(wantsOtherVersion(failure(1)))
  t.ok(wantsOtherVersion(failure(132)))
  t.notOk(wantsOtherVersion(failure(5)), 'not authorised')
  t.notOk(wantsOtherVersion(failure('ECONNREFUSED')))
  t.notOk(wantsOtherVersion(undefined), 'no secret could be read')
})
