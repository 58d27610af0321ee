/**
 * One line of a P1 telegram: an OBIS code and its values in parentheses.
 *
 * | part   | form                                                                              |
 * |--------|-----------------------------------------------------------------------------------|
 * | code   | `A-B:C.D.E`, now and then with `.F` or `*F`; F is 255 where it is missing          |
 * | values | `(` number with unit, time stamp or text `)`, one or several                       |
 *
 * A line that begins with `(` continues the one before it (gas meters of DSMR 2.2 and 3.0). Typing errors in codes are
 * seen in the field (`1-0:72:32.0`): such a line gives nothing, the others stand.
 */
import type { Register } from '../reading.ts'
import { readStamp } from './clock.ts'
import { isPlainNumber, readQuantity } from './quantity.ts'

const OPEN = 0x28
const CLOSE = 0x29
const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d
const COLON = 0x3a
const DOT = 0x2e
const STAR = 0x2a

/** The code of a line. */
export interface P1Code {
  /** Full code, `1-0:1.7.0*255`. */
  readonly obis: string
  /** Value groups A and B. */
  readonly medium: number
  readonly channel: number
  /** Value groups C.D.E as the catalogue's key. */
  readonly key: number
  /** Bytes from the start of the line to its first value. */
  readonly length: number
}

/** Signs behind the groups A to D. */
const SIGNS: readonly number[] = [DASH, COLON, DOT, DOT]
const MAX_GROUP = 255

/** The code that starts `bytes[start..end)`; `undefined` if it is malformed or no value follows. */
export function readCode(bytes: Uint8Array, start: number, end: number): P1Code | undefined {
  const groups: number[] = []
  let at = start
  while (groups.length < 6) {
    const first = at
    let group = 0
    for (; at < end && isDigit(bytes[at]!); at++) group = group * 10 + bytes[at]! - 0x30
    if (at === first || at - first > 3 || group > MAX_GROUP) return undefined
    groups.push(group)
    const sign = bytes[at]
    if (sign === OPEN) break
    const expected = SIGNS[groups.length - 1]
    // Only F may follow a dot or a star.
    if (expected === undefined ? sign !== DOT && sign !== STAR : sign !== expected) return undefined
    at++
  }
  if (at >= end || bytes[at] !== OPEN) return undefined
  const [a, b, c, d, e, f = 255] = groups as [number, number, number, number, number, number?]
  if (e === undefined) return undefined
  return {
    obis: `${a}-${b}:${c}.${d}.${e}*${f}`,
    medium: a,
    channel: b,
    key: (c << 16) | (d << 8) | e,
    length: at - start,
  }
}

/**
 * The values at `bytes[start..end)`, where `start` is the first parenthesis, as a register of this code; `undefined`
 * where parentheses are missing.
 */
export function readValues(
  bytes: Uint8Array,
  start: number,
  end: number,
  obis: string,
): Register | undefined {
  const bounds: number[] = []
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!
    if (byte === CR || byte === LF) continue
    if (byte !== OPEN) return undefined
    const from = at + 1
    for (at = from; at < end && bytes[at] !== CLOSE; at++) if (bytes[at]! < 0x20) return undefined
    if (at === end) return undefined
    bounds.push(from, at)
  }
  const [from, to, from2, to2] = bounds as [number, number, number?, number?]
  if (from2 === undefined || to2 === undefined) {
    const quantity = readQuantity(bytes, from, to)
    if (quantity !== undefined) return { obis, value: quantity.value, unit: quantity.unit }
    const value = readStamp(bytes, from, to)?.local ?? textOf(bytes, from, to)
    return { obis, value, unit: '' }
  }
  const time = bounds.length === 4 ? readStamp(bytes, from, to)?.local : undefined
  if (time !== undefined) {
    const quantity = readQuantity(bytes, from2, to2)
    if (quantity !== undefined) return { obis, value: quantity.value, unit: quantity.unit, time }
    if (isPlainNumber(bytes, from2, to2))
      return { obis, value: textOf(bytes, from2, to2), unit: '', time }
  }
  const value: string[] = []
  for (let i = 0; i < bounds.length; i += 2) value.push(textOf(bytes, bounds[i]!, bounds[i + 1]!))
  return { obis, value, unit: '' }
}

/** `bytes[start..end)` as text, a character a byte. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let i = start; i < end; i++) text += String.fromCharCode(bytes[i]!)
  return text
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

/** Index behind the logical line that starts at `bytes[start]`: its line feed, and the lines that continue it. */
export function lineEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; ; ) {
    const lineFeed = bytes.indexOf(LF, at)
    if (lineFeed < 0 || lineFeed >= end) return end
    at = lineFeed + 1
    if (at >= end || bytes[at] !== OPEN) return at
  }
}
