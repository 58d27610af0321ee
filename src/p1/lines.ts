/**
 * The lines of a telegram as registers. A meter sends the same lines in the same order every time and most of them
 * unchanged, so a telegram is compared with the one before it: an unchanged line keeps its register, one with the same
 * code has only its values read again.
 */
import type { Register } from '../reading.ts'
import { lineEnd, type P1Code, readCode, readValues, textOf } from './line.ts'

const CR = 0x0d
const LF = 0x0a
const SLASH = 0x2f
const OPEN = 0x28
/** Longest line, its line feed included; a longer one is skipped. */
const MAX_LINE = 4096

/** One line. What a malformed one lacks is `undefined`. */
export interface P1Line {
  readonly code: P1Code | undefined
  readonly register: Register | undefined
  /** Where the line stands in {@link P1Lines.bytes}, its line feed included. */
  readonly start: number
  readonly length: number
}

type Line = { -readonly [K in keyof P1Line]: P1Line[K] }

export class P1Lines {
  /** The telegram read last, at the start of a buffer that is used again. */
  bytes: Uint8Array = new Uint8Array(0)
  private spare: Uint8Array = new Uint8Array(0)
  /** Text behind `/`, without line end. */
  identification = ''
  /** Changes whenever the telegram read last has other codes or another identification than the one before it. */
  shape = 0
  /** Lines of the telegram read last, without blank ones. */
  readonly lines: readonly P1Line[]
  private readonly known: Line[] = []

  constructor() {
    this.lines = this.known
  }

  /**
   * Reads `bytes[start..end)`: a telegram up to its `!`, or its lines alone, whose identification line is then given. Copies
   * the bytes.
   */
  read(bytes: Uint8Array, start: number, end: number, identification?: Uint8Array): void {
    const { known } = this
    const before = this.bytes
    const size = end - start
    const now = this.spare.length < size ? new Uint8Array(size) : this.spare
    now.set(bytes.subarray(start, end))
    let at = 0
    if (now[0] === SLASH) {
      at = lineEnd(now, 0, size)
      if (commonLength(before, 0, now, 0, at) < at) this.identify(textBefore(now, at))
    } else if (identification !== undefined)
      this.identify(textBefore(identification, identification.length))
    let count = 0
    while (at < size) {
      if (now[at] === CR || now[at] === LF) {
        at++
        continue
      }
      const line = known[count]
      if (line === undefined) known.push(this.readLine(now, at, size))
      else this.refresh(line, before, now, at, size)
      at += known[count++]!.length
    }
    if (count < known.length) {
      known.length = count
      this.shape++
    }
    this.bytes = now
    this.spare = before
  }

  private identify(identification: string): void {
    if (identification !== this.identification) this.shape++
    this.identification = identification
  }

  /** Brings a line up to date with the one at `now[at]`. */
  private refresh(line: Line, before: Uint8Array, now: Uint8Array, at: number, end: number): void {
    const { start, length, code } = line
    line.start = at
    const same = commonLength(before, start, now, at, Math.min(length, end - at))
    // A continuation may follow where none did before.
    if (same === length && (at + length === end || now[at + length] !== OPEN)) return
    if (code === undefined || same <= code.length) {
      Object.assign(line, this.readLine(now, at, end))
      return
    }
    line.length = lineEnd(now, at + same - 1, end) - at
    line.register = valuesOf(now, at, line.length, code)
  }

  private readLine(now: Uint8Array, at: number, end: number): Line {
    this.shape++
    const length = lineEnd(now, at, end) - at
    const code = readCode(now, at, at + length)
    const register = code === undefined ? undefined : valuesOf(now, at, length, code)
    return { code, register, start: at, length }
  }
}

function valuesOf(
  bytes: Uint8Array,
  start: number,
  length: number,
  code: P1Code,
): Register | undefined {
  if (length > MAX_LINE) return undefined
  return readValues(bytes, start + code.length, start + length, code.obis)
}

/** How many of `length` bytes from `a[i]` and `b[j]` on are the same. */
function commonLength(a: Uint8Array, i: number, b: Uint8Array, j: number, length: number): number {
  let same = 0
  while (same < length && a[i + same] === b[j + same]) same++
  return same
}

/** Text of the identification line `bytes[0..end)` without its `/` and line end. */
function textBefore(bytes: Uint8Array, end: number): string {
  let last = end
  while (last > 1 && (bytes[last - 1] === CR || bytes[last - 1] === LF)) last--
  return textOf(bytes, 1, last)
}
