/**
 * Opens protected APDUs (Green Book 9.2): AES-GCM of the suites 0, 1 (128 bits) and 2 (256 bits), with
 * IV = system title ‖ invocation counter and AAD = SC ‖ AK ‖ (general-ciphering: its fields) ‖ (SC 1x: the content).
 *
 * The order of acceptance: envelope, keys for this title and suite, counter, tag; only then is the counter kept and the
 * plaintext handed out. A telegram without a tag (SC 0x, SC 2x) proves nothing, so it neither meets nor moves a counter:
 * a forged one with the counter FFFFFFFF would lock the meter out for ever.
 */
import { createDecipheriv, createHash, createSecretKey, type DecipherGCM } from 'node:crypto'
import { hex, toHex } from '../bytes/hex.ts'
import { Reader } from '../bytes/reader.ts'
import type { InvocationCounter } from '../decoder.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import { type Candidate, Candidates, type Secret, sender } from './candidates.ts'
import {
  type Ciphered,
  COUNTER_LENGTH,
  readCiphered,
  SECURITY,
  TAG_LENGTH,
  TITLE_LENGTH,
} from './ciphered.ts'
import type { KeyRing } from './keys.ts'

/** How an input's telegrams are to be opened. */
export interface OpenerOptions {
  /**
   * `required`: a tag that cannot be checked for want of the authentication key is refused with CIPHER_KEY_NEEDED.
   * `optional`: it is passed over, and the telegram is not authenticated.
   */
  readonly authentication: 'required' | 'optional'
  /** Last accepted counters by {@link InvocationCounter.id}, as they were kept outside. */
  readonly counters: Readonly<Record<string, number>>
  /** `none` for meters that send the same counter again and again (Poland). */
  readonly replay: 'increasing' | 'none'
}

/** An opened APDU. */
export interface Opened {
  /** Holds the plaintext at `start..end`. Where nothing was encrypted it is the input itself. */
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
  /** The tag was right. */
  readonly authenticated: boolean
  /** The sender's title, 16 hex digits; empty where a clear telegram names none. */
  readonly systemTitle: string
  /** To be kept outside. Present only where the telegram was authenticated and counters are checked. */
  readonly counter: InvocationCounter | undefined
  /** The tag was right with encryption and authentication key exchanged: they are configured the wrong way round. */
  readonly swapped: boolean
  /** Index in the input behind the ciphered APDU: what follows there is padding. */
  readonly inputEnd: number
}

/** The AES mode of a security suite. */
interface Suite {
  readonly cipher: 'aes-128-gcm' | 'aes-256-gcm'
  readonly keyBytes: number
}

/** By suite number; 1 and 2 bring signatures and key agreement as well, which a push does not use. */
const SUITES: readonly Suite[] = [
  { cipher: 'aes-128-gcm', keyBytes: 16 },
  { cipher: 'aes-128-gcm', keyBytes: 16 },
  { cipher: 'aes-256-gcm', keyBytes: 32 },
]
const GCM_OPTIONS = { authTagLength: TAG_LENGTH } as const

/**
 * First bytes that a deciphered push can have: data-notification, event-notification, and the text of P1 telegrams
 * (header line, line end, or the first OBIS code).
 */
const FIRST_BYTES: readonly number[] = [0x0f, 0xc2, 0x2f, 0x0d, 0x30, 0x31]

export class Opener {
  private readonly options: OpenerOptions
  private readonly candidates: Candidates
  /** Last accepted counter by id. Grows only with what was authenticated. */
  private readonly counters: Map<string, number>
  private readonly reader = new Reader(new Uint8Array(0))

  constructor(keys: KeyRing, options: OpenerOptions) {
    this.options = options
    this.candidates = new Candidates(keys, secretOf)
    this.counters = new Map(Object.entries(options.counters))
  }

  /**
   * Opens the APDU that begins at `bytes[start]`. Throws {@link DecodeError}: APDU_UNKNOWN where it is no ciphered one,
   * CIPHER_KEY_NEEDED, CIPHER_AUTH_FAILED, CIPHER_REPLAY, CIPHER_UNSUPPORTED, and LINK_INCOMPLETE, DATA_TRUNCATED or
   * DATA_BAD_VALUE for a malformed envelope.
   */
  open(bytes: Uint8Array, start: number, end: number): Opened {
    this.reader.reset(bytes, start, end)
    const apdu = readCiphered(this.reader)
    const { securityControl } = apdu
    if (securityControl & SECURITY.compressed)
      throw fault('CIPHER_UNSUPPORTED', `compressed content (SC ${hex(securityControl)})`)
    const suite = SUITES[securityControl & SECURITY.suite]
    if (suite === undefined)
      throw fault(
        'CIPHER_UNSUPPORTED',
        `suite ${securityControl & SECURITY.suite}, known are 0 to 2`,
      )
    if ((securityControl & (SECURITY.authenticated | SECURITY.encrypted)) === 0)
      return unproven(bytes, apdu, toHex(bytes, apdu.titleStart, apdu.titleEnd))
    const candidates = this.candidates.of(bytes, apdu, suite.keyBytes)
    if ((securityControl & SECURITY.authenticated) === 0)
      return openUntagged(bytes, apdu, suite, candidates)
    if (candidates.some(candidate => candidate.aad !== undefined))
      return this.openTagged(bytes, apdu, suite, candidates)
    if (this.options.authentication === 'required')
      throw fault(
        'CIPHER_KEY_NEEDED',
        `the tag of ${sender(candidates[0]!.title)} cannot be checked without the authentication key`,
      )
    return openUntagged(bytes, apdu, suite, candidates)
  }

