/**
 * Carries commands to one output: one write at a time, the newest command wins, a lower limit pre-empts, and what
 * fails is retried with whatever is newest then.
 */
import type { ChargerStatus, LimitCommand } from '../control/model.ts'
import type { Instant } from '../reading.ts'
import type { Clock, Output, SourceEvent, Timers } from './ports.ts'

/** Times of the driver, ms. */
export interface DriverTimings {
  /** An unchanged command is sent again after this. */
  readonly refreshMs: number
  /** A failed write is followed by the next attempt after this. */
  readonly retryMs: number
  /** A write that has not ended by then counts as failed. */
  readonly writeMs: number
  /** How long a pre-empted write may take to let go. */
  readonly graceMs: number
  /** The wallbox is asked how it is this often, between writes. */
  readonly readMs: number
}

/** Three refreshes fit into the 30 s for which a command is valid. */
export const DEFAULT_DRIVER_TIMINGS: DriverTimings = {
  refreshMs: 10_000,
  retryMs: 1000,
  writeMs: 5000,
  graceMs: 1000,
  readMs: 1000,
}

/** Failures in a row after which the output is called unreachable. */
const FAILURES_TO_REPORT = 3

/** What the driver needs from whoever composes it. */
export interface DriverContext {
  readonly clock: Clock
  readonly timers: Timers
  readonly timings?: Partial<DriverTimings>
  /** Told what the output knows of the wallbox. */
  onStatus(status: ChargerStatus): void
  report(event: SourceEvent): void
  /** Told of faults that are none of the output's. */
  onFault(error: unknown): void
}

interface Write {
  readonly command: LimitCommand
  readonly abort: AbortController
  preempted: boolean
  /** Ends the wait for a write that does not end. */
  cancelDeadline: () => void
}

/** State of one output. Every method returns at once. */
export class OutputDriver {
  readonly output: Output
  private readonly context: DriverContext
  private readonly timings: DriverTimings
  /** Newest command of each charge point, and when it was last carried out or tried. */
  private readonly newest = new Map<string, LimitCommand>()
  private readonly triedAt = new Map<string, Instant>()
  /** Charge points whose newest command has yet to be sent. */
  private readonly due = new Set<string>()
  private write: Write | undefined
  private cancelRetry: (() => void) | undefined
  private failures = 0
  private lastSuccess: Instant | undefined
  private firstTry: Instant | undefined
  private unreachable = false
  private readAt: Instant | undefined
  private readonly stopReading = new AbortController()
  private isReading = false
  private closed = false
  private idle: (() => void) | undefined

  constructor(output: Output, context: DriverContext) {
    this.output = output
    this.context = context
    this.timings = { ...DEFAULT_DRIVER_TIMINGS, ...context.timings }
  }

  /** Takes a command; it is on its way when this returns, unless an earlier write still has to let go. */
  submit(command: LimitCommand): void {
    if (this.closed) return
    this.newest.set(command.chargePoint, command)
    this.due.add(command.chargePoint)
    const running = this.write
    if (running === undefined) this.next()
    else if (
      command.chargePoint === running.command.chargePoint &&
      command.limitA < running.command.limitA
    )
      this.preempt(running)
  }

  /** Sends again what was last sent longer ago than `refreshMs`, and asks the wallbox how it is. */
  tick(now: Instant): void {
    if (this.closed) return
    for (const [chargePoint, at] of this.triedAt)
      if (now - at >= this.timings.refreshMs) this.due.add(chargePoint)
    if (this.write === undefined && this.cancelRetry === undefined) this.next()
    if (this.write === undefined) this.read(now)
  }

  /** Stops sending, lets a running write end within `graceMs` and closes the output, which writes its safe value. */
  async close(): Promise<void> {
    this.closed = true
    this.stopReading.abort()
    this.cancelRetry?.()
    const running = this.write
    if (running !== undefined) {
      const ended = new Promise<void>(resolve => {
        this.idle = resolve
      })
      this.preempt(running)
      await ended
    }
    await this.output.close()
  }

