/** The agent at an Italian gateway: how fast, how it fails, and what it never tells. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { chain2gate } from '../decoders/it-chain2gate.ts'
import { parseConfig } from '../src/config.ts'
import { controlParameters } from '../src/control/parameters.ts'
import { createAgent } from '../src/daemon.ts'
import { chain2GateSource } from '../src/io/chain2gate.ts'
import { mqttOutput } from '../src/io/mqtt.ts'
import type { Source } from '../src/io/ports.ts'
import { ITALIAN_SILENCE_MS, withItalianDefaults } from '../src/italy/defaults.ts'
import { Chain2GateServer } from '../src/sim/open-meter/chain2gate-server.ts'
import { chain2GateText } from '../src/sim/open-meter/chain2gate-text.ts'
import { type OpenFrame, OpenMeter } from '../src/sim/open-meter/open-meter.ts'
import { BROKERS, Broker, freePort, Listener } from './io-broker.ts'
import { FakeBox, memoryLog, PushSource, settle, until, VirtualTime } from './io-fakes.ts'
import { runCli } from './run-cli.ts'

/** Parameters of a 3 kW home with a Chain2Gate, as its configuration gives them. */
function parameters() {
  const parsed = parseConfig(
    'meter: {source: {chain2gate: c2g.local}}\ninstallation: {contractedPowerW: 3000, mainFuseA: 25}\nchargePoint: {maxA: 16}',
  )
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return controlParameters(withItalianDefaults(parsed.value, 'it-chain2gate'))
}

t.test('what an Italian gateway brings with it', async t => {
  t.match(parameters(), {
    phases: 1,
    reportsChanges: true,
    latencyMs: 4000,
    marginMa: 300,
    limiter: { contractedW: 3000, night541: false },
    contractedPowerW: null,
  })
  const written = { installation: { phases: 3 as const }, meter: { latencyS: 9 } }
  const own = withItalianDefaults(written, 'it-sinapsi')
  t.match(own, { installation: { phases: 3 }, chargePoint: { phases: 3 }, meter: { latencyS: 9 } })
  t.equal(withItalianDefaults(written, 'no-aidon'), written)
})

const event = (cf: number, s: number, counter: number, more: OpenFrame['payload']): OpenFrame => ({
  cf,
  meter: 'M1',
  payload: {
    MessagePosixTimestamp: 1_767_225_601 + s,
    EventPosixTimestamp: 1_767_225_600 + s,
    EventsCounter: counter,
    ...more,
  },
})
const CONTRACT = { ContractPower: 3000, AvailablePower: 3300, Gap: 300 }

/** An agent whose vehicle follows at once; ends with the test. */
function start(t: Test, source: Source, more: Partial<Parameters<typeof createAgent>[0]> = {}) {
  const time = more.clock instanceof VirtualTime ? more.clock : new VirtualTime()
  const box = new FakeBox(time)
  const log = memoryLog()
  const agent = createAgent({
    parameters: parameters(),
    meters: [{ source, definition: chain2gate, options: {}, silenceMs: ITALIAN_SILENCE_MS }],
    outputs: [box],
    clock: time,
    timers: time,
    log,
    ...more,
  })
  const stop = new AbortController()
  const running = agent.run(stop.signal)
  t.teardown(async () => {
    stop.abort()
    for (let i = 0; i < 40; i++) await time.advance(100)
    await running
  })
  const limit = (): number => agent.status().commands[0]?.limitA ?? -1
  const follow = (): void => {
    const offeredA = box.applied.at(-1) ?? 0
    box.status = {
      chargePoint: '1',
      at: time.now(),
      state: offeredA > 0 ? 'C' : 'B',
      offeredA,
      currentA: [offeredA, 0, 0],
      powerW: offeredA * 230,
    }
  }
  const pass = async (seconds: number): Promise<void> => {
    for (let s = 0; s < seconds; s++) {
      follow()
      await time.advance(1000)
    }
  }
  return { agent, box, log, time, limit, pass }
}

