/** What a link layer hands to the application layer, whatever the link is. */
import type { DecodeError } from '../errors.ts'
import type { Instant, Integrity } from '../reading.ts'

/**
 * What the bytes are: an LLC PDU or bare APDU; the user data of an OMS frame from its CI on; or the call of a meter that
 * wants an answer and carries nothing.
 */
export type InformationKind = 'pdu' | 'oms' | 'snd-nke'

/** What a frame, or several put together, carried. Valid only during the call that hands it over. */
export interface Information {
  readonly kind: InformationKind
  /** Buffer that holds it at `start..end`. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly integrity: Integrity
  /** HDLC source address as sent, 0 without HDLC. */
  readonly source: number
  /**
   * HDLC segments it was put together from, 1 where it came whole. They carry no numbers: a lost one shows only in what
   * is read from them.
   */
  readonly segments: number
  /** Bytes put in by an intermediate device were taken out. */
  readonly repaired: boolean
  /** Span in the input. */
  readonly offset: number
  readonly length: number
}

/** Receives what a link finds, in the order of the bytes. */
export interface InformationSink {
  information(information: Information, at: Instant): void
  /** A run of bytes that gave nothing. */
  rejected(error: DecodeError, offset: number, length: number, at: Instant): void
}

/** A link layer: bytes in by `push`, silence in by `wake`, information out to the sink. */
export interface Link {
  push(chunk: Uint8Array, at: Instant): void
  wake(now: Instant): void
  readonly wakeAt: Instant | undefined
  readonly heldBytes: number
}
