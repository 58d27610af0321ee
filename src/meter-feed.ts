/** One source with its decoder: bytes in, what the control core may use of them out. */
import type { ControlEvent } from './control/model.ts'
import type { Decoder, DecoderDefinition, DecoderEvent, InvocationCounter } from './decoder.ts'
import { formatSerial } from './decoder.ts'
import type { DecodeErrorCode } from './errors.ts'
import { maskId } from './event-log.ts'
import type { Source, SourceEvent, Timers } from './io/ports.ts'
import {
  diagnose,
  type LineStats,
  newLineStats,
  observeBytes,
  observeEvent,
} from './line-health.ts'
import type { Instant, Note, Reading } from './reading.ts'
import { ScaleTrust } from './scale-trust.ts'

/** A meter as it is configured. */
export interface AgentMeter {
  readonly source: Source
  readonly definition: DecoderDefinition
  /** Parsed options of the definition. */
  readonly options: unknown
  /** Silence longer than this is reported, ms; default one minute. Event-driven meters need more. */
  readonly silenceMs?: number
}

/** What a feed tells its owner. Called within the turn in which the bytes arrived. */
export interface FeedOwner {
  readonly timers: Timers
  now(): Instant
  control(event: ControlEvent, now: Instant): void
  reading(reading: Reading, notes: readonly Note[]): void
  /** An invocation counter to be remembered across a restart. */
  counter?(counter: InvocationCounter, now: Instant): void
  report(event: SourceEvent, now: Instant, kind?: string): void
}

/** Counters of one meter since the start. */
export interface FeedStatus {
  readonly source: string
  readonly decoder: string
  readonly readings: number
  readonly lastReadingAt: Instant | undefined
  readonly rejected: { readonly [Code in DecodeErrorCode]?: number }
}

const DIAGNOSE_MS = 60_000
/** Statistics start anew after this, so that what was mended is forgotten. */
const STATS_WINDOW_MS = 300_000
const SILENCE_MS = 60_000

/** Event codes of rejections; the others are `frame_rejected`. */
const REJECTION_EVENTS: { readonly [Code in DecodeErrorCode]?: string } = {
  LINK_BAD_CHECKSUM: 'frame_crc_error',
  LINK_INCOMPLETE: 'frame_crc_error',
  CIPHER_AUTH_FAILED: 'frame_auth_failed',
  CIPHER_REPLAY: 'frame_replay',
}

/** State of one meter: its decoder, the decoder's timer and the counters. */
export class MeterFeed {
  readonly source: Source
  private readonly meter: AgentMeter
  private readonly owner: FeedOwner
  private readonly decoder: Decoder
  private readonly trust = new ScaleTrust()
  private cancelWake: (() => void) | undefined
  private readings = 0
  private lastReadingAt: Instant | undefined
  private rejected: { [Code in DecodeErrorCode]?: number } = {}
  private meterId: string | undefined
  private stats: LineStats
  private diagnosedAt: Instant
  private finding: string | undefined
  private readonly settingsTried = new Set<string>()

  constructor(meter: AgentMeter, owner: FeedOwner) {
    this.meter = meter
    this.source = meter.source
    this.owner = owner
    this.decoder = meter.definition.create(meter.options)
    this.diagnosedAt = owner.now()
    this.stats = newLineStats(this.diagnosedAt)
  }

  /** Bytes that arrived at `at`. What they complete has left as a decision when this returns. */
  bytes(chunk: Uint8Array, at: Instant): void {
    this.handle(this.decoder.push(chunk, at), at)
    this.stats = observeBytes(this.stats, chunk, at)
    this.arm()
  }

  /** Something happened to the source. */
  sourceEvent(event: SourceEvent): void {
    if (event.settings !== undefined) this.settingsTried.add(formatSerial(event.settings))
    this.owner.report(event, this.owner.now())
  }

  /** Once a second: looks at the line's health when it is time. */
  tick(now: Instant): void {
    if (now - this.diagnosedAt < DIAGNOSE_MS) return
    this.diagnosedAt = now
    const { definition, silenceMs = SILENCE_MS } = this.meter
    const facts = {
      silenceMs,
      settingsTried: [...this.settingsTried],
      expectsAscii: definition.id.startsWith('p1'),
      isGateway: definition.input === 'message',
    }
    const finding = diagnose(this.stats, facts, now)
    if (finding !== undefined && finding.code !== this.finding)
      this.owner.report({ level: 'warn', ...finding }, now)
    this.finding = finding?.code
    if (now - this.stats.since >= STATS_WINDOW_MS)
      this.stats = {
        ...newLineStats(now),
        lastByteAt: this.stats.lastByteAt,
        lastReadingAt: this.stats.lastReadingAt ?? this.stats.since,
      }
  }

  /** Lets go of the timer. */
  stop(): void {
    this.cancelWake?.()
    this.cancelWake = undefined
  }

  status(): FeedStatus {
    return {
      source: this.source.id,
      decoder: this.meter.definition.id,
      readings: this.readings,
      lastReadingAt: this.lastReadingAt,
      rejected: { ...this.rejected },
    }
  }

  private arm(): void {
    this.stop()
    const at = this.decoder.wakeAt
    if (at === undefined) return
    this.cancelWake = this.owner.timers.schedule(at, () => {
      const now = this.owner.now()
      this.handle(this.decoder.wake(now), now)
      this.arm()
    })
  }

  private handle(events: readonly DecoderEvent[], now: Instant): void {
    for (const event of events) {
      this.stats = observeEvent(this.stats, event)
      switch (event.type) {
        case 'reading':
          this.take(event.reading, event.notes ?? [], now)
          break
        case 'signal':
          this.owner.control({ type: 'signal', signal: event.signal }, now)
          break
        case 'info':
          break
        case 'send':
          this.source.send?.(event.bytes)
          break
        case 'counter':
          this.owner.counter?.(event.counter, now)
          break
        case 'rejected':
          this.refuse(event.error, now)
          break
      }
    }
  }

  /** Control first: everything else can wait until the decision has left. */
  private take(reading: Reading, notes: readonly Note[], now: Instant): void {
    const first = this.readings === 0
    const previousId = this.meterId
    const id = reading.meter?.id ?? previousId
    const changed = previousId !== undefined && id !== previousId
    this.readings += 1
    this.lastReadingAt = now
    this.meterId = id
    const mayRaise = this.trust.mayRaise(reading, notes)
    this.owner.control({ type: 'reading', reading, mayRaise }, now)

    this.source.frameAccepted?.()
    this.owner.reading(reading, notes)
    if (first) {
      const detail = `first telegram, read by ${reading.decoder}${id === undefined ? '' : `, meter ${maskId(id)}`}`
      this.owner.report({ level: 'info', code: 'meter_online', detail }, now)
    }
    if (changed) {
      const detail = `the meter is ${maskId(id!)}, it was ${maskId(previousId)}: check which port this is`
      this.owner.report({ level: 'warn', code: 'meter_changed', detail }, now)
    }
  }

  private refuse(error: { code: DecodeErrorCode; message: string }, now: Instant): void {
    const { code } = error
    this.rejected[code] = (this.rejected[code] ?? 0) + 1
    // Whatever failed after the link layer stood in a frame with a right checksum.
    if (!code.startsWith('LINK_')) this.source.frameAccepted?.()
    const event = REJECTION_EVENTS[code] ?? 'frame_rejected'
    this.owner.report({ level: 'warn', code: event, detail: error.message }, now, code)
  }
}
