/** Reads one field of a dictionary. */
import { type Checker, joined, type Mapping } from './check.ts'
import type { Count, Field, Length } from './dictionary.ts'
import { FIELD_TYPES, type FieldType, type TypeName } from './field-types.ts'
import { TARGETS, type TargetName, targetOf } from './targets.ts'

const KEYS = [
  'name',
  'type',
  'const',
  'unit',
  'scaler',
  'endian',
  'na',
  'count',
  'times',
  'len',
  'size',
  'optional',
  'map',
  'obis',
  'personal',
  'about',
]

/** Keys that make no sense without knowing the type, and the kinds of type that take them; `*` = all. */
const KINDS: Readonly<Record<string, readonly FieldType['kind'][] | '*'>> = {
  const: ['integer'],
  unit: ['integer', 'float', 'bcd'],
  scaler: ['integer', 'float', 'bcd'],
  endian: ['integer', 'float', 'time', 'bcd'],
  na: ['integer', 'float', 'octets', 'text', 'time'],
  count: '*',
  times: '*',
  len: ['octets', 'text', 'bits'],
  size: ['octets', 'text', 'bits', 'bcd', 'skip'],
  optional: '*',
  map: ['integer', 'float', 'bcd', 'time'],
  obis: '*',
}

/** Names of personal data in gateways; a field so called is personal unless the dictionary says it is not. */
const PERSONAL: ReadonlySet<string> = new Set([
  'pod',
  'customercode',
  'fiscalcode',
  'vendor',
  'phone',
  'dataplate',
])

/** Longest string, and most values of a field. */
const MAX = 255

/** The name of a field, and the field where its type is known. */
export function parseField(
  checker: Checker,
  path: string,
  raw: unknown,
): { readonly name: string; readonly field: Field | undefined } {
  const data = checker.mapping(path, raw, KEYS)
  const name = checker.text(joined(path, 'name'), data['name'])
  const type = parseType(checker, path, data)
  if (type === undefined) return { name, field: undefined }
  const { kind } = FIELD_TYPES[type]
  for (const [key, kinds] of Object.entries(KINDS))
    if (data[key] !== undefined && kinds !== '*' && !kinds.includes(kind))
      checker.wrong(joined(path, key), data[key], `nothing: ${type} has no ${key}`)
  const littleEndian =
    checker.choice(joined(path, 'endian'), data['endian'], ['big', 'little']) === 'little'
  const na = data['na'] === undefined ? [] : checker.list(joined(path, 'na'), data['na'], 'values')
  const isText = kind === 'text' || kind === 'octets'
  const bytes = (at: string, value: unknown) => pattern(checker, at, value, type, littleEndian)
  const constant =
    data['const'] === undefined ? undefined : bytes(joined(path, 'const'), data['const'])
  const field: Field = {
    name,
    type,
    littleEndian,
    scaler: checker.integer(joined(path, 'scaler'), data['scaler'], -9, 9, 0),
    unit: parseUnit(checker, path, data),
    na: isText ? [] : na.flatMap((value, i) => bytes(`${path}.na.${i}`, value) ?? []),
    naTexts: isText ? na.map((value, i) => checker.text(`${path}.na.${i}`, value)) : [],
    constant,
    count: parseCount(checker, path, data),
    length: parseLength(checker, path, data, FIELD_TYPES[type]),
    optional: checker.flag(joined(path, 'optional'), data['optional']),
    map: parseMap(checker, path, data, FIELD_TYPES[type]),
    obis: parseRegister(checker, path, data['obis']),
    personal:
      data['personal'] === undefined
        ? PERSONAL.has(name.toLowerCase().replace(/[_-]/g, ''))
        : checker.flag(joined(path, 'personal'), data['personal']),
  }
  return { name, field }
}

function parseType(checker: Checker, path: string, data: Mapping): TypeName | undefined {
  const { type } = data
  if (type === undefined) {
    for (const key of Object.keys(KINDS))
      if (data[key] !== undefined)
        checker.wrong(joined(path, 'type'), type, `a type, as the field has ${key}`)
    return undefined
  }
  if (typeof type === 'string' && Object.hasOwn(FIELD_TYPES, type)) return type as TypeName
  checker.wrong(joined(path, 'type'), type, Object.keys(FIELD_TYPES).join(', '))
  return undefined
}

