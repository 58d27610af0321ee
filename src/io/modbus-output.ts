/**
 * A wallbox on Modbus as an output. What is special about a box is in its profile; here is when it is told, asked and
 * kept alive:
 *
 *     connected ─> is it the box? ─> prepare ─> newest command ─> its own fail-safe ─> commands, looks, signs of life
 *         ^                                                                                     │
 *         └───────────────────────────── silent, or the connection ended <─────────────────────┘
 *
 * Signs of life are given only while a decision is valid and the box obeys. When decisions stop, the safe current is
 * written, and then the box is left to its own fail-safe; so is a box that refuses its commands or does not follow them.
 */
import type { ChargerStatus, LimitCommand } from '../control/model.ts'
import type { Instant } from '../reading.ts'
import { Backoff, type BackoffLimits } from './backoff.ts'
import { type StopAction, stopLimit } from './box-current.ts'
import { systemTimers } from './clock.ts'
import { Box, ProfileMismatch } from './modbus/box.ts'
import { chargerStatus } from './modbus/box-status.ts'
import type { ModbusBus } from './modbus/bus.ts'
import {
  changesOf,
  type FoundFailSafe,
  failSafeEvents,
  noDeadMan,
  whenLeft,
} from './modbus/fail-safe.ts'
import { fallsAfterMs, isLifeSignDue } from './modbus/life-sign.ts'
import { LimitWriter } from './modbus/limit-writer.ts'
import { ModbusException, ModbusGone, ModbusSilence } from './modbus/link.ts'
import { Presence } from './modbus/presence.ts'
import type { ChargerProfile } from './modbus/profile.ts'
import { sleep, type Time } from './modbus/wait.ts'
import type { Clock, Output, SourceEvent, Timers } from './ports.ts'

export interface ModbusOutputOptions {
  readonly id: string
  readonly profile: ChargerProfile
  readonly bus: ModbusBus
  /** That of the profile where absent. */
  readonly unit?: number
  readonly chargePoint?: string
  /** Written when decisions stop, and on close unless `stop` says otherwise, A per phase; 0 = pause. */
  readonly failsafeA: number
  readonly stop?: StopAction
  /** The box's own fail-safe: set where it differs from this, or only compared. */
  readonly ownFailSafe: { readonly manage: boolean; readonly timeoutS: number }
  readonly clock: Clock
  readonly timers?: Timers
  readonly backoff?: BackoffLimits
}

/** How often it is looked whether a sign of life is due or the decision is over, ms. */
const TICK_MS = 250
/** The driver's second is not a second on every clock. */
const JITTER_MS = 250
/** Refusals in a row after which a box is left to its own fail-safe. */
const REFUSALS = 3
/** How much longer than its time-out it is left alone, and how long where that is not known, ms. */
const REST_MORE_MS = 2000
const REST_MS = 60_000

/** An output over Modbus. `apply` rejects while the box is not there, and when it refuses. */
export function modbusOutput(options: ModbusOutputOptions): Output {
  return new ModbusOutput(options)
}

class ModbusOutput implements Output {
  readonly id: string
  private readonly options: ModbusOutputOptions
  private readonly profile: ChargerProfile
  private readonly chargePoint: string
  private readonly time: Time
  private readonly backoff: Backoff
  private readonly presence = new Presence()
  private readonly box: Box
  private readonly closing = new AbortController()
  private readonly toldOnce = new Set<string>()
  private readonly writer: LimitWriter
  private report: (event: SourceEvent) => void = () => {}
  private found: FoundFailSafe = { timeoutS: null, amperes: null }
  private lookedAt: Instant = Number.NEGATIVE_INFINITY
  private answerAt: Instant = Number.NEGATIVE_INFINITY
  private tokenAt: Instant = Number.NEGATIVE_INFINITY
  private refusals = 0
  private restMs = 0
  /** The command whose validity ended and was dealt with. */
  private expired: LimitCommand | undefined

