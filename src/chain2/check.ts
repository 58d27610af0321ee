/** Checks what a person wrote, value by value, and collects every problem with its path. */
import type { Parsed, Problem } from '../errors.ts'

/** A mapping of a configuration. */
export type Mapping = Readonly<Record<string, unknown>>

export class Checker {
  readonly problems: Problem[] = []

  /** The value built, or what was found wrong on the way. */
  result<T>(value: T): Parsed<T> {
    const { problems } = this
    return problems.length === 0 ? { ok: true, value } : { ok: false, problems }
  }

  /** Notes a value that is not what it should be. */
  wrong(path: string, found: unknown, expected: string): void {
    this.problems.push({ path, message: `found ${shown(found)}, expected ${expected}` })
  }

  /** A mapping with no other keys than these; an empty one after a problem. */
  mapping(path: string, raw: unknown, keys: readonly string[]): Mapping {
    if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) {
      this.wrong(path, raw, `a mapping with ${keys.join(', ')}`)
      return {}
    }
    for (const key of Object.keys(raw))
      if (!keys.includes(key))
        this.problems.push({
          path: joined(path, key),
          message: `unknown, expected one of ${keys.join(', ')}`,
        })
    return raw as Mapping
  }

  /** A list; an empty one after a problem. */
  list(path: string, raw: unknown, what: string): readonly unknown[] {
    if (Array.isArray(raw)) return raw
    this.wrong(path, raw, `a list of ${what}`)
    return []
  }

  /** A whole number within bounds; `fallback` where there is none, and after a problem. */
  integer(path: string, raw: unknown, least: number, most: number, fallback: number): number {
    if (raw === undefined) return fallback
    if (Number.isInteger(raw) && (raw as number) >= least && (raw as number) <= most)
      return raw as number
    this.wrong(path, raw, `a whole number from ${least} to ${most}`)
    return fallback
  }

  /** One of a few words; the first where there is none, and after a problem. */
  choice<T extends string>(path: string, raw: unknown, words: readonly [T, ...T[]]): T {
    const found = words.find(word => word === raw)
    if (found === undefined && raw !== undefined) this.wrong(path, raw, words.join(' or '))
    return found ?? words[0]
  }

  /** Text that is not empty. */
  text(path: string, raw: unknown): string {
    if (typeof raw === 'string' && raw !== '') return raw
    this.wrong(path, raw, 'a text')
    return ''
  }

  /** True or false; false where there is none. */
  flag(path: string, raw: unknown): boolean {
    if (raw !== undefined && typeof raw !== 'boolean') this.wrong(path, raw, 'true or false')
    return raw === true
  }
}

/** A path one level deeper. */
export function joined(path: string, key: string | number): string {
  return path === '' ? String(key) : `${path}.${key}`
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string') return `'${withoutKeys(value)}'`
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a mapping' : String(value)
}

/** A text without what may be a key in the wrong place. */
export function withoutKeys(text: string): string {
  return text.replace(/([0-9a-f][\s:-]*){24,}/gi, '(hex digits)')
}
