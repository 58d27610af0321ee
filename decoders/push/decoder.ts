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
import {
  apduKind,
  isCiphered,
  readNotificationHeader,
  readPadding,
  startsApdu,
} from '../../src/dlms/apdu.ts'
import type { Opener } from '../../src/dlms/cipher.ts'
import { DecodeError } from '../../src/errors.ts'
import type { Information, Link } from '../../src/link/information.ts'
import { skipLlc } from '../../src/link/llc.ts'
import type { Instant, Note, Reading } from '../../src/reading.ts'
import type { Envelope, Family } from './family.ts'
import { type KnownList, KnownLists } from './known-lists.ts'
import type { MakeLink } from './links.ts'
import type { PushOptions } from './options.ts'
import { assemble } from './reading.ts'

/** What a decoder is put together from. */
export interface PushParts {
  readonly families: readonly Family[]
  readonly makeLink: MakeLink
  /** Opens protected telegrams; without it none is read. */
  readonly opener?: Opener
  /** Reads the user data of OMS frames; throws DecodeError. */
  readonly readOms?: (information: Information, at: Instant) => Reading
}

/** The acknowledgement of an M-Bus frame, for which meters that wait for one ask twice. */
const ACKNOWLEDGE: Uint8Array = Uint8Array.of(0xe5)

export class PushDecoder implements Decoder {
  private readonly parts: PushParts
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

  constructor(parts: PushParts, options: PushOptions) {
    this.parts = parts
    this.options = options
    this.lists = new KnownLists(parts.families, options, this.envelope)
    this.link = parts.makeLink({
      information: (information, at) => this.telegram(information, at),
      rejected: (error, offset, length) => this.reject(error, offset, length),
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

  private reject(error: DecodeError, offset: number, length: number): void {
    this.events.push({ type: 'rejected', error, offset, length })
  }

  private telegram(information: Information, at: Instant): void {
    const { kind, offset, length } = information
    if (kind !== 'pdu') this.events.push({ type: 'send', bytes: ACKNOWLEDGE })
    try {
      if (kind === 'pdu') this.read(information, at)
      else if (kind === 'oms') this.readOms(information, at)
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      this.reject(blamed(error, information), offset, length)
    }
  }

  private readOms(information: Information, at: Instant): void {
    const { readOms } = this.parts
    const { offset, length } = information
    if (readOms === undefined) throw new DecodeError('APDU_UNKNOWN', 0, 'an OMS telegram')
    this.events.push({ type: 'reading', reading: readOms(information, at), offset, length })
  }

  private read(information: Information, at: Instant): void {
    const { reader, envelope } = this
    const { opener } = this.parts
    const { bytes, start, end, offset, length, integrity } = information
    reader.reset(bytes, start, end)
    reader.offset = skipLlc(bytes, start, end)
    if (reader.offset === start && !startsApdu(reader.peek())) throw noApdu(information)
    envelope.source = information.source
    envelope.integrity = integrity
    envelope.systemTitle = ''
    let isPadded = false
    if (opener !== undefined && isCiphered(reader.peek())) {
      const opened = opener.open(bytes, reader.offset, end)
      if (opened.counter !== undefined)
        this.events.push({ type: 'counter', counter: opened.counter })
      reader.offset = opened.inputEnd
      isPadded = readPadding(reader)
      if (opened.authenticated) envelope.integrity = 'authenticated'
      envelope.systemTitle = opened.systemTitle
      reader.reset(opened.bytes, opened.start, opened.end)
    }
    const { list, family } = this.list()
    if (readPadding(reader)) isPadded = true
    const staleHourS = family.repeatsHour ? this.hourS : undefined
    const { reading, notes, hourS } = assemble(list, family, at, this.options, staleHourS)
    if (hourS !== undefined) this.hourS = hourS
    const all: Note[] = [...notes]
    if (isPadded) all.push('trailing_padding')
    if (information.repaired) all.push('repaired_crlf')
    this.events.push(
      all.length === 0
        ? { type: 'reading', reading, offset, length }
        : { type: 'reading', reading, offset, length, notes: all },
    )
  }

  /** The list of the APDU at the reader's position. */
  private list(): KnownList {
    const { reader, envelope, lists } = this
    const event = apduKind(reader.peek()) === 'event' ? lists.readEvent(reader) : undefined
    if (event !== undefined) return event
    envelope.headerTime = readNotificationHeader(reader)
    return lists.read(reader)
  }
}

/** The error for bytes that begin no APDU. A checksum says that they are the meter's: then their beginning is missing. */
function noApdu({ bytes, start, integrity }: Information): DecodeError {
  const found = `begins with ${hex(bytes[start] ?? 0)}`
  return integrity === 'none'
    ? new DecodeError('LINK_BAD_FORMAT', 0, `${found}, which no APDU does`)
    : new DecodeError('LINK_INCOMPLETE', 0, `${found} inside a list: the first segment is missing`)
}

/** HDLC segments carry no numbers: where a list put together from several is cut or jumbled, one is missing. */
function blamed(error: DecodeError, { segments }: Information): DecodeError {
  if (segments === 1 || !error.code.startsWith('DATA_')) return error
  const detail = `${segments} segments, one of them missing: ${error.detail}`
  return new DecodeError('LINK_INCOMPLETE', error.offset, detail)
}
