/**
 * A Chain2Gate as a source: JSON pushed over a WebSocket, `ws://host:81/`, without authentication.
 *
 * `!` makes the gateway tell of itself at once. After a connection its last CF20 and CF1 are asked for over HTTP, so that
 * contract and registers are known before the meter says them again; their age is not known, which their mark tells. The
 * usual failure is a socket that is open on one side only: a ping every half minute finds it.
 */
import { WebSocket } from 'ws'
import { AmpacityError } from '../errors.ts'
import { marked } from '../json/mark.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import { FloodGauge, type FloodLimits, LONGEST_WIRE_MESSAGE } from './flood.ts'
import { getBody } from './http-get.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** Where the gateway is, and what tests shorten. */
export interface Chain2GateOptions {
  readonly id: string
  readonly host: string
  /** Of the WebSocket, 81, and of the web server, 80. */
  readonly port?: number
  readonly httpPort?: number
  readonly clock: Clock
  readonly pingMs?: number
  readonly connectMs?: number
  readonly backoff?: BackoffLimits
  readonly flood?: FloodLimits
}

type Report = (event: SourceEvent) => void

const PING_MS = 30_000
const CONNECT_MS = 10_000
/** A connection that lasted so long was a good one. */
const LASTED_MS = 30_000
/** Frames that are asked for; the contract first. */
const PRIMED = ['cf20', 'cf1']

/** A source that connects again when the connection breaks, hangs or floods. */
export function chain2GateSource(options: Chain2GateOptions): Source {
  const { id, host, clock } = options
  const port = options.port ?? 81
  const address = `${host.includes(':') ? `[${host}]` : host}`
  const backoff = new Backoff(options.backoff)
  let current: WebSocket | undefined

  /** The last frames the gateway has; without them the meter tells in its own time. */
  async function prime(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
    for (const type of PRIMED) {
      try {
        const url = `http://${address}:${options.httpPort ?? 80}/getcf.json?type=${type}`
        sink(marked(await getBody(url, { signal, timeoutMs: CONNECT_MS })), clock.now())
      } catch (error) {
        if (!(error instanceof AmpacityError)) throw error
        if (signal.aborted) return
        const detail = `the last ${type.toUpperCase()} could not be had: ${error.message}; waiting for the next`
        report({ level: 'info', code: 'priming_failed', detail })
        return
      }
    }
  }

  /** One connection; resolves with the reason of its end. */
  async function session(sink: Sink, report: Report, signal: AbortSignal): Promise<string> {
    const socket = new WebSocket(`ws://${address}:${port}/`, {
      maxPayload: LONGEST_WIRE_MESSAGE,
      handshakeTimeout: options.connectMs ?? CONNECT_MS,
      perMessageDeflate: false,
      followRedirects: false,
    })
    const gauge = new FloodGauge(options.flood)
    const over = new AbortController()
    let reason = 'closed by the other side'
    let isAlive = true
    let ping: NodeJS.Timeout | undefined
    let priming: Promise<void> | undefined
    const end = (why: string, event?: Pick<SourceEvent, 'code' | 'detail'>) => {
      reason = why
      if (event !== undefined) report({ level: 'error', ...event })
      socket.terminate()
    }
    const onAbort = () => socket.terminate()
    signal.addEventListener('abort', onAbort, { once: true })
    const closed = new Promise<void>((resolve, reject) => {
      socket.on('open', () => {
        current = socket
        report({
          level: 'info',
          code: 'port_opened',
          detail: `connected to ws://${address}:${port}`,
        })
        socket.send('!')
        priming = prime(sink, report, AbortSignal.any([signal, over.signal]))
        priming.catch(reject)
        const pingMs = options.pingMs ?? PING_MS
        ping = setInterval(() => {
          if (!isAlive) return end(`no answer to a ping for ${pingMs / 1000} s`)
          isAlive = false
          socket.ping()
        }, pingMs)
      })
      socket.on('pong', () => {
        isAlive = true
      })
      socket.on('message', (data: Buffer) => {
        const at = clock.now()
        isAlive = true
        if (gauge.admits(at)) sink(data, at)
        else
          end('too many messages', {
            code: 'message_flood',
            detail: `${address} sends more messages than any meter has to say: connecting again later`,
          })
      })
      socket.on('error', (error: Error & { code?: string }) => {
        reason = error.message || String(error.code)
        if (error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
          report({
            level: 'error',
            code: 'message_overflow',
            detail: `${address} sent a message of more than ${LONGEST_WIRE_MESSAGE} bytes: this is no meter gateway, or it is broken`,
          })
        // What is still on its way is not wanted.
        socket.terminate()
      })
      socket.on('close', () => resolve())
      if (signal.aborted) onAbort()
    })
    try {
      await closed
    } finally {
      clearInterval(ping)
      over.abort()
      signal.removeEventListener('abort', onAbort)
      current = undefined
    }
    await priming
    return reason
  }

  return {
    id,
    send(bytes: Uint8Array): void {
      current?.send(bytes)
    },
    async run(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
      let told: string | undefined
      while (!signal.aborted) {
        const begunAt = clock.now()
        let opened = false
        const noting: Report = event => {
          opened ||= event.code === 'port_opened'
          report(event)
        }
        const reason = await session(sink, noting, signal)
        if (signal.aborted) return
        if (opened) {
          told = undefined
          report({ level: 'warn', code: 'port_lost', detail: `${address}:${port}: ${reason}` })
        } else {
          const detail = `HOST_UNREACHABLE: ${address}:${port}: ${reason}. Check address, port and network.`
          if (detail !== told) report({ level: 'error', code: 'port_unavailable', detail })
          told = detail
        }
        if (clock.now() - begunAt >= LASTED_MS) backoff.reset()
        await pause(backoff.next(), signal)
      }
    },
  }
}
