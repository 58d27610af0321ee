/**
 * The agent: meters feed the control core, its commands go to the outputs. Owns the timers and reads the clock once an
 * event; everything with a meaning is elsewhere.
 *
 *     source ─ bytes ─> feed (decoder) ─ reading ─> step ─ command ─> driver ─> output
 *                                         1 Hz tick ─^      charger status ─┘
 */
import type { ControlEvent, LimitCommand } from './control/model.ts'
import type { ControlParameters } from './control/parameters.ts'
import { type ControlState, initialState } from './control/state.ts'
import { step } from './control/step.ts'
import type { InvocationCounter } from './decoder.ts'
import { type AgentEvent, EventLog } from './event-log.ts'
import { systemTimers } from './io/clock.ts'
import { type DriverTimings, OutputDriver } from './io/output-driver.ts'
import type { Clock, Log, Output, SourceEvent, Timers } from './io/ports.ts'
import { type AgentMeter, type FeedStatus, MeterFeed } from './meter-feed.ts'
import type { Instant, Note, Reading } from './reading.ts'

/** What the agent is made of. */
export interface AgentOptions {
  readonly parameters: ControlParameters
  /** Several meters or gateways feed one core. */
  readonly meters: readonly AgentMeter[]
  readonly outputs: readonly Output[]
  readonly clock: Clock
  readonly log: Log
  /** Told of every event, repeats at most once a minute. */
  readonly onEvent?: (event: AgentEvent) => void
  /** Told of every reading, after its decision has left. */
  readonly onReading?: (reading: Reading, notes: readonly Note[], source: string) => void
  /** Told of every invocation counter that was accepted. */
  readonly onCounter?: (counter: InvocationCounter, now: Instant) => void
  /** Told of every command, after it went to the outputs. */
  readonly onDecision?: (command: LimitCommand) => void
  /** What tests replace. */
  readonly timers?: Timers
  readonly driverTimings?: Partial<DriverTimings>
}

/** What the agent knows of itself. */
export interface AgentStatus {
  readonly meters: readonly FeedStatus[]
  /** Newest command of each charge point. */
  readonly commands: readonly LimitCommand[]
}

/** An agent that was put together but not started. */
export interface Agent {
  /**
   * Runs until the signal aborts, then writes the safe value to every output, waiting at most two seconds. Rejects with
   * a fault of our own, after the same.
   */
  run(signal: AbortSignal): Promise<void>
  status(): AgentStatus
}

const TICK_MS = 1000
const SHUTDOWN_MS = 2000
/** Connections of outputs that were closed are cut; that takes no longer. */
const CUT_MS = 200

/** Wall clocks before 2024 were never set. */
const FIRST_CREDIBLE_WALL_MS = Date.UTC(2024, 0, 1)

/** Puts an agent together. */
export function createAgent(options: AgentOptions): Agent {
  return new RunningAgent(options)
}

class RunningAgent implements Agent {
  private readonly options: AgentOptions
  private readonly timers: Timers
  private readonly events: EventLog
  private readonly feeds: readonly MeterFeed[]
  private readonly drivers: readonly OutputDriver[]
  private readonly commands = new Map<string, LimitCommand>()
  private readonly stop = new AbortController()
  private state: ControlState
  private fault: { readonly error: unknown } | undefined
  private cancelTick: (() => void) | undefined

  constructor(options: AgentOptions) {
    this.options = options
    const { clock, log, parameters } = options
    this.timers = this.guarded(options.timers ?? systemTimers(clock))
    this.events = new EventLog(log, clock, options.onEvent)
    this.state = initialState(parameters, clock.now(), clock.wall())
    this.feeds = options.meters.map(meter => this.feed(meter))
    this.drivers = options.outputs.map(output => this.driver(output))
  }