/** Charges at 12 A and more: contract, a report, silence, the echo. */
async function charge(
  send: (frame: OpenFrame) => void,
  { pass, limit }: Pick<ReturnType<typeof start>, 'pass' | 'limit'>,
): Promise<void> {
  await pass(2)
  send(event(20, 0, 1, CONTRACT))
  send(event(21, 0, 1, { InstantPower: 400 }))
  // The meter's reports come 4 s after what the vehicle did.
  const followed: number[] = []
  for (let s = 0, counter = 1, was = 0; s < 90; s++) {
    await pass(1)
    followed.push(limit())
    const late = followed.at(-5) ?? 0
    if (late !== was) send(event(21, s, ++counter, { InstantPower: Math.round(400 + 230 * late) }))
    was = late
  }
}

t.test('an overload: the new limit is on its way before anything else happens', async t => {
  const source = new PushSource('c2g')
  const running = start(t, source)
  const { box, time, limit } = running
  const send = (frame: OpenFrame) => source.push(chain2GateText(frame, 0), time.now())
  await charge(send, running)
  t.ok(limit() >= 10.5, `${limit()} A`)
  const overload = { InstantPower: 4420, AvailablePower: 3300, SwitchOffCountdownSeconds: 118 }
  const asked = box.asked.length
  send(event(22, 100, 1, overload))
  t.ok(limit() <= 7.9 && limit() >= 6, `${limit()} A when the call has returned`)
  await settle()
  t.equal(box.asked.length, asked + 1, 'no timer had to fire')
  t.equal(box.asked.at(-1), limit())
  send(event(22, 130, 2, { ...overload, SwitchOffCountdownSeconds: 25 }))
  t.equal(limit(), 0)
})

/** The newest frames again and again, so that only the fault ends them. */
const FAULTS: [
  name: string,
  fault: (gateway: Chain2GateServer) => void,
  code: string,
  level: string,
][] = [
  ['hangs half open', gateway => gateway.hang(), 'port_lost', 'warn'],
  ['answers garbage', gateway => gateway.say('\x00\xff{"Chain2'), 'frame_rejected', 'warn'],
  [
    'sends a megabyte',
    gateway => gateway.say(Buffer.alloc(1_500_000, 0x7b)),
    'message_overflow',
    'error',
  ],
  [
    'floods',
    gateway => {
      for (let i = 0; i < 2000; i++) gateway.say('{"Chain2State":{}}')
    },
    'message_flood',
    'error',
  ],
  ['sends what is no frame', gateway => gateway.say('{"hello":1}'), 'frame_rejected', 'warn'],
  ['goes away', gateway => gateway.cut(), 'port_lost', 'warn'],
]
for (const [name, fault, code, level] of FAULTS)
  t.test(
    `a gateway that ${name}: said clearly, at the minimum in 16 minutes, paused in 17`,
    async t => {
      const gateway = await Chain2GateServer.start()
      t.teardown(() => gateway.stop())
      const { port } = gateway
      const time = new VirtualTime()
      const source = chain2GateSource({
        id: 'c2g',
        host: '127.0.0.1',
        port,
        httpPort: port,
        clock: time,
        pingMs: 30,
        connectMs: 100,
        backoff: { minMs: 20, maxMs: 50 },
      })
      const running = start(t, source, { clock: time, timers: time })
      const { agent, log, limit, pass } = running
      t.ok(await until(() => gateway.clients === 1))
      let sent = 0
      const heard = async (): Promise<void> => {
        sent++
        await until(() => (agent.status().meters[0]?.readings ?? 0) >= sent)
      }
      // Over real sockets each frame takes a moment; simulated time stands still meanwhile.
      const frames: OpenFrame[] = []
      await charge(frame => void frames.push(frame), {
        limit,
        pass: async seconds => {
          for (const frame of frames.splice(0)) {
            gateway.push(frame, 0)
            if (frame.cf !== 20) await heard()
          }
          await pass(seconds)
        },
      })
      t.ok(limit() >= 10.5, `${limit()} A`)
      fault(gateway)
      t.ok(await until(() => log.lines.some(line => line['code'] === code)), code)
      t.equal(log.lines.find(line => line['code'] === code)?.['level'], level)
      await pass(961)
      t.ok(limit() <= 6)
      await pass(61)
      t.equal(limit(), 0)
      t.ok(log.lines.some(line => line['code'] === 'failsafe_enter'))
    },
  )

