// One run, every figure: how long a telegram takes, how fast a decision leaves, how long a start takes, how much memory.
// Ratios within the run mean something; single times depend on the machine. Nothing here fails a build.
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { auto } from '../dist/decoders/index.js'
import { controlParameters } from '../dist/src/control/parameters.js'
import { createAgent } from '../dist/src/daemon.js'
import { systemClock } from '../dist/src/io/clock.js'
import { mqttOutput } from '../dist/src/io/mqtt.js'
import { tcpSource } from '../dist/src/io/tcp.js'
import { electricalState, hanValues } from '../dist/src/sim/norway/electrical.js'
import { kamstrup } from '../dist/src/sim/norway/kamstrup.js'
import { encodeTelegram } from '../dist/src/sim/norway/telegram.js'
import { fixture, microseconds, optionalPackage, ROOT } from './common.mjs'

const norwegian = id => fixture('norway', id)

const LONGEST = {
  'Aidon, Sweden': 'aidon-se',
  'Aidon 6534, list 3': 'aidon-6534-list3',
  'Aidon 6525 (IT), list 3': 'aidon-6525-list3',
  'Embriq E350, list 2': 'embriq-e350-list2',
  'Kaifa MA304H3E (IT), list 3': 'kaifa-ma304h3e-list3',
  'Kaifa MA304H4, Sweden with codes': 'kaifa-se-ma304h4-obis',
  'Kamstrup 6841131, hourly': 'kamstrup-6841131-hourly',
  'Kamstrup, Denmark, 65 elements': 'kamstrup-dk-ct',
  'Aidon 6534, list 1': 'aidon-6534-list1',
}

const quantile = (values, q) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))]

async function decoding() {
  // Not in every registry, so its column is left out where it is not installed.
  const Other = (await optionalPackage('AMPACITY_BENCH_PARSER', '@athombv/dsmr-parser'))?.DlmsStreamParser
  console.log('## Decoding, µs a telegram\n')
  console.log('| telegram | bytes | ampacity | @athombv/dsmr-parser | ratio |')
  console.log('|---|---:|---:|---:|---:|')
  for (const [name, id] of Object.entries(LONGEST)) {
    const bytes = norwegian(id)
    const decoder = auto.create({})
    let readings = 0
    const own = microseconds(() => {
      readings += decoder.push(bytes, 0).length
    })
    if (readings === 0) throw new Error(`${id} was not understood`)
    let other = 'not installed'
    let ratio = ''
    if (Other !== undefined) {
      const stream = new EventEmitter()
      let understood = 0
      new Other({ stream, callback: error => (understood += error ? 0 : 1) })
      const time = microseconds(() => stream.emit('data', bytes))
      other = `${time.toFixed(2)}${understood === 0 ? ' (error)' : ''}`
      ratio = understood === 0 ? '' : (time / own).toFixed(1)
    }
    console.log(`| ${name} | ${bytes.length} | ${own.toFixed(2)} | ${other} | ${ratio} |`)
  }
}

/** A telegram whose line 1 carries `amperes`. */
function telegram(amperes) {
  const watts = 230 * amperes
  const state = electricalState('3P4W', [230, 230, 230], [watts, 400, 400], [0, 0, 0])
  const clock = { local: '2026-01-15T18:00:00', deviationMin: null, status: 0 }
  return encodeTelegram(kamstrup, {
    meter: { id: '5706567000000001', model: '6841131BN243101040', wiring: '3P4W' },
    list: kamstrup.schedule.mainList,
    values: hanValues(kamstrup, state),
    clock,
    headerClock: clock,
  })
}

async function brokerPort() {
  const { Aedes } = await import('aedes')
  const broker = await Aedes.createBroker()
  const server = createServer(broker.handle)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: server.address().port, close: () => (server.close(), broker.close()) }
}

/** From the last byte on a socket to the limit at a subscriber of a real broker, all on loopback. */
async function reaction() {
  const { connectAsync } = await import('mqtt')
  const broker = await brokerPort()
  const url = `mqtt://127.0.0.1:${broker.port}`
  const subscriber = await connectAsync(url)
  await subscriber.subscribeAsync('bench/limit')
  const line = createServer()
  line.listen(0, '127.0.0.1')
  await once(line, 'listening')
  const inside = []
  const published = []
  for (let round = 0; round < 6; round++) {
    // The first round runs cold code and is left out.
    if (round === 1) inside.length = published.length = 0
    const stop = new AbortController()
    let lastByteAt = 0
    const parameters = controlParameters({ chargePoint: { maxA: 16 }, control: { rideMaxS: 0, pulseS: 0, deadBandA: 0 } })
    const mqtt = mqttOutput({ id: 'm', base: 'bench', url, clientId: `b${round}`, failsafeA: 0, clock: systemClock })
    const agent = createAgent({
      parameters,
      meters: [
        {
          source: tcpSource({ id: 't', host: '127.0.0.1', port: line.address().port, clock: systemClock }),
          definition: auto,
          options: {},
        },
      ],
      outputs: [mqtt],
      clock: systemClock,
      log: { debug() {}, info() {}, warn() {}, error() {} },
      onDecision: command => command.limitA < 16 && command.limitA > 0 && inside.push(systemClock.now() - lastByteAt),
    })
    const running = agent.run(stop.signal)
    const [socket] = await once(line, 'connection')
    socket.setNoDelay(true)
    const send = bytes => {
      lastByteAt = systemClock.now()
      socket.write(bytes)
    }
    // Two quiet telegrams let charging begin, then each one cuts a little deeper.
    for (let i = 0; i < 3; i++) {
      send(telegram(1))
      await new Promise(resolve => setTimeout(resolve, 60))
    }
    const got = []
    subscriber.on('message', (_topic, payload) => {
      const { limit_a } = JSON.parse(payload)
      got.push([systemClock.now(), limit_a])
    })
    for (let amperes = 9.2; amperes < 18.5; amperes += 0.2) {
      got.length = 0
      send(telegram(amperes))
      await new Promise(resolve => setTimeout(resolve, 25))
      const arrived = got.find(([, limit]) => limit > 0 && limit < 16)
      if (arrived !== undefined) published.push(arrived[0] - lastByteAt)
    }
    subscriber.removeAllListeners('message')
    socket.destroy()
    stop.abort()
    await running
  }
  await subscriber.endAsync()
  line.close()
  broker.close()
  console.log('\n## From the last byte of a telegram, ms\n')
  console.log('| to | samples | p50 | p99 |')
  console.log('|---|---:|---:|---:|')
  for (const [name, values] of [
    ['the decision (socket, decoder, control)', inside],
    ['the limit at a subscriber (with broker)', published],
  ])
    console.log(`| ${name} | ${values.length} | ${quantile(values, 0.5).toFixed(2)} | ${quantile(values, 0.99).toFixed(2)} |`)
}

