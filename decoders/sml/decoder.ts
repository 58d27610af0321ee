/** One conversation with a meter that pushes SML: frames, messages, the list, its values. */
import { hex } from '../../src/bytes/hex.ts'
import type { Decoder, DecoderEvent, Span } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import { type SmlFrame, SmlTransport } from '../../src/link/sml-transport.ts'
import type { Instant, Reading } from '../../src/reading.ts'
import { checkOf, readEnvelope, TAG } from '../../src/sml/message.ts'
import { ValuesBuilder } from '../push/values.ts'
import { deriveTotals, fillValues } from './fields.ts'
import { KnownFrame } from './known-frame.ts'
import { KnownMeter, readTime } from './meter.ts'
import type { SmlOptions } from './options.ts'
import { SmlValues } from './values.ts'

export class SmlDecoder implements Decoder {
  private readonly link: SmlTransport
  private readonly values = new SmlValues()
  private readonly builder = new ValuesBuilder()
  private readonly meter = new KnownMeter()
  private readonly known = new KnownFrame()
  private events: DecoderEvent[] = []
  /** Element of the tag of the list message on the tape. */
  private tag = 0

  constructor({ acceptFrameCrcError = false }: SmlOptions) {
    this.link = new SmlTransport({
      frame: (frame, at) => this.frame(frame, at),
      rejected: (error, offset, length) => this.reject(error, { offset, length }),
      ...(acceptFrameCrcError ? { salvages: (frame: SmlFrame) => this.hasGoodList(frame) } : {}),
    })
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    this.link.push(chunk, at)
    return this.take()
  }

  get wakeAt(): Instant | undefined {
    return this.link.wakeAt
  }

  wake(now: Instant): readonly DecoderEvent[] {
    this.link.wake(now)
    return this.take()
  }

  get heldBytes(): number {
    return this.link.heldBytes
  }

  private take(): readonly DecoderEvent[] {
    const { events } = this
    if (events.length > 0) this.events = []
    return events
  }

  private reject(error: DecodeError, { offset, length }: Span): void {
    this.events.push({ type: 'rejected', error, offset, length })
  }

  /** Reads the lists of a frame. The first that is said of it has its span, the rest none of its bytes. */
  private frame(frame: SmlFrame, at: Instant): void {
    const { tape } = this.values
    if (frame.isIntact && this.known.recall(frame, tape) && checkOf(tape) !== undefined) {
      this.values.readRegisters()
      this.emit(frame, at)
      return
    }
    this.known.forget()
    const before = this.events.length
    const span = (): Span =>
      this.events.length === before ? frame : { offset: frame.offset + frame.length, length: 0 }
    let first = -1
    try {
      let place = frame.start
      for (let end = this.nextList(frame, place); end >= 0; end = this.nextList(frame, place)) {
        place = end
        if (first < 0) first = tape.base + tape.at[0]!
        if (checkOf(tape) !== undefined) {
          this.values.read(this.tag + 1)
          this.emit(span(), at)
        } else if (frame.isIntact) this.reject(this.badChecksum(), span())
      }
      if (first < 0) throw new DecodeError('APDU_UNKNOWN', 0, 'no list among the messages')
      const [only, ...others] = this.events.slice(before)
      if (frame.isIntact && only?.type === 'reading' && others.length === 0)
        this.known.learn(frame, tape, this.values.list, first)
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      if (frame.isIntact || this.events.length === before) this.reject(error, span())
    }
  }

  /** Scans messages from `place` on until a list is on the tape; returns the place behind it, -1 if none is left. */
  private nextList({ bytes, start, end }: SmlFrame, place: number): number {
    const { tape } = this.values
    while (place < end) {
      place = tape.scan(bytes, place, end, start)
      this.tag = readEnvelope(tape)
      if (tape.number(this.tag) === TAG.getListResponse) return place
    }
    return -1
  }

  /** True if a list whose own checksum is right can be reached through the messages before it. */
  private hasGoodList(frame: SmlFrame): boolean {
    try {
      for (let place = frame.start; place >= 0; ) {
        place = this.nextList(frame, place)
        if (place >= 0 && checkOf(this.values.tape) !== undefined) return true
      }
    } catch (error) {
      // Damage that the frame's checksum has already told of.
      if (!(error instanceof DecodeError)) throw error
    }
    return false
  }

  /** Says what the values at hand are. */
  private emit({ offset, length }: Span, receivedAt: Instant): void {
    const { values, builder } = this
    builder.reset()
    const notes = fillValues(values, builder)
    const meterTime = readTime(values.tape, values.list.sensorTime)
    const derived = deriveTotals(values)
    const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
      decoder: 'sml',
      receivedAt,
      integrity: 'checksum',
      meter: this.meter.of(values),
      values: builder.build(),
      registers: values.registers,
    }
    if (meterTime !== undefined) reading.meterTime = meterTime
    if (derived !== undefined) reading.derived = derived
    this.events.push(
      notes.length === 0
        ? { type: 'reading', reading, offset, length }
        : { type: 'reading', reading, offset, length, notes },
    )
  }

  private badChecksum(): DecodeError {
    const { tape } = this.values
    // The last element is the end of the message.
    const crc = tape.count - 2
    return new DecodeError(
      'LINK_BAD_CHECKSUM',
      tape.at[0]!,
      `the checksum ${hex(tape.number(crc))} of the list does not fit`,
    )
  }
}
