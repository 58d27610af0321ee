/**
 * One conversation with a power-line modem: local frames, data units, what protects them, compact frames, readings. What
 * it remembers: the report step and the powers of the contract, the meter's clock, and when its own meter was last heard.
 */

import { findCompactData } from '../../src/chain2/compact-data.ts'
import { type ReadField, readCompactFrame } from '../../src/chain2/compact-frame.ts'
import { type Dictionary, entryOf, type FrameEntry } from '../../src/chain2/dictionary.ts'
import type { Layer } from '../../src/chain2/layer.ts'
import { Pipeline } from '../../src/chain2/pipeline.ts'
import type { Decoder, DecoderEvent, Span } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import type { LinkEvent, ModemDialect, Sdu } from '../../src/link/modem/dialect.ts'
import type { Instant, Note } from '../../src/reading.ts'
import { MeterClock } from '../chain2/clock.ts'
import { presumedGapW } from '../chain2/options.ts'
import { Facts } from './facts.ts'
import type { PlcOptions } from './options.ts'
import { type Context, givesReading, readingOf, signalOf } from './reading.ts'

/** While the own meter was heard this long ago at most, what fits no key is somebody else's. */
const OWN_HEARD_MS = 20 * 60_000

export class PlcDecoder implements Decoder {
  private readonly id: string
  private readonly options: PlcOptions
  private readonly dialect: ModemDialect
  private readonly pipeline: Pipeline
  private readonly profile: string
  private readonly clock = new MeterClock()
  private lastByteAt: Instant = 0
  private ownHeardAt: Instant = Number.NEGATIVE_INFINITY
  private gapW: number | undefined
  private contractedW: number | undefined
  private availableW: number | undefined
  /** Counter of the last event by template id. */
  private readonly counters = new Map<number, number>()

  /** `id` is that of the readings. */
  constructor(id: string, options: PlcOptions) {
    this.id = id
    this.options = options
    this.dialect = options.dialect.create()
    this.pipeline = new Pipeline(options)
    this.profile = `${options.dictionary.name}/${options.dictionary.version}`
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    this.lastByteAt = at
    return this.dialect.push(chunk, at).flatMap(event => this.understand(event, at))
  }

  get wakeAt(): Instant | undefined {
    return this.dialect.wakeAt
  }

  wake(now: Instant): readonly DecoderEvent[] {
    return this.dialect.wake(now).flatMap(event => this.understand(event, this.lastByteAt))
  }

  get heldBytes(): number {
    return this.dialect.heldBytes
  }

  /** What stays between modem and host tells nothing of the meter; single bytes of it are fill. */
  private understand(event: LinkEvent, at: Instant): readonly DecoderEvent[] {
    const { type } = event
    if (type === 'send') return [event]
    if (type === 'garbage') return [{ ...event, type: 'rejected' }]
    const span = { offset: event.offset, length: event.length }
    if (type === 'repeat') return [{ type: 'info', detail: 'a frame a second time', ...span }]
    if (type === 'frame')
      return [{ type: 'info', detail: `${event.name}: the modem's own`, ...span }]
    if (type !== 'sdu') return []
    try {
      return this.read(event.sdu, span, at)
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      const isForeign = error.code === 'CIPHER_AUTH_FAILED' && at - this.ownHeardAt <= OWN_HEARD_MS
      return isForeign
        ? [{ type: 'info', detail: 'foreign traffic: a data unit that fits no key', ...span }]
        : [{ type: 'rejected', error, ...span }]
    }
  }

  private read(sdu: Sdu, span: Span, at: Instant): readonly DecoderEvent[] {
    const layer = this.pipeline.open(sdu)
    const { integrity, counter } = layer
    const isAuthentic = integrity === 'authenticated'
    if (isAuthentic) this.ownHeardAt = at
    const notes: readonly Note[] = isAuthentic ? [] : ['unauthenticated']
    const events = this.frames(layer, span, at, notes)
    return counter === undefined ? events : [{ type: 'counter', counter }, ...events]
  }

  private frames(
    layer: Layer,
    span: Span,
    at: Instant,
    notes: readonly Note[],
  ): readonly DecoderEvent[] {
    const { bytes, integrity } = layer
    const { rows, headerTime } = findCompactData(this.options.apdu, layer)
    const frames = rows.map(([start, end]) => readFrame(this.options.dictionary, bytes, start, end))
    const last = frames.at(-1)
    if (last === undefined) throw new DecodeError('DATA_TRUNCATED', 0, 'compact data without a row')
    const fields = frames.flatMap(frame => frame.fields)
    const facts = new Facts(bytes, fields)
    this.learn(facts, at)
    const context: Context = {
      decoder: this.id,
      profile: this.profile,
      list: last.entry.name,
      templateId: last.entry.templateId,
      at,
      integrity,
      clock: this.clock,
      gapW: this.gapW ?? presumedGapW(this.options.meter, this.contractedW),
      mostW: 2 * (this.availableW ?? this.contractedW ?? 0),
      headerTime,
      missed: this.missedBefore(last.entry.templateId, facts),
    }
    const signal = signalOf(facts, context)
    if (!givesReading(fields) && signal !== undefined) return [{ type: 'signal', signal, ...span }]
    const reading = readingOf(facts, fields, context)
    const all: readonly Note[] = (context.missed ?? 0) > 0 ? [...notes, 'reports_lost'] : notes
    const found = all.length === 0 ? { reading } : { reading, notes: all }
    const first: DecoderEvent = { type: 'reading', ...found, ...span }
    return signal === undefined ? [first] : [first, { type: 'signal', signal }]
  }

  /** Events of this frame that were counted and never arrived. */
  private missedBefore(templateId: number, facts: Facts): number | undefined {
    const counter = facts.number('event.counter')
    if (typeof counter !== 'number' || !facts.has('import.power')) return undefined
    const before = this.counters.get(templateId)
    this.counters.set(templateId, counter)
    return before === undefined || counter <= before ? undefined : counter - before - 1
  }

  /** Report step, powers of the contract and the meter's clock, wherever a frame carries them. */
  private learn(facts: Facts, at: Instant): void {
    const gapW = facts.number('limit.gap') ?? 0
    if (gapW > 0) this.gapW = gapW
    this.contractedW = facts.number('limit.contracted') ?? this.contractedW
    this.availableW = facts.number('limit.available') ?? this.availableW
    const sentS = facts.posix('sentAt')
    if (sentS !== undefined) this.clock.hear(sentS, at)
  }
}

/** A frame that was read. */
export interface ReadFrame {
  readonly entry: FrameEntry
  readonly fields: readonly ReadField[]
}

/** A frame by its entry in the dictionary. Throws LIST_UNKNOWN and what its fields give. */
export function readFrame(
  dictionary: Dictionary,
  bytes: Uint8Array,
  start: number,
  end: number,
): ReadFrame {
  if (start === end) throw new DecodeError('DATA_TRUNCATED', 0, 'a compact frame of no bytes')
  const templateId = bytes[start]!
  const entry = entryOf(dictionary, templateId, end - start)
  if (entry?.fields !== undefined)
    return { entry, fields: readCompactFrame(entry, entry.fields, bytes, start, end) }
  const why =
    entry === undefined
      ? `not in the dictionary ${dictionary.name}`
      : `the dictionary ${dictionary.name} has names for ${entry.name}, no layout`
  throw new DecodeError('LIST_UNKNOWN', 0, `template ${templateId} of ${end - start} bytes: ${why}`)
}
