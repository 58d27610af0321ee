/** One conversation with a P1 port: deframer, lines, reading. */
import type { Decoder, DecoderEvent } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import { P1Deframer, type P1Telegram } from '../../src/link/p1.ts'
import { P1Lines } from '../../src/p1/lines.ts'
import type { Instant } from '../../src/reading.ts'
import type { P1Options } from './options.ts'
import { P1Assembler } from './reading.ts'

export class P1Decoder implements Decoder {
  private readonly options: P1Options
  private readonly link: P1Deframer
  private readonly lines = new P1Lines()
  private readonly assembler: P1Assembler
  private events: DecoderEvent[] = []
  /** Identification of the meter whose telegrams have a CRC: one without is damaged. */
  private checked: string | undefined

  constructor(options: P1Options) {
    this.options = options
    this.assembler = new P1Assembler(options)
    this.link = new P1Deframer({
      text: (telegram, at) => this.text(telegram, at),
      open: () => undefined,
      opened: () => {},
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

  private text(telegram: P1Telegram, at: Instant): void {
    const { lines } = this
    const { offset, length, integrity } = telegram
    lines.read(telegram.bytes, telegram.start, telegram.end)
    const { reading, notes, hasVersion } = this.assembler.assemble(lines, at, integrity)
    const { identification } = lines
    if (integrity === 'checksum') this.checked = identification
    else if (this.options.crc === 'required' || hasVersion || this.checked === identification) {
      this.reject(
        new DecodeError('LINK_BAD_CHECKSUM', 0, 'no CRC, which telegrams of this meter have'),
        offset,
        length,
      )
      return
    }
    if (reading.registers.length === 0) {
      this.reject(new DecodeError('LIST_UNKNOWN', 0, 'no line with a code'), offset, length)
      return
    }
    this.events.push(
      notes.length === 0
        ? { type: 'reading', reading, offset, length }
        : { type: 'reading', reading, offset, length, notes },
    )
  }
}