  private next(): void {
    this.cancelRetry?.()
    this.cancelRetry = undefined
    const command = this.mostUrgent()
    if (command === undefined || this.closed) return
    const { clock, timers } = this.context
    const now = clock.now()
    const write: Write = {
      command,
      abort: new AbortController(),
      preempted: false,
      cancelDeadline: timers.schedule(now + this.timings.writeMs, () => this.abandon(write)),
    }
    this.write = write
    this.due.delete(command.chargePoint)
    this.triedAt.set(command.chargePoint, now)
    this.firstTry ??= now
    this.start(write)
  }

  /** One question at a time; a write does not wait for the answer. */
  private read(now: Instant): void {
    const { output } = this
    if (output.read === undefined || this.isReading) return
    if (this.readAt !== undefined && now - this.readAt < this.timings.readMs) return
    this.readAt = now
    this.isReading = true
    const told = (status: ChargerStatus | undefined) => {
      this.isReading = false
      if (status !== undefined && !this.closed) this.context.onStatus(status)
    }
    output
      .read(this.stopReading.signal)
      // A wallbox that does not answer is one that tells nothing: control sees its last report age.
      .then(told, () => told(undefined))
      .catch((error: unknown) => this.context.onFault(error))
  }

  /** The lowest limit goes first: it is the one that protects. */
  private mostUrgent(): LimitCommand | undefined {
    let best: LimitCommand | undefined
    for (const chargePoint of this.due) {
      const command = this.newest.get(chargePoint)!
      if (best === undefined || command.limitA < best.limitA) best = command
    }
    return best
  }

  private start(write: Write): void {
    let applied: Promise<ChargerStatus | undefined>
    try {
      applied = this.output.apply(write.command, write.abort.signal)
    } catch (error) {
      applied = Promise.reject(error)
    }
    applied
      .then(
        status => this.succeeded(write, status),
        (error: unknown) => this.failed(write, error),
      )
      .catch((error: unknown) => this.context.onFault(error))
  }

  private succeeded(write: Write, status: ChargerStatus | undefined): void {
    const known = this.write === write
    if (known) this.release(write)
    // A write given up on has reached the box after all, maybe over a newer one: send the newest again.
    else if (this.newest.get(write.command.chargePoint) !== write.command)
      this.due.add(write.command.chargePoint)
    if (!this.closed) {
      this.failures = 0
      this.lastSuccess = this.context.clock.now()
      if (this.unreachable) {
        this.unreachable = false
        const detail = `output ${this.output.id} takes commands again`
        this.context.report({ level: 'info', code: 'output_recovered', detail })
      }
      if (status !== undefined) this.context.onStatus(status)
    }
    if (this.write === undefined) this.next()
  }

  private failed(write: Write, error: unknown): void {
    if (this.write !== write) return
    this.release(write)
    this.due.add(write.command.chargePoint)
    if (write.preempted) {
      this.next()
      return
    }
    this.countFailure(write, error)
    this.retryLater()
  }

  /** The write did not end in its time: it is left to itself and the next one starts. */
  private abandon(write: Write): void {
    if (this.write !== write) return
    write.abort.abort()
    this.failed(write, new Error(`no answer within ${this.timings.writeMs / 1000} s`))
  }

  private preempt(write: Write): void {
    if (write.preempted) return
    write.preempted = true
    write.cancelDeadline()
    const { clock, timers } = this.context
    const deadline = clock.now() + this.timings.graceMs
    write.cancelDeadline = timers.schedule(deadline, () => this.abandon(write))
    write.abort.abort()
  }

  private release(write: Write): void {
    write.cancelDeadline()
    this.write = undefined
    this.idle?.()
  }

  private retryLater(): void {
    if (this.closed) return
    const { clock, timers } = this.context
    this.cancelRetry = timers.schedule(clock.now() + this.timings.retryMs, () => this.next())
  }

  private countFailure(write: Write, error: unknown): void {
    if (this.closed) return
    this.failures += 1
    const silentMs = this.context.clock.now() - (this.lastSuccess ?? this.firstTry!)
    if (this.unreachable) return
    if (this.failures < FAILURES_TO_REPORT && silentMs < write.command.validForS * 1000) return
    this.unreachable = true
    const found = error instanceof Error ? error.message : String(error)
    this.context.report({
      level: 'error',
      code: 'output_unreachable',
      detail: `output ${this.output.id} took no command ${this.failures} times in a row: ${found}`,
    })
  }
}
