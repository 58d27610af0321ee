/**
 * Brings an ST7580 to listening and keeps it there. It configures and asks; it never transmits on the power line.
 *
 *     RESET ─ RESETN low, or command 3C ─> BOOT ─ 3E ─> CONFIGURE ─ 09, 01, 00, 02; read 00, 01, 0A ─> LISTEN
 *       ^                                   │ 5 s           │ no answer                                  │ 60 s: read 06, 07
 *       └───────────────────────────────────┴───────────────┴────────────────────────────────────────────┘
 *
 * A reset that fails three times wants the port opened again. A modem that restarts by itself is configured again as far
 * as it says that it lost its configuration. Pure: actions and reports out, events and time in.
 */
import { hex, toHex } from '../../bytes/hex.ts'
import type { Instant } from '../../reading.ts'
import type { LinkEvent } from './dialect.ts'
import {
  DEFAULT_EXCHANGE_TIMINGS,
  Exchange,
  type ExchangeTimings,
  type LineAction,
  type Outcome,
} from './exchange.ts'
import { Hearing, type Report } from './hearing.ts'
import { encodeRequest } from './local-frame.ts'
import { COMMAND, ERRORS, ST7580_FRAMES } from './st7580.ts'
import {
  MIB,
  MIB_NAMES,
  type ModemConfiguration,
  modemConfiguration,
  type PhyConfiguration,
  phyConfiguration,
  type ResetReport,
  readCounters,
  readReset,
} from './st7580-mib.ts'

/** How the modem is to listen. */
export interface SessionOptions {
  readonly modem: ModemConfiguration
  readonly phy: PhyConfiguration
  /** Key of the modem's own security layer; wanted where it listens on layer SS. */
  readonly ssKey?: Uint8Array
  readonly hasRequestLine: boolean
  readonly hasResetLine: boolean
  readonly timings?: Partial<SessionTimings>
}

/** How long things may take, ms. */
export interface SessionTimings extends ExchangeTimings {
  /** RESETN low; the maker's driver takes 1.5 s, the data sheet wants 0.1 s at least. */
  readonly resetPulseMs: number
  /** Reset indication after the reset. */
  readonly bootMs: number
  readonly pollMs: number
}

export const DEFAULT_SESSION_TIMINGS: SessionTimings = {
  ...DEFAULT_EXCHANGE_TIMINGS,
  resetPulseMs: 200,
  bootMs: 5000,
  pollMs: 60_000,
}

/** Who does what the session wants. */
export interface SessionOwner {
  act(action: LineAction): void
  report(report: Report): void
  /** Nothing helps: the port is to be opened again. */
  giveUp(): void
}

type State = 'closed' | 'reset' | 'boot' | 'configure' | 'listen'

/** An object to be written, or one to be read and compared. */
type Step =
  | { readonly write: number; readonly data: Uint8Array; readonly mayFail: boolean }
  | { readonly read: number; readonly expected: Uint8Array | undefined }

/** Resets in a row that may fail. */
const RESETS = 3
/** Timeouts that do not hurry the modem; older firmware does not have the object. */
const TIMEOUTS = Uint8Array.of(0xff, 0xff, 0xff)

export class ModemSession {
  private readonly options: SessionOptions
  private readonly timings: SessionTimings
  private readonly owner: SessionOwner
  private readonly exchange: Exchange
  private readonly hearing = new Hearing()
  private state: State = 'closed'
  private until: Instant = 0
  private failedResets = 0
  private steps: Step[] = []
  private firmware = 'unknown'
  private phyCounters: readonly number[] = []

  constructor(options: SessionOptions, owner: SessionOwner) {
    this.options = options
    this.timings = { ...DEFAULT_SESSION_TIMINGS, ...options.timings }
    this.owner = owner
    this.exchange = new Exchange(options.hasRequestLine, this.timings, action => owner.act(action))
  }

  /** The port is open. */
  start(now: Instant): void {
    this.failedResets = 0
    if (this.options.hasRequestLine) this.owner.act({ type: 'request-line', active: false })
    this.reset(now)
  }

  /** True while data units can be expected. */
  get isListening(): boolean {
    return this.state === 'listen'
  }

  get wakeAt(): Instant | undefined {
    if (this.state === 'closed') return undefined
    const request = this.exchange.wakeAt
    // While a request is on its way its own times count; a reset by command is one as well.
    if (request !== undefined) return request
    return this.state === 'configure' ? undefined : this.until
  }

  wake(now: Instant): void {
    if (this.state === 'closed') return
    const outcome = this.exchange.wake(now)
    if (outcome !== undefined) {
      this.finish(outcome, now)
      return
    }
    if (this.exchange.wakeAt !== undefined || now < this.until) return
    if (this.state === 'reset') {
      this.owner.act({ type: 'reset-line', active: false })
      this.boot(now)
    } else if (this.state === 'boot') this.failReset('no reset indication (3E)', now)
    else if (this.state === 'listen') this.poll(now)
  }

  /** Takes what the modem said. */
  take(event: LinkEvent, now: Instant): void {
    if (this.state === 'closed') return
    if (event.type === 'sdu' && !event.sdu.damaged) this.hearing.dataUnit()
    if (event.type === 'frame' && event.command === COMMAND.resetIndication) {
      // One that comes while RESETN is low is older than the reset.
      const isOld = this.state === 'reset' && this.options.hasResetLine
      if (!isOld) this.restarted(readReset(event.data[0]!), now)
      return
    }
    const outcome = this.exchange.take(event, now)
    if (outcome !== undefined) this.finish(outcome, now)
  }