/** A fresh process, from its start to its first reading on standard output. */
async function startUp() {
  const times = []
  for (let i = 0; i < 7; i++) {
    const start = process.hrtime.bigint()
    const child = spawn(process.execPath, [join(ROOT, 'dist/src/cli.js'), 'decode', '-'])
    child.stdin.write(norwegian('shared-flags'))
    await once(child.stdout, 'data')
    times.push(Number(process.hrtime.bigint() - start) / 1e6)
    child.stdin.end()
    await once(child, 'close')
  }
  const agent = []
  const folder = mkdtempSync(join(tmpdir(), 'ampacity-bench-'))
  for (let i = 0; i < 7; i++) {
    const server = createServer(socket => socket.on('error', () => {}).write(norwegian('shared-flags')))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const start = process.hrtime.bigint()
    const child = spawn(process.execPath, [
      join(ROOT, 'dist/src/cli.js'),
      'run',
      '--set',
      `meter.source.tcp=127.0.0.1:${server.address().port}`,
      '--set',
      `outputs=[{"id":"f","type":"file","path":"${join(folder, 'limit.json')}"}]`,
    ])
    let log = ''
    await new Promise(resolve =>
      child.stderr.on('data', data => {
        log += data
        if (log.includes('first telegram')) resolve()
      }),
    )
    agent.push(Number(process.hrtime.bigint() - start) / 1e6)
    child.kill('SIGINT')
    await once(child, 'close')
    server.close()
  }
  const empty = []
  for (let i = 0; i < 7; i++) {
    const start = process.hrtime.bigint()
    await once(spawn(process.execPath, ['-e', '0']), 'close')
    empty.push(Number(process.hrtime.bigint() - start) / 1e6)
  }
  console.log('\n## Start of a process to its first reading, ms (median of 7)\n')
  console.log(`| node alone | decode | run with configuration |\n|---:|---:|---:|`)
  console.log(`| ${[empty, times, agent].map(v => quantile(v, 0.5).toFixed(0)).join(' | ')} |`)
}

/** A process that decodes 10,000 telegrams through the agent's parts, serial, MQTT and log loaded. */
async function memory() {
  const code = `
    import { auto } from ${JSON.stringify(join(ROOT, 'dist/decoders/index.js'))}
    import { step, initialState } from ${JSON.stringify(join(ROOT, 'dist/src/control/step.js'))}
    import { controlParameters } from ${JSON.stringify(join(ROOT, 'dist/src/control/parameters.js'))}
    import 'serialport'; import 'mqtt'; import 'pino'
    const bytes = Buffer.from(${JSON.stringify(norwegian('aidon-se').toString('hex'))}, 'hex')
    const parameters = controlParameters({}); let state = initialState(parameters, 0, 0)
    const decoder = auto.create({}); const rss = []
    for (let i = 1; i <= 10000; i++) {
      for (const event of decoder.push(bytes, i * 10000))
        state = step(parameters, state, { type: 'reading', reading: event.reading, mayRaise: true }, i * 10000).state
      if (i % 1000 === 0) { rss.push(process.memoryUsage().rss / 1e6); await new Promise(r => setTimeout(r, 5)) }
    }
    console.log(JSON.stringify(rss.map(Math.round)))`
  const child = spawn(process.execPath, ['--max-semi-space-size=1', '--input-type=module', '-e', code], { cwd: ROOT })
  let out = ''
  child.stdout.on('data', data => (out += data))
  child.stderr.pipe(process.stderr)
  await once(child, 'close')
  const rss = JSON.parse(out)
  console.log('\n## Resident memory with serialport, mqtt and pino loaded, MB\n')
  console.log(`after 1,000 telegrams ${rss[0]}, after 10,000 telegrams ${rss.at(-1)}`)
}

await decoding()
await reaction()
await startUp()
await memory()
process.exit()
