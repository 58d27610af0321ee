/** The command line at Italian gateways: fixtures, recordings, configurations, the demo. */
import { once } from 'node:events'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { parseConfig } from '../src/config.ts'
import { AlfaServer } from '../src/sim/open-meter/alfa-server.ts'
import { Chain2GateServer } from '../src/sim/open-meter/chain2gate-server.ts'
import type { OpenFrame } from '../src/sim/open-meter/open-meter.ts'
import { BROKERS, Broker, freePort } from './io-broker.ts'
import { until } from './io-fakes.ts'
import { runCli } from './run-cli.ts'

const FOLDER = fileURLToPath(new URL('../fixtures/italy/', import.meta.url))
const EVENING = `${FOLDER}evening-chain2gate.jsonl`

t.test('fixtures give what went into them', async t => {
  const { captures, recordings } = JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8'))
  t.equal(captures.length, 8)
  for (const { id, file, decoder, expected } of captures) {
    const { lines, status } = await runCli(['decode', '--decoder', decoder, FOLDER + file])
    t.equal(status, 0, id)
    const { list, ...fields } = expected
    const all = Object.assign({}, ...lines)
    for (const [name, value] of Object.entries(fields)) t.equal(all[name], value, `${id}: ${name}`)
    if (lines[0].type === 'reading') t.equal(lines[0].meter.list, list, id)
    else t.equal(list, 'CF20', id)
  }
  const [{ frames }] = recordings
  const { lines } = await runCli(['decode', '--decoder', 'it-chain2gate', EVENING])
  t.equal(lines.filter(line => 'offset' in line).length, frames)
})

t.test(
  'a recording: the overload holds for five minutes, the night begins a minute late',
  async t => {
    const { lines, status } = await runCli([
      'replay',
      '--decoder',
      'it-chain2gate',
      '--set',
      'installation.contractedPowerW=3000',
      EVENING,
    ])
    t.equal(status, 0)
    const decisions = lines.filter(line => line.type === 'decision')
    t.match(decisions, [
      { limit_a: 0, code: 'INIT', phases: 1 },
      // (3300 - 380) W / 230 V - 0.3 A
      { limit_a: 12.3, limited_by: 'available_power' },
      { limit_a: 0, at_ms: 63_000 },
      { limit_a: 12.3 },
      { limit_a: 0, at_ms: 303_000 },
      // 25 A of the fuse less 3080 W at a power factor of 0.95 on one phase.
      { limit_a: 10.6, code: 'LIMIT_FUSE_L1' },
      { limit_a: 22.9 },
    ])
    t.ok(decisions[5].at_ms > 1_260_000 && decisions[5].at_ms < 1_320_000, 'after 23:01, and CF22')
  },
)

t.test('JSON from a pipe is printed message by message', async t => {
  const text = readFileSync(`${FOLDER}chain2gate-cf21.constructed.json`, 'utf8')
  const cut = [
    text.slice(0, 20),
    text.slice(20, 90),
    `${text.slice(90)}${text.slice(0, 5)}`,
    text.slice(5),
  ]
  const { lines } = await runCli(['decode', '--decoder', 'it-chain2gate', '-'], cut)
  t.same(
    lines.map(line => line.type),
    ['reading', 'info'],
    'the second is the same again',
  )
  const broken = await runCli(
    ['decode', '--decoder', 'it-chain2gate', '-'],
    ['{"Chain2Data":', '{'],
  )
  t.match(broken.lines, [{ type: 'rejected', code: 'LINK_BAD_FORMAT' }])
  t.equal(broken.status, 1)
})

const FRAME: OpenFrame = {
  cf: 21,
  meter: 'M1',
  payload: { MessagePosixTimestamp: 1_767_225_601, EventsCounter: 1, InstantPower: 700 },
}

t.test('capture records message by message; replay reads it', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  gateway.push({ ...FRAME, cf: 1 }, 0)
  const file = join(t.testdir(), 'gateway.jsonl')
  const stop = new AbortController()
  const running = runCli(
    ['capture', '--chain2gate', `127.0.0.1:${gateway.port}`, '--output', file],
    [],
    stop.signal,
  )
  t.ok(await until(() => gateway.clients === 1))
  const recorded = () =>
    existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').length : 0
  t.ok(await until(() => recorded() >= 2))
  gateway.push(FRAME, 0)
  t.ok(await until(() => recorded() >= 3))
  stop.abort()
  const { status, stderr } = await running
  t.equal(status, 0)
  t.match(stderr, /telegrams understood, 0 pieces rejected/)
  const { lines } = await runCli(['decode', '--decoder', 'it-chain2gate', file])
  t.ok(lines.some(line => line.active_power_import_w === 700))
})

/** Runs the agent until it has told of a reading. */
async function runs(t: Test, dir: string, name: string, meter: string): Promise<void> {
  const limit = join(dir, `${name}.json`)
  const config = join(dir, `${name}.yaml`)
  writeFileSync(
    config,
    `meter: ${meter}\noutputs: [{id: box, type: file, path: ${limit}}]\nlog: {level: error}\ninstallation: {contractedPowerW: 3000}\n`,
  )
  const stop = new AbortController()
  const running = runCli(['run', '--config', config], [], stop.signal)
  const isTold = () =>
    existsSync(limit) && JSON.parse(readFileSync(limit, 'utf8')).limited_by !== undefined
  t.ok(await until(isTold, 8000), name)
  stop.abort()
  const { status } = await running
  t.equal(status, 0, name)
}

