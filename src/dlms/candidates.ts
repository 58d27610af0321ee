/**
 * Which of the configured keys may open a telegram: those for its system title first, then those for any; where nobody
 * says which of two keys is which, each pair the other way round last. The tag decides among them.
 */
import type { KeyObject } from 'node:crypto'
import { toHex } from '../bytes/hex.ts'
import { DecodeError } from '../errors.ts'
import { type Ciphered, COUNTER_LENGTH, type KeySet, TITLE_LENGTH } from './ciphered.ts'
import type { CipherKey, KeyRing } from './keys.ts'

/** A key as the cipher takes it. */
export interface Secret {
  readonly key: KeyObject
  readonly keyBytes: number
  /** Short digest that tells keys apart and gives nothing of them away. */
  readonly fingerprint: string
}

/** Two keys that may protect a telegram together. */
export interface KeyPair {
  /** 16 hex digits, or `*`. */
  readonly title: string
  readonly keySet: KeySet
  readonly encryption: Secret
  readonly authenticationKey: Uint8Array | null
  /** Encryption and authentication key exchanged. */
  readonly exchanged: boolean
  /** The entry of the keys file it comes from. */
  readonly of: CipherKey
}

/** A pair of keys for the sender of a telegram. */
export interface Candidate {
  readonly pair: KeyPair
  readonly title: string
  /** What a counter accepted under it belongs to. */
  readonly counterId: string
  /** System title, and room for the invocation counter. */
  readonly iv: Uint8Array
  /** Room for the security control byte, and the authentication key; `undefined` where that is not known. */
  readonly aad: Uint8Array | undefined
}

/** Title of a meter that sends none and is configured with none (Poland). */
const ZERO_TITLE = '0'.repeat(2 * TITLE_LENGTH)
const IV_LENGTH = TITLE_LENGTH + COUNTER_LENGTH

export class Candidates {
  private readonly pairs: readonly KeyPair[]
  /** What the last telegram could be opened with, and whose it was. */
  private current: readonly Candidate[] = []
  private settled: Candidate | undefined
  private keySet: KeySet | undefined
  private keyBytes = 0
  private title = new Uint8Array(0)

  constructor(ring: KeyRing, prepare: (key: Uint8Array) => Secret) {
    this.pairs = pairsOf(ring, prepare)
  }

  /** What may open `apdu`, most likely first; at least one. Throws CIPHER_KEY_NEEDED. */
  of(bytes: Uint8Array, apdu: Ciphered, keyBytes: number): readonly Candidate[] {
    const { keySet, titleStart, titleEnd } = apdu
    const isCurrent =
      this.keySet === keySet &&
      this.keyBytes === keyBytes &&
      isEqual(this.title, bytes, titleStart, titleEnd)
    if (!isCurrent) {
      this.current = this.find(toHex(bytes, titleStart, titleEnd), keySet, keyBytes)
      this.keySet = keySet
      this.keyBytes = keyBytes
      this.title = bytes.slice(titleStart, titleEnd)
    }
    return this.current
  }

  /** Puts the candidate that opened a telegram first, and gives up trying its keys the other way round. */
  settle(opened: Candidate): void {
    if (this.settled === opened) return
    this.settled = opened
    this.current = [opened, ...this.current.filter(other => other.pair.of !== opened.pair.of)]
  }

  private find(title: string, keySet: KeySet, keyBytes: number): readonly Candidate[] {
    const ofSet = this.pairs.filter(pair => pair.keySet === keySet)
    if (ofSet.length === 0) throw keyNeeded(`${sender(title)} encrypts, ${MISSING[keySet]}`)
    const ofTitle = ofSet.filter(pair => title === '' || pair.title === title || pair.title === '*')
    if (ofTitle.length === 0)
      throw keyNeeded(
        `no key for ${sender(title)}, only for ${[...new Set(ofSet.map(pair => pair.title))].join(', ')}`,
      )
    const ofSize = ofTitle.filter(pair => pair.encryption.keyBytes === keyBytes)
    if (ofSize.length === 0)
      throw keyNeeded(
        `the suite of ${sender(title)} takes keys of ${2 * keyBytes} hex digits, the configured ones have ${2 * ofTitle[0]!.encryption.keyBytes}`,
      )
    return ofSize.map(pair => candidate(pair, title))
  }
}

const MISSING: Readonly<Record<KeySet, string>> = {
  unicast: 'no key is configured',
  broadcast: 'the broadcast key is not configured',
  dedicated: 'the dedicated key is not configured',
}

/** A title as messages show it, with the maker's letters. */
export function sender(title: string): string {
  if (title === '') return 'a meter without system title'
  const letters = [0, 2, 4].map(i => Number.parseInt(title.slice(i, i + 2), 16))
  return letters.every(letter => letter >= 0x41 && letter <= 0x5a)
    ? `meter ${title} (${String.fromCharCode(...letters)})`
    : `meter ${title}`
}

/** Every pair of the ring in the order in which they are tried. */
function pairsOf(ring: KeyRing, prepare: (key: Uint8Array) => Secret): readonly KeyPair[] {
  const isAny = (key: CipherKey): number => Number(key.systemTitle === '*')
  const keys = [...ring.keys].sort((a, b) => isAny(a) - isAny(b))
  const pairs: KeyPair[] = []
  const add = (keySet: KeySet, key: Uint8Array, of: CipherKey, exchanged = false): void => {
    const authenticationKey = exchanged ? of.encryptionKey : of.authenticationKey
    const { systemTitle: title } = of
    pairs.push({ title, keySet, encryption: prepare(key), authenticationKey, exchanged, of })
  }
  for (const key of keys) add('unicast', key.encryptionKey, key)
  for (const key of keys)
    if (key.authenticationKey !== null) add('unicast', key.authenticationKey, key, true)
  // Broadcast and dedicated keys replace the encryption key alone; the authentication key stays the meter's.
  for (const [keySet, replacement] of [
    ['broadcast', ring.broadcastKey],
    ['dedicated', ring.dedicatedKey],
  ] as const) {
    if (replacement === undefined) continue
    for (const key of keys) add(keySet, replacement, key)
    if (keys.length === 0)
      add(keySet, replacement, {
        systemTitle: '*',
        encryptionKey: replacement,
        authenticationKey: null,
      })
  }
  return pairs
}

function candidate(pair: KeyPair, sent: string): Candidate {
  const known = pair.title === '*' ? ZERO_TITLE : pair.title
  const title = sent === '' ? known : sent
  const iv = new Uint8Array(IV_LENGTH)
  for (let i = 0; i < TITLE_LENGTH; i++) iv[i] = Number.parseInt(title.slice(2 * i, 2 * i + 2), 16)
  const { authenticationKey } = pair
  return {
    pair,
    title,
    counterId: `${title}/${pair.keySet}/${pair.encryption.fingerprint}`,
    iv,
    aad: authenticationKey === null ? undefined : Uint8Array.of(0, ...authenticationKey),
  }
}

function isEqual(known: Uint8Array, bytes: Uint8Array, start: number, end: number): boolean {
  if (known.length !== end - start) return false
  for (let i = 0; i < known.length; i++) if (known[i] !== bytes[start + i]) return false
  return true
}

function keyNeeded(detail: string): DecodeError {
  return new DecodeError('CIPHER_KEY_NEEDED', 0, detail)
}
