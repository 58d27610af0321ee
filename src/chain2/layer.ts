/** A data unit on its way inwards: what is left of it after each step, and what has been made sure of. */
import type { InvocationCounter } from '../decoder.ts'
import type { CipherKey } from '../dlms/keys.ts'
import type { Integrity } from '../reading.ts'

/** The bytes `bytes[start..end)` and what is known of them. */
export interface Layer {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  readonly integrity: Integrity
  /** The keys that fitted. */
  readonly key?: CipherKey
  /** A counter that was accepted, to be kept outside. */
  readonly counter?: InvocationCounter
  /** Where the rows of an explanation go, if one is wanted. */
  readonly trace?: Trace
}

/** Takes the rows of an explanation. Positions are those of the layer's bytes. */
export interface Trace {
  /** `isPersonal`: the bytes are not shown. */
  row(start: number, end: number, meaning: string, isPersonal?: boolean): void
  /** Ciphertext that holds `contents`, and where the rows of these go. */
  sealed(start: number, end: number, meaning: string, contents: Uint8Array): Trace
}

/** The strongest of two. */
export function stronger(a: Integrity, b: Integrity): Integrity {
  const order: readonly Integrity[] = ['none', 'checksum', 'authenticated']
  return order.indexOf(a) > order.indexOf(b) ? a : b
}
