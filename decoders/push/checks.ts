/**
 * Checks of what people write, options and profiles alike. Each returns every problem it finds, with the path of the
 * value; an empty list means that the value is what its type says.
 */
import type { Problem } from '../../src/errors.ts'

export type Check = (value: unknown, path: string) => readonly Problem[]

/** A value as messages show it. */
export function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}

/** The one problem of a value that is something else. */
export function unexpected(value: unknown, path: string, expected: string): readonly Problem[] {
  return [{ path, message: `found ${show(value)}, expected ${expected}` }]
}

/** True for what JSON calls an object. */
export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One of a few words. */
export function oneOf(...words: readonly string[]): Check {
  return (value, path) =>
    words.includes(value as string) ? [] : unexpected(value, path, words.join(' or '))
}

/** A text of a form; `what` says which. */
export function text(what: string, form: RegExp = /./): Check {
  return (value, path) =>
    typeof value === 'string' && form.test(value) ? [] : unexpected(value, path, what)
}

/** True or false. */
export const yesOrNo: Check = (value, path) =>
  typeof value === 'boolean' ? [] : unexpected(value, path, 'true or false')

/** A number within bounds. */
export function number(what: string, least: number, most: number): Check {
  return (value, path) =>
    typeof value === 'number' && value >= least && value <= most
      ? []
      : unexpected(value, path, `${what} from ${least} to ${most}`)
}

/** An integer within bounds. */
export function integer(what: string, least: number, most: number): Check {
  return (value, path) =>
    Number.isInteger(value) && (value as number) >= least && (value as number) <= most
      ? []
      : unexpected(value, path, `${what} from ${least} to ${most}`)
}

/** A list with at least one element. */
export function list(element: Check): Check {
  return (value, path) =>
    Array.isArray(value) && value.length > 0
      ? value.flatMap((item, i) => element(item, `${path}.${i}`))
      : unexpected(value, path, 'a list')
}

/** What one check accepts, or what the other does; the problems are those of the first unless the value is no mapping. */
export function either(first: Check, second: Check): Check {
  return (value, path) => {
    const problems = first(value, path)
    if (problems.length === 0 || second(value, path).length === 0) return []
    return isMapping(value) ? problems : second(value, path)
  }
}

/** A mapping whose keys are free but of a form. */
export function mapping(what: string, key: RegExp, value: Check): Check {
  return (found, path) => {
    if (!isMapping(found)) return unexpected(found, path, what)
    return Object.entries(found).flatMap(([name, entry]) =>
      key.test(name)
        ? value(entry, join(path, name))
        : [{ path: join(path, name), message: `unknown key, expected ${what}` }],
    )
  }
}

/** A mapping of these keys and no others; keys that end in `?` may be left out or be undefined. */
export function fields(what: string, checks: Readonly<Record<string, Check>>): Check {
  const byName = new Map(Object.entries(checks).map(([k, check]) => [k.replace('?', ''), check]))
  const needed = Object.keys(checks).filter(name => !name.endsWith('?'))
  return (found, path) => {
    if (!isMapping(found)) return unexpected(found, path, what)
    return [
      ...Object.entries(found).flatMap(
        ([name, value]) =>
          (value === undefined ? [] : byName.get(name)?.(value, join(path, name))) ?? [
            {
              path: join(path, name),
              message: `unknown key, expected ${[...byName.keys()].join(', ')}`,
            },
          ],
      ),
      ...needed
        .filter(name => found[name] === undefined)
        .map(name => ({ path: join(path, name), message: 'found nothing, it must be there' })),
    ]
  }
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`
}
