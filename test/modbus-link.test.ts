/** Connections with what can be wrong on them: silence, half-open sockets, garbage, late and foreign answers, a pulled plug. */
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { parseLine } from '../src/commands/sources.ts'
import { AmpacityError } from '../src/errors.ts'
import { systemClock, systemTimers } from '../src/io/clock.ts'
import { ModbusBus, URGENCY } from '../src/io/modbus/bus.ts'
import {
  ModbusException,
  ModbusGone,
  type ModbusLink,
  ModbusSilence,
  serialLink,
  tcpLink,
} from '../src/io/modbus/link.ts'
import { loadProfile } from '../src/io/modbus/profile-files.ts'
import { SimulatedBox } from '../src/sim/boxes/modbus-box.ts'
import { serveRtu } from '../src/sim/boxes/serve.ts'
import { until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'
import { bytesOf, fc6, rtuFrame } from './modbus-wire.ts'

const signal = new AbortController().signal
const time = { clock: systemClock, timers: systemTimers() }
const WRITE = { fc: 6, address: 261, words: [160], afterMs: 0 } as const

type Answer = (request: Buffer, socket: Socket) => Buffer | number[] | undefined

/** A server that answers each request as the test says. */
async function raw(answer: Answer): Promise<{ port: number; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = []
  const server = createServer(socket => {
    sockets.push(socket)
    socket.on('error', () => {})
    socket.on('data', request => {
      const sent = answer(request, socket)
      if (sent !== undefined) socket.write(Buffer.from(sent))
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, server, sockets }
}

/** An answer in the frame of its request: transaction number and unit as sent. */
function reply(request: Buffer, pdu: number[]): Buffer {
  const length = pdu.length + 1
  return Buffer.from([request[0]!, request[1]!, 0, 0, 0, length, request[6]!, ...pdu])
}

const caught = (promise: Promise<unknown>) => promise.catch((error: unknown) => error)

async function linked(
  t: { teardown(end: () => unknown): void },
  answer: Answer,
  framing: 'tcp' | 'rtu' = 'tcp',
) {
  const { port, server, sockets } = await raw(answer)
  const link = await tcpLink('127.0.0.1', port, framing, 100)(signal)
  t.teardown(() => {
    link.close()
    server.close()
  })
  return { link, sockets }
}

await t.test('answers, exceptions and silence are told apart', async t => {
  let pdu: number[] | undefined = [3, 2, 0, 160]
  const { link } = await linked(t, request => pdu && reply(request, pdu))
  t.strictSame(await link.read(1, 'holding', 261, 1), [160])
  pdu = [1, 1, 1]
  t.strictSame(await link.read(1, 'coil', 400, 1), [1])
  pdu = [0x83, 2]
  const refused = await caught(link.read(1, 'holding', 9999, 1))
  t.ok(refused instanceof ModbusException && refused.code === 2)
  t.match(String(refused), /holding register 9999: exception 2, no such register/)
  pdu = [6, 1, 5, 0, 160]
  await link.write(1, 6, WRITE)
  pdu = [6, 1, 5, 0, 60]
  t.match(await caught(link.write(1, 6, WRITE)), {
    name: 'ModbusSilence',
    message: /another request/,
  })
  pdu = undefined
  const silent = await caught(link.read(7, 'input', 5, 14))
  t.ok(silent instanceof ModbusSilence)
  t.match(String(silent), /input register 5: unit 7 does not answer/)
  pdu = [3, 4, 0, 160, 0, 0]
  t.ok(
    (await caught(link.read(1, 'holding', 261, 1))) instanceof ModbusSilence,
    'of another length',
  )
})

await t.test('a late answer is not that of the next request', async t => {
  const held: Buffer[] = []
  const { link } = await linked(t, (request, socket) => {
    held.push(reply(request, [3, 2, 0, held.length]))
    if (held.length === 2) for (const answer of held) socket.write(answer)
    return undefined
  })
  t.ok((await caught(link.read(1, 'holding', 1, 1))) instanceof ModbusSilence)
  t.strictSame(await link.read(1, 'holding', 2, 1), [1], 'the answer to the second request')
})

await t.test('a connection that ends does not leave a request waiting', async t => {
  const { link, sockets } = await linked(t, () => undefined)
  const asked = caught(link.read(1, 'holding', 261, 1))
  setTimeout(() => sockets[0]!.destroy(), 20)
  const started = performance.now()
  t.ok((await asked) instanceof ModbusGone)
  t.ok(performance.now() - started < 90, 'before the time-out')
  t.match(String(await link.ended), /closed the connection/)
  t.ok((await caught(link.read(1, 'holding', 261, 1))) instanceof ModbusGone)
})

await t.test('RTU frames over TCP, damaged and whole', async t => {
  let isDamaged = false
  const { link } = await linked(
    t,
    request => {
      const frame = bytesOf(rtuFrame(request[0]!, fc6(261, 160)))
      if (isDamaged) frame[5] = frame[5]! ^ 4
      return frame
    },
    'rtu',
  )
  await link.write(1, 6, WRITE)
  isDamaged = true
  const damaged = await caught(link.write(1, 6, WRITE))
  t.ok(damaged instanceof ModbusSilence)
  t.match(String(damaged), /CRC error/)
})

await t.test('nobody there, or no such port', async t => {
  const { port, server } = await raw(() => undefined)
  server.close()
  await once(server, 'close')
  const refused = await caught(tcpLink('127.0.0.1', port, 'tcp', 100)(signal))
  t.ok(refused instanceof AmpacityError && refused.code === 'HOST_UNREACHABLE')
  const missing = await caught(
    serialLink('/dev/no-such-port', parseLine('8E1', 19_200), 100)(signal),
  )
  t.ok(missing instanceof AmpacityError && missing.code === 'PORT_MISSING')
})

function busOn(open: () => Promise<ModbusLink>, anewAfterSilence = false): ModbusBus {
  const backoff = { minMs: 10, maxMs: 40 }
  return new ModbusBus({ name: 'box', open, time, anewAfterSilence, backoff })
}

await t.test('a half-open connection is made anew after two silences', async t => {
  let connections = 0
  const { port, server } = await raw(request =>
    connections > 1 ? reply(request, [3, 2, 0, 1]) : undefined,
  )
  server.on('connection', () => {
    connections += 1
  })
  const bus = busOn(() => tcpLink('127.0.0.1', port, 'tcp', 50)(signal))
  const told: string[] = []
  const stop = new AbortController()
  const held = bus.hold(
    { up: () => told.push('up'), down: error => told.push(error.message) },
    stop.signal,
  )
  await until(() => bus.isUp)
  const ask = () =>
    caught(bus.request(URGENCY.look, 0, link => link.read(1, 'holding', 1, 1), signal))
  t.ok((await ask()) instanceof ModbusSilence)
  t.ok((await ask()) instanceof ModbusSilence)
  t.ok(await until(() => told.length === 3))
  t.match(told, ['up', /does not answer/, 'up'])
  t.strictSame(await ask(), [1])
  stop.abort()
  await held
  t.equal(told.length, 3, 'who lets go hears no more')
  t.match(String(await ask()), /not connected/)
  server.close()
})

await t.test('the most urgent request goes first, one taken back never', async t => {
  const order: number[] = []
  const { port, server } = await raw(request => {
    order.push(request.readUInt16BE(8))
    return reply(request, [3, 2, 0, 1])
  })
  const bus = busOn(() => tcpLink('127.0.0.1', port, 'tcp', 500)(signal))
  const stop = new AbortController()
  const held = bus.hold({ up: () => {}, down: () => {} }, stop.signal)
  await until(() => bus.isUp)
  const back = new AbortController()
  const ask = (urgency: 0 | 1 | 2 | 3, address: number, of = signal) =>
    caught(bus.request(urgency, 5, link => link.read(1, 'holding', address, 1), of))
  const all = [ask(3, 30), ask(3, 31), ask(2, 20), ask(1, 10, back.signal), ask(1, 11), ask(0, 1)]
  back.abort()
  const answers = await Promise.all(all)
  t.strictSame(order, [30, 1, 11, 20, 31], 'the first one found the line free')
  t.match(String(answers[3]), /given up for a newer command/)
  stop.abort()
  await held
  server.close()
})

await t.test('a plug that is pulled, and comes back', { skip: SKIP_PTY }, async t => {
  const pty = new Pty(mkdtempSync(join(tmpdir(), 'ampacity-')))
  await pty.plug()
  const settings = parseLine('8E1', 19_200)
  const box = new SimulatedBox(await loadProfile('heidelberg-ec', '.'), () => systemClock.now())
  let served = await serveRtu(new Map([[1, box]]), pty.meterEnd, settings)
  const bus = busOn(() => serialLink(pty.agentEnd, settings, 200)(signal), true)
  const told: string[] = []
  const stop = new AbortController()
  const held = bus.hold({ up: () => told.push('up'), down: () => told.push('down') }, stop.signal)
  await until(() => bus.isUp)
  const ask = (unit: number) =>
    caught(bus.request(URGENCY.look, 10, link => link.read(unit, 'holding', 261, 1), signal))
  t.strictSame(await ask(1), [160])
  t.ok((await ask(2)) instanceof ModbusSilence, 'nobody of that name')
  t.strictSame(await ask(1), [160], 'the line was opened anew')
  t.strictSame(told, ['up'], 'and nobody has to know')
  await served.close()
  await pty.unplug()
  t.ok(await until(() => told.includes('down')))
  await pty.plug()
  served = await serveRtu(new Map([[1, box]]), pty.meterEnd, settings)
  t.ok(await until(() => told.at(-1) === 'up'))
  t.strictSame(await ask(1), [160])
  stop.abort()
  await held
  await served.close()
  await pty.unplug()
})
