/**
 * The ways in which a data unit can be protected. Which of them Chain2 uses is not public: the configuration names them
 * in the order in which they are opened. A stage that does not succeed throws; nothing is ever decoded all the same.
 */
import type { InvocationCounter } from '../decoder.ts'
import { Opener } from '../dlms/cipher.ts'
import type { CipherKey, KeyRing } from '../dlms/keys.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import { aesCtr, BLOCK, cmacFits, fingerprint } from './cipher.ts'
import { type KeyName, keyOf } from './keys.ts'
import type { Layer } from './layer.ts'
import { type Counters, ReplayGuard } from './replay-guard.ts'
import type { CounterPlace, NoncePart, StageOptions } from './security.ts'
import { decipherSs, hasSsLength, inner, ssDigestFits } from './ss-frame.ts'

/** One stage at work. */
export interface Stage {
  /** Throws DecodeError: CIPHER_KEY_NEEDED, CIPHER_AUTH_FAILED, CIPHER_REPLAY, DATA_TRUNCATED, DATA_BAD_VALUE. */
  open(layer: Layer): Layer
}

/** Puts a stage to work with the keys and counters of an input. */
export function createStage(options: StageOptions, keys: KeyRing, counters: Counters): Stage {
  switch (options.kind) {
    case 'st-ss':
      return new StSs(options, keys, counters)
    case 'cmac-trailer':
      return new CmacTrailer(options, keys, counters)
    case 'ctr':
      return new Ctr(options, keys)
    case 'general-glo':
      return new GeneralGlo(keys, counters)
  }
}

type Of<Kind extends StageOptions['kind']> = Extract<StageOptions, { kind: Kind }>

/** Keys that may fit, the one that fitted last first; whose counter is remembered under which id. */
class Keys {
  private readonly name: KeyName
  private entries: readonly CipherKey[]
  private readonly ids = new Map<CipherKey, string>()

  constructor(name: KeyName, { keys }: KeyRing) {
    this.name = name
    this.entries = keys.filter(entry => keyOf(entry, name) !== null)
  }

  /** The entry whose key passes the test. Throws CIPHER_KEY_NEEDED, CIPHER_AUTH_FAILED. */
  find(fits: (key: Uint8Array) => boolean): CipherKey {
    const found = this.all().find(entry => fits(keyOf(entry, this.name)!))
    if (found === undefined)
      throw fault('CIPHER_AUTH_FAILED', `the tag fits none of ${this.entries.length} keys`)
    if (found !== this.entries[0])
      this.entries = [found, ...this.entries.filter(entry => entry !== found)]
    return found
  }

  /** Throws CIPHER_KEY_NEEDED where there are none. */
  all(): readonly CipherKey[] {
    if (this.entries.length === 0)
      throw fault('CIPHER_KEY_NEEDED', `the data unit is protected, ${this.name} is not configured`)
    return this.entries
  }

  counterId(entry: CipherKey): string {
    let id = this.ids.get(entry)
    if (id === undefined) {
      id = `${entry.systemTitle}/${this.name}/${fingerprint(keyOf(entry, this.name)!)}`
      this.ids.set(entry, id)
    }
    return id
  }
}

/** Checks of a frame that was authenticated: the counter, where the configuration says where it stands. */
class Guard {
  private readonly place: CounterPlace | undefined
  private readonly guard: ReplayGuard

  constructor(place: CounterPlace | undefined, counters: Counters) {
    this.place = place
    this.guard = new ReplayGuard(counters, place?.resetAfter ?? 0)
  }

  /** Throws CIPHER_REPLAY, DATA_TRUNCATED. */
  accept({ bytes, start, end }: Layer, id: string): InvocationCounter | undefined {
    if (this.place === undefined) return undefined
    const { offset, size } = this.place
    const at = offset < 0 ? end + offset : start + offset
    if (at < start || at + size > end)
      throw fault('DATA_TRUNCATED', `a counter at byte ${offset}, ${end - start} bytes there`)
    let value = 0
    for (let i = 0; i < size; i++) value = value * 256 + bytes[at + i]!
    return this.guard.accept(id, value)
  }
}

class StSs implements Stage {
  private readonly options: Of<'st-ss'>
  private readonly keys: Keys
  private readonly guard: Guard

  constructor(options: Of<'st-ss'>, keys: KeyRing, counters: Counters) {
    this.options = options
    this.keys = new Keys(options.key, keys)
    this.guard = new Guard(options.counter, counters)
  }

  open(layer: Layer): Layer {
    const { key, firstCounter } = this.options
    this.keys.all()
    if (!hasSsLength(layer))
      throw fault('DATA_TRUNCATED', `${layer.end - layer.start} bytes, 33 to 255 expected`)
    const entry = this.keys.find(candidate => ssDigestFits(candidate, layer))
    const counter = this.guard.accept(layer, this.keys.counterId(entry))
    return proved(decipherSs(keyOf(entry, key)!, layer, firstCounter), entry, counter)
  }
}

