/**
 * Values to 16-bit registers and back. Modbus sends the bytes of a register big-endian; the order of the registers of a
 * longer value is the box's own.
 *
 * @see MODBUS Application Protocol Specification V1.1b3, 4.2; IEC 60559 for the floating-point formats
 */
import type { ReadRegister, Register, RegisterType, Transport } from './profile.ts'

export type WordOrder = Transport['wordOrder']

interface Format {
  readonly words: number
  write(view: DataView, raw: number): void
  read(view: DataView): number
  readonly least: number
  readonly most: number
}

/** Numeric types; a coil is one bit that is written and read as 0 or 1. */
const FORMATS: { readonly [T in Exclude<RegisterType, 'ascii'>]: Format } = {
  uint16: {
    words: 1,
    least: 0,
    most: 0xffff,
    write: (view, raw) => view.setUint16(0, raw),
    read: view => view.getUint16(0),
  },
  int16: {
    words: 1,
    least: -0x8000,
    most: 0x7fff,
    write: (view, raw) => view.setInt16(0, raw),
    read: view => view.getInt16(0),
  },
  uint32: {
    words: 2,
    least: 0,
    most: 0xffff_ffff,
    write: (view, raw) => view.setUint32(0, raw),
    read: view => view.getUint32(0),
  },
  int32: {
    words: 2,
    least: -0x8000_0000,
    most: 0x7fff_ffff,
    write: (view, raw) => view.setInt32(0, raw),
    read: view => view.getInt32(0),
  },
  uint64: {
    words: 4,
    least: 0,
    most: Number.MAX_SAFE_INTEGER,
    write: (view, raw) => view.setBigUint64(0, BigInt(raw)),
    // Energies only: what is above 2^53 loses its last digits.
    read: view => Number(view.getBigUint64(0)),
  },
  float32: {
    words: 2,
    least: -3.4e38,
    most: 3.4e38,
    write: (view, raw) => view.setFloat32(0, raw),
    read: view => view.getFloat32(0),
  },
  float64: {
    words: 4,
    least: -Number.MAX_VALUE,
    most: Number.MAX_VALUE,
    write: (view, raw) => view.setFloat64(0, raw),
    read: view => view.getFloat64(0),
  },
  coil: {
    words: 1,
    least: 0,
    most: 1,
    write: (view, raw) => view.setUint16(0, raw),
    read: view => view.getUint16(0),
  },
}

/** Takes away what floating-point division leaves below a whole number. */
const NOISE = 1e-6

/** Registers a type takes; text says it itself. */
export function wordsOfType(type: RegisterType, textWords: number): number {
  return type === 'ascii' ? textWords : FORMATS[type].words
}

/** Largest value that fits, after the scale. */
export function mostOf({ type, scale }: Pick<Register, 'type' | 'scale'>): number {
  return type === 'ascii' ? 0 : FORMATS[type].most * scale
}

/** Registers of a value rounded to the nearest raw one; for time-outs, tokens and modes. */
export function encodeNearest(register: Register, value: number, order: WordOrder): number[] {
  return encode(register, isFloat(register) ? value : Math.round(value / register.scale), order)
}

/** Registers of the largest raw value that is not above `value`; for limits. */
export function encodeAtMost(register: Register, value: number, order: WordOrder): number[] {
  if (!isFloat(register)) return encode(register, Math.floor(value / register.scale + NOISE), order)
  const raw = value / register.scale
  return encode(register, register.type === 'float32' ? floorToFloat32(raw) : raw, order)
}

/** Registers of a raw value as it stands on the wire. */
export function encodeRaw(register: Register, raw: number, order: WordOrder): number[] {
  return encode(register, raw, order)
}

function encode({ type }: Register, raw: number, order: WordOrder): number[] {
  if (type === 'ascii') throw new RangeError('text is only read')
  const { words, least, most, write } = FORMATS[type]
  const bytes = new DataView(new ArrayBuffer(2 * words))
  write(bytes, Math.min(most, Math.max(least, raw)))
  const big = Array.from({ length: words }, (_, i) => bytes.getUint16(2 * i))
  return order === 'big' ? big : big.reverse()
}

/** Raw value in registers, after the mask: a number, a text, or `undefined` where the box says "not available". */
export function decodeRaw(
  register: Pick<ReadRegister, 'type' | 'mask'>,
  words: readonly number[],
  order: WordOrder,
  notAvailable: readonly number[] = [],
): number | string | undefined {
  if (register.type === 'ascii') return textOf(words)
  const bytes = new DataView(new ArrayBuffer(2 * words.length))
  const big = order === 'big' ? words : [...words].reverse()
  for (const [i, word] of big.entries()) bytes.setUint16(2 * i, word)
  const raw = FORMATS[register.type].read(bytes)
  if (!Number.isFinite(raw) || notAvailable.includes(raw)) return undefined
  // `>>> 0`: bit 31 is a bit, not a sign.
  return register.mask === undefined ? raw : (raw & register.mask) >>> 0
}

/** Value after the scale; `undefined` where it is text or not available. */
export function decodeValue(
  register: Pick<ReadRegister, 'type' | 'mask' | 'scale'>,
  words: readonly number[],
  order: WordOrder,
  notAvailable: readonly number[] = [],
): number | undefined {
  const raw = decodeRaw(register, words, order, notAvailable)
  if (typeof raw !== 'number') return undefined
  // Scales are tenths and thousandths: dividing by the whole number keeps 2307 from becoming 230.70000000000002.
  return register.scale < 1 ? raw / Math.round(1 / register.scale) : raw * register.scale
}

function isFloat({ type }: Register): boolean {
  return type === 'float32' || type === 'float64'
}

function floorToFloat32(value: number): number {
  const nearest = Math.fround(value)
  if (nearest <= value) return nearest
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, nearest)
  // Positive and finite: the next lower number has the next lower pattern.
  view.setInt32(0, view.getInt32(0) - 1)
  return view.getFloat32(0)
}

function textOf(words: readonly number[]): string {
  const characters = words.flatMap(word => [word >> 8, word & 0xff])
  return String.fromCharCode(...characters.filter(code => code >= 0x20 && code < 0x7f))
}
