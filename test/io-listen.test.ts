/** Ports that the meter's side connects to: one sender at a time, and what happens when it goes. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import { systemClock } from '../src/io/clock.ts'
import { listenSource } from '../src/io/listen.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { until } from './io-fakes.ts'

async function listening(t: Test, protocol: 'tcp' | 'udp', port = 0) {
  const events: SourceEvent[] = []
  const received: number[] = []
  const stop = new AbortController()
  const source = listenSource({
    id: 'wrapper',
    protocol,
    host: '127.0.0.1',
    port,
    clock: systemClock,
    backoff: { minMs: 10, maxMs: 30 },
  })
  const ended = source.run(
    chunk => received.push(...chunk),
    event => events.push(event),
    stop.signal,
  )
  t.teardown(async () => {
    stop.abort()
    await ended
  })
  const saw = (code: string, times = 1) =>
    until(() => events.filter(event => event.code === code).length >= times)
  const bound = () =>
    Number(/:(\d+)$/.exec(events.find(e => e.code === 'port_opened')?.detail ?? '')?.[1])
  return { source, events, received, saw, bound }
}

async function dial(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

await t.test('TCP: a newer connection takes the place of the older', async t => {
  const { source, received, saw, bound } = await listening(t, 'tcp')
  t.ok(await saw('port_opened'))
  const first = await dial(t, bound())
  first.write(Uint8Array.of(1, 2))
  t.ok(await until(() => received.length === 2))
  const gone = once(first, 'close')
  const second = await dial(t, bound())
  await gone
  second.write(Uint8Array.of(3))
  t.ok(await until(() => received.length === 3))
  t.same(received, [1, 2, 3])
  const answer = once(second, 'data')
  source.send?.(Uint8Array.of(0xe5))
  t.same([...((await answer) as [Buffer])[0]], [0xe5])
  second.destroy()
  t.ok(await saw('port_lost'), 'its end is told')
})

await t.test('UDP: one sender is heard', async t => {
  const { source, received, saw, bound } = await listening(t, 'udp')
  t.ok(await saw('port_opened'))
  const socket = createSocket('udp4')
  const stranger = createSocket('udp4')
  t.teardown(() => socket.close())
  t.teardown(() => stranger.close())
  stranger.bind(0, '127.0.0.2')
  await once(stranger, 'listening')
  socket.send(Uint8Array.of(1, 2), bound(), '127.0.0.1')
  t.ok(await until(() => received.length === 2))
  stranger.send(Uint8Array.of(9), bound(), '127.0.0.1')
  socket.send(Uint8Array.of(3), bound(), '127.0.0.1')
  t.ok(await until(() => received.length === 3))
  t.same(received, [1, 2, 3])
  const answer = once(socket, 'message')
  source.send?.(Uint8Array.of(0xe5))
  t.same([...((await answer) as [Buffer])[0]], [0xe5])
})

await t.test('a port that somebody else has is told once and tried again', async t => {
  const other = createServer()
  other.listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as { port: number }
  const { events, saw } = await listening(t, 'tcp', port)
  t.ok(await saw('port_unavailable'))
  t.match(events[0]!.detail, /PORT_TAKEN.*EADDRINUSE.*Choose another port/)
  other.close()
  t.ok(await saw('port_opened'), 'it opens once the port is free')
  t.equal(events.filter(e => e.code === 'port_unavailable').length, 1)
})
