/**
 * A-XDR encoding of COSEM data (IEC 61334-6; tags of the `Data` choice in IEC 62056-5-3). A value is a plain
 * object whose `tag` is the DLMS type name.
 */
import { concat, integerBytes, toHex } from './bytes.ts'

/** Tag, size in bytes and sign of every integer type. */
const INTEGERS = {
  boolean: [0x03, 1, false],
  'double-long': [0x05, 4, true],
  'double-long-unsigned': [0x06, 4, false],
  bcd: [0x0d, 1, false],
  integer: [0x0f, 1, true],
  long: [0x10, 2, true],
  unsigned: [0x11, 1, false],
  'long-unsigned': [0x12, 2, false],
  long64: [0x14, 8, true],
  'long64-unsigned': [0x15, 8, false],
  enum: [0x16, 1, false],
} as const

/** Types whose payload is bytes: tag, and the fixed length where no length is sent. */
const BYTES = {
  'octet-string': [0x09, undefined],
  'visible-string': [0x0a, undefined],
  'utf8-string': [0x0c, undefined],
  'date-time': [0x19, 12],
  date: [0x1a, 5],
  time: [0x1b, 4],
} as const

const LISTS = { array: 0x01, structure: 0x02 } as const
const FLOATS = { float32: [0x17, 4], float64: [0x18, 8] } as const

/** DLMS name of an integer type; `boolean` counts, as 0 or 1. */
export type IntegerTag = keyof typeof INTEGERS
/** DLMS name of a type made of bytes. */
export type BytesTag = keyof typeof BYTES

/** A value with its DLMS type. */
export type AxdrData =
  | { readonly tag: 'null-data' | 'dont-care' }
  /** All items of one type, with arrays of one length in them; at least one. */
  | { readonly tag: 'compact-array'; readonly items: readonly AxdrData[] }
  | { readonly tag: keyof typeof LISTS; readonly items: readonly AxdrData[] }
  | { readonly tag: IntegerTag; readonly value: number | bigint | boolean }
  | { readonly tag: keyof typeof FLOATS; readonly value: number }
  | { readonly tag: BytesTag; readonly bytes: Uint8Array }
  /** `bits` counts the valid bits of `bytes`, most significant first. */
  | { readonly tag: 'bit-string'; readonly bits: number; readonly bytes: Uint8Array }

/** The value that says "nothing". */
export const NULL_DATA: AxdrData = { tag: 'null-data' }

/** Structure of the items given. */
export function structure(...items: readonly AxdrData[]): AxdrData {
  return { tag: 'structure', items }
}

/** Length field: one byte up to 127, above that 80 + number of bytes, then the number (IEC 61334-6). */
export function lengthBytes(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length)
  const size = length < 0x100 ? 1 : length < 0x10000 ? 2 : 4
  return concat([0x80 | size], integerBytes(length, size))
}

/** The bytes of `data`. Throws `RangeError` for values their type cannot hold. */
export function encodeData(data: AxdrData): Uint8Array {
  switch (data.tag) {
    case 'null-data':
      return Uint8Array.of(0x00)
    case 'dont-care':
      return Uint8Array.of(0xff)
    case 'compact-array': {
      const type = describe(data.items)
      const contents = concat(...data.items.map(encodeUntagged))
      return concat([0x13], type, lengthBytes(contents.length), contents)
    }
    case 'array':
    case 'structure':
      return concat(
        [LISTS[data.tag]],
        lengthBytes(data.items.length),
        ...data.items.map(encodeData),
      )
    case 'float32':
    case 'float64':
      return encodeFloat(data.tag, data.value)
    case 'bit-string':
      return concat(
        [0x04],
        lengthBytes(data.bits),
        data.bytes.subarray(0, Math.ceil(data.bits / 8)),
      )
    case 'octet-string':
    case 'visible-string':
    case 'utf8-string':
    case 'date-time':
    case 'date':
    case 'time':
      return encodeBytes(data.tag, data.bytes)
    case 'boolean':
    case 'double-long':
    case 'double-long-unsigned':
    case 'bcd':
    case 'integer':
    case 'long':
    case 'unsigned':
    case 'long-unsigned':
    case 'long64':
    case 'long64-unsigned':
    case 'enum': {
      const [tag, size, signed] = INTEGERS[data.tag]
      const value = typeof data.value === 'boolean' ? Number(data.value) : data.value
      return concat([tag], integerBytes(value, size, signed))
    }
  }
}

/** The one type that all items of a compact array have: tags without values. */
function describe(items: readonly AxdrData[]): Uint8Array {
  const types = items.map(typeOf)
  const first = types[0]
  if (first === undefined || types.some(type => toHex(type) !== toHex(first)))
    throw new RangeError('the items of a compact array have one type, and there is at least one')
  return first
}

function typeOf(data: AxdrData): Uint8Array {
  if (data.tag === 'structure')
    return concat([LISTS.structure], lengthBytes(data.items.length), ...data.items.map(typeOf))
  if (data.tag === 'array')
    return concat([LISTS.array], integerBytes(data.items.length, 2), describe(data.items))
  return encodeData(data).subarray(0, 1)
}

/** A value without its tag; what it holds without theirs. */
function encodeUntagged(data: AxdrData): Uint8Array {
  return data.tag === 'structure' || data.tag === 'array'
    ? concat(...data.items.map(encodeUntagged))
    : encodeData(data).subarray(1)
}

function encodeFloat(name: keyof typeof FLOATS, value: number): Uint8Array {
  const [tag, size] = FLOATS[name]
  const view = new DataView(new ArrayBuffer(size))
  if (size === 4) view.setFloat32(0, value)
  else view.setFloat64(0, value)
  return concat([tag], new Uint8Array(view.buffer))
}

function encodeBytes(name: BytesTag, bytes: Uint8Array): Uint8Array {
  const [tag, fixed] = BYTES[name]
  if (fixed === undefined) return concat([tag], lengthBytes(bytes.length), bytes)
  if (bytes.length !== fixed)
    throw new RangeError(`${name} takes ${fixed} bytes, has ${bytes.length}`)
  return concat([tag], bytes)
}
