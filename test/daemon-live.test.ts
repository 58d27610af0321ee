/** The agent with its real edges: a serial line, a file, a broker, and the clock of this machine. */
import { existsSync, readFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { controlParameters } from '../src/control/parameters.ts'
import { createAgent } from '../src/daemon.ts'
import type { AgentEvent } from '../src/event-log.ts'
import { systemClock } from '../src/io/clock.ts'
import { limitFileOutput } from '../src/io/limit-file.ts'
import { mqttOutput } from '../src/io/mqtt.ts'
import { serialSource } from '../src/io/serial.ts'
import { say, spoken } from './daemon-fakes.ts'
import { BROKERS, Broker, freePort, Listener } from './io-broker.ts'
import { memoryLog, until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'

await t.test('from the serial line to the file and the broker', { skip: SKIP_PTY }, async t => {
  const dir = t.testdir()
  const pty = new Pty(dir)
  await pty.plug()
  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  const listener = await Listener.to(broker)
  const path = join(dir, 'limit.json')
  const clock = systemClock
  const base = 'ampacity/live'
  const mqtt = mqttOutput({
    id: 'mqtt',
    url: broker.url,
    clientId: 'live',
    base,
    failsafeA: 0,
    clock,
  })
  const events: AgentEvent[] = []
  const agent = createAgent({
    parameters: controlParameters({ meter: { cadenceS: 10 } }),
    meters: [
      {
        source: serialSource({
          id: 'han',
          path: pty.agentEnd,
          settings: [{ baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 }],
          clock,
        }),
        definition: spoken,
        options: undefined,
      },
    ],
    outputs: [limitFileOutput({ id: 'file', path, failsafeA: 0, clock }), mqtt],
    clock,
    log: memoryLog(),
    onEvent: event => events.push(event),
    onReading: (reading, notes, source) => mqtt.publishReading(reading, notes, source),
  })
  const stop = new AbortController()
  const ended = agent.run(stop.signal)
  t.teardown(async () => {
    stop.abort()
    await ended
    await listener.end()
    await broker.stop()
    await pty.unplug()
  })
  t.ok(await until(() => events.some(event => event.code === 'port_opened')))
  t.ok(await listener.saw(`${base}/status`, 'online'))

  const line = await open(pty.meterEnd, 'r+')
  const limit = () =>
    existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).limit_a : undefined
  let currentA = 2
  const allowed = async () => {
    currentA += 0.1
    await line.write(say({ a: [currentA, 3, 4] }))
    return until(() => limit() >= 6, 500)
  }
  for (let i = 0; i < 20 && !(await allowed()); i += 1);
  t.ok(limit() >= 6, `limit.json allows ${limit()} A`)
  t.ok(await listener.saw(`${base}/limit`, `"limit_a":${limit()}`))
  t.ok(await listener.saw(`${base}/meter`, '"source":"han"'))

  await line.write(say({ a: [60, 3, 4] }))
  t.ok(await until(() => limit() === 0), 'an overload pauses')
  await line.close()

  stop.abort()
  const began = clock.now()
  await ended
  t.ok(clock.now() - began < 2500, 'the end is quick')
  t.equal(limit(), 0)
  t.ok(await listener.saw(`${base}/status`, 'offline'))
  t.match(JSON.parse(readFileSync(path, 'utf8')), { code: 'STALE_FAILSAFE' })
})
