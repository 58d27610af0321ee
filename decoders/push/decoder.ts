/**
 * One conversation with a HAN port that pushes lists over HDLC: deframer, segments, data-notification, recognition by
 * content, reading. Which lists it understands is a list of families.
 */
import { hex } from '../../src/bytes/hex.ts'
import { Reader } from '../../src/bytes/reader.ts'
import type { Decoder, DecoderEvent } from '../../src/decoder.ts'
import { readNotificationHeader, readPadding, startsApdu } from '../../src/dlms/apdu.ts'
import { type AxdrTape, TAG_NAMES } from '../../src/dlms/axdr.ts'
import { DecodeError } from '../../src/errors.ts'
import { BareLink } from '../../src/link/bare.ts'
import { HdlcLink } from '../../src/link/hdlc-link.ts'
import type { Information, InformationSink, Link } from '../../src/link/information.ts'
import { skipLlc } from '../../src/link/llc.ts'
import type { Instant, Note } from '../../src/reading.ts'
import type { Family } from './family.ts'
import { PushList } from './list.ts'
import type { PushOptions } from './options.ts'
import { assemble } from './reading.ts'

/** Longest APDU put together from segments; real lists end at 581 bytes. */
const MAX_APDU = 2047
/** A meter sends up to three lists; a stream of ever new ones must not fill the memory. */
const MAX_KNOWN = 4

export class PushDecoder implements Decoder {
  private readonly families: readonly Family[]
  private readonly options: PushOptions
  private readonly link: Link
  private readonly reader = new Reader(new Uint8Array(0))
  /** Lists seen before, most recent first. */
  private known: Known[] = []
  private events: DecoderEvent[] = []
  /** Clock of the last list with energies: the same clock again means registers of the hour before. */
  private hourS: number | undefined

  constructor(families: readonly Family[], options: PushOptions) {
    this.families = families
    this.options = options
    const sink: InformationSink = {
      information: (information, at) => this.telegram(information, at),
      rejected: (error, offset, length) => this.reject(error, offset, length),
    }
    this.link =
      options.link === 'none'
        ? new BareLink(sink, MAX_APDU)
        : new HdlcLink(sink, { maxBytes: MAX_APDU, repairCrlf: options.repair === 'crlf' })
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
    const { reader } = this
    const { bytes, start, end, offset, length } = information
    reader.reset(bytes, start, end)
    reader.offset = skipLlc(bytes, start, end)
    if (reader.offset === start && information.integrity !== 'none' && !startsApdu(reader.peek()))
      throw new DecodeError(
        'LINK_INCOMPLETE',
        0,
        `begins with ${hex(bytes[start] ?? 0)} inside a list: the first segment is missing`,
      )
    const headerTime = readNotificationHeader(reader)
    const { list, family } =
      this.recall(reader, headerTime >= 0) ?? this.learn(reader, headerTime >= 0)
    const isPadded = readPadding(reader)
    list.headerTime = headerTime
    list.source = information.source
    const { reading, notes, hourS } = assemble(
      list,
      family,
      at,
      information.integrity,
      this.options,
      family.repeatsHour ? this.hourS : undefined,
    )
    if (hourS !== undefined) this.hourS = hourS
    const all: Note[] = [...notes]
    if (isPadded) all.push('trailing_padding')
    if (information.repaired) all.push('repaired_crlf')
    return all.length === 0
      ? { type: 'reading', reading, offset, length }
      : { type: 'reading', reading, offset, length, notes: all }
  }

  /** The known list whose every byte but the values is the reader's body; moves the reader behind it. */
  private recall(reader: Reader, hasHeaderTime: boolean): Known | undefined {
    for (const known of this.known) {
      const { tape } = known.list
      if (known.hasHeaderTime !== hasHeaderTime) continue
      if (!tape.refresh(reader.bytes, reader.offset, reader.end)) continue
      reader.offset = tape.to(0)
      return known
    }
    return undefined
  }

  /** Scans a body that is not known yet, tells whose it is and reads its entries. */
  private learn(reader: Reader, hasHeaderTime: boolean): Known {
    const list = new PushList()
    list.tape.scan(reader)
    const family = this.families.find(f => f.recognise(list.tape, hasHeaderTime))
    if (family === undefined) throw unknownList(list.tape)
    list.learn(family)
    const known = { list, family, hasHeaderTime }
    this.known = [known, ...this.known].slice(0, MAX_KNOWN)
    return known
  }
}

/** A list that was read before. */
interface Known {
  readonly list: PushList
  readonly family: Family
  readonly hasHeaderTime: boolean
}

function unknownList(tape: AxdrTape): DecodeError {
  const items = tape.items[0]!
  const types: string[] = []
  for (let i = 1; i < tape.count && types.length < 6; i = tape.next(i))
    types.push(TAG_NAMES[tape.tag[i]!]!)
  return new DecodeError(
    'LIST_UNKNOWN',
    0,
    `${TAG_NAMES[tape.tag[0]!]} of ${items} elements: ${types.join(', ')}${types.length < items ? ', …' : ''}`,
  )
}
