/**
 * One conversation with a port that pushes lists:
 *
 *     bytes ─ link ─> APDU ─ cipher ─> data-notification ─ families ─> list ─> reading
 *
 * Which lists it understands is a table of families.
 */
import { hex } from '../../src/bytes/hex.ts'
import { Reader } from '../../src/bytes/reader.ts'
import type { Decoder, DecoderEvent } from '../../src/decoder.ts'
import { readNotificationHeader, readPadding, startsApdu } from '../../src/dlms/apdu.ts'
import { DecodeError } from '../../src/errors.ts'
import type { Information, InformationSink, Link } from '../../src/link/information.ts'
import { skipLlc } from '../../src/link/llc.ts'
import type { Instant, Note } from '../../src/reading.ts'
import type { Envelope, Family } from './family.ts'
import { KnownLists } from './known-lists.ts'
import { type LinkName, makeLink } from './links.ts'
import type { PushOptions } from './options.ts'
import { assemble } from './reading.ts'

export class PushDecoder implements Decoder {
  private readonly options: PushOptions
  private readonly link: Link
  private readonly lists: KnownLists
  private readonly reader = new Reader(new Uint8Array(0))
  private readonly envelope: Envelope = {
    headerTime: -1,
    source: 0,
    systemTitle: '',
    integrity: 'none',
  }
  private events: DecoderEvent[] = []
  /** Clock of the last list with energies: the same clock again means registers of the hour before. */
  private hourS: number | undefined

  constructor(families: readonly Family[], link: LinkName, options: PushOptions) {
    this.options = options
    this.lists = new KnownLists(families, options, this.envelope)
    const sink: InformationSink = {
      information: (information, at) => this.telegram(information, at),
      rejected: (error, offset, length) => this.reject(error, offset, length),
    }
    this.link = makeLink(link, sink, options)
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

  private reject(error: DecodeError, offset: number, length: number): void {
    this.events.push({ type: 'rejected', error, offset, length })
  }

  private telegram(information: Information, at: Instant): void {
    try {
      this.events.push(this.read(information, at))
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      this.reject(error, information.offset, information.length)
    }
  }

  private read(information: Information, at: Instant): DecoderEvent {
    const { reader, envelope } = this
    const { bytes, start, end, offset, length } = information
    reader.reset(bytes, start, end)
    reader.offset = skipLlc(bytes, start, end)
    if (reader.offset === start && information.integrity !== 'none' && !startsApdu(reader.peek()))
      throw new DecodeError(
        'LINK_INCOMPLETE',
        0,
        `begins with ${hex(bytes[start] ?? 0)} inside a list: the first segment is missing`,
      )
    envelope.headerTime = readNotificationHeader(reader)
    envelope.source = information.source
    envelope.integrity = information.integrity
    const { list, family } = this.lists.read(reader)
    const isPadded = readPadding(reader)
    const staleHourS = family.repeatsHour ? this.hourS : undefined
    const { reading, notes, hourS } = assemble(list, family, at, this.options, staleHourS)
    if (hourS !== undefined) this.hourS = hourS
    const all: Note[] = [...notes]
    if (isPadded) all.push('trailing_padding')
    if (information.repaired) all.push('repaired_crlf')
    return all.length === 0
      ? { type: 'reading', reading, offset, length }
      : { type: 'reading', reading, offset, length, notes: all }
  }
}