t.test('the agent at each kind of gateway', async t => {
  const gateway = await Chain2GateServer.start()
  t.teardown(() => gateway.stop())
  gateway.push({ ...FRAME, cf: 1 }, 0)
  const dir = t.testdir()
  const running: Promise<void>[] = []
  const start = (name: string, meter: string) => void running.push(runs(t, dir, name, meter))
  start('chain2gate', `{source: {chain2gate: '127.0.0.1:${gateway.port}'}}`)

  const alfa = await AlfaServer.start()
  t.teardown(() => alfa.stop())
  alfa.registers.take({
    cf: 1,
    meter: 'M1',
    payload: { InstantPower: 700, TotalActEnergy: 5000, TariffCode: 2 },
  })
  start('sinapsi', `{source: {sinapsi: '127.0.0.1:${alfa.port}', everyS: 2}}`)

  const web = createServer((_, response) => response.end('{"total":{"power":-120}}')).listen(
    0,
    '127.0.0.1',
  )
  await once(web, 'listening')
  t.teardown(() => web.close())
  const { port } = web.address() as { port: number }
  const mapping = 'options: {mapping: {active_power_w: total.power}}'
  start(
    'http',
    `{decoder: json-map, ${mapping}, source: {http: {url: 'http://127.0.0.1:${port}/', everyS: 1}}}`,
  )

  const broker = new Broker(BROKERS[0]!, await freePort())
  await broker.start()
  t.teardown(() => broker.stop())
  start(
    'mqtt',
    `{decoder: it-chain2gate, source: {mqtt: {url: '${broker.url}', topic: c2g/frames}}}`,
  )

  start('file', `{decoder: it-chain2gate, source: {file: ${EVENING}}}`)
  await Promise.all(running)
})

t.test('configurations that do not fit', async t => {
  const cases: [text: string, path: string, message: RegExp][] = [
    ['meter: {source: {chain2gate: "a b"}}', 'meter.source.chain2gate', /a host, or host:port/],
    ['meter: {source: {chain2gate: "a#b"}}', 'meter.source.chain2gate', /a host, or host:port/],
    ['meter: {source: {sinapsi: "a:99999"}}', 'meter.source.sinapsi', /a host, or host:port/],
    ['meter: {source: {sinapsi: x, tcp: "h:1"}}', 'meter.source', /found tcp and sinapsi/],
    ['meter: {source: {tcp: "h:1", everyS: 5}}', 'meter.source.everyS', /with sinapsi only/],
    ['meter: {source: {sinapsi: x, everyS: 1}}', 'meter.source.everyS', /from 2 to 60/],
    ['meter: {source: {http: {url: "ftp://x"}}}', 'meter.source.http.url', /http:\/\//],
    ['meter: {source: {http: {url: "http://u:p@x/"}}}', 'meter.source.http.url', /without user/],
    ['meter: {source: {mqtt: {url: "mqtt://x"}}}', 'meter.source.mqtt.topic', /a topic/],
    ['installation: {night541: true}', 'installation.night541', /limiter: italy/],
    ['installation: {extraHolidays: ["32-13"]}', 'installation.extraHolidays.0', /./],
    ['installation: {limiter: spain}', 'installation.limiter', /one of ignore, meter, italy/],
  ]
  for (const [text, path, message] of cases) {
    const parsed = parseConfig(text)
    const found = parsed.ok ? [] : parsed.problems
    t.equal(found[0]?.path, path, text)
    t.match(found[0]?.message, message)
  }
  t.ok(parseConfig('meter: {source: {sinapsi: x}}\ninstallation: {night541: true}').ok)
  const file = join(
    t.testdir({ 'a.yaml': 'meter: {decoder: it-sinapsi, source: {tcp: "h:1"}}' }),
    'a.yaml',
  )
  const { status, stderr } = await runCli(['run', '--config', file])
  t.equal(status, 2)
  t.match(stderr, /meter\.source: found tcp, expected chain2gate.*it-sinapsi reads whole messages/)
})

t.test('the demo shows an Italian home', { timeout: 30_000 }, async t => {
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 4500)
  const { stdout, status } = await runCli(['run', '--demo', 'italy'], [], stop.signal)
  t.equal(status, 0)
  t.match(stdout, /it-chain2gate: import \d+ W/)
})

t.test('the guide shows what the commands print', async t => {
  const root = fileURLToPath(new URL('..', import.meta.url))
  const guide = readFileSync(`${root}docs/italy.md`, 'utf8')
  const shown = [...guide.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(match => match[1]!)
  t.equal(shown.length, 3)
  for (const fence of shown) {
    const [command, ...output] = fence.trimEnd().split('\n')
    const args = command!.replace(/^\$ ampacity /, '').split(' ')
    const { stdout } = await runCli(args.map(a => (a.startsWith('fixtures/') ? root + a : a)))
    const printed = stdout
      .trimEnd()
      .split('\n')
      .map(line => line.trimEnd())
    t.same(printed, output, command ?? 'a command')
  }
  const yaml = [...guide.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(match => match[1]!)
  t.equal(yaml.length, 4)
  for (const text of yaml) {
    const parsed = parseConfig(text)
    t.ok(parsed.ok, JSON.stringify(parsed))
  }
})
