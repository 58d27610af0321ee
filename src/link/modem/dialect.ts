/**
 * What power-line modems have in common, whatever they speak to their host: data units come in, a few commands go out.
 * A dialect is pure; who owns the port owns the lines and the timers.
 */
import type { Span } from '../../decoder.ts'
import type { DecodeError } from '../../errors.ts'
import type { Instant, Integrity } from '../../reading.ts'

/** How a data unit was received on the power line, as far as the modem tells. */
export interface Reception {
  readonly modulation: string
  readonly channel: 'high' | 'low'
  /** Step of the receiver's programmable gain amplifier. */
  readonly pga: number
  /** Signal to noise ratio on the unique word, dB; `null` where it has no meaning. */
  readonly snrDb: number | null
  /** Delay against the zero crossing, two bytes in the modem's own order. */
  readonly zeroCross: Uint8Array
}

/** A data unit from the power line. */
export interface Sdu {
  /** A copy of its own. */
  readonly bytes: Uint8Array
  /** Layer of the modem that handed it over. */
  readonly layer: 'PHY' | 'DL' | 'SS' | 'LLC' | 'none'
  /** What the modem has made sure of. */
  readonly integrity: Integrity
  /** The modem found the check of the line frame wrong and hands the bytes over all the same, check included. */
  readonly damaged: boolean
  readonly reception?: Reception
}

/** What a dialect found. Every byte belongs to exactly one event with a span. */
export type LinkEvent =
  | ({ readonly type: 'sdu'; readonly command: number; readonly sdu: Sdu } & Span)
  /** A frame that is no data indication: a confirm, an error, a reset; requests where the host's line was recorded too. */
  | ({
      readonly type: 'frame'
      readonly command: number
      readonly name: string
      readonly data: Uint8Array
    } & Span)
  /** The frame before, sent a second time. */
  | ({ readonly type: 'repeat' } & Span)
  /** `busy`: the modem takes no request now. */
  | ({ readonly type: 'status'; readonly value: number; readonly busy: boolean } & Span)
  | ({ readonly type: 'ack' | 'nak' } & Span)
  /** Bytes that mean nothing and are allowed: comments, empty lines. */
  | ({ readonly type: 'fill' } & Span)
  | ({ readonly type: 'garbage'; readonly error: DecodeError } & Span)
  /** An answer the modem waits for; it has no bytes in the input. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }

/** One conversation with one modem. */
export interface ModemDialect {
  /** Takes bytes cut anywhere; copies them. `at` is when the last of them arrived. */
  push(chunk: Uint8Array, at: Instant): readonly LinkEvent[]
  /** When silence would end what is pending; `undefined` while nothing is. */
  readonly wakeAt: Instant | undefined
  /** Ends what silence until `now` shows to be incomplete; `Infinity` ends the input. */
  wake(now: Instant): readonly LinkEvent[]
  /** Bytes that may still become part of a frame. */
  readonly heldBytes: number
  /**
   * Bytes of a request. Throws RangeError for a command that the dialect does not have, and for every command that
   * would make the modem transmit on the power line.
   */
  encode(command: number, data: Uint8Array): Uint8Array
}

/** A row of an explanation: `bytes[start..end)` and what they mean. */
export type ExplainRow = (start: number, end: number, meaning: string) => void

/** A dialect as it is chosen by configuration. */
export interface DialectDefinition {
  readonly id: string
  readonly title: string
  create(): ModemDialect
  /** Explains the bytes of one event and gives the range that holds the data unit, if it holds one. */
  explain(
    bytes: Uint8Array,
    event: LinkEvent & Span,
    row: ExplainRow,
  ): readonly [start: number, end: number] | undefined
}