class CmacTrailer implements Stage {
  private readonly options: Of<'cmac-trailer'>
  private readonly keys: Keys
  private readonly guard: Guard

  constructor(options: Of<'cmac-trailer'>, keys: KeyRing, counters: Counters) {
    this.options = options
    this.keys = new Keys(options.key, keys)
    this.guard = new Guard(options.counter, counters)
  }

  open(layer: Layer): Layer {
    const { macBytes, from } = this.options
    const { bytes, start, trace } = layer
    const end = layer.end - macBytes
    this.keys.all()
    if (start + from >= end)
      throw fault('DATA_TRUNCATED', `${layer.end - start} bytes with a MAC of ${macBytes}`)
    const mac = bytes.subarray(end, layer.end)
    const entry = this.keys.find(key => cmacFits(key, bytes, start + from, end, mac))
    trace?.row(end, layer.end, 'MAC (AES-CMAC), right')
    const content = { ...layer, end }
    return proved(content, entry, this.guard.accept(content, this.keys.counterId(entry)))
  }
}

/** Deciphers and proves nothing: with several keys that of the stage before, or else the first, is taken. */
class Ctr implements Stage {
  private readonly options: Of<'ctr'>
  private readonly keys: Keys

  constructor(options: Of<'ctr'>, keys: KeyRing) {
    this.options = options
    this.keys = new Keys(options.key, keys)
  }

  open(layer: Layer): Layer {
    const { header, key, nonce } = this.options
    const { bytes, start, end, trace } = layer
    const entry = layer.key ?? this.keys.all()[0]!
    const secret = keyOf(entry, key)
    if (secret === null) throw fault('CIPHER_KEY_NEEDED', `${key} of this meter is not configured`)
    if (start + header > end)
      throw fault('DATA_TRUNCATED', `a header of ${header} bytes, ${end - start} there`)
    const block = new Uint8Array(BLOCK)
    let filled = 0
    for (const part of nonce) {
      const piece = partOf(part, layer, entry)
      block.set(piece, filled)
      filled += piece.length
    }
    trace?.row(start, start + header, 'header, clear')
    const plain = aesCtr(secret, block, bytes, start + header, end)
    return inner(layer, plain, trace?.sealed(start + header, end, 'enciphered (AES-CTR)', plain))
  }
}

function partOf(part: NoncePart, { bytes, start, end }: Layer, entry: CipherKey): Uint8Array {
  if ('literal' in part) return part.literal
  if ('title' in part) {
    if (entry.systemTitle === '*')
      throw fault('CIPHER_KEY_NEEDED', 'the nonce needs the system title of the meter')
    return titleBytes(entry.systemTitle)
  }
  const at = part.offset < 0 ? end + part.offset : start + part.offset
  if (at < start || at + part.size > end)
    throw fault(
      'DATA_TRUNCATED',
      `a part of the nonce at byte ${part.offset}, ${end - start} there`,
    )
  return bytes.subarray(at, at + part.size)
}

function titleBytes(title: string): Uint8Array {
  return Uint8Array.from({ length: title.length / 2 }, (_, i) =>
    Number.parseInt(title.slice(2 * i, 2 * i + 2), 16),
  )
}

/** DLMS general-glo-ciphering, suite 0 (Green Book 9.2): K1 enciphers, K2 authenticates. */
class GeneralGlo implements Stage {
  private readonly opener: Opener

  constructor(keys: KeyRing, counters: Counters) {
    this.opener = new Opener(keys, { authentication: 'required', counters, replay: 'increasing' })
  }

  open(layer: Layer): Layer {
    const { bytes, start, end, trace } = layer
    const opened = this.opener.open(bytes, start, end)
    if (opened.inputEnd !== end)
      throw fault('DATA_TRAILING', `${end - opened.inputEnd} bytes behind the protected APDU`)
    const tag = opened.authenticated ? ', tag right' : ''
    const plain = opened.bytes.slice(opened.start, opened.end)
    const meaning = `protected APDU of ${opened.systemTitle}${tag}`
    const content = inner(layer, plain, trace?.sealed(start, end, meaning, plain))
    if (!opened.authenticated) return content
    return {
      ...content,
      integrity: 'authenticated',
      ...(opened.counter === undefined ? {} : { counter: opened.counter }),
    }
  }
}

function proved(layer: Layer, key: CipherKey, counter: InvocationCounter | undefined): Layer {
  return {
    ...layer,
    integrity: 'authenticated',
    key,
    ...(counter === undefined ? {} : { counter }),
  }
}

function fault(code: DecodeErrorCode, detail: string): DecodeError {
  return new DecodeError(code, 0, detail)
}
