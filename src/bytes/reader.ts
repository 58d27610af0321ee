import { DecodeError } from '../errors.ts'

/**
 * Cursor over received bytes, big-endian. Every read is checked and throws only {@link DecodeError}.
 *
 * It works in place on `bytes[start..end)` of a larger buffer: one reader serves a decoder for its whole life
 * ({@link Reader.reset}), and nothing is copied.
 */
export class Reader {
  bytes: Uint8Array
  /** Index into {@link bytes} of the next byte. */
  offset: number
  /** First index, from which the offsets of errors count. */
  start: number
  /** Index behind the last byte. */
  end: number

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes
    this.offset = start
    this.start = start
    this.end = end
  }

  /** Reads something else from now on. */
  reset(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes
    this.offset = start
    this.start = start
    this.end = end
  }

  get remaining(): number {
    return this.end - this.offset
  }

  /** The next byte without taking it, -1 at the end. */
  peek(): number {
    return this.offset < this.end ? this.bytes[this.offset]! : -1
  }

  u8(): number {
    return this.bytes[this.take(1)]!
  }

  u16(): number {
    const at = this.take(2)
    return (this.bytes[at]! << 8) | this.bytes[at + 1]!
  }

  u32(): number {
    const at = this.take(4)
    const b = this.bytes
    return ((b[at]! << 24) | (b[at + 1]! << 16) | (b[at + 2]! << 8) | b[at + 3]!) >>> 0
  }

  /** Moves past `length` bytes and returns the index of the first of them. */
  take(length: number): number {
    const at = this.offset
    if (length > this.end - at)
      throw new DecodeError(
        'DATA_TRUNCATED',
        at - this.start,
        `needs ${length} bytes, has ${this.end - at}`,
      )
    this.offset = at + length
    return at
  }
}
