/** What a configuration can say of the protection: which stages, with which keys, where a counter stands. */
import { parseHex } from '../bytes/hex.ts'
import { type Checker, joined, type Mapping } from './check.ts'
import { BLOCK } from './cipher.ts'
import { KEY_NAMES, type KeyName } from './keys.ts'
import type { FirstCounter } from './ss-frame.ts'

/** Where the counter of a message stands. */
export interface CounterPlace {
  /** From the first byte of what the stage gets; negative: from behind its last. */
  readonly offset: number
  readonly size: number
  /** See {@link ReplayGuard}; 0 = never. */
  readonly resetAfter: number
}

/** A part of the first counter block: bytes of the message, the system title of the meter, or fixed ones. */
export type NoncePart =
  | { readonly offset: number; readonly size: number }
  | { readonly title: true }
  | { readonly literal: Uint8Array }

/** One stage as it is configured. */
export type StageOptions =
  | {
      readonly kind: 'st-ss'
      readonly key: KeyName
      readonly firstCounter: FirstCounter
      readonly counter: CounterPlace | undefined
    }
  | {
      readonly kind: 'cmac-trailer'
      readonly key: KeyName
      /** The MAC is cut to so many bytes. */
      readonly macBytes: number
      /** First byte that it covers. */
      readonly from: number
      readonly counter: CounterPlace | undefined
    }
  | {
      readonly kind: 'ctr'
      readonly key: KeyName
      /** Clear bytes before the enciphered ones. */
      readonly header: number
      readonly nonce: readonly NoncePart[]
    }
  | { readonly kind: 'general-glo' }

const MAX = 255
const TITLE = 8

/** How the options of one kind of stage are read. */
interface Kind {
  readonly keys: readonly string[]
  read(checker: Checker, path: string, stage: Mapping): readonly StageOptions[]
}

const KINDS: Readonly<Record<string, Kind>> = {
  none: { keys: [], read: () => [] },
  'st-ss': {
    keys: ['key', 'firstCounter', 'counter'],
    read: (checker, path, stage) => {
      const first = checker.integer(joined(path, 'firstCounter'), stage['firstCounter'], 0, 1, 0)
      const firstCounter = first === 1 ? 1 : 0
      return [{ kind: 'st-ss', ...common(checker, path, stage), firstCounter }]
    },
  },
  'cmac-trailer': {
    keys: ['key', 'macBytes', 'from', 'counter'],
    read: (checker, path, stage) => {
      const macBytes = checker.integer(joined(path, 'macBytes'), stage['macBytes'], 4, BLOCK, BLOCK)
      const from = checker.integer(joined(path, 'from'), stage['from'], 0, MAX, 0)
      return [{ kind: 'cmac-trailer', ...common(checker, path, stage), macBytes, from }]
    },
  },
  ctr: {
    keys: ['key', 'header', 'nonce', 'fields'],
    read: (checker, path, stage) => {
      const key = checker.choice(joined(path, 'key'), stage['key'], KEY_NAMES)
      const header = checker.integer(joined(path, 'header'), stage['header'], 0, MAX, 0)
      return [{ kind: 'ctr', key, header, nonce: parseNonce(checker, path, stage) }]
    },
  },
  'general-glo': { keys: [], read: () => [{ kind: 'general-glo' }] },
}
const WORDS = Object.keys(KINDS).join(' or ')

/** Reads one stage or a list of them, each a word or a mapping; nothing, or `none`, gives none. */
export function parseSecurity(
  checker: Checker,
  path: string,
  raw: unknown,
): readonly StageOptions[] {
  if (raw === undefined) return []
  if (!Array.isArray(raw)) return parseStage(checker, path, raw)
  return raw.flatMap((stage, i) => parseStage(checker, `${path}.${i}`, stage))
}

function parseStage(checker: Checker, path: string, raw: unknown): readonly StageOptions[] {
  const isWord = typeof raw === 'string'
  const word = isWord ? raw : (raw as { kind?: unknown } | null)?.kind
  if (typeof word !== 'string' || !Object.hasOwn(KINDS, word)) {
    checker.wrong(isWord ? path : joined(path, 'kind'), word, WORDS)
    return []
  }
  const kind = KINDS[word]!
  const stage = isWord ? {} : checker.mapping(path, raw, ['kind', ...kind.keys])
  return kind.read(checker, path, stage)
}

function common(
  checker: Checker,
  path: string,
  stage: Mapping,
): { readonly key: KeyName; readonly counter: CounterPlace | undefined } {
  const key = checker.choice(joined(path, 'key'), stage['key'], KEY_NAMES)
  const at = joined(path, 'counter')
  if (stage['counter'] === undefined) return { key, counter: undefined }
  const place = checker.mapping(at, stage['counter'], ['offset', 'size', 'resetAfter'])
  return {
    key,
    counter: {
      offset: checker.integer(joined(at, 'offset'), place['offset'] ?? null, -MAX, MAX, 0),
      size: checker.integer(joined(at, 'size'), place['size'] ?? null, 1, 4, 4),
      resetAfter: checker.integer(joined(at, 'resetAfter'), place['resetAfter'], 0, 1000, 0),
    },
  }
}

/** Parts of a nonce that stand in the message, and how long they are; `iv` is as long as is said. */
const FIELDS: Readonly<Record<string, number | undefined>> = {
  iv: undefined,
  counter32: 4,
  lmon: 8,
}
const PARTS = `systemTitle, ${Object.keys(FIELDS).join(', ')} or hex digits`

/** `nonce` names the parts in order, `fields` says where those of the message stand. Together they fill a block. */
function parseNonce(checker: Checker, path: string, stage: Mapping): readonly NoncePart[] {
  const at = joined(path, 'nonce')
  const fieldsAt = joined(path, 'fields')
  const fields =
    stage['fields'] === undefined
      ? {}
      : checker.mapping(fieldsAt, stage['fields'], Object.keys(FIELDS))
  let length = 0
  const parts = checker.list(at, stage['nonce'], 'parts').flatMap((raw, i): NoncePart[] => {
    const part = parsePart(checker, `${at}.${i}`, raw, fieldsAt, fields)
    if (part === undefined) return []
    length += 'literal' in part ? part.literal.length : 'title' in part ? TITLE : part.size
    return [part]
  })
  if (length !== BLOCK && checker.problems.length === 0)
    checker.wrong(at, `${length} bytes`, `parts that add up to ${BLOCK} bytes`)
  return parts
}

function parsePart(
  checker: Checker,
  path: string,
  raw: unknown,
  fieldsAt: string,
  fields: Mapping,
): NoncePart | undefined {
  if (raw === 'systemTitle') return { title: true }
  if (typeof raw === 'string' && Object.hasOwn(FIELDS, raw)) {
    const at = joined(fieldsAt, raw)
    const place = checker.mapping(at, fields[raw], ['offset', 'size'])
    const fixed = FIELDS[raw]
    const [least, most] = fixed === undefined ? [1, BLOCK] : [fixed, fixed]
    return {
      offset: checker.integer(joined(at, 'offset'), place['offset'] ?? null, -MAX, MAX, 0),
      size: checker.integer(joined(at, 'size'), place['size'] ?? fixed ?? null, least, most, least),
    }
  }
  const literal = typeof raw === 'string' ? parseHex(raw) : undefined
  if (literal === undefined || literal.length === 0) {
    checker.wrong(path, raw, PARTS)
    return undefined
  }
  return { literal }
}