t.test('a gateway without frames of its meter: the hint comes after 20 minutes', async t => {
  const source = new PushSource('c2g')
  const { log, pass, time } = start(t, source)
  await pass(1)
  for (let minute = 0; minute < 21; minute++) {
    source.push('{"Chain2Info":{"Id":"c2g-0"}}', time.now())
    await pass(60)
    const told = log.lines.some(line => line['code'] === 'no_meter_data')
    if (minute < 19) t.notOk(told, `minute ${minute}`)
  }
  t.match(
    log.lines.find(line => line['code'] === 'no_meter_data'),
    { message: /associated/ },
  )
})

/** Everything personal in the frames of the simulated meter. */
const SECRETS = ['IT999E', '0000042', 'Venditore', '99E4E5KA', '+39']

t.test('nobody is named: not in the log, not on MQTT, not in JSON', async t => {
  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  t.teardown(() => broker.stop())
  const listener = await Listener.to(broker)
  t.teardown(() => listener.end())
  const time = new VirtualTime()
  const mqtt = mqttOutput({
    id: 'mqtt',
    url: broker.url,
    clientId: 'agent',
    base: 'a',
    failsafeA: 0,
    clock: time,
  })
  const source = new PushSource('gateway')
  const { log, pass } = start(t, source, {
    clock: time,
    timers: time,
    outputs: [mqtt],
    onReading: (reading, notes, id) => mqtt.publishReading(reading, notes, id),
  })
  t.ok(await listener.saw('a/status', 'online'))
  const meter = new OpenMeter({ contractedW: 3000, startMs: Date.UTC(2026, 0, 14, 11) })
  const texts: string[] = []
  for (let s = 0; s < 1000; s++) {
    const importW = s < 500 ? 400 + 4 * s : 4400
    for (const frame of meter.step(Date.UTC(2026, 0, 14, 11) + s * 1000, { importW }))
      texts.push(chain2GateText(frame, 0))
  }
  const contract = texts.find(text => text.includes('"CF20"'))!
  for (const secret of SECRETS) t.ok(contract.includes(secret), `the meter sends ${secret}`)
  const strange = contract.replace('"CF20"', '"CF48"')
  const broken = contract.replace('"ContractPower":3000', '"ContractPower":"x"')
  for (const text of [...texts, strange, broken, contract.slice(0, 300), `x${contract}`]) {
    source.push(text, time.now())
    await pass(1)
  }
  t.ok(await until(() => listener.on('a/meter').length >= 5))
  t.ok(await until(() => listener.on('a/decision').length >= 1))
  const told = JSON.stringify(log.lines) + JSON.stringify(listener.messages.map(m => m.text))
  t.match(told, /frame_rejected/)

  const dir = t.testdir()
  const file = join(dir, 'frames.json')
  writeFileSync(file, [...texts, strange, broken].join('\n'))
  const printed: string[] = []
  for (const args of [
    ['decode', '--decoder', 'it-chain2gate', file],
    ['decode', '--decoder', 'it-chain2gate', '--format', 'table', file],
    ['decode', '--decoder', 'it-chain2gate', '--format', 'explain', file],
    ['replay', '--decoder', 'it-chain2gate', file],
  ]) {
    const { stdout, stderr } = await runCli(args)
    t.ok(stdout.length > 1000, args.join(' '))
    printed.push(stdout + stderr)
  }
  for (const secret of SECRETS.filter(s => s !== '0000042' && s !== '+39'))
    t.notOk((told + printed.join('')).includes(secret), `${secret} is nowhere`)
  // The last four characters of the supply point alone, where a person asks for every byte.
  t.match(printed[2], /POD: …0042\n/)
  t.notOk(told.includes('0042'))
  t.equal(readdirSync(dir).length, 1)
  t.ok(readFileSync(file, 'utf8').includes('IT999E'))
})
