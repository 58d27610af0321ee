/**
 * Reads the frames of {@link LocalFrameForm} out of a byte stream, answers them, and tells repeats from news.
 *
 * LEN and the check delimit frames, never a pause: host adapters deliver in blocks, so that the 10 ms between
 * characters (T_IC) say nothing here. A candidate needs a known command with a length it can have.
 */
import { hex } from '../../bytes/hex.ts'
import type { Instant } from '../../reading.ts'
import { type Faults, type FrameFormat, FrameScanner, type Verdict } from '../frame-scanner.ts'
import type { LinkEvent, ModemDialect } from './dialect.ts'
import {
  encodeRequest,
  FIRST,
  HEADER,
  isFromModem,
  type LocalFrameForm,
  TRAILER,
} from './local-frame.ts'

/** Longer than the packet interval of USB adapters, far shorter than the pauses between telegrams. */
const IDLE_MS = 100

const ACK = Uint8Array.of(FIRST.ack)
const NAK = Uint8Array.of(FIRST.nak)

export class LocalLink implements ModemDialect, FrameFormat {
  readonly maxLength: number = HEADER + 256 + TRAILER
  readonly idleMs: number = IDLE_MS
  readonly sharedLength = 0
  readonly nothingFound = 'no modem frame starts in these bytes'
  private readonly form: LocalFrameForm
  private readonly scanner: FrameScanner
  private events: LinkEvent[] = []
  /** Bytes that gave nothing stand directly before the scan position. */
  private isInRun = false
  /** A damaged frame of this run was refused. */
  private isRefused = false
  /** LEN, command, data and check of the last frame that was accepted; a repeat equal to it is no news. */
  private previous = new Uint8Array(0)

  constructor(form: LocalFrameForm) {
    this.form = form
    this.scanner = new FrameScanner(this, (error, offset, length) => {
      this.events.push({ type: 'garbage', error, offset, length })
      this.isInRun = false
      this.isRefused = false
    })
  }

  get heldBytes(): number {
    return this.scanner.heldBytes
  }

  get wakeAt(): Instant | undefined {
    return this.scanner.wakeAt
  }

  push(chunk: Uint8Array, at: Instant): readonly LinkEvent[] {
    this.scanner.push(chunk, at)
    return this.take()
  }

  wake(now: Instant): readonly LinkEvent[] {
    this.scanner.wake(now)
    return this.take()
  }

  encode(command: number, data: Uint8Array): Uint8Array {
    return encodeRequest(this.form, command, data)
  }

  mayRest(): boolean {
    return false
  }

  judge(
    bytes: Uint8Array,
    at: number,
    end: number,
    _offset: number,
    isFinal: boolean,
    faults: Faults,
  ): Verdict {
    const length = this.lengthAt(bytes, at, end)
    if (length === undefined) return this.noise()
    if (at + length > end) {
      if (!isFinal) return 'wait'
      // Fewer bytes than a header announce nothing yet.
      if (length > HEADER) faults.frame(length, '')
      return this.noise()
    }
    const fault = isStx(bytes[at]!) ? this.frameFault(bytes, at, length) : undefined
    if (fault === undefined) return length
    faults.frame(length, fault)
    return this.noise()
  }

  accept(bytes: Uint8Array, at: number, offset: number, length: number): void {
    const span = { offset, length }
    const first = bytes[at]!
    if (first === FIRST.ack) this.events.push({ type: 'ack', ...span })
    else if (first === FIRST.nak) this.events.push({ type: 'nak', ...span })
    else if (first === FIRST.status) {
      const value = bytes[at + 1]!
      const busy = (value & this.form.busyMask) !== 0
      this.events.push({ type: 'status', value, busy, ...span })
    } else this.acceptFrame(bytes, at, span)
  }

  private take(): readonly LinkEvent[] {
    const { events } = this
    this.events = []
    return events
  }

  private noise(): 'noise' {
    this.isInRun = true
    return 'noise'
  }

  /** Bytes of what begins here, or of its header while that is incomplete; `undefined` where nothing can begin. */
  private lengthAt(bytes: Uint8Array, at: number, end: number): number | undefined {
    const first = bytes[at]!
    if (isStx(first)) {
      if (at + HEADER > end) return HEADER
      const row = this.form.commands[bytes[at + 2]!]
      const size = bytes[at + 1]! + this.form.beyondLength
      if (row === undefined || size < row.least || size > row.most) return undefined
      return HEADER + size + TRAILER
    }
    // Single ones among damaged bytes mean nothing: they may be data of what was damaged.
    if (this.isInRun) return undefined
    if (first === FIRST.ack || first === FIRST.nak) return 1
    return first === FIRST.status ? 1 + this.form.statusBytes : undefined
  }

  /** What is wrong with a frame that is all there. A damaged one is asked for again, once a run. */
  private frameFault(bytes: Uint8Array, at: number, length: number): string | undefined {
    const check = at + length - TRAILER
    const sent = bytes[check]! | (bytes[check + 1]! << 8)
    const computed = this.form.check(bytes, at + 1, check)
    if (sent === computed) return undefined
    const row = this.form.commands[bytes[at + 2]!]!
    if (isFromModem(row) && !this.isRefused) {
      this.isRefused = true
      this.events.push({ type: 'send', bytes: NAK })
      // What now comes with STX 03 is news even if it equals the frame before.
      this.previous = new Uint8Array(0)
    }
    return `${row.name}: check ${hex(sent)} sent, ${hex(computed)} computed`
  }

  private acceptFrame(
    bytes: Uint8Array,
    at: number,
    span: { readonly offset: number; readonly length: number },
  ): void {
    const end = at + span.length
    const command = bytes[at + 2]!
    const row = this.form.commands[command]!
    if (isFromModem(row)) this.events.push({ type: 'send', bytes: ACK })
    if (bytes[at] === FIRST.repeat && this.isPrevious(bytes, at + 1, end)) {
      this.events.push({ type: 'repeat', ...span })
      return
    }
    this.previous = bytes.slice(at + 1, end)
    const data = bytes.slice(at + HEADER, end - TRAILER)
    const sdu = this.form.sdu(command, data)
    this.events.push(
      sdu === undefined
        ? { type: 'frame', command, name: row.name, data, ...span }
        : { type: 'sdu', command, sdu, ...span },
    )
  }

  private isPrevious(bytes: Uint8Array, start: number, end: number): boolean {
    const { previous } = this
    if (previous.length !== end - start) return false
    for (let i = 0; i < previous.length; i++) if (previous[i] !== bytes[start + i]) return false
    return true
  }
}

function isStx(byte: number): boolean {
  return byte === FIRST.stx || byte === FIRST.repeat
}
