/**
 * A serial port as a source: opens, reads, stamps, opens again. Finds the line settings by itself where several are
 * given, and comes back after the adapter was pulled out.
 */
import type { SerialPort } from 'serialport'
import { formatSerial, type SerialSettings } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import { systemTimers } from './clock.ts'
import { DEFAULT_SEARCH_TIMINGS, LineSearch, type SearchTimings } from './line-search.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'
import { serialError } from './serial-error.ts'

/** Which port, and how it is used. */
export interface SerialSourceOptions {
  readonly id: string
  /** Device; a name below /dev/serial/by-id stays the same when adapters are plugged in another order. */
  readonly path: string
  /** Settings to try, most likely first; one = no search. */
  readonly settings: readonly SerialSettings[]
  readonly clock: Clock
  readonly search?: Partial<SearchTimings>
  readonly backoff?: BackoffLimits
}

/** Why a session with an open port ended. */
type End = 'aborted' | 'changed' | 'lost'

type Report = (event: SourceEvent) => void

/** A source over a serial port. */
export function serialSource(options: SerialSourceOptions): Source {
  return new SerialSource(options)
}

/**
 * Opens a port without flow control: XON and XOFF are bytes like any other in a frame.
 *
 * @throws AmpacityError PORT_MISSING, PORT_DENIED, PORT_BUSY, PORT_UNUSABLE
 */
export async function openSerialPort(path: string, settings: SerialSettings): Promise<SerialPort> {
  const { SerialPort } = await import('serialport')
  const flow = { rtscts: false, xon: false, xoff: false, xany: false }
  const port = new SerialPort({ path, ...settings, ...flow, autoOpen: false })
  try {
    await new Promise<void>((resolve, reject) => {
      port.open(error => (error ? reject(error) : resolve()))
    })
  } catch (cause) {
    throw await serialError(path, cause)
  }
  return port
}

/** Closes a port; closing one that is gone already is no fault. */
export async function closeSerialPort(port: SerialPort): Promise<void> {
  if (!port.isOpen) return
  await new Promise<void>(resolve => {
    port.close(() => resolve())
  })
}

class SerialSource implements Source {
  readonly id: string
  private readonly options: SerialSourceOptions
  private readonly search: LineSearch
  private readonly backoff: Backoff
  private port: SerialPort | undefined
  private report: Report = () => {}

  constructor(options: SerialSourceOptions) {
    const { id, settings, clock, search, backoff } = options
    this.id = id
    this.options = options
    this.search = new LineSearch(settings, clock.now(), { ...DEFAULT_SEARCH_TIMINGS, ...search })
    this.backoff = new Backoff(backoff)
  }

  async run(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
    this.report = report
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
      await closeSerialPort(port)
      if (end === 'lost') await pause(this.backoff.next(), signal)
    }
  }

  frameAccepted(): void {
    if (this.search.frame()) {
      const settings = this.search.current
      const detail = `two good frames at ${formatSerial(settings)}: these settings are kept`
      this.report({ level: 'info', code: 'line_settings_found', detail, settings })
    }
  }

  send(bytes: Uint8Array): void {
    this.port?.write(Buffer.from(bytes))
  }

  /** The open port, or the message of the reason why not, which is told when it differs from `told`. */
  private async open(told: string | undefined): Promise<SerialPort | string> {
    const { path, clock } = this.options
    const settings = this.search.current
    try {
      const port = await openSerialPort(path, settings)
      this.search.opened(clock.now())
      const detail = `${path} is open at ${formatSerial(settings)}`
      this.report({ level: 'info', code: 'port_opened', detail, settings })
      return port
    } catch (error) {
      if (!(error instanceof AmpacityError)) throw error
      const detail = `${error.code}: ${error.message}. ${error.remedy}`
      if (detail !== told) this.report({ level: 'error', code: 'port_unavailable', detail })
      return detail
    }
  }

  /** Reads until the port goes away, other settings are due or the signal aborts. */
  private async session(port: SerialPort, sink: Sink, signal: AbortSignal): Promise<End> {
    const { path, clock } = this.options
    const timers = systemTimers(clock)
    let end: (reason: End) => void = () => {}
    const ended = new Promise<End>(resolve => {
      end = resolve
    })
    let cancel = () => {}
    const check = () => {
      cancel()
      const verdict = this.search.wake(clock.now())
      if (verdict === 'silence') this.tellSilence()
      if (verdict === 'change') {
        this.tellChange()
        end('changed')
        return
      }
      const at = this.search.wakeAt
      if (at !== undefined) cancel = timers.schedule(at, check)
    }
    const onData = (chunk: Uint8Array) => {
      const at = clock.now()
      this.backoff.reset()
      this.search.bytes(at)
      sink(chunk, at)
      check()
    }
    const onClose = (error?: Error | null) => {
      const detail = `${path} was unplugged or closed (${error?.message ?? 'no reason given'})`
      this.report({ level: 'warn', code: 'port_lost', detail })
      end('lost')
    }
    // A read error is followed by `close`; without a listener it would end the process.
    const onError = () => {}
    const onAbort = () => end('aborted')

    this.port = port
    port.on('data', onData).on('close', onClose).on('error', onError)
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) onAbort()
    check()
    const reason = await ended
    cancel()
    this.port = undefined
    signal.removeEventListener('abort', onAbort)
    port.off('data', onData).off('close', onClose)
    return reason
  }

  private tellChange(): void {
    const settings = this.search.current
    const detail = `bytes arrive but no good frame: trying ${formatSerial(settings)}`
    this.report({ level: 'info', code: 'line_settings_changed', detail, settings })
  }

  private tellSilence(): void {
    const seconds = { ...DEFAULT_SEARCH_TIMINGS, ...this.options.search }.silenceMs / 1000
    const detail = `no bytes for ${seconds} s at ${this.options.path}: port closed or unplugged. Check plug and adapter; if both are right, ask the grid company to open the port`
    this.report({ level: 'warn', code: 'no_meter_data', detail })
  }
}