  constructor(options: ModbusOutputOptions) {
    const { id, profile, bus, clock, timers = systemTimers(clock) } = options
    this.id = id
    this.options = options
    this.profile = profile
    this.chargePoint = options.chargePoint ?? '1'
    this.time = { clock, timers }
    this.backoff = new Backoff(options.backoff)
    const closed = () => this.presence.lose(new ModbusGone('closed'))
    this.closing.signal.addEventListener('abort', closed, { once: true })
    this.box = new Box({
      profile,
      bus,
      unit: options.unit ?? profile.transport.unit,
      time: this.time,
      onSilence: error => this.presence.silent(error),
      onAnswer: () => {
        this.answerAt = clock.now()
        this.presence.answered()
      },
    })
    this.writer = new LimitWriter({
      profile,
      box: this.box,
      time: this.time,
      failsafeA: options.failsafeA,
      tell: event => this.tell(event),
    })
  }

  async apply(command: LimitCommand, signal: AbortSignal): Promise<undefined> {
    if (command.chargePoint !== this.chargePoint) return
    this.writer.command = command
    await this.presence.settled(signal)
    try {
      await this.writer.carryOut(signal)
      this.refusals = 0
    } catch (error) {
      if (error instanceof ModbusException && ++this.refusals >= REFUSALS) this.leaveAlone(error)
      throw error
    }
  }

  async read(signal: AbortSignal): Promise<ChargerStatus | undefined> {
    const now = this.time.clock.now()
    const { profile, writer } = this
    if (!this.presence.isReady || this.isLeftAlone(now)) return undefined
    if (now - this.lookedAt < profile.read.everyS * 1000 - JITTER_MS) return undefined
    this.lookedAt = now
    const isUndisturbed = writer.mark()
    const words = await this.box.look(signal)
    if (!isUndisturbed()) return undefined
    const { inForceA, isAbove } = writer.judge(words, now)
    if (writer.isDisobeyed) this.leaveAlone(new ModbusGone('the box does not follow'))
    if (isAbove) await writer.carryOut(signal)
    return chargerStatus(profile, words, this.chargePoint, inForceA, now)
  }

  async close(): Promise<void> {
    const { stop = 'failsafe', failsafeA } = this.options
    const leftA = stopLimit(stop, failsafeA)
    try {
      if (leftA === undefined) return
      if (!this.presence.isReady)
        throw new Error(`${this.presence.failure.message}; ${whenLeft(this.profile, this.found)}`)
      await this.writer.leave(leftA, new AbortController().signal)
    } finally {
      this.closing.abort()
    }
  }

