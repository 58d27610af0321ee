/** One conversation with a P1 port: deframer, envelopes, lines, reading. */
import type { Decoder, DecoderEvent } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import { P1Deframer, type P1Telegram } from '../../src/link/p1.ts'
import { P1Lines } from '../../src/p1/lines.ts'
import type { Instant, Integrity } from '../../src/reading.ts'
import { Envelopes } from './envelope.ts'
import type { P1Options } from './options.ts'
import { P1Assembler } from './reading.ts'

export class P1Decoder implements Decoder {
  private readonly options: P1Options
  private readonly link: P1Deframer
  private readonly envelopes: Envelopes
  private readonly lines = new P1Lines()
  private readonly assembler: P1Assembler
  private events: DecoderEvent[] = []
  /** Identification of the meter whose telegrams have a CRC: one without is damaged. */
  private checked: string | undefined

  constructor(options: P1Options) {
    this.options = options
    this.envelopes = new Envelopes(options)
    this.assembler = new P1Assembler(options)
    this.link = new P1Deframer({
      text: (telegram, at) => this.guard(telegram, () => this.text(telegram, at)),
      open: telegram => this.envelopes.open(telegram),
      opened: (telegram, at) => this.guard(telegram, () => this.sealed(telegram, at)),
      rejected: (error, offset, length) => this.reject(error, offset, length),
    })
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    this.link.push(chunk, at)
    return this.take()
  }

  get wakeAt(): Instant | undefined {
    return this.link.wakeAt
  }

  wake(now: Instant): readonly DecoderEvent[] {
    this.link.wake(now)
    return this.take()
  }

  get heldBytes(): number {
    return this.link.heldBytes
  }

  private take(): readonly DecoderEvent[] {
    const { events } = this
    if (events.length > 0) this.events = []
    return events
  }

  private reject(error: DecodeError, offset: number, length: number): void {
    this.events.push({ type: 'rejected', error, offset, length })
  }

  /** Runs `read`; a fault of the telegram becomes its line. */
  private guard({ offset, length }: P1Telegram, read: () => void): void {
    try {
      read()
    } catch (error) {
      // Anything else is a fault of ours and ends the program.
      if (!(error instanceof DecodeError)) throw error
      this.reject(error, offset, length)
    }
  }

  private text(telegram: P1Telegram, at: Instant): void {
    const { bytes, start, end, integrity } = telegram
    this.lines.read(bytes, start, end)
    this.tell(telegram, integrity, at)
  }

  /** A telegram out of an envelope. */
  private sealed(telegram: P1Telegram, at: Instant): void {
    const { envelopes, lines } = this
    const { bytes, start, end, integrity } = envelopes.unseal(telegram)
    const { counter } = envelopes
    if (counter !== undefined) this.events.push({ type: 'counter', counter })
    const { identification } = telegram
    lines.read(bytes, start, end, identification)
    const proven =
      identification === undefined
        ? integrity
        : envelopes.embeddedIntegrity(integrity, this.assembler.stamp(lines))
    this.tell(telegram, proven, at)
  }

  /** Tells what the lines say. */
  private tell({ offset, length }: P1Telegram, integrity: Integrity, at: Instant): void {
    const { lines } = this
    const { reading, notes, hasVersion } = this.assembler.assemble(lines, at, integrity)
    const { identification } = lines
    if (integrity !== 'none') this.checked = identification
    else if (this.options.crc === 'required' || hasVersion || this.checked === identification)
      throw new DecodeError('LINK_BAD_CHECKSUM', 0, 'no CRC, which telegrams of this meter have')
    if (reading.registers.length === 0)
      throw new DecodeError('LIST_UNKNOWN', 0, 'no line with a code')
    this.events.push(
      notes.length === 0
        ? { type: 'reading', reading, offset, length }
        : { type: 'reading', reading, offset, length, notes },
    )
  }
}
