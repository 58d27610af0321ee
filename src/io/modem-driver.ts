/**
 * A power-line modem (ST7580) at a serial port as a source: opens, resets, configures, reads, opens again. Receives only:
 * there is no way to make it transmit on the power line.
 *
 *     port ─ bytes ─┬─> sink (decoder) ─ ACK, NAK ─> send ─┐
 *                   └─> dialect ─ events ─> session ─ actions ─> queue ─> port, RTS (T_REQ), DTR (RESETN)
 */
import type { SerialPort } from 'serialport'
import { formatSerial, type SerialSettings } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import type { ModemDialect } from '../link/modem/dialect.ts'
import { DIALECTS } from '../link/modem/dialects.ts'
import type { LineAction } from '../link/modem/exchange.ts'
import { FIRST } from '../link/modem/local-frame.ts'
import { ModemSession, type SessionOptions } from '../link/modem/session.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import { systemTimers } from './clock.ts'
import { type ModemLines, NO_LINES, openLines } from './modem-lines.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'
import { closeSerialPort, openSerialPort } from './serial.ts'

/** Which port, which lines, and how the modem is to listen. */
export interface ModemSourceOptions {
  readonly id: string
  readonly path: string
  /** Settings to try, most likely first. */
  readonly settings: readonly SerialSettings[]
  /** T_REQ: `rts`, or `none` where a bridge holds it. */
  readonly requestLine: 'rts' | 'none'
  /** RESETN: `dtr`, or `none`: the modem is then reset by command. */
  readonly resetLine: 'dtr' | 'none'
  readonly session: Omit<SessionOptions, 'hasRequestLine' | 'hasResetLine'>
  readonly clock: Clock
  readonly backoff?: BackoffLimits
}

/** One second at first, never more than one minute. */
const BACKOFF: BackoffLimits = { minMs: 1000, maxMs: 60_000 }

/** Why a session with an open port ended. */
type End = 'aborted' | 'gave-up' | 'lost'

type Tell = (event: SourceEvent) => void

/** A source over a modem. */
export function modemSource(options: ModemSourceOptions): Source & { readonly txEnabled: false } {
  return new ModemSource(options)
}

class ModemSource implements Source {
  readonly id: string
  readonly txEnabled = false
  private readonly options: ModemSourceOptions
  private readonly backoff: Backoff
  private tried = 0
  private port: SerialPort | undefined
  private lines: ModemLines = NO_LINES
  /** Whatever goes out, one after the other: an ACK never comes between the first byte of a request and the rest. */
  private queue: Promise<void> = Promise.resolve()
  private tell: Tell = () => {}
  private end: (reason: End) => void = () => {}

  constructor(options: ModemSourceOptions) {
    this.id = options.id
    this.options = options
    this.backoff = new Backoff(options.backoff ?? BACKOFF)
  }

  async run(sink: Sink, report: Tell, signal: AbortSignal): Promise<void> {
    this.tell = report
    let told: string | undefined
    while (!signal.aborted) {
      const port = await this.open(told)
      if (typeof port === 'string') {
        told = port
        await pause(this.backoff.next(), signal)
        continue
      }
      told = undefined
      const end = await this.session(port, sink, signal)
      await this.queue
      await closeSerialPort(port)
      if (end === 'gave-up') this.tried += 1
      if (end !== 'aborted') await pause(this.backoff.next(), signal)
    }
  }

  /** Answers to frames, the only thing that a decoder may send: anything else is dropped. */
  send(bytes: Uint8Array): void {
    const isAnswer = bytes.length === 1 && (bytes[0] === FIRST.ack || bytes[0] === FIRST.nak)
    if (isAnswer) this.act({ type: 'write', bytes })
  }

  private get settings(): SerialSettings {
    const { settings } = this.options
    return settings[this.tried % settings.length]!
  }

  /** The open port, or the message of the reason why not, which is told when it differs from `told`. */
  private async open(told: string | undefined): Promise<SerialPort | string> {
    const { path, requestLine, resetLine } = this.options
    const { settings } = this
    try {
      const port = await openSerialPort(path, settings)
      const detail = `${path} is open at ${formatSerial(settings)}`
      this.tell({ level: 'info', code: 'port_opened', detail, settings })
      this.lines = await openLines(port, requestLine === 'rts', resetLine === 'dtr')
      if (this.lines.missing !== undefined) {
        const found = `${path} has no modem lines (${this.lines.missing}): T_REQ and RESETN are not driven, the modem is reset by command`
        this.tell({ level: 'warn', code: 'modem_lines_missing', detail: found })
      }
      return port
    } catch (error) {
      if (!(error instanceof AmpacityError)) throw error
      const detail = `${error.code}: ${error.message}. ${error.remedy}`
      if (detail !== told) this.tell({ level: 'error', code: 'port_unavailable', detail })
      return detail
    }
  }

  /** Listens until the port goes away, the modem does not start or the signal aborts. */
  private async session(port: SerialPort, sink: Sink, signal: AbortSignal): Promise<End> {
    const { clock, path } = this.options
    const timers = systemTimers(clock)
    const ended = new Promise<End>(resolve => {
      this.end = resolve
    })
    const dialect = DIALECTS.st7580({}).create()
    const session = new ModemSession(
      {
        ...this.options.session,
        hasRequestLine: this.lines.request,
        hasResetLine: this.lines.reset,
      },
      {
        act: action => this.act(action),
        report: event => this.tell(event),
        giveUp: () => this.end('gave-up'),
      },
    )
    let cancel = () => {}
    const arm = () => {
      cancel()
      const at = earliest(session, dialect)
      if (at !== undefined) cancel = timers.schedule(at, onTime)
    }
    const onTime = () => {
      const now = clock.now()
      for (const event of dialect.wake(now)) session.take(event, now)
      session.wake(now)
      arm()
    }
    const onData = (chunk: Uint8Array) => {
      const at = clock.now()
      // The decoder answers first: the modem waits for it 40 ms.
      sink(chunk, at)
      for (const event of dialect.push(chunk, at)) session.take(event, at)
      if (session.isListening) this.backoff.reset()
      arm()
    }
    const onClose = (error?: Error | null) => {
      this.lose(`${path} was unplugged or closed (${error?.message ?? 'no reason given'})`)
    }
    // A read error is followed by `close`; without a listener it would end the process.
    const onError = () => {}
    const onAbort = () => this.end('aborted')

    this.port = port
    port.on('data', onData).on('close', onClose).on('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    else session.start(clock.now())
    arm()
    const reason = await ended
    cancel()
    this.port = undefined
    signal.removeEventListener('abort', onAbort)
    port.off('data', onData).off('close', onClose)
    return reason
  }

  /** Puts an action into the queue; without an open port it is dropped. */
  private act(action: LineAction): void {
    const { port, lines } = this
    if (port === undefined) return
    const perform = async () => {
      if (!port.isOpen) return
      if (action.type === 'write') port.write(Buffer.from(action.bytes))
      else await lines.set(action)
    }
    this.queue = this.queue
      .then(perform)
      .catch(error => this.lose(`${this.options.path}: a modem line cannot be set (${error})`))
  }

  private lose(detail: string): void {
    this.tell({ level: 'warn', code: 'port_lost', detail })
    this.end('lost')
  }
}

function earliest(session: ModemSession, dialect: ModemDialect): number | undefined {
  const [a, b] = [session.wakeAt, dialect.wakeAt]
  return a === undefined || b === undefined ? (a ?? b) : Math.min(a, b)
}