  async run(report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void> {
    this.report = report
    const stop = () => this.closing.abort()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    if (this.profile.deadMan === 'none') this.tell(noDeadMan(this.profile))
    try {
      const held = this.options.bus.hold(this.presence, this.closing.signal)
      await Promise.all([held, this.serve(this.closing.signal)])
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  private async serve(stop: AbortSignal): Promise<void> {
    for (;;) {
      const session = await this.presence.begin(stop)
      if (session === undefined) return
      let wasThere = false
      try {
        await this.begin(session)
        wasThere = true
        await this.live(session)
      } catch (error) {
        if (!isOutside(error)) throw error
        if (error instanceof ModbusException) this.leaveAlone(error)
        if (!stop.aborted) this.lost(error, wasThere)
      }
      const { restMs } = this
      this.restMs = 0
      // A connection that ended has a wait of its own.
      if (this.presence.hasLink) await sleep(Math.max(restMs, this.backoff.next()), this.time, stop)
    }
  }

  /** No request for as long as it takes the box to fall back by itself. */
  private leaveAlone(reason: Error): void {
    const { timeoutS } = this.found
    const restMs = timeoutS === null ? REST_MS : Math.min(REST_MS, timeoutS * 1000) + REST_MORE_MS
    if (this.profile.deadMan === 'device' && timeoutS !== 0) this.restMs = restMs
    this.refusals = 0
    this.presence.lose(reason)
  }

  private async begin(session: AbortSignal): Promise<void> {
    this.writer.forget()
    await this.box.prepare(session)
    await this.writer.carryOut(session)
    await this.checkFailSafe(session)
    this.tokenAt = Number.NEGATIVE_INFINITY
    this.backoff.reset()
    this.presence.ready()
    const detail = `the box answers at ${this.options.bus.name}`
    this.tell({ level: 'info', code: 'output_connected', detail })
  }

  /** Signs of life and the end of validity, until the box is lost. */
  private async live(session: AbortSignal): Promise<void> {
    while (!session.aborted) {
      const now = this.time.clock.now()
      if (this.writer.isOver(now)) await this.expire(session)
      else if (this.isLifeSignDue(now)) await this.giveLifeSign(session)
      else if (this.writer.isRaiseDue(now)) await this.writer.carryOut(session)
      await sleep(TICK_MS, this.time, session)
    }
    throw new ModbusGone(this.presence.failure.message)
  }

  private lost(error: Error, wasThere: boolean): void {
    this.presence.lose(error)
    if (error instanceof ProfileMismatch)
      this.tell({ level: 'error', code: 'profile_mismatch', detail: error.message })
    else {
      const left = wasThere ? `; ${whenLeft(this.profile, this.found)}` : ''
      this.tell({ level: 'warn', code: 'output_lost', detail: `${error.message}${left}` })
    }
  }

  /** Any request would keep a command alive that is over. */
  private isLeftAlone(now: Instant): boolean {
    const { command } = this.writer
    return this.profile.keepalive.kind === 'any' && (!command || this.writer.isOver(now))
  }

  /** Decisions have stopped: the safe current is written once. */
  private async expire(session: AbortSignal): Promise<void> {
    const { command } = this.writer
    if (command === undefined || this.expired === command) return
    await this.writer.carryOut(session)
    this.expired = command
    const detail = `no new decision for ${command.validForS} s: at most ${this.options.failsafeA} A until there is one; ${whenLeft(this.profile, this.found)}`
    this.tell({ level: 'warn', code: 'command_expired', detail })
  }

  private isLifeSignDue(now: Instant): boolean {
    const { answerAt, tokenAt, writer } = this
    const last = { answerAt, tokenAt, limitAt: writer.writtenAt }
    return writer.command !== undefined && isLifeSignDue(this.profile, this.found, last, now)
  }

  private async giveLifeSign(session: AbortSignal): Promise<void> {
    const { keepalive } = this.profile
    if (keepalive.kind === 'rewrite') return this.writer.carryOut(session)
    if (keepalive.kind !== 'token') return this.box.touch(session)
    const now = this.time.clock.now()
    const mayHaveFallen = now - this.tokenAt >= fallsAfterMs(this.profile, this.found)
    this.tokenAt = now
    const value = keepalive.value === 'timeout' ? this.found.timeoutS! : keepalive.value
    await this.box.set(keepalive.write, value, session)
    // A box that had fallen back takes commands only from now on.
    if (mayHaveFallen) await this.writer.carryOut(session)
  }

  private async checkFailSafe(session: AbortSignal): Promise<void> {
    const { failsafeA, ownFailSafe } = this.options
    const wanted = { amperes: failsafeA, ...ownFailSafe }
    this.found = await this.box.failSafe(session)
    const changes = changesOf(this.profile, this.found, wanted)
    if (Object.keys(changes).length > 0) {
      await this.box.setFailSafe(changes, session)
      const read = await this.box.failSafe(session)
      this.found = {
        timeoutS: read.timeoutS ?? changes.timeoutS ?? null,
        amperes: read.amperes ?? changes.amperes ?? null,
      }
      const detail = `its own fail-safe is now ${this.found.amperes ?? '?'} A after ${this.found.timeoutS ?? '?'} s`
      this.tell({ level: 'info', code: 'failsafe_set', detail })
    }
    for (const event of failSafeEvents(this.profile, this.found, wanted)) this.tellOnce(event)
  }

  private tell({ detail, ...event }: SourceEvent): void {
    this.report({ ...event, detail: `output ${this.id}: ${detail}` })
  }

  private tellOnce(event: SourceEvent): void {
    if (this.toldOnce.has(event.detail)) return
    this.toldOnce.add(event.detail)
    this.tell(event)
  }
}

/** What the outside did; anything else is a fault of ours. */
function isOutside(error: unknown): error is Error {
  return [ModbusException, ModbusGone, ModbusSilence, ProfileMismatch].some(
    kind => error instanceof kind,
  )
}
