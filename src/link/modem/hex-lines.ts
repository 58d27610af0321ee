/**
 * Data units written down: one in a line, hex digits with or without blanks, comments behind `#`. For recordings that
 * other software logged and for what people type.
 */
import { parseHex } from '../../bytes/hex.ts'
import { DecodeError } from '../../errors.ts'
import type { Instant } from '../../reading.ts'
import type { LinkEvent, ModemDialect } from './dialect.ts'
import { bareSdu } from './raw.ts'

/** Longest line kept; longer ones are no data unit. */
const MAX_LINE = 2048
const IDLE_MS = 400
const LINE_FEED = 0x0a

export class HexLines implements ModemDialect {
  private readonly buffer = new Uint8Array(MAX_LINE)
  private filled = 0
  /** Bytes of this line, those beyond the buffer included. */
  private received = 0
  private offset = 0
  private lastByteAt: Instant = Number.NEGATIVE_INFINITY
  private events: LinkEvent[] = []

  get heldBytes(): number {
    return this.filled
  }

  get wakeAt(): Instant | undefined {
    return this.received > 0 ? this.lastByteAt + IDLE_MS : undefined
  }

  push(chunk: Uint8Array, at: Instant): readonly LinkEvent[] {
    this.lastByteAt = at
    for (const byte of chunk) {
      if (this.filled < MAX_LINE) this.buffer[this.filled++] = byte
      this.received++
      if (byte === LINE_FEED) this.line()
    }
    return this.take()
  }

  wake(now: Instant): readonly LinkEvent[] {
    if (this.wakeAt === undefined || now < this.wakeAt) return []
    this.line()
    return this.take()
  }

  encode(): Uint8Array {
    throw new RangeError('a file takes no requests')
  }

  private take(): readonly LinkEvent[] {
    const { events } = this
    this.events = []
    return events
  }

  private line(): void {
    const span = { offset: this.offset, length: this.received }
    let text = ''
    for (let i = 0; i < this.filled; i++) text += String.fromCharCode(this.buffer[i]!)
    const bytes = this.received > MAX_LINE ? undefined : parseHex(text.replace(/#.*/s, ''))
    this.offset += this.received
    this.filled = 0
    this.received = 0
    if (bytes === undefined) {
      const error = new DecodeError('LINK_BAD_FORMAT', 0, 'a line that is not hex digits in pairs')
      this.events.push({ type: 'garbage', error, ...span })
    } else if (bytes.length === 0) this.events.push({ type: 'fill', ...span })
    else this.events.push({ type: 'sdu', command: 0, sdu: bareSdu(bytes), ...span })
  }
}
