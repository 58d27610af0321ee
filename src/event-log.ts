/** Events for people and machines: to the log and to whoever listens, repeats at most once a minute. */
import type { Clock, Log, SourceEvent } from './io/ports.ts'
import type { Instant } from './reading.ts'

/** Something that happened, as the journal and MQTT carry it. */
export interface AgentEvent {
  /** Epoch ms. */
  readonly at: number
  readonly level: SourceEvent['level']
  /** Lower snake case, stable. */
  readonly code: string
  /** What was found and what to do. */
  readonly detail: string
  /** Source or output it concerns. */
  readonly source?: string
  /** How often it happened since it was last told, where more than once. */
  readonly count?: number
}

/** What is told at most once in this time, per code and source, ms. */
const REPEAT_MS = 60_000

/** Events that are told each time. */
const ALWAYS: ReadonlySet<string> = new Set(['limit_changed'])

interface Repeat {
  toldAt: Instant
  /** Happened since, not yet told. */
  untold: number
}

/** Takes events, tells them. */
export class EventLog {
  private readonly log: Log
  private readonly clock: Clock
  private readonly onEvent: (event: AgentEvent) => void
  private readonly repeats = new Map<string, Repeat>()

  constructor(log: Log, clock: Clock, onEvent: (event: AgentEvent) => void = () => {}) {
    this.log = log
    this.clock = clock
    this.onEvent = onEvent
  }

  /**
   * Tells the event now, or counts it if the same was told within the last minute. The same is what has the same
   * source and code, or `kind` where one code stands for several things.
   */
  report(event: SourceEvent, now: Instant, source?: string, kind: string = event.code): void {
    const key = `${kind} ${source ?? ''}`
    const repeat = this.repeats.get(key)
    if (repeat !== undefined && now - repeat.toldAt < REPEAT_MS && !ALWAYS.has(event.code)) {
      repeat.untold += 1
      return
    }
    const count = 1 + (repeat?.untold ?? 0)
    this.repeats.set(key, { toldAt: now, untold: 0 })
    const { level, code, detail } = event
    const told = { code, ...(source !== undefined && { source }), ...(count > 1 && { count }) }
    this.log[level](told, detail)
    this.onEvent({ at: this.clock.wall(), level, detail, ...told })
  }
}

/** A meter id as logs show it: the last four characters. */
export function maskId(id: string): string {
  return id.length <= 4 ? id : `…${id.slice(-4)}`
}
