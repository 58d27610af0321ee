/**
 * SML data (BSI TR-03109-1, annex IVb) as a tape: one pass over the octets of a message checks every length and notes,
 * for each element in order, its type and where its contents stand. Grammars then read the tape by index. Places count
 * from {@link SmlTape.base}, so that the tape of one telegram also serves for another of the same shape.
 *
 * Every element begins with type-length octets: bit 7 = another one follows, bits 6 to 4 the type, bits 3 to 0 the
 * length. Further ones have the type bits 000 and carry the next lower four bits of the length.
 *
 * | bits | type             | length counts                             | octets of contents |
 * |------|------------------|-------------------------------------------|--------------------|
 * | 000  | octet string     | all octets, those of type-length included | 0 to 1024          |
 * | 100  | boolean          | likewise                                  | 1                  |
 * | 101  | signed integer   | likewise                                  | 1 to 8             |
 * | 110  | unsigned integer | likewise                                  | 1 to 8             |
 * | 111  | list             | elements                                  |                    |
 *
 * The octet string without contents (01) stands for an optional element that is absent, and 00 ends a message.
 */
import { hex, toHex } from '../bytes/hex.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'

/** Types by the bits of their first octet; the end of a message has one of its own. */
export const TYPE = {
  octetString: 0,
  boolean: 4,
  integer: 5,
  unsigned: 6,
  list: 7,
  end: 8,
} as const

/** Deepest nesting accepted; the deepest known is 7, a time in an entry. */
const MAX_DEPTH = 8
const MAX_ITEMS = 255
/** Four of them announce 65535 octets. */
const MAX_LENGTH_OCTETS = 4

/** Least and most octets of contents by type; the types that do not exist have no room. */
const LEAST: Int16Array = Int16Array.of(0, 1, 1, 1, 1, 1, 1, 0)
const MOST: Int16Array = Int16Array.of(1024, 0, 0, 0, 1, 8, 8, 0)

export class SmlTape {
  /** Elements on the tape, the outermost first. */
  count = 0
  /** The buffer that was scanned. */
  bytes: Uint8Array = new Uint8Array(0)
  /** Index in {@link bytes} of the place 0. */
  base = 0
  /** Type of element i, one of {@link TYPE}. */
  type: Uint8Array = new Uint8Array(256)
  /** Place of its first type-length octet. */
  at: Uint32Array = new Uint32Array(256)
  /** Place of its contents, and the place behind them. */
  start: Uint32Array = new Uint32Array(256)
  end: Uint32Array = new Uint32Array(256)
  /** Number of elements of a list, 0 otherwise. */
  items: Uint8Array = new Uint8Array(256)
  /** Element behind element i and all it contains. */
  next: Uint32Array = new Uint32Array(256)
  /** Nesting, 0 = the outermost element. */
  depth: Uint8Array = new Uint8Array(256)
  private limit = 0

  /**
   * Scans the element at `bytes[at]` with all it contains and returns the index behind it; nothing is read at or behind
   * `limit`. Places, those of errors too, count from `base`. Throws DATA_TRUNCATED, DATA_UNKNOWN_TAG, DATA_TOO_DEEP,
   * DATA_BAD_VALUE.
   */
  scan(bytes: Uint8Array, at: number, limit: number, base: number): number {
    this.bytes = bytes
    this.limit = limit
    this.base = base
    this.count = 0
    return this.element(at, 0)
  }

  /** Says that the elements on the tape now stand at `base` in `bytes`. */
  move(bytes: Uint8Array, base: number): void {
    this.bytes = bytes
    this.base = base
  }

  /** Index in {@link bytes} of the contents of element i. */
  from(i: number): number {
    return this.base + this.start[i]!
  }

  /** Index in {@link bytes} behind the contents of element i. */
  to(i: number): number {
    return this.base + this.end[i]!
  }

  /** The error for element i, which its place does not allow. */
  fault(i: number, detail: string): DecodeError {
    return new DecodeError('DATA_BAD_VALUE', this.at[i]!, detail)
  }

  /** True for an optional element that is absent. */
  isAbsent(i: number): boolean {
    return this.type[i] === TYPE.octetString && this.start[i] === this.end[i]
  }

  /** True for integers with and without sign. */
  isNumber(i: number): boolean {
    const type = this.type[i]
    return type === TYPE.integer || type === TYPE.unsigned
  }

  /** Octets of contents. */
  size(i: number): number {
    return this.end[i]! - this.start[i]!
  }

