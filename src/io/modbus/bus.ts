/**
 * One connection that several boxes may share: a line has one request at a time, in the order of urgency, with the
 * silence between them that the boxes need. Opens by itself and opens again.
 */
import { AmpacityError } from '../../errors.ts'
import type { Instant } from '../../reading.ts'
import { Backoff, type BackoffLimits } from '../backoff.ts'
import {
  ModbusException,
  ModbusGone,
  type ModbusLink,
  ModbusSilence,
  type OpenLink,
} from './link.ts'
import { sleep, type Time, untilAborted } from './wait.ts'

/** Lower limits before everything, looking last. */
export const URGENCY = { cut: 0, write: 1, keepAlive: 2, look: 3 } as const
export type Urgency = (typeof URGENCY)[keyof typeof URGENCY]

export interface BusOptions {
  /** What people call it: `tcp://host:port`, or the serial port. */
  readonly name: string
  readonly open: OpenLink
  readonly time: Time
  /**
   * Frames carry no number, so that a late answer would be taken for that of the next request: the line is opened anew
   * after each silence.
   */
  readonly anewAfterSilence: boolean
  readonly backoff?: BackoffLimits
}

/** Who wants to know whether the connection is there. */
export interface BusListener {
  up(): void
  down(reason: Error): void
}

interface Job {
  readonly urgency: Urgency
  readonly gapMs: number
  readonly run: (link: ModbusLink) => Promise<void>
  readonly fail: (error: Error) => void
}

/** Unanswered requests in a row after which a connection is taken for dead. */
const SILENCES = 2
/** Answers that come later than the time-out are let run out for this long, ms. */
const LATE_MS = 200

export class ModbusBus {
  readonly name: string
  private readonly options: BusOptions
  private readonly backoff: Backoff
  private readonly listeners = new Set<BusListener>()
  private holders = 0
  private loop: Promise<void> | undefined
  private stop = new AbortController()
  private link: ModbusLink | undefined
  private drop: (reason: Error) => void = () => {}
  private jobs: Job[] = []
  private running = false
  private freeAt: Instant = Number.NEGATIVE_INFINITY
  private silences = 0
  /** The line is being opened anew: what waits goes on waiting. */
  private reopening = false

  constructor(options: BusOptions) {
    this.name = options.name
    this.options = options
    this.backoff = new Backoff(options.backoff)
  }

  get isUp(): boolean {
    return this.link !== undefined || this.reopening
  }

  /** Keeps the connection until the signal aborts; the last one to let go closes it. Rejects for faults of our own. */
  async hold(listener: BusListener, signal: AbortSignal): Promise<void> {
    this.listeners.add(listener)
    this.holders += 1
    if (this.loop === undefined) {
      this.stop = new AbortController()
      this.loop = this.keepOpen(this.stop.signal)
    } else if (this.isUp) listener.up()
    const { aborted, forget } = untilAborted(signal)
    try {
      await Promise.race([this.loop, aborted])
    } finally {
      forget()
      this.listeners.delete(listener)
      this.holders -= 1
      if (this.holders === 0) {
        this.stop.abort()
        await this.loop
        this.loop = undefined
      }
    }
  }

  /**
   * Makes a request when its turn comes; one that still waits when the signal aborts is taken back. Rejects as the link
   * does, or with `Error` where there is no connection.
   */
  request<T>(
    urgency: Urgency,
    gapMs: number,
    ask: (link: ModbusLink) => Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) => {
        signal.removeEventListener('abort', takeBack)
        reject(error)
      }
      const job: Job = {
        urgency,
        gapMs,
        fail,
        run: async link => {
          signal.removeEventListener('abort', takeBack)
          try {
            resolve(await ask(link))
            this.answered()
          } catch (error) {
            reject(error)
            this.failed(error)
          }
        },
      }
      const takeBack = () => {
        this.jobs = this.jobs.filter(other => other !== job)
        fail(new ModbusGone('given up for a newer command'))
      }
      if (!this.isUp) fail(new ModbusGone(`${this.name}: not connected`))
      else if (signal.aborted) takeBack()
      else {
        signal.addEventListener('abort', takeBack, { once: true })
        this.jobs.push(job)
        this.next()
      }
    })
  }

  private async keepOpen(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const reason = await this.session(signal)
      this.link = undefined
      if (signal.aborted) break
      if (this.reopening) {
        await sleep(LATE_MS, this.options.time, signal)
        continue
      }
      this.tellDown(reason)
      await sleep(this.backoff.next(), this.options.time, signal)
    }
    this.reopening = false
    this.tellDown(new Error(`${this.name}: closed`))
  }

  /** One connection from beginning to end; the reason why it ended. */
  private async session(signal: AbortSignal): Promise<Error> {
    let link: ModbusLink
    try {
      link = await this.options.open(signal)
    } catch (error) {
      this.reopening = false
      if (error instanceof AmpacityError) return error
      throw error
    }
    const dropped = new Promise<Error>(resolve => {
      this.drop = resolve
    })
    this.link = link
    this.silences = 0
    const isNew = !this.reopening
    this.reopening = false
    if (isNew) for (const listener of [...this.listeners]) listener.up()
    this.next()
    const { aborted, forget } = untilAborted(signal)
    const closed = aborted.then(() => new Error(`${this.name}: closed`))
    const reason = await Promise.race([link.ended, dropped, closed])
    forget()
    link.close()
    return reason
  }

  private tellDown(reason: Error): void {
    const waiting = this.jobs
    this.jobs = []
    for (const job of waiting) job.fail(new ModbusGone(reason.message))
    for (const listener of [...this.listeners]) listener.down(reason)
  }

  private next(): void {
    if (this.running || this.link === undefined || this.jobs.length === 0) return
    this.running = true
    this.takeTurn(this.link).catch((error: unknown) => this.drop(error as Error))
  }

  /** Waits for the silence, then takes what is most urgent by then. */
  private async takeTurn(link: ModbusLink): Promise<void> {
    const { time } = this.options
    const { signal } = this.stop
    const gapMs = Math.max(...this.jobs.map(job => job.gapMs))
    const waitMs = this.freeAt + gapMs - time.clock.now()
    if (waitMs > 0) await sleep(waitMs, time, signal)
    const job = this.mostUrgent()
    if (job !== undefined && this.link === link) {
      this.jobs = this.jobs.filter(other => other !== job)
      await job.run(link)
      this.freeAt = time.clock.now()
    }
    this.running = false
    this.next()
  }

  private mostUrgent(): Job | undefined {
    return this.jobs.reduce<Job | undefined>(
      (best, job) => (best === undefined || job.urgency < best.urgency ? job : best),
      undefined,
    )
  }

  private answered(): void {
    this.silences = 0
    this.backoff.reset()
  }

  private failed(error: unknown): void {
    if (error instanceof ModbusException) this.answered()
    if (!(error instanceof ModbusSilence)) return
    this.silences += 1
    const { anewAfterSilence } = this.options
    if (!anewAfterSilence && this.silences < SILENCES) return
    this.reopening = anewAfterSilence
    this.link = undefined
    this.drop(error)
  }
}