  private reset(now: Instant): void {
    this.exchange.cancel()
    this.steps = []
    this.state = 'reset'
    this.until = now + this.timings.resetPulseMs
    if (this.options.hasResetLine) this.owner.act({ type: 'reset-line', active: true })
    else this.request(COMMAND.resetRequest, new Uint8Array(0), COMMAND.resetConfirm, now)
  }

  private boot(now: Instant): void {
    this.state = 'boot'
    this.until = now + this.timings.bootMs
  }

  private failReset(why: string, now: Instant): void {
    this.failedResets++
    const detail = `the modem is reset: ${why}. If it stays so check its supply, the wiring of T_REQ and RESETN, and the baud rate`
    this.owner.report({ level: 'warn', code: 'modem_silent', detail })
    if (this.failedResets < RESETS) {
      this.reset(now)
      return
    }
    this.state = 'closed'
    this.owner.giveUp()
  }

  /** After a reset of ours everything is written; after one of its own, what the modem says it lost. */
  private restarted(report: ResetReport, now: Instant): void {
    const byItself = this.state === 'listen'
    if (byItself) {
      const detail = `the modem restarted by itself (cause ${report.cause})`
      this.owner.report({ level: 'warn', code: 'modem_restarted', detail })
    }
    this.exchange.cancel()
    this.state = 'configure'
    const { modem, phy, ssKey } = this.options
    const configuration = Uint8Array.of(modemConfiguration(modem))
    const channels = phyConfiguration(phy)
    const lost = (isSo: boolean): boolean => !byItself || report.autoReconfigError || isSo
    this.steps = [{ write: MIB.timeouts, data: TIMEOUTS, mayFail: true }]
    if (lost(report.phyConfigError)) this.write(MIB.phy, channels)
    if (lost(report.modemConfigError)) this.write(MIB.modem, configuration)
    if (ssKey !== undefined && lost(report.ssKeyError)) this.write(MIB.ssKey, ssKey)
    this.steps.push(
      { read: MIB.modem, expected: configuration },
      { read: MIB.phy, expected: channels },
      { read: MIB.firmware, expected: undefined },
    )
    this.next(now)
  }

  private write(object: number, data: Uint8Array): void {
    this.steps.push({ write: object, data, mayFail: false })
  }

  private poll(now: Instant): void {
    this.steps = [
      { read: MIB.phyCounters, expected: undefined },
      { read: MIB.dlCounters, expected: undefined },
    ]
    this.next(now)
  }

  /** The next step, or listening where there is none. */
  private next(now: Instant): void {
    const [step] = this.steps
    if (step === undefined) this.listen(now)
    else if ('write' in step) {
      const data = Uint8Array.of(step.write, ...step.data)
      this.request(COMMAND.mibWriteRequest, data, COMMAND.mibWriteConfirm, now)
    } else
      this.request(COMMAND.mibReadRequest, Uint8Array.of(step.read), COMMAND.mibReadConfirm, now)
  }

  private listen(now: Instant): void {
    if (this.state === 'configure') {
      this.failedResets = 0
      this.hearing.begin()
      const { layer, check } = this.options.modem
      const detail = `the modem listens at ${this.options.phy.highHz} Hz, layer ${layer}, ${check}, firmware ${this.firmware}; it never transmits`
      this.owner.report({ level: 'info', code: 'modem_listening', detail })
    }
    this.state = 'listen'
    this.until = now + this.timings.pollMs
  }

  private request(command: number, data: Uint8Array, confirm: number, now: Instant): void {
    const frame = encodeRequest(ST7580_FRAMES, command, data)
    // The error of a function is two above its confirm.
    const answers = [confirm, confirm + 2, COMMAND.syntaxError]
    this.exchange.begin({ frame, answers }, now)
  }

  private finish(outcome: Outcome, now: Instant): void {
    if (outcome.type === 'failed')
      this.failReset(`no ${outcome.waitedFor} after three attempts`, now)
    else if (this.state === 'reset') {
      if (outcome.command === COMMAND.resetConfirm) this.boot(now)
      else this.failReset(refusal(outcome), now)
    } else this.answered(outcome, now)
  }

  private answered(outcome: Extract<Outcome, { type: 'answered' }>, now: Instant): void {
    const step = this.steps.shift()!
    const object = 'write' in step ? step.write : step.read
    const isRefused =
      outcome.command !== COMMAND.mibWriteConfirm && outcome.command !== COMMAND.mibReadConfirm
    if (isRefused && !('write' in step && step.mayFail)) {
      this.failReset(`${MIB_NAMES[object]}: ${refusal(outcome)}`, now)
      return
    }
    if ('read' in step && !isRefused) {
      const { data } = outcome
      if (step.expected !== undefined && toHex(data) !== toHex(step.expected)) {
        const found = `${MIB_NAMES[object]} is ${toHex(data)}, ${toHex(step.expected)} was written`
        this.failReset(found, now)
        return
      }
      if (object === MIB.firmware) this.firmware = toHex(data)
      if (object === MIB.phyCounters) this.phyCounters = readCounters(data)
      if (object === MIB.dlCounters)
        this.tell(this.hearing.counters(this.phyCounters, readCounters(data), now))
    }
    this.next(now)
  }

  private tell(report: Report | undefined): void {
    if (report !== undefined) this.owner.report(report)
  }
}

/** What an error frame says. */
function refusal({ command, data }: Extract<Outcome, { type: 'answered' }>): string {
  const code = data[0] ?? 0
  return command === COMMAND.syntaxError
    ? `the modem does not know command ${hex(code)}`
    : `refused: ${ERRORS[code] ?? hex(code)}`
}
