/** The plug-in interface of `decoders/`: bytes in, events out. No port, timer, clock or log anywhere behind it. */
import type { DecodeError, Parsed } from './errors.ts'
import type { AvailablePower, Instant, Note, Reading } from './reading.ts'

/** Where the bytes of an event stood in the input. Offsets count from the first byte ever pushed. */
export interface Span {
  readonly offset: number
  readonly length: number
}

/** The last invocation counter accepted under a key (Green Book 9.2.5: never used twice with one key). */
export interface InvocationCounter {
  /** System title in hex, the key set and a fingerprint of the key: what the counter belongs to. */
  readonly id: string
  readonly value: number
}

/** What a decoder found. */
export type DecoderEvent =
  | ({
      readonly type: 'reading'
      readonly reading: Reading
      readonly notes?: readonly Note[]
    } & Span)
  | { readonly type: 'signal'; readonly signal: AvailablePower }
  /** A telegram that gives its signal and no reading. */
  | ({ readonly type: 'signal'; readonly signal: AvailablePower } & Span)
  /** Understood, and nothing new about the meter: a gateway that tells of itself, a telegram that comes a second time. */
  | ({ readonly type: 'info'; readonly detail: string } & Span)
  /** Bytes to be sent back, for conversations that need an answer. */
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  /** An invocation counter that was accepted: kept outside, so that a replay is known after a restart. */
  | { readonly type: 'counter'; readonly counter: InvocationCounter }
  /** A run of bytes that gave nothing. */
  | ({ readonly type: 'rejected'; readonly error: DecodeError } & Span)

/** One conversation with one meter or gateway. Holds bytes; owns no port, timer, clock or log. */
export interface Decoder {
  /**
   * Takes bytes as they arrived, cut anywhere. Never throws because of them and never keeps `chunk`.
   * `at` is when the last byte of `chunk` arrived and becomes `receivedAt` of what it completes.
   */
  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[]
  /** When {@link wake} is wanted; `undefined` while nothing is pending. Ask again after every call. */
  readonly wakeAt: Instant | undefined
  /** Does what silence until `now` requires. Calling it early is harmless; `Infinity` ends the input. */
  wake(now: Instant): readonly DecoderEvent[]
  /** Bytes held for what has not ended yet. */
  readonly heldBytes: number
}

/** Settings of a serial line. */
export interface SerialSettings {
  readonly baudRate: number
  readonly dataBits: 7 | 8
  readonly parity: 'none' | 'even' | 'odd'
  readonly stopBits: 1 | 2
}

/** One row of `--format explain`: bytes of a telegram and what they mean. */
export interface Explanation extends Span {
  /** Nesting, 0 = outermost. */
  readonly depth: number
  readonly meaning: string
  /** Personal data: the bytes are not shown. */
  readonly isPersonal?: true
  /** What these bytes give once deciphered, or put together with those of earlier rows. */
  readonly contents?: ExplainedContents
}

/** Bytes that do not stand in the telegram as they are; their rows cover them in order and without gaps as well. */
export interface ExplainedContents {
  readonly bytes: Uint8Array
  /** Offsets count from the first of {@link bytes}. */
  readonly rows: readonly Explanation[]
}

/** A meter or grid company that a decoder knows from a profile file. */
export interface ProfileSummary {
  readonly id: string
  readonly title: string
  /** ISO 3166, two letters. */
  readonly country: string
  /** Tried on telegrams of real meters, on made ones, or on none. */
  readonly status: 'captures' | 'constructed' | 'none'
}

/** What a file in `decoders/` exports. */
export interface DecoderDefinition<Options = unknown> {
  /** Stable, used in configuration: country and maker or interface, as in `no-aidon`, `it-chain2gate`. */
  readonly id: string
  readonly title: string
  /** `stream`: chunk borders mean nothing. `message`: each push is one whole message. */
  readonly input: 'stream' | 'message'
  /** Telegrams may be encrypted: the options take `keys` and `counters`. */
  readonly usesKeys?: true
  /** Built-in profiles; the option `profiles` then takes further ones. */
  readonly profiles?: readonly ProfileSummary[]
  /** Line settings to try, most likely first. */
  readonly serial?: readonly SerialSettings[]
  /** Returns the options or every problem found in them; `undefined` gives the defaults. */
  parseOptions(raw: unknown): Parsed<Options>
  create(options: Options): Decoder
  /**
   * Every byte of one telegram with its meaning, in order and without gaps; `telegram` is what an event's span covers.
   * Options as for {@link create}: with their keys the enciphered part is explained too, as contents of its row.
   */
  explain?(telegram: Uint8Array, options?: Options): readonly Explanation[]
}

/** Text form of line settings, `2400 8E1`. */
export function formatSerial(s: SerialSettings): string {
  return `${s.baudRate} ${formatLine(s)}`
}

/** Data bits, parity and stop bits as people write them, `8E1`. */
export function formatLine(s: SerialSettings): string {
  return `${s.dataBits}${s.parity[0]!.toUpperCase()}${s.stopBits}`
}