  /** Tries the candidates until the tag fits one of them. */
  private openTagged(
    bytes: Uint8Array,
    apdu: Ciphered,
    suite: Suite,
    candidates: readonly Candidate[],
  ): Opened {
    const value = apdu.counter
    const isChecked = this.options.replay === 'increasing'
    let last: InvocationCounter | undefined
    for (const candidate of candidates) {
      const { counterId, title, aad } = candidate
      if (aad === undefined) continue
      const accepted = isChecked ? this.counters.get(counterId) : undefined
      if (accepted !== undefined && value <= accepted) {
        last ??= { id: counterId, value: accepted }
        continue
      }
      const content = unseal(bytes, apdu, suite, candidate, aad)
      if (content === undefined) continue
      this.candidates.settle(candidate)
      if (isChecked) this.counters.set(counterId, value)
      return {
        bytes: content.bytes,
        start: content.start,
        end: content.end,
        authenticated: true,
        systemTitle: title,
        counter: isChecked ? { id: counterId, value } : undefined,
        swapped: candidate.pair.exchanged,
        inputEnd: apdu.end,
      }
    }
    if (last !== undefined) throw replayed(value, last)
    throw fault('CIPHER_AUTH_FAILED', `the tag fits no key of ${sender(candidates[0]!.title)}`)
  }
}

/** Where a plaintext stands. */
type Content = Pick<Opened, 'bytes' | 'start' | 'end'>

/** The plaintext, `undefined` if the tag does not fit: it leaves here only after `final` has compared the tag. */
function unseal(
  bytes: Uint8Array,
  apdu: Ciphered,
  suite: Suite,
  candidate: Candidate,
  aad: Uint8Array,
): Content | undefined {
  const { contentStart, contentEnd, headerStart, headerEnd } = apdu
  const isEncrypted = (apdu.securityControl & SECURITY.encrypted) !== 0
  const content = bytes.subarray(contentStart, contentEnd)
  const decipher = decipherOf(bytes, apdu, suite, candidate)
  aad[0] = apdu.securityControl
  if (isEncrypted && headerStart === headerEnd) decipher.setAAD(aad)
  else
    decipher.setAAD(
      joined(aad, bytes.subarray(headerStart, headerEnd), isEncrypted ? NOTHING : content),
    )
  decipher.setAuthTag(bytes.subarray(contentEnd, apdu.end))
  const plaintext = isEncrypted ? decipher.update(content) : NOTHING
  try {
    decipher.final()
  } catch {
    // A tag that does not fit is the only thing that final throws for.
    return undefined
  }
  return isEncrypted
    ? { bytes: plaintext, start: 0, end: plaintext.length }
    : { bytes, start: contentStart, end: contentEnd }
}

/** Without a tag to decide, the first key whose plaintext begins as a push does. */
function openUntagged(
  bytes: Uint8Array,
  apdu: Ciphered,
  suite: Suite,
  candidates: readonly Candidate[],
): Opened {
  for (const candidate of candidates) {
    if (candidate.pair.exchanged) continue
    if ((apdu.securityControl & SECURITY.encrypted) === 0)
      return unproven(bytes, apdu, candidate.title)
    const plaintext = decipherOf(bytes, apdu, suite, candidate).update(
      bytes.subarray(apdu.contentStart, apdu.contentEnd),
    )
    if (FIRST_BYTES.includes(plaintext[0]!))
      return {
        ...unproven(bytes, apdu, candidate.title),
        bytes: plaintext,
        start: 0,
        end: plaintext.length,
      }
  }
  throw fault(
    'CIPHER_AUTH_FAILED',
    `what ${sender(candidates[0]!.title)} sent without a tag begins as no push once deciphered: the key is wrong`,
  )
}

/** The content as it stands in the input, without any proof of who sent it. */
function unproven(bytes: Uint8Array, apdu: Ciphered, systemTitle: string): Opened {
  return {
    bytes,
    start: apdu.contentStart,
    end: apdu.contentEnd,
    authenticated: false,
    systemTitle,
    counter: undefined,
    swapped: false,
    inputEnd: apdu.end,
  }
}

function decipherOf(
  bytes: Uint8Array,
  apdu: Ciphered,
  suite: Suite,
  { iv, pair }: Candidate,
): DecipherGCM {
  for (let i = 0; i < COUNTER_LENGTH; i++) iv[TITLE_LENGTH + i] = bytes[apdu.counterStart + i]!
  return createDecipheriv(suite.cipher, pair.encryption.key, iv, GCM_OPTIONS)
}

/** A key as the ciphers take it: Node 24 needs five times as long to set one up from bytes. */
export function secretOf(key: Uint8Array): Secret {
  const digest = createHash('sha256').update(key).digest('hex')
  return { key: createSecretKey(key), keyBytes: key.length, fingerprint: digest.slice(0, 8) }
}

/** Deciphers whole blocks of AES-128-CBC without padding, as OMS uses it; `iv` has 16 bytes. Nothing is authenticated. */
export function decipherBlocks({ key }: Secret, iv: Uint8Array, blocks: Uint8Array): Uint8Array {
  const decipher = createDecipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
  const plaintext = decipher.update(blocks)
  decipher.final()
  return plaintext
}

const NOTHING = new Uint8Array(0)

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** An old counter: what it is, and what to do where the meter itself began again. */
function replayed(value: number, last: InvocationCounter): DecodeError {
  const found =
    value === last.value
      ? `invocation counter ${value} a second time`
      : `invocation counter ${value}, the last accepted one is ${last.value}`
  return fault(
    'CIPHER_REPLAY',
    `${found}; a new meter or a new key counts for itself once it is in the keys file, and if the meter began again under the same key remove the stored counter ${last.id}`,
  )
}

function fault(code: DecodeErrorCode, detail: string): DecodeError {
  return new DecodeError(code, 0, detail)
}
