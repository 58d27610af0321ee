/** Telegrams of the P1 port: text with its CRC, and the two ways in which it is encrypted. */
import { asciiBytes, concat, toHex } from './bytes.ts'
import { encodeGeneralGlo, type Protection } from './general-glo.ts'
import { crcBitwise } from './hdlc-encoder.ts'

/**
 * CRC-16/ARC, one bit at a time: polynomial 0x8005 reflected, initial value 0. Check value over ASCII "123456789":
 * 0xbb3d. Without a table, as a second implementation to test the first against.
 */
export function arcBitwise(bytes: Uint8Array): number {
  let register = 0
  for (const byte of bytes) {
    register ^= byte
    for (let bit = 0; bit < 8; bit++)
      register = register & 1 ? (register >>> 1) ^ 0xa001 : register >>> 1
  }
  return register
}

/** Printed units: unit of the reading model, power of ten. */
const UNITS: Readonly<Record<string, readonly [unit: string, power: number]>> = {
  kWh: ['Wh', 3],
  Wh: ['Wh', 0],
  kvarh: ['varh', 3],
  kVArh: ['varh', 3],
  varh: ['varh', 0],
  kW: ['W', 3],
  W: ['W', 0],
  kvar: ['var', 3],
  kVAr: ['var', 3],
  var: ['var', 0],
  kVA: ['VA', 3],
  kV: ['V', 3],
  V: ['V', 0],
  kA: ['A', 3],
  A: ['A', 0],
  Hz: ['Hz', 0],
  m3: ['m3', 0],
  GJ: ['GJ', 0],
}

/** What a line carries: as it is printed, and as a register. */
export interface P1Value {
  /** Parentheses included. */
  readonly printed: string
  readonly register: {
    readonly value: number | string | readonly string[]
    readonly unit: string
    readonly time?: string
  }
}

/** A number in the unit of the reading model, printed in `unit` with so many digits before and behind the dot. */
export function quantity(value: number, unit: string, before: number, behind: number): P1Value {
  const known = UNITS[unit]
  if (known === undefined) throw new RangeError(`no printed unit ${unit}`)
  const digits = Math.round(Math.abs(value) * 10 ** (behind - known[1]))
    .toString()
    .padStart(before + behind, '0')
  const dot = digits.length - behind
  const number = behind === 0 ? digits : `${digits.slice(0, dot)}.${digits.slice(dot)}`
  return {
    printed: `(${value < 0 ? '-' : ''}${number}*${unit})`,
    register: { value, unit: known[0] },
  }
}

/** Text as it is. */
export function text(value: string): P1Value {
  return { printed: `(${value})`, register: { value, unit: '' } }
}

/** Text as hex pairs. */
export function hexText(value: string): P1Value {
  return text(toHex(asciiBytes(value)).toUpperCase())
}

/** Several values in parentheses of their own. */
export function texts(...values: readonly string[]): P1Value {
  return {
    printed: values.map(value => `(${value})`).join(''),
    register: { value: values, unit: '' },
  }
}

/** `YYMMDDhhmmss` of a local ISO time, with the sign of summer or winter time. */
export function stampText(local: string, sign: 'S' | 'W' | ''): string {
  return local.slice(2).replaceAll(/[-:T]/g, '') + sign
}

/** A clock. */
export function stamp(local: string, sign: 'S' | 'W'): P1Value {
  return { printed: `(${stampText(local, sign)})`, register: { value: local, unit: '' } }
}

/** A number with the time at which it was taken. */
export function timed(local: string, sign: 'S' | 'W', { printed, register }: P1Value): P1Value {
  return {
    printed: `(${stampText(local, sign)})${printed}`,
    register: { ...register, time: local },
  }
}

/** How the CRC is printed; `short` leaves leading zeros out. */
export type CrcForm = 'upper' | 'lower' | 'short' | 'none'

/** A telegram: its identification without `/`, and its lines, each a code and what it carries. */
export interface P1Text {
  readonly identification: string
  readonly lines: readonly (readonly [code: string, value: P1Value])[]
  /** The second line is blank; true when absent. */
  readonly blankLine?: boolean
  readonly crc?: CrcForm
}

/** The lines, each with its line end. */
export function encodeP1Lines(lines: P1Text['lines']): Uint8Array {
  return asciiBytes(lines.map(([code, { printed }]) => `${code}${printed}\r\n`).join(''))
}

/** The whole telegram, with the line end behind its CRC. */
export function encodeP1(telegram: P1Text): Uint8Array {
  const { identification, lines, blankLine = true, crc = 'upper' } = telegram
  const body = concat(
    asciiBytes(`/${identification}\r\n${blankLine ? '\r\n' : ''}`),
    encodeP1Lines(lines),
    asciiBytes('!'),
  )
  return concat(body, asciiBytes(`${crcText(arcBitwise(body), crc)}\r\n`))
}

function crcText(crc: number, form: CrcForm): string {
  if (form === 'none') return ''
  const digits = crc.toString(16).toUpperCase()
  if (form === 'short') return digits
  const padded = digits.padStart(4, '0')
  return form === 'lower' ? padded.toLowerCase() : padded
}

/** The same bytes as a receiver set to 8N1 gets them from a line of 7E1: bit 7 makes the number of ones even. */
export function withEvenParity(bytes: Uint8Array): Uint8Array {
  return bytes.map(byte => {
    let ones = 0
    for (let bit = 0; bit < 7; bit++) ones += (byte >> bit) & 1
    return byte | ((ones & 1) << 7)
  })
}

/**
 * The lines encrypted in their place, as Polish meters do it: no tag DB, no title on the wire (eight zeros in the
 * nonce), CRC-16/X-25 printed low byte first.
 */
export function encodeEmbeddedP1(
  telegram: P1Text,
  protection: Omit<Protection, 'systemTitle'>,
): Uint8Array {
  const systemTitle = new Uint8Array(8)
  const envelope = encodeGeneralGlo(encodeP1Lines(telegram.lines), { ...protection, systemTitle })
  const body = concat(
    asciiBytes(`/${telegram.identification}\r\n\r\n`),
    [0],
    envelope.subarray(2 + systemTitle.length),
    asciiBytes('!'),
  )
  const crc = crcBitwise(body)
  const lowFirst = ((crc & 0xff) << 8) | (crc >>> 8)
  return concat(body, asciiBytes(`${lowFirst.toString(16).toUpperCase().padStart(4, '0')}\r\n`))
}
