/** Stand-ins for the ports, with memory: a clock one walks, a source one pushes, a box that refuses and lags. */
import type { ChargerStatus, LimitCommand } from '../src/control/model.ts'
import type { Clock, Log, Output, Sink, Source, SourceEvent, Timers } from '../src/io/ports.ts'
import type { Instant } from '../src/reading.ts'

/** Clock and timers that move only when told to. */
export class VirtualTime implements Clock, Timers {
  private instant: Instant = 1000
  private wallOffset = Date.UTC(2026, 0, 5, 11)
  private tasks: { at: Instant; task: () => void }[] = []

  now(): Instant {
    return this.instant
  }

  wall(): number {
    return this.wallOffset + this.instant
  }

  setWall(epochMs: number): void {
    this.wallOffset = epochMs - this.instant
  }

  schedule(at: Instant, task: () => void): () => void {
    const entry = { at, task }
    this.tasks.push(entry)
    return () => {
      this.tasks = this.tasks.filter(other => other !== entry)
    }
  }

  get pending(): number {
    return this.tasks.length
  }

  /** Walks on, running what falls due on the way, promises in between settled. */
  async advance(ms: number): Promise<void> {
    const end = this.instant + ms
    await settle()
    for (;;) {
      this.tasks.sort((a, b) => a.at - b.at)
      const next = this.tasks[0]
      if (next === undefined || next.at > end) break
      this.tasks.shift()
      this.instant = Math.max(this.instant, next.at)
      next.task()
      await settle()
    }
    this.instant = end
  }
}

/** Lets every promise that can settle do so. */
export function settle(): Promise<void> {
  return new Promise(resolve => {
    setImmediate(resolve)
  })
}

/** Waits in real time until `condition` holds; false after `ms`. */
export async function until(condition: () => boolean, ms = 15_000): Promise<boolean> {
  const end = performance.now() + ms
  while (!condition()) {
    if (performance.now() > end) return false
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  return true
}

/** A source that delivers what the test pushes. */
export class PushSource implements Source {
  readonly id: string
  accepted = 0
  readonly sent: Uint8Array[] = []
  running = false
  private sink: Sink = () => {}
  private report: (event: SourceEvent) => void = () => {}
  private reject: (error: Error) => void = () => {}

  constructor(id = 'meter') {
    this.id = id
  }

  async run(sink: Sink, report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void> {
    this.sink = sink
    this.report = report
    this.running = true
    await new Promise<void>((resolve, reject) => {
      this.reject = reject
      if (signal.aborted) resolve()
      signal.addEventListener('abort', () => resolve(), { once: true })
    })
    this.running = false
  }

  push(bytes: Uint8Array | string, at: Instant): void {
    this.sink(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, at)
  }

  tell(event: SourceEvent): void {
    this.report(event)
  }

  breakDown(error: Error): void {
    this.reject(error)
  }

  frameAccepted(): void {
    this.accepted += 1
  }

  send(bytes: Uint8Array): void {
    this.sent.push(bytes)
  }
}

/** A box with memory. It answers at once unless told to refuse, to lag or to hang. */
export class FakeBox implements Output {
  readonly id: string
  /** Limits that reached the box, in order. */
  readonly applied: number[] = []
  /** Limits it was asked for, in order. */
  readonly asked: number[] = []
  closed = false
  refuse = false
  hang = false
  /** Ignores the abort of a write, as a box behind a slow bus does. */
  deaf = false
  lagMs = 0
  status: ChargerStatus | undefined
  reads = 0
  concurrent = 0
  maxConcurrent = 0
  private readonly time: VirtualTime

  constructor(time: VirtualTime, id = 'box') {
    this.time = time
    this.id = id
  }

  async apply(command: LimitCommand, signal: AbortSignal): Promise<ChargerStatus | undefined> {
    this.asked.push(command.limitA)
    this.concurrent += 1
    this.maxConcurrent = Math.max(this.maxConcurrent, this.concurrent)
    try {
      if (this.refuse) throw new Error('connection refused')
      if (this.lagMs > 0 || this.hang) await this.lag(signal)
      this.applied.push(command.limitA)
      return this.status
    } finally {
      this.concurrent -= 1
    }
  }

  async read(): Promise<ChargerStatus | undefined> {
    this.reads += 1
    if (this.refuse) throw new Error('connection refused')
    return this.status
  }

  async close(): Promise<void> {
    if (this.refuse) throw new Error('connection refused')
    this.closed = true
    this.applied.push(0)
  }

  private lag(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (!this.hang) this.time.schedule(this.time.now() + this.lagMs, resolve)
      if (!this.deaf) signal.addEventListener('abort', () => reject(new Error('aborted')))
    })
  }
}

/** A log that remembers. */
export function memoryLog(): Log & { lines: { [key: string]: unknown }[] } {
  const lines: { [key: string]: unknown }[] = []
  const line =
    (level: string) => (fields: { readonly [key: string]: unknown }, message: string) => {
      lines.push({ level, ...fields, message })
    }
  return {
    lines,
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
  }
}

/** A command as the core would give it. */
export function command(limitA: number, more: Partial<LimitCommand> = {}): LimitCommand {
  return {
    seq: 1767610800000,
    chargePoint: '1',
    limitA,
    phases: 3,
    code: 'LIMIT_FUSE_L2',
    limitedBy: 'main_fuse_l2',
    text: `Charging at ${limitA} A`,
    headroomA: [20, limitA, 20],
    validForS: 30,
    readingAgeS: 0.5,
    at: 1000,
    ...more,
  }
}
