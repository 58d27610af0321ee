/**
 * Data units as a bridge passes them on: each behind its length (one or two bytes, big-endian), or, with no length at
 * all, each ended by silence. Nothing protects them; a length that no unit has is passed over byte by byte, and what
 * silence cuts short is given up as a whole.
 */
import { DecodeError } from '../../errors.ts'
import type { Instant } from '../../reading.ts'
import type { LinkEvent, ModemDialect, Sdu } from './dialect.ts'

/** Longest data unit that any modem hands over. */
const MAX_UNIT = 512
const IDLE_MS = 400

/** Bytes of the length before each unit. */
export type PrefixBytes = 0 | 1 | 2

/** A unit of which nothing is known but its bytes. */
export function bareSdu(bytes: Uint8Array): Sdu {
  return { bytes, layer: 'none', integrity: 'none', damaged: false }
}

export class RawLink implements ModemDialect {
  private readonly prefixBytes: PrefixBytes
  private readonly buffer = new Uint8Array(2 + MAX_UNIT)
  private filled = 0
  /** Input offset of the buffer's first byte. */
  private base = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  /** Bytes that no unit can begin with, before the buffer. */
  private rejected = 0
  private events: LinkEvent[] = []

  constructor(prefixBytes: PrefixBytes) {
    this.prefixBytes = prefixBytes
  }

  get heldBytes(): number {
    return this.filled
  }

  get wakeAt(): Instant | undefined {
    return this.filled + this.rejected > 0 ? this.lastByteAt + IDLE_MS : undefined
  }

  push(chunk: Uint8Array, at: Instant): readonly LinkEvent[] {
    this.lastByteAt = at
    for (const byte of chunk) {
      if (this.filled === this.buffer.length) this.reject(this.filled)
      this.buffer[this.filled++] = byte
      if (this.prefixBytes > 0) this.read(this.prefixBytes)
    }
    return this.take()
  }

  wake(now: Instant): readonly LinkEvent[] {
    if (this.wakeAt === undefined || now < this.wakeAt) return []
    if (this.prefixBytes === 0 && this.rejected === 0) this.unit(0)
    else {
      const isCut = this.filled > 0
      this.reject(this.filled)
      if (this.prefixBytes === 0) this.endRun('LINK_OVERFLOW')
      else this.endRun(isCut ? 'LINK_INCOMPLETE' : 'LINK_BAD_FORMAT')
    }
    return this.take()
  }

  encode(): Uint8Array {
    throw new RangeError('a bridge takes no requests')
  }

  private take(): readonly LinkEvent[] {
    const { events } = this
    this.events = []
    return events
  }

  private read(prefixBytes: number): void {
    while (this.filled >= prefixBytes) {
      const { buffer } = this
      const size = prefixBytes === 1 ? buffer[0]! : (buffer[0]! << 8) | buffer[1]!
      if (size > 0 && size <= MAX_UNIT) {
        if (this.filled === prefixBytes + size) this.unit(prefixBytes)
        return
      }
      this.reject(1)
    }
  }

  /** Hands over what the buffer holds from `start` on. */
  private unit(start: number): void {
    this.endRun('LINK_BAD_FORMAT')
    const sdu = bareSdu(this.buffer.slice(start, this.filled))
    this.events.push({ type: 'sdu', command: 0, sdu, offset: this.base, length: this.filled })
    this.base += this.filled
    this.filled = 0
  }

  private reject(count: number): void {
    this.buffer.copyWithin(0, count, this.filled)
    this.filled -= count
    this.base += count
    this.rejected += count
  }

  private endRun(code: 'LINK_BAD_FORMAT' | 'LINK_INCOMPLETE' | 'LINK_OVERFLOW'): void {
    const { rejected: length, base } = this
    this.rejected = 0
    if (length === 0) return
    const error = new DecodeError(code, 0, DETAILS[code])
    this.events.push({ type: 'garbage', error, offset: base - length, length })
  }
}

const DETAILS = {
  LINK_BAD_FORMAT: `no length of a data unit (1 to ${MAX_UNIT} expected)`,
  LINK_INCOMPLETE: 'the data unit ends before its announced length',
  LINK_OVERFLOW: `more than ${MAX_UNIT} bytes without a pause`,
} as const
