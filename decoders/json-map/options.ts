/** The mapping from a message's values to fields, as people write it, checked as a whole. */
import type { Parsed, Problem } from '../../src/errors.ts'
import { isObject } from '../../src/json/parse.ts'
import { snakeCase } from '../../src/payload.ts'
import { FIELD_NAMES, type FieldName } from '../../src/reading.ts'
import { type JsonPath, parsePath } from './path.ts'

/** How a value is written: a number also as text; time stamps as Unix seconds, milliseconds or ISO 8601 with zone. */
export type ValueType = 'number' | 'text' | 'posix' | 'posix_ms' | 'iso'

/** Targets beside the fields of a reading. */
export type OtherTarget = 'active_power_w' | 'tariff' | 'meter_id' | 'time' | 'trip_in_s'

/** One line of the mapping. */
export interface MappedValue {
  readonly target: FieldName | OtherTarget
  readonly path: JsonPath
  /** As it was written, for messages. */
  readonly text: string
  /** Factor from the value sent to the unit of the field. */
  readonly scale: number
  readonly type: ValueType
}

export interface JsonMapOptions {
  readonly mapping: readonly MappedValue[]
}

/** Types by target; fields are numbers. The first is the default. */
const TYPES: Readonly<Record<OtherTarget, readonly ValueType[]>> = {
  active_power_w: ['number'],
  trip_in_s: ['number'],
  tariff: ['text'],
  meter_id: ['text'],
  time: ['posix', 'posix_ms', 'iso'],
}

const FIELDS: ReadonlyMap<string, FieldName> = new Map(
  FIELD_NAMES.map(name => [snakeCase(name), name]),
)

/** Checks what the configuration says; lists every problem. */
export function parseJsonMapOptions(raw: unknown): Parsed<JsonMapOptions> {
  const found = isObject(raw) ? raw : {}
  const problems: Problem[] = Object.keys(found)
    .filter(key => key !== 'mapping')
    .map(path => ({ path, message: 'unknown option, expected mapping' }))
  const { mapping } = found
  if (!isObject(mapping) || Object.keys(mapping).length === 0)
    return {
      ok: false,
      problems: [
        ...problems,
        {
          path: 'mapping',
          message: `found ${shown(mapping)}, expected targets such as active_power_import_w, each with a path`,
        },
      ],
    }
  const values: MappedValue[] = []
  for (const [name, line] of Object.entries(mapping)) {
    const checked = lineOf(name, line)
    if (Array.isArray(checked)) problems.push(...checked)
    else values.push(checked as MappedValue)
  }
  return problems.length === 0 ? { ok: true, value: { mapping: values } } : { ok: false, problems }
}

function lineOf(name: string, line: unknown): MappedValue | readonly Problem[] {
  const at = `mapping.${name}`
  const target = FIELDS.get(name) ?? (name in TYPES ? (name as OtherTarget) : undefined)
  if (target === undefined)
    return [
      {
        path: at,
        message: `unknown target, expected a field of a reading such as active_power_import_w, or ${Object.keys(TYPES).join(', ')}`,
      },
    ]
  const spec = typeof line === 'string' ? { path: line } : line
  if (!isObject(spec))
    return [
      { path: at, message: `found ${shown(line)}, expected a path, or path with scale and type` },
    ]
  const { path: text, scale = 1, type, ...rest } = spec
  const types: readonly ValueType[] = TYPES[target as OtherTarget] ?? ['number']
  const path = typeof text === 'string' ? parsePath(text) : undefined
  const problems: Problem[] = Object.keys(rest).map(key => ({
    path: `${at}.${key}`,
    message: 'unknown key, expected path, scale, type',
  }))
  if (path === undefined)
    problems.push({
      path: `${at}.path`,
      message: `found ${shown(text)}, expected a path such as emeters[0].power`,
    })
  if (typeof scale !== 'number' || !Number.isFinite(scale) || scale === 0)
    problems.push({
      path: `${at}.scale`,
      message: `found ${shown(scale)}, expected a number other than 0`,
    })
  if (type !== undefined && !types.includes(type as ValueType))
    problems.push({
      path: `${at}.type`,
      message: `found ${shown(type)}, expected ${types.join(' or ')}`,
    })
  if (problems.length > 0) return problems
  return {
    target,
    path: path!,
    text: text as string,
    scale: scale as number,
    type: (type as ValueType | undefined) ?? types[0]!,
  }
}

function shown(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value)
}