  /** Value of an integer of any width; beyond 2^53 the nearest double (see {@link big}). */
  number(i: number): number {
    const { bytes } = this
    const start = this.from(i)
    const end = this.to(i)
    const first = bytes[start]!
    let value = this.type[i] === TYPE.integer ? (first << 24) >> 24 : first
    for (let at = start + 1; at < end; at++) value = value * 256 + bytes[at]!
    return value
  }

  /** Exact value of an integer. */
  big(i: number): bigint {
    const digits = BigInt(`0x${toHex(this.bytes, this.from(i), this.to(i))}`)
    return this.type[i] === TYPE.integer ? BigInt.asIntN(8 * this.size(i), digits) : digits
  }

  private element(at: number, depth: number): number {
    const { bytes, limit, base } = this
    if (at >= limit) throw this.error('DATA_TRUNCATED', at, 'needs 1 byte, has 0')
    const i = this.count++
    if (i === this.type.length) this.grow()
    const first = bytes[at]!
    const type = (first >>> 4) & 7
    let length = first & 0x0f
    let start = at + 1
    if (first >= 0x80) {
      start = this.lengthEnd(at)
      for (let octet = at + 1; octet < start; octet++)
        length = (length << 4) | (bytes[octet]! & 0x0f)
    }
    this.type[i] = type
    this.at[i] = at - base
    this.start[i] = start - base
    this.depth[i] = depth
    if (type === TYPE.list) {
      if (depth === MAX_DEPTH)
        throw this.error('DATA_TOO_DEEP', at, `nested deeper than ${MAX_DEPTH} levels`)
      if (length > MAX_ITEMS) throw this.fault(i, `list of ${length}, ${MAX_ITEMS} at most`)
      // Every element takes at least one octet: a count is a claim until they are there.
      if (length > limit - start)
        throw this.error(
          'DATA_TRUNCATED',
          at,
          `${length} elements announced, ${limit - start} bytes left`,
        )
      this.items[i] = length
      let end = start
      for (let item = 0; item < length; item++) end = this.element(end, depth + 1)
      this.end[i] = end - base
      this.next[i] = this.count
      return end
    }
    this.items[i] = 0
    this.next[i] = this.count
    const end = at + length
    this.end[i] = end - base
    if (first === 0x00 && depth === 1) {
      this.type[i] = TYPE.end
      this.end[i] = start - base
      return start
    }
    const size = end - start
    if (size < LEAST[type]! || size > MOST[type]!) throw this.refusal(i, first, size)
    if (end > limit)
      throw this.error('DATA_TRUNCATED', at, `needs ${size} bytes, has ${limit - start}`)
    return end
  }

  /** The place behind the type-length octets at `at`, the first of which says that more follow. */
  private lengthEnd(at: number): number {
    let end = at + 1
    for (let octet = this.bytes[at]!; octet >= 0x80; octet = this.bytes[end++]!) {
      if (end === this.limit) throw this.error('DATA_TRUNCATED', at, 'a length without its end')
      if (end - at === MAX_LENGTH_OCTETS)
        throw this.error('DATA_BAD_VALUE', at, `more than ${MAX_LENGTH_OCTETS} octets of length`)
      if ((this.bytes[end]! & 0x70) !== 0)
        throw this.error(
          'DATA_BAD_VALUE',
          end,
          `length continues with ${hex(this.bytes[end]!)}, type bits 000 expected`,
        )
    }
    return end
  }

  private refusal(i: number, first: number, size: number): DecodeError {
    const type = this.type[i]!
    if (MOST[type] === 0)
      return new DecodeError('DATA_UNKNOWN_TAG', this.at[i]!, `${hex(first)} is no data type`)
    return this.fault(
      i,
      `type ${type} with ${size} octets, ${LEAST[type]} to ${MOST[type]} expected`,
    )
  }

  private error(code: DecodeErrorCode, at: number, detail: string): DecodeError {
    return new DecodeError(code, at - this.base, detail)
  }

  private grow(): void {
    const size = this.type.length * 2
    this.type = enlarged(this.type, new Uint8Array(size))
    this.items = enlarged(this.items, new Uint8Array(size))
    this.depth = enlarged(this.depth, new Uint8Array(size))
    this.at = enlarged(this.at, new Uint32Array(size))
    this.start = enlarged(this.start, new Uint32Array(size))
    this.end = enlarged(this.end, new Uint32Array(size))
    this.next = enlarged(this.next, new Uint32Array(size))
  }
}

function enlarged<T extends { set(from: T): void }>(from: T, to: T): T {
  to.set(from)
  return to
}
