import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { systemClock } from '../src/io/clock.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { openTcp, type TcpSourceOptions, tcpSource } from '../src/io/tcp.ts'
import { until } from './io-fakes.ts'

class Adapter {
  port = 0
  readonly sockets: Socket[] = []
  readonly heard: number[] = []
  private server: Server | undefined

  async start(): Promise<void> {
    const server = createServer({ allowHalfOpen: true }, socket => {
      this.sockets.push(socket)
      socket.on('data', data => this.heard.push(...data))
      socket.on('error', () => {})
    })
    this.server = server.listen(this.port, '127.0.0.1')
    await once(server, 'listening')
    this.port = (server.address() as { port: number }).port
  }

  async stop(): Promise<void> {
    const { server } = this
    if (server === undefined) return
    this.server = undefined
    for (const socket of this.sockets) socket.destroy()
    const closed = once(server, 'close')
    server.close()
    await closed
  }
}

async function running(t: Test, more: Partial<TcpSourceOptions> = {}) {
  const adapter = new Adapter()
  await adapter.start()
  const events: SourceEvent[] = []
  const received: number[] = []
  const source = tcpSource({
    id: 'tcp',
    host: '127.0.0.1',
    port: adapter.port,
    clock: systemClock,
    backoff: { minMs: 10, maxMs: 30 },
    ...more,
  })
  const stop = new AbortController()
  const ended = source.run(
    chunk => received.push(...chunk),
    event => events.push(event),
    stop.signal,
  )
  t.teardown(async () => {
    stop.abort()
    await ended
    await adapter.stop()
  })
  const saw = (code: string, times = 1) =>
    until(() => events.filter(event => event.code === code).length >= times)
  return { adapter, source, events, received, stop, ended, saw }
}

await t.test('bytes arrive and can be answered', async t => {
  const { adapter, source, received, saw } = await running(t)
  t.ok(await saw('port_opened'))
  await until(() => adapter.sockets.length === 1)
  adapter.sockets[0]!.write(Uint8Array.of(0x7e, 0xa0))
  adapter.sockets[0]!.write(Uint8Array.of(0x27))
  t.ok(await until(() => received.length === 3))
  t.strictSame(received, [0x7e, 0xa0, 0x27])
  source.send?.(Uint8Array.of(6))
  t.ok(await until(() => adapter.heard.length === 1))
})

await t.test('the adapter goes and comes back', async t => {
  const { adapter, events, saw } = await running(t)
  await saw('port_opened')
  await until(() => adapter.sockets.length === 1)
  await adapter.stop()
  t.ok(await saw('port_lost'))
  t.ok(await saw('port_unavailable'))
  t.match(
    events.find(e => e.code === 'port_unavailable'),
    { detail: /HOST_UNREACHABLE: .*ECONNREFUSED/ },
  )
  await new Promise(resolve => setTimeout(resolve, 80))
  t.equal(events.filter(e => e.code === 'port_unavailable').length, 1, 'told once')
  await adapter.start()
  t.ok(await saw('port_opened', 2))
})

await t.test('the other side closes its half only', async t => {
  const { adapter, saw } = await running(t)
  await until(() => adapter.sockets.length === 1)
  adapter.sockets[0]!.end()
  t.ok(await saw('port_opened', 2))
})

await t.test('a connection that says nothing is made anew', async t => {
  const { adapter, saw } = await running(t, { idleMs: 40 })
  t.ok(await saw('no_meter_data'))
  t.ok(await until(() => adapter.sockets.length >= 2))
})

await t.test('stopping, at any moment', async t => {
  const { adapter, stop, ended, saw, events } = await running(t)
  await saw('port_opened')
  await until(() => adapter.sockets.length === 1)
  const gone = once(adapter.sockets[0]!, 'close')
  adapter.sockets[0]!.resume()
  adapter.sockets[0]!.on('end', () => adapter.sockets[0]!.end())
  stop.abort()
  await ended
  await gone
  t.notOk(
    events.some(e => e.code === 'port_lost'),
    'our wish is no event',
  )
  await t.rejects(openTcp('127.0.0.1', adapter.port, AbortSignal.abort()), {
    code: 'HOST_UNREACHABLE',
  })
})
