import { DecodeError } from '../errors.ts'
import type { Instant } from '../reading.ts'
import type { InformationSink, Link } from './information.ts'

/** Silence that ends a telegram without a frame around it. */
const IDLE_MS = 400

/**
 * No link layer at all: one LLC PDU or APDU as other software logged it, ended by silence. Nothing protects the bytes,
 * so what comes of them has the integrity `none`.
 */
export class BareLink implements Link {
  private readonly sink: InformationSink
  private readonly buffer: Uint8Array
  private filled = 0
  /** Bytes of this telegram, those beyond the buffer included. */
  private received = 0
  private offset = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY

  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.buffer = new Uint8Array(maxBytes)
  }

  push(chunk: Uint8Array, at: Instant): void {
    const kept = Math.min(chunk.length, this.buffer.length - this.filled)
    this.buffer.set(chunk.subarray(0, kept), this.filled)
    this.filled += kept
    this.received += chunk.length
    this.lastByteAt = at
  }

  get wakeAt(): Instant | undefined {
    return this.received > 0 ? this.lastByteAt + IDLE_MS : undefined
  }

  get heldBytes(): number {
    return this.filled
  }

  wake(now: Instant): void {
    if (this.received === 0 || now < this.lastByteAt + IDLE_MS) return
    const { buffer, filled, received, offset, lastByteAt } = this
    this.offset += received
    this.filled = 0
    this.received = 0
    if (received > buffer.length) {
      const error = new DecodeError(
        'LINK_OVERFLOW',
        0,
        `${received} bytes without a frame, at most ${buffer.length} expected`,
      )
      this.sink.rejected(error, offset, received, lastByteAt)
      return
    }
    this.sink.information(
      {
        kind: 'pdu',
        bytes: buffer,
        start: 0,
        end: filled,
        integrity: 'none',
        source: 0,
        segments: 1,
        repaired: false,
        offset,
        length: received,
      },
      lastByteAt,
    )
  }
}
