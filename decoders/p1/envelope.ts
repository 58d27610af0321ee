/** Encrypted P1 telegrams: which keys open them, and what counts as proof. */
import type { InvocationCounter } from '../../src/decoder.ts'
import { type Opened, Opener } from '../../src/dlms/cipher.ts'
import { type KeyRing, NO_KEYS } from '../../src/dlms/keys.ts'
import { DecodeError } from '../../src/errors.ts'
import type { P1Telegram } from '../../src/link/p1.ts'
import { SLASH, wholeText } from '../../src/link/p1-text.ts'
import { type Stamp, utcOf } from '../../src/p1/clock.ts'
import type { Integrity } from '../../src/reading.ts'
import type { P1Options } from './options.ts'

/** The authentication key of every Luxembourg meter (Smarty P1 v1.1.3, 3.2.5): 00 11 22 … FF. */
const LUXEMBOURG_AK: Uint8Array = Uint8Array.from({ length: 16 }, (_, i) => 0x11 * i)

/** The text that an envelope held. */
export interface Unsealed {
  readonly bytes: Uint8Array
  readonly start: number
  /** Index of the `!` of a whole telegram, or behind the lines. */
  readonly end: number
  readonly integrity: Integrity
}

/** Opens the envelopes of one conversation, one after the other. */
export class Envelopes {
  private readonly raw: Opener
  private readonly embedded: Opener
  private readonly mustHaveTag: boolean
  private last: Opened | DecodeError = new DecodeError('CIPHER_KEY_NEEDED', 0, 'nothing arrived')
  /** UTC of the last embedded telegram whose tag was right. */
  private newest = ''

  constructor({ keys = NO_KEYS, counters = {}, authentication = 'required' }: P1Options) {
    this.mustHaveTag = authentication === 'required'
    const ring = this.mustHaveTag ? withLuxembourgKey(keys) : keys
    this.raw = new Opener(ring, { authentication, counters, replay: 'increasing' })
    // Embedded envelopes carry the counter 0 every time.
    this.embedded = new Opener(keys, { authentication, counters: {}, replay: 'none' })
  }

  /** Deciphers; returns why the envelope stays shut. */
  open({ bytes, start, end, identification }: P1Telegram): DecodeError | undefined {
    const opener = identification === undefined ? this.raw : this.embedded
    try {
      const opened = opener.open(bytes, start, end)
      // Every meter with envelopes authenticates them: one that says it does not was changed on the way.
      if (this.mustHaveTag && !opened.authenticated)
        throw new DecodeError('CIPHER_AUTH_FAILED', 0, 'the telegram is encrypted without a tag')
      if (identification === undefined && opened.bytes[opened.start] !== SLASH)
        throw new DecodeError('LINK_BAD_FORMAT', 0, 'the envelope holds no P1 telegram')
      this.last = opened
      return undefined
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      this.last = error
      return error
    }
  }

  /** Counter of the envelope opened last, where one was accepted. */
  get counter(): InvocationCounter | undefined {
    return this.last instanceof DecodeError ? undefined : this.last.counter
  }

  /** What the envelope opened last held, a copy; nothing where it stayed shut. */
  get plaintext(): Uint8Array {
    const { last } = this
    return last instanceof DecodeError ? new Uint8Array(0) : last.bytes.slice(last.start, last.end)
  }

  /** The text in the envelope opened last; throws DecodeError where it stayed shut or holds no telegram. */
  unseal({ identification, integrity }: P1Telegram): Unsealed {
    const { last } = this
    if (last instanceof DecodeError) throw last
    const { bytes, start, end, authenticated } = last
    const isLines = identification !== undefined && bytes[start] !== SLASH
    const text = isLines ? { bang: end, integrity } : wholeText(bytes, start, end)
    if (typeof text === 'string') throw new DecodeError('LINK_BAD_CHECKSUM', 0, text)
    const isChecked = integrity === 'checksum' || text.integrity === 'checksum'
    return {
      bytes,
      start,
      end: text.bang,
      integrity: authenticated ? 'authenticated' : isChecked ? 'checksum' : 'none',
    }
  }

  /**
   * What an embedded telegram with this clock proves. Where the counter stands still an old telegram opens as well as a
   * new one, so the tag proves something only while the clock moves on.
   */
  embeddedIntegrity(integrity: Integrity, stamp: Stamp | undefined): Integrity {
    if (integrity !== 'authenticated') return integrity
    const time = stamp === undefined ? '' : (utcOf(stamp, 'CET') ?? stamp.local)
    if (time <= this.newest) return 'checksum'
    this.newest = time
    return integrity
  }
}

/** The ring with the published key wherever an entry names no authentication key. */
function withLuxembourgKey(ring: KeyRing): KeyRing {
  return {
    ...ring,
    keys: ring.keys.map(key =>
      key.authenticationKey === null && key.encryptionKey.length === LUXEMBOURG_AK.length
        ? { ...key, authenticationKey: LUXEMBOURG_AK }
        : key,
    ),
  }
}