function parseCount(checker: Checker, path: string, data: Mapping): Count {
  const count = checker.choice(joined(path, 'count'), data['count'], ['none', 'u8', 'u16'])
  if (data['times'] === undefined) return count === 'none' ? 'one' : count
  if (count !== 'none')
    checker.wrong(
      joined(path, 'times'),
      data['times'],
      `nothing: the buffer has a count (${count})`,
    )
  return checker.integer(joined(path, 'times'), data['times'], 1, MAX, 1)
}

function parseLength(checker: Checker, path: string, data: Mapping, type: FieldType): Length {
  const hasSize = data['size'] !== undefined
  const isFixed = type.kind === 'bcd' || type.kind === 'skip'
  const length = checker.choice(joined(path, 'len'), data['len'], [
    'axdr',
    'u8',
    'u16',
    'tagged',
    'fixed',
  ])
  if (type.size !== undefined) return 'axdr'
  if (isFixed || length === 'fixed')
    return checker.integer(joined(path, 'size'), data['size'] ?? null, 1, MAX, 1)
  if (hasSize) checker.wrong(joined(path, 'size'), data['size'], 'nothing, or len: fixed beside it')
  return length
}

/** The unit as written, else that of the target. */
function parseUnit(checker: Checker, path: string, { unit, map }: Mapping): string {
  if (unit !== undefined) return checker.text(joined(path, 'unit'), unit)
  return (typeof map === 'string' ? targetOf(map)?.unit : undefined) ?? ''
}

/** What a target takes: units that are not the target's would be read as if they were. */
function parseMap(
  checker: Checker,
  path: string,
  data: Mapping,
  type: FieldType,
): TargetName | undefined {
  const { map } = data
  if (map === undefined) return undefined
  const target = typeof map === 'string' ? targetOf(map) : undefined
  if (target === undefined) {
    checker.wrong(joined(path, 'map'), map, Object.keys(TARGETS).join(', '))
    return undefined
  }
  const isTime = data['type'] === 'unix32' || data['type'] === 'date-time'
  if (isTime !== (target.kind === 'time') || (type.kind === 'time' && !isTime))
    checker.wrong(joined(path, 'map'), map, `nothing that a ${data['type']} cannot say`)
  if (data['unit'] !== undefined && data['unit'] !== target.unit)
    checker.wrong(
      joined(path, 'unit'),
      data['unit'],
      target.unit === '' ? 'none for this target' : `${target.unit}, with a scaler if need be`,
    )
  if (data['count'] !== undefined || data['times'] !== undefined)
    checker.wrong(joined(path, 'map'), map, 'nothing: the field holds several values')
  return map as TargetName
}

function parseRegister(checker: Checker, path: string, raw: unknown): string | undefined {
  if (raw === undefined) return undefined
  const isCode =
    typeof raw === 'string' && /^\d{1,3}-\d{1,3}:(\d{1,3}\.){2}\d{1,3}\*\d{1,3}$/.test(raw)
  if (!isCode) checker.wrong(joined(path, 'obis'), raw, 'an OBIS code such as 1-0:1.7.0*255')
  return isCode ? raw : undefined
}

/** Bytes of a number written as such or as `0x` and hex digits. */
function pattern(
  checker: Checker,
  path: string,
  raw: unknown,
  type: TypeName,
  littleEndian: boolean,
): Uint8Array | undefined {
  const { size = 0 } = FIELD_TYPES[type]
  const value = integerOf(raw)
  const bits = BigInt(8 * size)
  if (value === undefined || value >= 1n << bits || value < -(1n << (bits - 1n))) {
    checker.wrong(path, raw, `a whole number of ${size} bytes, or 0x and hex digits`)
    return undefined
  }
  const raised = BigInt.asUintN(8 * size, value)
  const bytes = Uint8Array.from({ length: size }, (_, i) =>
    Number((raised >> BigInt(8 * (size - 1 - i))) & 0xffn),
  )
  return littleEndian ? bytes.reverse() : bytes
}

function integerOf(raw: unknown): bigint | undefined {
  if (typeof raw === 'number') return Number.isSafeInteger(raw) ? BigInt(raw) : undefined
  return typeof raw === 'string' && /^(0x[0-9a-f]+|-?\d+)$/i.test(raw) ? BigInt(raw) : undefined
}
