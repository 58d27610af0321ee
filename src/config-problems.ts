/** Problems of a configuration as sentences: where, what was found, what would be right, or which key was meant. */
import type { z } from 'zod'
import type { Problem } from './errors.ts'

/** Keys and indices from the root to a value. */
export type Path = readonly (string | number)[]

/** A problem with the place of its value in the file. */
export interface Located extends Problem {
  readonly at: Path
}

/** One sentence for each issue, unknown keys one by one. */
export function problemsOf(
  issues: readonly z.core.$ZodIssue[],
  schema: z.ZodType,
  data: unknown,
): readonly Located[] {
  return issues.flatMap(issue => {
    const at = issue.path.map(key => (typeof key === 'number' ? key : String(key)))
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(key => problem([...at, key], unknownKey(key, at, schema, data)))
    const found = describe(at.reduce(child, data))
    const here = problem(at, `found ${found}, expected ${issue.message}`)
    return issue.code === 'invalid_union'
      ? [here, ...inCommon(at.slice(0, -1), schema, data)]
      : [here]
  })
}

/** Of a mapping whose kind is not known: the problems of what all kinds have in common. */
function inCommon(at: Path, schema: z.ZodType, data: unknown): readonly Located[] {
  const last = at.at(-1)
  if (last === undefined) return []
  const several = unwrapped(schemaOf(schemaAt(schema, at.slice(0, -1), data), last))
  const { discriminator, options = [] } = kindsOf(several)
  const [first = {}, ...rest] = options.map(shapeOf)
  if (discriminator === undefined) return []
  return Object.entries(first)
    .filter(([key, part]) => rest.every(shape => shape[key] === part))
    .flatMap(([key, part]) => {
      const value = child(at.reduce(child, data), key)
      const { error } = part.safeParse(value)
      return problemsOf(error?.issues ?? [], part, value).map(({ at: inside, message }) =>
        problem([...at, key, ...inside], message),
      )
    })
}

/** A problem at a path. */
export function problem(at: Path, message: string): Located {
  return { at, path: at.length === 0 ? 'configuration' : at.join('.'), message }
}

/** A value as messages show it. */
export function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value))
    return value.length === 0 ? 'an empty list' : `the list ${JSON.stringify(value)}`
  return typeof value === 'object' ? 'a mapping' : String(value)
}

function child(value: unknown, key: string | number): unknown {
  return typeof value === 'object' && value !== null
    ? (value as { [key: string | number]: unknown })[key]
    : undefined
}

function unknownKey(key: string, at: Path, schema: z.ZodType, data: unknown): string {
  const keys = Object.keys(shapeOf(schemaAt(schema, at, data)))
  const near = keys.find(other => distance(plain(key), plain(other)) <= 2)
  if (near !== undefined) return `unknown key; did you mean ${near}?`
  for (const [section, part] of Object.entries(shapeOf(schema)))
    if (Object.keys(shapeOf(part)).some(other => plain(other) === plain(key)))
      return `unknown key; did you mean ${section}.${key}?`
  return `unknown key, expected one of ${keys.join(', ')}`
}

/** The schema that holds at a path; of several kinds the one that the data names. */
function schemaAt(schema: z.ZodType, at: Path, data: unknown): z.ZodType | undefined {
  let here: z.ZodType | undefined = kindOf(schema, data)
  let value = data
  for (const key of at) {
    value = child(value, key)
    here = kindOf(schemaOf(here, key), value)
  }
  return here
}

/** Of a schema that has a shape for each kind, the one for this value; any other schema as it is. */
function kindOf(schema: z.ZodType | undefined, value: unknown): z.ZodType | undefined {
  const inner = unwrapped(schema)
  const { discriminator, options } = kindsOf(inner)
  if (discriminator === undefined) return inner
  const kind = child(value, discriminator)
  return options?.find(option => shapeOf(option)[discriminator]?.safeParse(kind).success)
}

function kindsOf(schema: z.ZodType | undefined): {
  readonly discriminator?: string
  readonly options?: readonly z.ZodType[]
} {
  return (schema?.def ?? {}) as ReturnType<typeof kindsOf>
}

function schemaOf(schema: z.ZodType | undefined, key: string | number): z.ZodType | undefined {
  const inner = unwrapped(schema)
  if (typeof key === 'number') return (inner as { element?: z.ZodType } | undefined)?.element
  return shapeOf(inner)[key]
}

function shapeOf(schema: z.ZodType | undefined): { readonly [key: string]: z.ZodType } {
  return (unwrapped(schema) as { shape?: { [key: string]: z.ZodType } } | undefined)?.shape ?? {}
}

function unwrapped(schema: z.ZodType | undefined): z.ZodType | undefined {
  const { innerType } = (schema?.def ?? {}) as { innerType?: z.ZodType }
  return innerType ?? schema
}

/** Upper case, _ and - are what people mix up. */
function plain(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '')
}

/** Number of letters to insert, remove or replace. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i]
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same))
    }
    row = next
  }
  return row[b.length]!
}
