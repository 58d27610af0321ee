/** A TCP connection as a source, for serial ports on the network (ser2net, adapters with Wi-Fi). */
import { connect, type Socket } from 'node:net'
import { AmpacityError } from '../errors.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** Where to connect, and how. */
export interface TcpSourceOptions {
  readonly id: string
  readonly host: string
  readonly port: number
  readonly clock: Clock
  /** Silence after which the connection is taken for dead and made anew, ms. */
  readonly idleMs?: number
  readonly connectMs?: number
  readonly backoff?: BackoffLimits
}

const IDLE_MS = 60_000
const CONNECT_MS = 10_000

/**
 * Connects once, with keep-alive.
 *
 * @throws AmpacityError HOST_UNREACHABLE
 */
export async function openTcp(
  host: string,
  port: number,
  signal: AbortSignal,
  connectMs: number = CONNECT_MS,
): Promise<Socket> {
  const socket = connect({ host, port, keepAlive: true, keepAliveInitialDelay: 30_000 })
  const onAbort = () => socket.destroy()
  signal.addEventListener('abort', onAbort, { once: true })
  const late = setTimeout(
    () => socket.destroy(new Error(`no answer within ${connectMs / 1000} s`)),
    connectMs,
  )
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed before it was open')))
      if (signal.aborted) onAbort()
    })
    return socket
  } catch (cause) {
    const { message, code } = cause as { message: string; code?: unknown }
    const found = message || String(code)
    throw new AmpacityError('HOST_UNREACHABLE', `${host}:${port}: ${found}`, { cause })
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', onAbort)
  }
}

/** A source over a TCP connection that is made anew when it breaks or falls silent. */
export function tcpSource(options: TcpSourceOptions): Source {
  const { id, host, port, clock, idleMs = IDLE_MS, connectMs } = options
  const address = `${host}:${port}`
  const backoff = new Backoff(options.backoff)
  let current: Socket | undefined

  /** Reads until the connection ends. */
  async function session(
    socket: Socket,
    sink: Sink,
    report: (event: SourceEvent) => void,
    signal: AbortSignal,
  ): Promise<void> {
    let reason = 'closed by the other side'
    const onAbort = () => socket.destroy()
    // Without keep-alive in between a lost peer is noticed by its silence only.
    socket.setTimeout(idleMs, () => {
      reason = `no bytes for ${idleMs / 1000} s`
      const detail = `${reason} from ${address}: meter port closed or unplugged, or the connection is dead; connecting again`
      report({ level: 'warn', code: 'no_meter_data', detail })
      socket.destroy()
    })
    socket.on('data', chunk => {
      backoff.reset()
      sink(chunk, clock.now())
    })
    socket.on('error', error => {
      reason = error.message
    })
    signal.addEventListener('abort', onAbort, { once: true })
    const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
    if (signal.aborted) onAbort()
    await closed
    signal.removeEventListener('abort', onAbort)
    if (signal.aborted) return
    report({ level: 'warn', code: 'port_lost', detail: `${address}: ${reason}` })
  }

  return {
    id,
    send(bytes: Uint8Array): void {
      current?.write(bytes)
    },
    async run(
      sink: Sink,
      report: (event: SourceEvent) => void,
      signal: AbortSignal,
    ): Promise<void> {
      let told: string | undefined
      while (!signal.aborted) {
        try {
          const socket = await openTcp(host, port, signal, connectMs)
          told = undefined
          report({ level: 'info', code: 'port_opened', detail: `connected to ${address}` })
          current = socket
          await session(socket, sink, report, signal)
          current = undefined
        } catch (error) {
          if (!(error instanceof AmpacityError)) throw error
          const detail = `${error.code}: ${error.message}. ${error.remedy}`
          if (!signal.aborted && detail !== told)
            report({ level: 'error', code: 'port_unavailable', detail })
          told = detail
        }
        if (!signal.aborted) await pause(backoff.next(), signal)
      }
    },
  }
}