  async run(signal: AbortSignal): Promise<void> {
    const abort = () => this.stop.abort()
    if (signal.aborted) abort()
    else signal.addEventListener('abort', abort, { once: true })
    const stopped = new Promise<void>(resolve => {
      if (this.stop.signal.aborted) resolve()
      else this.stop.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    // Outputs outlive the sources: the safe value still has to leave.
    const outputsStop = new AbortController()
    try {
      const outputs = this.drivers.map(driver => this.runOutput(driver, outputsStop.signal))
      this.tick(this.options.clock.now())
      const sources = this.feeds.map(feed => this.runSource(feed))
      await stopped
      this.cancelTick?.()
      for (const feed of this.feeds) feed.stop()
      await this.atMost(SHUTDOWN_MS, [...this.drivers.map(d => this.close(d)), ...sources])
      outputsStop.abort()
      await this.atMost(CUT_MS, outputs)
    } finally {
      signal.removeEventListener('abort', abort)
    }
    if (this.fault !== undefined) throw this.fault.error
  }

  status(): AgentStatus {
    return { meters: this.feeds.map(feed => feed.status()), commands: [...this.commands.values()] }
  }

  private feed(meter: AgentMeter): MeterFeed {
    const { clock, onReading, onCounter } = this.options
    const source = meter.source.id
    return new MeterFeed(meter, {
      timers: this.timers,
      now: () => clock.now(),
      control: (event, now) => this.control(event, now),
      reading: (reading, notes) => onReading?.(reading, notes, source),
      ...(onCounter === undefined ? {} : { counter: onCounter }),
      report: (event, now, kind) => this.events.report(event, now, source, kind),
    })
  }

  private driver(output: Output): OutputDriver {
    const { clock, driverTimings, parameters } = this.options
    return new OutputDriver(output, {
      clock,
      timers: this.timers,
      timings: { refreshMs: parameters.resendMs, ...driverTimings },
      onStatus: charger => this.control({ type: 'charger', charger }, clock.now()),
      report: event => this.events.report(event, clock.now(), output.id),
      onFault: error => this.fail(error),
    })
  }

  private async runSource(feed: MeterFeed): Promise<void> {
    const { signal } = this.stop
    const sink = (chunk: Uint8Array, at: Instant) => {
      if (!signal.aborted) this.guard(() => feed.bytes(chunk, at))
    }
    const report = (event: SourceEvent) => feed.sourceEvent(event)
    try {
      await feed.source.run(sink, report, signal)
    } catch (error) {
      this.fail(error)
    }
  }

  private async runOutput({ output }: OutputDriver, signal: AbortSignal): Promise<void> {
    const report = (event: SourceEvent) =>
      this.events.report(event, this.options.clock.now(), output.id)
    try {
      await output.run?.(report, signal)
    } catch (error) {
      this.fail(error)
    }
  }

  /** Safe value out; an output that cannot take it is named, the others still get theirs. */
  private async close(driver: OutputDriver): Promise<void> {
    try {
      await driver.close()
    } catch (error) {
      const found = error instanceof Error ? error.message : String(error)
      const detail = `output ${driver.output.id} did not take the safe value: ${found}`
      const event = { level: 'error', code: 'output_unreachable', detail } as const
      this.events.report(event, this.options.clock.now(), driver.output.id, 'safe_value')
    }
  }

  private tick(now: Instant): void {
    const wall = this.options.clock.wall()
    const wallMs = wall < FIRST_CREDIBLE_WALL_MS ? undefined : wall
    this.control({ type: 'tick', wallMs }, now)
    for (const feed of this.feeds) feed.tick(now)
    for (const driver of this.drivers) driver.tick(now)
    this.cancelTick = this.timers.schedule(now + TICK_MS, () => this.tick(this.options.clock.now()))
  }

  /** One event through the core; its commands are on their way when this returns. */
  private control(event: ControlEvent, now: Instant): void {
    if (this.stop.signal.aborted) return
    const { state, commands } = step(this.options.parameters, this.state, event, now)
    this.state = state
    for (const command of commands) {
      for (const driver of this.drivers) driver.submit(command)
      const previous = this.commands.get(command.chargePoint)
      this.commands.set(command.chargePoint, command)
      this.options.onDecision?.(command)
      for (const told of decisionEvents(previous, command)) this.events.report(told, now)
    }
  }

  /** Timers whose tasks end the agent when they throw. */
  private guarded(timers: Timers): Timers {
    return { schedule: (at, task) => timers.schedule(at, () => this.guard(task)) }
  }

  private guard(task: () => void): void {
    try {
      task()
    } catch (error) {
      this.fail(error)
    }
  }

  /** A fault of ours: outputs fall to their safe value and `run` rejects with the first one. */
  private fail(error: unknown): void {
    this.fault ??= { error }
    this.stop.abort()
  }

  private async atMost(ms: number, work: readonly Promise<void>[]): Promise<void> {
    let cancel = () => {}
    const late = new Promise<void>(resolve => {
      cancel = this.timers.schedule(this.options.clock.now() + ms, resolve)
    })
    await Promise.race([Promise.all(work), late])
    cancel()
  }
}

/** What a command means for people, compared with the one before it. */
export function decisionEvents(
  previous: LimitCommand | undefined,
  command: LimitCommand,
): readonly SourceEvent[] {
  const events: SourceEvent[] = []
  const wasStale = previous?.code.startsWith('STALE_') ?? false
  const isStale = command.code.startsWith('STALE_')
  const wasFailsafe = previous?.code === 'STALE_FAILSAFE'
  const isFailsafe = command.code === 'STALE_FAILSAFE'
  const { text: detail } = command
  if (isStale && !wasStale) events.push({ level: 'warn', code: 'meter_stale', detail })
  if (isFailsafe && !wasFailsafe) events.push({ level: 'error', code: 'failsafe_enter', detail })
  if (wasFailsafe && !isFailsafe) events.push({ level: 'info', code: 'failsafe_exit', detail })
  if (wasStale && !isStale)
    events.push({ level: 'info', code: 'meter_online', detail: 'telegrams arrive again' })
  if (previous?.limitA !== command.limitA)
    events.push({ level: 'info', code: 'limit_changed', detail })
  return events
}
