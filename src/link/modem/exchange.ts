/**
 * One request from host to modem (ST UM0932 rev 3, 2.2): the modem is the master of the line, so the host asks for it.
 *
 *     T_REQ low ── status ──> STX, T_REQ high, rest of the frame ── ACK ──> confirm or error
 *         │ none: again, three times        │ busy: again          │ NAK, none: again
 *
 * Without a request line (a bridge that holds it, a pty) the frame is sent at once. Pure: what is to be done comes out
 * as actions, time comes in.
 */
import type { Instant } from '../../reading.ts'
import type { LinkEvent } from './dialect.ts'

/** What the owner of the port is to do, in this order. */
export type LineAction =
  | { readonly type: 'write'; readonly bytes: Uint8Array }
  /** T_REQ: active is low. Takes effect after everything written before has left. */
  | { readonly type: 'request-line'; readonly active: boolean }
  /** RESETN: active is low. */
  | { readonly type: 'reset-line'; readonly active: boolean }

/** How long things may take, ms. */
export interface ExchangeTimings {
  /** Status message after T_REQ went low. */
  readonly statusMs: number
  /** ACK after the frame: T_ACK is 40 ms, USB adapters and busy hosts add to it. */
  readonly ackMs: number
  /** Confirm after the ACK. */
  readonly answerMs: number
  /** Pause before a request is repeated, and while the modem is busy. */
  readonly againMs: number
  /** A modem that is busy for so long hangs. */
  readonly busyMs: number
}

/** Times of the maker's own driver where it has them. */
export const DEFAULT_EXCHANGE_TIMINGS: ExchangeTimings = {
  statusMs: 200,
  ackMs: 200,
  answerMs: 4000,
  againMs: 20,
  busyMs: 5000,
}

/** Times that a request is sent. */
const ATTEMPTS = 3

/** A request: its frame and the commands that answer it. */
export interface Request {
  readonly frame: Uint8Array
  readonly answers: readonly number[]
}

/** How a request ended. */
export type Outcome =
  | { readonly type: 'answered'; readonly command: number; readonly data: Uint8Array }
  /** What was waited for in vain. */
  | { readonly type: 'failed'; readonly waitedFor: 'status' | 'ACK' | 'confirm' | 'end of busy' }

type State = 'idle' | 'status' | 'ack' | 'answer' | 'pause'

const WAITED_FOR = { status: 'status', ack: 'ACK', answer: 'confirm' } as const

export class Exchange {
  private readonly hasRequestLine: boolean
  private readonly timings: ExchangeTimings
  private readonly act: (action: LineAction) => void
  private state: State = 'idle'
  private until: Instant = 0
  private request: Request = { frame: new Uint8Array(0), answers: [] }
  private attempts = 0
  private busySince: Instant | undefined

  constructor(
    hasRequestLine: boolean,
    timings: ExchangeTimings,
    act: (action: LineAction) => void,
  ) {
    this.hasRequestLine = hasRequestLine
    this.timings = timings
    this.act = act
  }

  /** When {@link wake} is wanted; `undefined` while no request is on its way. */
  get wakeAt(): Instant | undefined {
    return this.state === 'idle' ? undefined : this.until
  }

  /** Begins a request, which takes the place of one that is on its way. */
  begin(request: Request, now: Instant): void {
    this.request = request
    this.attempts = 0
    this.busySince = undefined
    this.attempt(now)
  }

  /** Gives up what is on its way. */
  cancel(): void {
    if (this.state === 'status') this.release()
    this.state = 'idle'
  }

  /** Takes what the modem said; gives how the request ended, if it did. */
  take(event: LinkEvent, now: Instant): Outcome | undefined {
    const { state } = this
    if (event.type === 'status' && state === 'status') {
      if (event.busy) return this.busy(now)
      this.send(now)
    } else if (event.type === 'ack' && state === 'ack') this.waitFor('answer', now)
    else if (event.type === 'nak' && state === 'ack') return this.again('ACK', now)
    // A confirm proves that the frame arrived, whatever became of the ACK.
    else if (event.type === 'frame' && (state === 'answer' || state === 'ack')) {
      const { command, data } = event
      if (!this.request.answers.includes(command)) return undefined
      this.state = 'idle'
      return { type: 'answered', command, data }
    }
    return undefined
  }

  /** Does what the time requires. Calling it early is harmless. */
  wake(now: Instant): Outcome | undefined {
    const { state } = this
    if (state === 'idle' || now < this.until) return undefined
    if (state !== 'pause') {
      if (state === 'status') this.release()
      return this.again(WAITED_FOR[state], now)
    }
    this.attempt(now)
    return undefined
  }

  private attempt(now: Instant): void {
    if (this.busySince === undefined) this.attempts++
    if (!this.hasRequestLine) {
      this.send(now)
      return
    }
    this.act({ type: 'request-line', active: true })
    this.waitFor('status', now)
  }

  /** The line is let go as soon as the first byte has left. */
  private send(now: Instant): void {
    const { frame } = this.request
    this.busySince = undefined
    if (this.hasRequestLine) {
      this.act({ type: 'write', bytes: frame.subarray(0, 1) })
      this.release()
      this.act({ type: 'write', bytes: frame.subarray(1) })
    } else this.act({ type: 'write', bytes: frame })
    this.waitFor('ack', now)
  }

  private busy(now: Instant): Outcome | undefined {
    this.release()
    this.busySince ??= now
    if (now - this.busySince > this.timings.busyMs) {
      this.state = 'idle'
      return { type: 'failed', waitedFor: 'end of busy' }
    }
    this.pause(now)
    return undefined
  }

  private again(waitedFor: 'status' | 'ACK' | 'confirm', now: Instant): Outcome | undefined {
    if (this.attempts >= ATTEMPTS) {
      this.state = 'idle'
      return { type: 'failed', waitedFor }
    }
    this.pause(now)
    return undefined
  }

  private pause(now: Instant): void {
    this.state = 'pause'
    this.until = now + this.timings.againMs
  }

  private waitFor(state: 'status' | 'ack' | 'answer', now: Instant): void {
    const { statusMs, ackMs, answerMs } = this.timings
    this.state = state
    this.until = now + { status: statusMs, ack: ackMs, answer: answerMs }[state]
  }

  private release(): void {
    this.act({ type: 'request-line', active: false })
  }
}
