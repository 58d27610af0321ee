/**
 * The keys of a user device: K1 and K2 of 16 bytes and a system title, one entry for each meter. They come as a list, or
 * as a keys file with K1 for the encryption key and K2 for the authentication key. No message holds a digit of them.
 */
import { type CipherKey, type KeyRing, NO_KEYS, parseKeyRing } from '../dlms/keys.ts'
import type { Parsed, Problem } from '../errors.ts'
import { withoutKeys } from './check.ts'
import { BLOCK } from './cipher.ts'

/** Which of the two keys. */
export type KeyName = 'K1' | 'K2'
export const KEY_NAMES: readonly [KeyName, KeyName] = ['K1', 'K2']

/** The key of that name, `null` where it is not known. */
export function keyOf(entry: CipherKey, name: KeyName): Uint8Array | null {
  return name === 'K1' ? entry.encryptionKey : entry.authenticationKey
}

/** Names in a list, and what a keys file calls the same. */
const ENTRY_FIELDS: Readonly<Record<string, string>> = {
  k1: 'encryption_key',
  k2: 'authentication_key',
  system_title: 'system_title',
}

/** Reads keys, or finds every problem in them; `undefined` gives none. */
export function parseChain2Keys(raw: unknown): Parsed<KeyRing> {
  if (raw === undefined) return { ok: true, value: NO_KEYS }
  const isList = Array.isArray(raw)
  const parsed = parseKeyRing(isList ? { keys: raw.map(asInFile) } : raw)
  const problems = parsed.ok ? parsed.value.keys.flatMap(weaknesses) : parsed.problems
  if (parsed.ok && problems.length === 0) return parsed
  const told = problems.map(({ path, message }) => ({ path, message: withoutKeys(message) }))
  return { ok: false, problems: isList ? told.map(asInList) : told }
}

/** An entry of a list with the names of a keys file; blanks and colons between digits are taken out. */
function asInFile(entry: unknown): unknown {
  if (typeof entry !== 'object' || entry === null) return entry
  return Object.fromEntries([
    ['system_title', '*'],
    ...Object.entries(entry).map(([key, value]) => [
      ENTRY_FIELDS[key] ?? key,
      typeof value === 'string' ? value.replace(/[\s:-]/g, '') : value,
    ]),
  ])
}

function asInList({ path, message }: Problem): Problem {
  const rename = (text: string): string =>
    Object.entries(ENTRY_FIELDS).reduce(
      (renamed, [short, long]) => renamed.replaceAll(long, short),
      text,
    )
  return { path: rename(path.replace(/^keys\./, '')), message: rename(message) }
}

/** Keys that no provider hands out: of another length, or one byte over and over. */
function weaknesses(entry: CipherKey, index: number): Problem[] {
  const keys = [
    ['encryption_key', entry.encryptionKey],
    ['authentication_key', entry.authenticationKey],
  ] as const
  return keys.flatMap(([field, key]) => {
    const path = `keys.${index}.${field}`
    if (key === null) return []
    if (key.length !== BLOCK)
      return [{ path, message: `found ${2 * key.length} hex digits, expected ${2 * BLOCK}` }]
    return key.every(byte => byte === key[0])
      ? [{ path, message: 'found the same byte 16 times, expected a key' }]
      : []
  })
}
