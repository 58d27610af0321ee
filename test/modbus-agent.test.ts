/**
 * The agent as a process of its own with five wallboxes on real lines, killed without warning: each box is at or below
 * its safe current when its time has run out, or after `output-safe`, which is what systemd calls then.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { parseLine } from '../src/commands/sources.ts'
import { loadProfile } from '../src/io/modbus/profile-files.ts'
import { SimulatedBox } from '../src/sim/boxes/modbus-box.ts'
import { serveRtu, serveTcp } from '../src/sim/boxes/serve.ts'
import { electricalState, hanValues } from '../src/sim/norway/electrical.ts'
import { kamstrup } from '../src/sim/norway/kamstrup.ts'
import { encodeTelegram } from '../src/sim/norway/telegram.ts'
import { BROKERS, Broker, freePort, Listener } from './io-broker.ts'
import { until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'
import { runCli } from './run-cli.ts'

const CLI = fileURLToPath(new URL('../src/cli.ts', import.meta.url))
const SAFE_A = 6

/** A meter on the network that reports a quiet house, as often as it is told. */
async function quietMeter(everyMs: number) {
  let telegrams = 0
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {})
    const timer = setInterval(() => {
      telegrams += 1
      const clock = { local: '2026-01-15T18:00:00', deviationMin: null, status: 0 }
      const watts: [number, number, number] = [400 + telegrams, 300, 300]
      socket.write(
        encodeTelegram(kamstrup, {
          meter: { id: '5706567000000077', model: '6841131BN243101040', wiring: '3P4W' },
          list: kamstrup.schedule.mainList,
          values: hanValues(kamstrup, electricalState('3P4W', [230, 230, 230], watts, [0, 0, 0])),
          clock,
          headerClock: clock,
        }),
      )
    }, everyMs)
    socket.on('close', () => clearInterval(timer))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => server.close() }
}

await t.test('killed without warning', { skip: SKIP_PTY, timeout: 60_000 }, async t => {
  const dir = t.testdir()
  /** What the boxes' clocks are ahead of ours, ms. */
  let aheadMs = 0
  const now = () => performance.now() + aheadMs
  const box = async (id: string, timeoutS: number) =>
    new SimulatedBox(await loadProfile(id, '.'), now, {
      timeoutS,
      failsafeA: SAFE_A,
      defaultA: SAFE_A,
    })
  const keba = await box('keba-p30', 30)
  const kathrein = await box('kathrein-kwb', 0)
  const vestel = await box('vestel-evc04', 20)
  const goE = await box('go-e', 0)
  const heidelberg = await box('heidelberg-ec', 15)

  const served = await Promise.all(
    [keba, kathrein, vestel, goE].map(one =>
      serveTcp(new Map([[one.profile.transport.unit, one]])),
    ),
  )
  const [kebaPort, kathreinPort, vestelPort, goEPort] = served.map(({ port }) => port)
  const pty = new Pty(dir)
  await pty.plug()
  const line = await serveRtu(new Map([[1, heidelberg]]), pty.meterEnd, parseLine('8E1', 19_200))
  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  const listener = await Listener.to(broker)
  const meter = await quietMeter(500)
  const limitFile = join(dir, 'limit.json')
  const config = join(dir, 'home.yaml')
  const outputs = [
    `  - {id: file, type: file, path: ${limitFile}}`,
    `  - {id: keba, type: modbus, profile: keba-p30, host: 127.0.0.1, port: ${kebaPort}}`,
    `  - {id: kathrein, type: modbus, profile: kathrein-kwb, host: 127.0.0.1, port: ${kathreinPort}, failsafe: {manage: true}}`,
    `  - {id: vestel, type: modbus, profile: vestel-evc04, host: 127.0.0.1, port: ${vestelPort}}`,
    `  - {id: go-e, type: modbus, profile: go-e, host: 127.0.0.1, port: ${goEPort}}`,
    `  - {id: heidelberg, type: modbus, profile: heidelberg-ec, serial: ${pty.agentEnd}}`,
  ]
  writeFileSync(
    config,
    [
      'device: {id: t}',
      'installation: {mainFuseA: 25}',
      `meter: {source: {tcp: '127.0.0.1:${meter.port}'}}`,
      'chargePoint: {maxA: 16}',
      `control: {failsafeA: ${SAFE_A}, pulseS: 0, t0S: 1, tMaxS: 1}`,
      `mqtt: {url: '${broker.url}'}`,
      'outputs:',
      ...outputs,
    ].join('\n'),
  )
  const agent = spawn(process.execPath, [...process.execArgv, CLI, 'run', '--config', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let log = ''
  for (const stream of [agent.stdout, agent.stderr])
    stream.on('data', (chunk: Buffer) => {
      log += chunk.toString()
    })
  const devices = [keba, kathrein, vestel, heidelberg]
  const all = [...devices, goE]
  const isCharging = () => all.every(one => one.offeredA > SAFE_A)
  t.ok(
    await until(isCharging, 30_000),
    `every box charges: ${all.map(one => one.offeredA)}\n${log}`,
  )
  const before = all.map(one => one.offeredA)

  agent.kill('SIGKILL')
  await once(agent, 'exit')
  aheadMs += 1000
  t.strictSame(
    all.map(one => one.offeredA),
    before,
    'nothing happens at once',
  )
  // The longest time-out is that of the Kathrein box, set to the validity of a command.
  aheadMs += 30_000
  for (const one of devices) {
    t.equal(one.offeredA, SAFE_A, one.profile.profile)
    t.ok(one.fallen, 'by itself')
  }
  aheadMs += 3_600_000
  t.equal(goE.offeredA, before.at(-1), 'this one has no dead man')
  t.match(log, /"code":"dead_man_none".*go-e/)
  t.match(log, /"code":"failsafe_set".*kathrein/)
  t.match(log, /"code":"output_connected"/)

  const started = performance.now()
  const { status, stdout, stderr } = await runCli(['output-safe', '--config', config])
  t.ok(performance.now() - started < 4000, 'within its seconds')
  t.equal(status, 0, stdout + stderr)
  t.equal(
    stdout,
    ['file', 'keba', 'kathrein', 'vestel', 'go-e', 'heidelberg', 'mqtt']
      .map(id => `${id}: 6 A\n`)
      .join(''),
  )
  t.equal(goE.offeredA, SAFE_A, 'what output-safe is for')
  for (const one of devices) t.equal(one.offeredA, SAFE_A, one.profile.profile)
  t.equal(JSON.parse(readFileSync(limitFile, 'utf8')).limit_a, SAFE_A)
  t.equal(JSON.parse(listener.on('ampacity/t/limit').at(-1)!.text).limit_a, SAFE_A)

  await Promise.all(served.map(one => one.close()))
  const gone = await runCli(['output-safe', '--config', config], [], AbortSignal.timeout(1500))
  t.equal(gone.status, 1)
  t.match(gone.stdout, /^go-e: not reached: .*ECONNREFUSED/m)
  t.match(gone.stdout, /^heidelberg: 6 A$/m, 'the others get theirs all the same')

  meter.close()
  await line.close()
  await pty.unplug()
  await listener.end()
  await broker.stop()
})
