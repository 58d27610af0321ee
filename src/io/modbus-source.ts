/**
 * A Sinapsi Alfa as a source: its holding registers read over Modbus TCP, each round of reads one message.
 *
 * Power and warning are read every 10 s, every 5 s while charging; totals of bands, production and tariff once a minute.
 * The gateway serves one client at a time: with a second one (a home automation system, for instance) both fail, which
 * looks like a gateway that accepts and then says nothing.
 */
import type { Socket } from 'node:net'
import type modbus from 'modbus-serial'
import { AmpacityError } from '../errors.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'
import { openTcp } from './tcp.ts'

/** One read: first register, from 0, and how many. */
export type RegisterBlock = readonly [address: number, count: number]

/** Where the gateway is, and how often it is asked. */
export interface ModbusSourceOptions {
  readonly id: string
  readonly host: string
  readonly port?: number
  readonly unitId?: number
  readonly clock: Clock
  /** From one round to the next, ms, and while a vehicle charges. */
  readonly everyMs?: number
  readonly chargingEveryMs?: number
  readonly slowEveryMs?: number
  readonly replyMs?: number
  readonly backoff?: BackoffLimits
  /** Bytes of one round, as the decoder reads them. */
  readonly encode: (blocks: readonly { address: number; words: readonly number[] }[]) => Uint8Array
}

type Report = (event: SourceEvent) => void

const FAST: readonly RegisterBlock[] = [
  [2, 18],
  [780, 3],
]
const SLOW: readonly RegisterBlock[] = [
  [203, 1],
  [30, 36],
  [921, 5],
]
const CONNECT_MS = 5000
const REPLY_MS = 10_000
const BACKOFF: BackoffLimits = { minMs: 10_000, maxMs: 60_000 }
/** Modbus exceptions that say that there is no such register. */
const ABSENT: ReadonlySet<number> = new Set([1, 2, 3])

/** A source that polls, and connects anew after every fault, so that no late answer is taken for another. */
export function modbusSource(options: ModbusSourceOptions): Source {
  const { id, host, port = 502, clock, everyMs = 10_000, chargingEveryMs = 5000 } = options
  const address = `${host}:${port}`
  const backoff = new Backoff(options.backoff ?? BACKOFF)
  /** Blocks this gateway does not have. */
  const absent = new Set<number>()
  let isCharging = false
  let answered = false

  async function read(
    client: modbus.default,
    closed: Promise<never>,
    [start, count]: RegisterBlock,
    report: Report,
  ): Promise<{ address: number; words: readonly number[] } | undefined> {
    if (absent.has(start)) return undefined
    try {
      const { data } = await Promise.race([client.readHoldingRegisters(start, count), closed])
      answered = true
      return { address: start, words: data }
    } catch (error) {
      const { modbusCode } = error as { modbusCode?: number }
      if (modbusCode === undefined || !ABSENT.has(modbusCode) || FAST.some(([a]) => a === start))
        throw error
      absent.add(start)
      const detail = `${address} has no registers ${start} to ${start + count - 1}: going on without them`
      report({ level: 'info', code: 'registers_absent', detail })
      return undefined
    }
  }

  /** Polls until something fails. */
  async function session(socket: Socket, sink: Sink, report: Report, signal: AbortSignal) {
    const client = await clientOn(socket, options)
    const closed = new Promise<never>((_, reject) => {
      socket.once('close', () => reject(new Error('closed by the other side')))
    })
    closed.catch(() => {
      // Whoever reads at that moment is told.
    })
    const onAbort = () => socket.destroy()
    signal.addEventListener('abort', onAbort, { once: true })
    let slowAt = Number.NEGATIVE_INFINITY
    try {
      while (!signal.aborted) {
        const begunAt = clock.now()
        const isSlow = begunAt - slowAt >= (options.slowEveryMs ?? 60_000)
        if (isSlow) slowAt = begunAt
        const blocks = []
        for (const block of isSlow ? [...FAST, ...SLOW] : FAST) {
          const found = await read(client, closed, block, report)
          if (found !== undefined) blocks.push(found)
        }
        backoff.reset()
        sink(options.encode(blocks), clock.now())
        const waitMs = isCharging ? chargingEveryMs : everyMs
        await pause(Math.max(0, begunAt + waitMs - clock.now()), signal)
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
      // With it goes what still waits for an answer.
      client.destroy(() => {})
      socket.destroy()
    }
  }

  return {
    id,
    charging(is: boolean): void {
      isCharging = is
    },
    async run(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
      let told: string | undefined
      while (!signal.aborted) {
        let isOpen = false
        answered = false
        try {
          const socket = await openTcp(host, port, signal, CONNECT_MS)
          isOpen = true
          if (told === undefined)
            report({ level: 'info', code: 'port_opened', detail: `connected to ${address}` })
          await session(socket, sink, report, signal)
        } catch (error) {
          if (signal.aborted) return
          const event = failure(error, isOpen)
          if (event.detail !== told) report(event)
          told = event.detail
        }
        if (answered) told = undefined
        if (!signal.aborted) await pause(backoff.next(), signal)
      }
    },
  }

  function failure(error: unknown, isOpen: boolean): SourceEvent {
    if (!isOpen && error instanceof AmpacityError)
      return {
        level: 'error',
        code: 'port_unavailable',
        detail: `${error.code}: ${error.message}. ${error.remedy}`,
      }
    const { message, modbusCode } = error as { message: string; modbusCode?: number }
    if (answered) return { level: 'warn', code: 'port_lost', detail: `${address}: ${message}` }
    const found = modbusCode === undefined ? message : `Modbus exception ${modbusCode}`
    return {
      level: 'error',
      code: 'gateway_busy',
      detail: `${address} accepts connections and answers nothing (${found}): it serves one Modbus client at a time. Switch off the other one, a home automation system for instance`,
    }
  }
}

async function clientOn(socket: Socket, options: ModbusSourceOptions): Promise<modbus.default> {
  // Loaded only where such a gateway is configured.
  const { default: library } = await import('modbus-serial')
  const client = new library.default()
  // The library reads the address of its own connections only.
  await client.linkTCP(socket, { port: options.port ?? 502 })
  client.setID(options.unitId ?? 1)
  client.setTimeout(options.replyMs ?? REPLY_MS)
  return client
}
