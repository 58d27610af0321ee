/** What the edges implement: where bytes come from, where commands go, what time it is. */

import type { ChargerStatus, LimitCommand } from '../control/model.ts'
import type { SerialSettings } from '../decoder.ts'
import type { Instant } from '../reading.ts'

/** Receives bytes with the instant of their arrival. */
export type Sink = (chunk: Uint8Array, at: Instant) => void

/** Something that delivers bytes: a serial port, a socket, a recording. */
export interface Source {
  readonly id: string
  /**
   * Runs until the signal aborts or the input ends, reconnecting on its own. Reports what happens to the outside
   * through `report`; rejects only for faults of our own.
   */
  run(sink: Sink, report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void>
  /** Tells the source that a frame with a right checksum arrived (a serial source settles its parity on it). */
  frameAccepted?(): void
  /** Tells whether a vehicle may be charging: what is polled is then polled more often. */
  charging?(isCharging: boolean): void
  /** Sends bytes to the meter or gateway; lost while there is no connection. Absent where nothing can be sent. */
  send?(bytes: Uint8Array): void
}

/** What happened to a source. Codes are stable, `detail` says what was found and what to do. */
export interface SourceEvent {
  readonly level: 'info' | 'warn' | 'error'
  readonly code: string
  readonly detail: string
  readonly settings?: SerialSettings
}

/** Where the decision goes. */
export interface Output {
  readonly id: string
  /** Carries the newest command out; resolves with what is known of the wallbox. Rejects when it cannot be reached. */
  apply(command: LimitCommand, signal: AbortSignal): Promise<ChargerStatus | undefined>
  /**
   * What the wallbox says now, without writing; called about once a second where present. `undefined` = nothing new.
   * Rejects when it cannot be reached, which only a failed `apply` makes an event.
   */
  read?(signal: AbortSignal): Promise<ChargerStatus | undefined>
  /**
   * Resolves once a command would leave; absent where `apply` itself tells. Rejects when the signal aborts before.
   */
  ready?(signal: AbortSignal): Promise<void>
  /** Writes the safe value and lets go. */
  close(): Promise<void>
  /**
   * Holds what the output needs between commands (a connection to a broker), reconnecting on its own, until `close`
   * was called or the signal aborts. Rejects only for faults of our own.
   */
  run?(report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void>
}

/** The only two clocks. */
export interface Clock {
  /** Monotonic, ms: age, holds, time-outs. Never shown to people. */
  now(): Instant
  /** Wall clock, epoch ms: schedules, logs, payloads. Never subtracted. */
  wall(): number
}

/** Calls back later; what tests replace by a list they walk through. */
export interface Timers {
  /** Runs `task` once, not before `at`. The function returned cancels it. */
  schedule(at: Instant, task: () => void): () => void
}

/** A log line: fields for machines with a `code`, one sentence for people. */
export type LogLine = (fields: { readonly [key: string]: unknown }, message: string) => void

/** The logger, created at the command line and handed in. */
export interface Log {
  readonly debug: LogLine
  readonly info: LogLine
  readonly warn: LogLine
  readonly error: LogLine
}
