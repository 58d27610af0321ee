/** The lists a meter sends, each worked out once: later telegrams only bring other values. */
import type { Reader } from '../../src/bytes/reader.ts'
import { readEventHeader } from '../../src/dlms/apdu.ts'
import { isDescribed, scanDescribed } from '../../src/dlms/described.ts'
import { DecodeError } from '../../src/errors.ts'
import type { Envelope, Family } from './family.ts'
import { PushList } from './list.ts'
import type { PushOptions } from './options.ts'
import { shapeOf } from './shape.ts'

/** A meter sends up to three lists; a stream of ever new ones must not fill the memory. */
const MAX_KNOWN = 6

/** A list that was read before, and what stood around it. */
export interface KnownList {
  readonly list: PushList
  readonly family: Family
  readonly hasHeaderTime: boolean
  readonly systemTitle: string
}

/** Lists seen before, most recent first. */
export class KnownLists {
  private readonly families: readonly Family[]
  private readonly options: PushOptions
  private readonly envelope: Envelope
  private known: KnownList[] = []

  constructor(families: readonly Family[], options: PushOptions, envelope: Envelope) {
    this.families = families
    this.options = options
    this.envelope = envelope
  }

  /**
   * The list of the body at the reader's position, with this telegram's values; moves the reader behind it. Throws
   * LIST_UNKNOWN and what {@link AxdrTape.scan} and the family throw.
   */
  read(reader: Reader): KnownList {
    return this.recall(reader) ?? this.learn(reader)
  }

  /** The list of one value that an event-notification is, or `undefined` where no family reads such. */
  readEvent(reader: Reader): KnownList | undefined {
    const { envelope } = this
    const family = this.families.find(f => f.readEvent !== undefined)
    if (family === undefined) return undefined
    const event = readEventHeader(reader)
    const list = new PushList(envelope, this.options)
    list.tape.scan(reader)
    family.readEvent!(list, event)
    list.identify()
    envelope.headerTime = event.time
    return { list, family, hasHeaderTime: event.time >= 0, systemTitle: envelope.systemTitle }
  }

  /** The known list whose every byte but the values is the reader's body. */
  private recall(reader: Reader): KnownList | undefined {
    const { headerTime, systemTitle } = this.envelope
    for (const known of this.known) {
      const { tape } = known.list
      if (known.hasHeaderTime !== headerTime >= 0 || known.systemTitle !== systemTitle) continue
      if (!tape.refresh(reader.bytes, reader.offset, reader.end)) continue
      reader.offset = tape.to(0)
      return known
    }
    return undefined
  }

  /**
   * Families in the order in which they are asked: those whose makers documented a port without protection come first
   * in clear, and last under a cipher.
   */
  private inOrder(): readonly Family[] {
    return this.envelope.systemTitle === '' ? this.families : [...this.families].reverse()
  }

  /** Scans a body that is not known yet, tells whose it is and reads its entries. */
  private learn(reader: Reader): KnownList {
    const { envelope } = this
    const list = new PushList(envelope, this.options)
    if (isDescribed(reader)) scanDescribed(list.tape, reader)
    else list.tape.scan(reader)
    const family = this.inOrder().find(f => f.recognise(list.tape, envelope))
    if (family === undefined) throw new DecodeError('LIST_UNKNOWN', 0, shapeOf(list.tape))
    list.learn(family)
    const { headerTime, systemTitle } = envelope
    const known = { list, family, hasHeaderTime: headerTime >= 0, systemTitle }
    this.known = [known, ...this.known].slice(0, MAX_KNOWN)
    return known
  }
}
