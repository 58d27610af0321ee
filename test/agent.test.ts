/**
 * The agent as a user runs it: configuration file, serial line, real telegrams in pieces, real broker, `limit.json`.
 * Plug and broker are pulled and come back; nothing is lost but what the outage itself took.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { electricalState, hanValues } from '../src/sim/norway/electrical.ts'
import { kamstrup } from '../src/sim/norway/kamstrup.ts'
import { encodeTelegram } from '../src/sim/norway/telegram.ts'
import { BROKERS, Broker, freePort, Listener } from './io-broker.ts'
import { until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'
import { runCli } from './run-cli.ts'

let telegrams = 0

/** The next telegram: line 1 carries `amperes`; the import is one watt more each time, so that each is its own. */
function telegram(amperes: number): Uint8Array {
  telegrams++
  const clock = { local: '2026-01-15T18:00:00', deviationMin: null, status: 0 }
  const watts: [number, number, number] = [230 * amperes + telegrams, 400, 400]
  return encodeTelegram(kamstrup, {
    meter: { id: '5706567000000077', model: '6841131BN243101040', wiring: '3P4W' },
    list: kamstrup.schedule.mainList,
    values: hanValues(kamstrup, electricalState('3P4W', [230, 230, 230], watts, [0, 0, 0])),
    clock,
    headerClock: clock,
  })
}

t.test('plug and broker come and go', { skip: SKIP_PTY, timeout: 60_000 }, async t => {
  const dir = t.testdir()
  const pty = new Pty(dir)
  await pty.plug()
  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  const listener = await Listener.to(broker)
  const limitFile = join(dir, 'limit.json')
  const config = join(dir, 'home.yaml')
  writeFileSync(
    config,
    [
      'device: {id: t}',
      'installation: {mainFuseA: 25}',
      `meter: {source: {serial: ${pty.agentEnd}, format: 8N1}}`,
      `outputs: [{id: box, type: file, path: ${limitFile}}]`,
      `mqtt: {url: '${broker.url}'}`,
      'control: {pulseS: 0}',
      'log: {level: error}',
    ].join('\n'),
  )
  const stop = new AbortController()
  const running = runCli(['run', '--config', config], [], stop.signal)
  t.ok(await listener.saw('ampacity/t/status', 'online'), 'the agent is online')

  let line = await open(pty.meterEnd, 'r+')
  const send = async (amperes: number): Promise<void> => {
    const bytes = telegram(amperes)
    for (let i = 0; i < bytes.length; i += 17) {
      await line.write(bytes.subarray(i, i + 17))
      await new Promise(resolve => setTimeout(resolve, 1))
    }
  }
  const readings = (): number => listener.on('ampacity/t/meter').length
  const limits = (): number[] =>
    listener.on('ampacity/t/limit').map(m => JSON.parse(m.text).limit_a as number)
  const file = (): number => JSON.parse(readFileSync(limitFile, 'utf8')).limit_a

  // The port opens some time after the agent is online.
  for (let i = 0; i < 50 && readings() === 0; i++) {
    await send(2)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  t.ok(readings() > 0, 'a telegram in pieces of 17 bytes is read')
  const before = readings()
  for (let i = 0; i < 5; i++) await send(2)
  t.ok(await until(() => readings() === before + 5), 'every telegram is published')
  t.ok(await until(() => (limits().at(-1) ?? 0) >= 6), 'charging is allowed')
  t.equal(file(), limits().at(-1), 'limit.json says the same')

  const allowed = limits().at(-1)!
  await send(14)
  t.ok(await until(() => (limits().at(-1) ?? 99) < allowed), 'a load lowers the limit at once')

  await line.close()
  await pty.unplug()
  await pty.plug()
  line = await open(pty.meterEnd, 'r+')
  const atUnplug = readings()
  for (let i = 0; i < 100 && readings() === atUnplug; i++) {
    await send(3)
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  t.ok(readings() > atUnplug, 'the line is read again after the adapter was pulled out')
  const afterPlug = readings()
  for (let i = 0; i < 5; i++) await send(3)
  t.ok(await until(() => readings() === afterPlug + 5), 'and nothing is lost from then on')

  await broker.stop()
  await send(4)
  await broker.start()
  t.ok(await until(() => listener.connected, 10_000), 'the broker is back')
  t.ok(
    await until(
      () => listener.on('ampacity/t/status').filter(m => m.text === 'online').length >= 2,
      15_000,
    ),
    'the agent is online again',
  )
  const afterBroker = readings()
  for (let i = 0; i < 5; i++) await send(4)
  t.ok(await until(() => readings() === afterBroker + 5), 'readings go on')
  t.ok(await until(() => file() === limits().at(-1)), 'file and broker agree')

  stop.abort()
  const { status, stderr } = await running
  t.equal(status, 0)
  t.notMatch(stderr, /INTERNAL/)
  t.equal(file(), 0, 'the fail-safe current is left behind')
  t.ok(await listener.saw('ampacity/t/status', 'offline'))
  await listener.end()
  await line.close()
  await broker.stop()
  await pty.unplug()
})
