/**
 * The keys of protected telegrams, as an operator hands them out: an encryption key (GUEK, EK) and mostly an
 * authentication key (GAK, AK) for each system title. Keys never appear in a message, not even in part.
 */
import type { Parsed, Problem } from '../errors.ts'

/** Keys of one meter. */
export interface CipherKey {
  /** 16 hex digits, lower case, or `*` for any meter. */
  readonly systemTitle: string
  /** 16 bytes, 32 for suite 2. */
  readonly encryptionKey: Uint8Array
  /** As long as the encryption key; `null` = not known, so no tag can be checked. */
  readonly authenticationKey: Uint8Array | null
}

/** Every key that may open a telegram of one input. */
export interface KeyRing {
  /** Several may be for the same meter: the tag decides. */
  readonly keys: readonly CipherKey[]
  /** Global broadcast encryption key (GBEK). */
  readonly broadcastKey?: Uint8Array
  /** Dedicated encryption key of general-ded-ciphering. */
  readonly dedicatedKey?: Uint8Array
}

/** The ring of an open port. */
export const NO_KEYS: KeyRing = { keys: [] }

/** Bytes of a key of suites 0 and 1, and of suite 2. */
const KEY_BYTES: readonly number[] = [16, 32]
const KEY_FORM = '32 hex digits, 64 for suite 2'
const RING_FIELDS = ['keys', 'broadcast_key', 'dedicated_key']
const KEY_FIELDS = ['system_title', 'encryption_key', 'authentication_key']

/**
 * Reads what a keys file says (contract 1), or finds every problem in it. A ring that was read before is returned as
 * it is; `undefined` gives {@link NO_KEYS}.
 */
export function parseKeyRing(raw: unknown): Parsed<KeyRing> {
  if (raw === undefined) return { ok: true, value: NO_KEYS }
  if (!isMapping(raw))
    return failed('', `found ${kindOf(raw)}, expected a mapping with ${RING_FIELDS.join(', ')}`)
  if (isKeyRing(raw)) return { ok: true, value: raw }
  const problems = unknownFields('', raw, RING_FIELDS)
  const { keys: rawKeys, broadcast_key, dedicated_key } = raw
  const keys = Array.isArray(rawKeys) ? rawKeys.map((key, i) => readKey(key, i, problems)) : []
  if (rawKeys === undefined && broadcast_key === undefined && dedicated_key === undefined)
    problems.push({ path: 'keys', message: 'found nothing, expected a list of keys' })
  else if (rawKeys !== undefined && !Array.isArray(rawKeys))
    problems.push({ path: 'keys', message: `found ${kindOf(rawKeys)}, expected a list of keys` })
  const broadcastKey = optionalSecret('broadcast_key', broadcast_key, problems)
  const dedicatedKey = optionalSecret('dedicated_key', dedicated_key, problems)
  if (problems.length > 0) return { ok: false, problems }
  return {
    ok: true,
    value: {
      keys: keys.filter(key => key !== undefined),
      ...(broadcastKey === undefined ? {} : { broadcastKey }),
      ...(dedicatedKey === undefined ? {} : { dedicatedKey }),
    },
  }
}

/** One entry of the list; `undefined` where its problems were added. */
function readKey(raw: unknown, index: number, problems: Problem[]): CipherKey | undefined {
  const path = `keys.${index}`
  if (!isMapping(raw)) {
    const message = `found ${kindOf(raw)}, expected a mapping with ${KEY_FIELDS.join(', ')}`
    problems.push({ path, message })
    return undefined
  }
  problems.push(...unknownFields(`${path}.`, raw, KEY_FIELDS))
  const systemTitle = title(`${path}.system_title`, raw['system_title'], problems)
  const encryptionKey = secret(`${path}.encryption_key`, raw['encryption_key'], problems)
  const authenticationKey =
    optionalSecret(`${path}.authentication_key`, raw['authentication_key'], problems) ?? null
  if (encryptionKey === undefined || systemTitle === undefined) return undefined
  if (authenticationKey !== null && authenticationKey.length !== encryptionKey.length)
    problems.push({
      path: `${path}.authentication_key`,
      message: `found ${authenticationKey.length * 2} hex digits, expected ${encryptionKey.length * 2} as in encryption_key`,
    })
  return { systemTitle, encryptionKey, authenticationKey }
}

function title(path: string, raw: unknown, problems: Problem[]): string | undefined {
  if (raw === '*') return raw
  if (typeof raw === 'string' && /^[0-9a-f]{16}$/i.test(raw)) return raw.toLowerCase()
  const found = typeof raw === 'string' ? `'${raw}'` : kindOf(raw)
  problems.push({ path, message: `found ${found}, expected 16 hex digits or '*' for any meter` })
  return undefined
}

function optionalSecret(path: string, raw: unknown, problems: Problem[]): Uint8Array | undefined {
  return raw === undefined || raw === null ? undefined : secret(path, raw, problems)
}

/** Bytes of a key written in hex; `undefined` where the problem was added. */
function secret(path: string, raw: unknown, problems: Problem[]): Uint8Array | undefined {
  const found = secretFault(raw)
  if (found === undefined) return bytesOf(raw as string)
  problems.push({ path, message: `found ${found}, expected ${KEY_FORM}` })
  return undefined
}

/** What is wrong with a key, told without its digits. */
function secretFault(raw: unknown): string | undefined {
  // YAML reads a key of decimal digits alone as a number.
  if (typeof raw === 'number') return 'a number (put the key in quotes)'
  if (typeof raw !== 'string') return kindOf(raw)
  const wrong = raw.search(/[^0-9a-f]/i)
  if (wrong >= 0) return `something else than a hex digit at place ${wrong + 1} of ${raw.length}`
  return KEY_BYTES.includes(raw.length / 2) ? undefined : `${raw.length} hex digits`
}

function bytesOf(digits: string): Uint8Array {
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
}

/** True for what {@link parseKeyRing} returned. */
function isKeyRing(raw: object): raw is KeyRing {
  const { keys, broadcastKey, dedicatedKey, ...others } = raw as Partial<KeyRing>
  return (
    Array.isArray(keys) &&
    keys.every(key => isMapping(key) && key['encryptionKey'] instanceof Uint8Array) &&
    [broadcastKey, dedicatedKey].every(key => key === undefined || key instanceof Uint8Array) &&
    Object.keys(others).length === 0
  )
}

function unknownFields(prefix: string, raw: object, known: readonly string[]): Problem[] {
  return Object.keys(raw)
    .filter(field => !known.includes(field))
    .map(field => ({
      path: `${prefix}${field}`,
      message: `unknown field, expected ${known.join(', ')}`,
    }))
}

function isMapping(raw: unknown): raw is Readonly<Record<string, unknown>> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw)
}

function kindOf(raw: unknown): string {
  if (raw === undefined || raw === null) return 'nothing'
  if (Array.isArray(raw)) return 'a list'
  return typeof raw === 'object' ? 'a mapping' : `a ${typeof raw}`
}

function failed(path: string, message: string): Parsed<KeyRing> {
  return { ok: false, problems: [{ path, message }] }
}
