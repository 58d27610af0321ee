/** A port that meters and serial heads connect to by themselves: TCP, or UDP where a datagram is one message. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { AmpacityError } from '../errors.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** Where to listen, and for whom. */
export interface ListenSourceOptions {
  readonly id: string
  readonly protocol: 'tcp' | 'udp'
  /** Address of this machine; 0.0.0.0 for all of them. */
  readonly host: string
  /** 0 = any free one, which `port_opened` tells. */
  readonly port: number
  readonly clock: Clock
  readonly backoff?: BackoffLimits
}

type Report = (event: SourceEvent) => void

/**
 * A source that waits for the other side. Over TCP one connection is heard at a time: a newer one takes the place of
 * the older, whose end may never have been told. Over UDP one sender is heard: the first, until it has been silent for
 * a minute.
 */
export function listenSource(options: ListenSourceOptions): Source {
  const { id, protocol, host, port, clock } = options
  const address = `${protocol}://${host}:${port}`
  const backoff = new Backoff(options.backoff)
  let answer: (bytes: Uint8Array) => void = () => {}
  const open = protocol === 'tcp' ? serveTcp : serveUdp

  return {
    id,
    send(bytes: Uint8Array): void {
      answer(bytes)
    },
    async run(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
      let told: string | undefined
      while (!signal.aborted) {
        try {
          await open({
            host,
            port,
            signal,
            opened: bound => {
              told = undefined
              backoff.reset()
              const detail = `listening on ${protocol}://${host}:${bound}`
              report({ level: 'info', code: 'port_opened', detail })
            },
            bytes: chunk => sink(chunk, clock.now()),
            peer: (detail, send) => {
              answer = send
              report({ level: 'info', code: 'peer_connected', detail })
            },
            left: detail => report({ level: 'warn', code: 'port_lost', detail }),
          })
        } catch (error) {
          if (!(error instanceof AmpacityError)) throw error
          const detail = `${error.code}: ${address}: ${error.message}. ${error.remedy}`
          if (detail !== told) report({ level: 'error', code: 'port_unavailable', detail })
          told = detail
        }
        if (!signal.aborted) await pause(backoff.next(), signal)
      }
    },
  }
}

/** What a server tells while it runs, and what ends it. */
interface Serving {
  readonly host: string
  readonly port: number
  readonly signal: AbortSignal
  readonly opened: (port: number) => void
  readonly bytes: (chunk: Uint8Array) => void
  readonly peer: (detail: string, send: (bytes: Uint8Array) => void) => void
  readonly left: (detail: string) => void
}

async function serveTcp(serving: Serving): Promise<void> {
  const { host, port, signal, opened, bytes, peer, left } = serving
  let current: Socket | undefined
  const server = createServer({ keepAlive: true, keepAliveInitialDelay: 30_000 }, socket => {
    const from = `${socket.remoteAddress}:${socket.remotePort}`
    current?.destroy()
    current = socket
    peer(`${from} connected`, data => void socket.write(data))
    socket.on('data', bytes)
    // An error is followed by `close`; without a listener it would end the process.
    socket.on('error', () => {})
    socket.on('close', () => {
      if (current !== socket) return
      current = undefined
      if (!signal.aborted) left(`${from} went away`)
    })
  })
  server.listen(port, host)
  await until(server, 'listening')
  opened((server.address() as { port: number }).port)
  await aborted(signal)
  const closed = once(server, 'close')
  server.close()
  current?.destroy()
  await closed
}

/** After this silence of the sender another one may take its place. */
const SENDER_MS = 60_000

async function serveUdp(serving: Serving): Promise<void> {
  const { host, port, signal, opened, bytes, peer } = serving
  const socket = createSocket(host.includes(':') ? 'udp6' : 'udp4')
  let sender: string | undefined
  let free: NodeJS.Timeout | undefined
  socket.on('message', (message, { address, port: from }) => {
    if (sender !== undefined && sender !== address) return
    if (sender === undefined)
      peer(`${address} sends datagrams`, data => socket.send(data, from, address))
    sender = address
    clearTimeout(free)
    free = setTimeout(() => {
      sender = undefined
    }, SENDER_MS).unref()
    bytes(message)
  })
  socket.bind(port, host)
  await until(socket, 'listening')
  socket.on('error', () => {})
  opened(socket.address().port)
  await aborted(signal)
  clearTimeout(free)
  const closed = once(socket, 'close')
  socket.close()
  await closed
}

/** Waits for the event; an `error` before it becomes what a person can act on. */
async function until(emitter: NodeJS.EventEmitter, event: string): Promise<void> {
  try {
    await once(emitter, event)
  } catch (cause) {
    const { message } = cause as Error
    throw new AmpacityError('PORT_TAKEN', message, { cause })
  }
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal as unknown as NodeJS.EventEmitter, 'abort')
}
