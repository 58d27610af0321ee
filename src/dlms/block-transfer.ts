/**
 * General block transfer (Green Book 9.4.6.13): an APDU in numbered blocks, each an APDU of its own.
 *
 *     E0 | block control | block number u16 | block number acknowledged u16 | length | block data
 *
 * Block control: bit 7 last block, bit 6 streaming, bits 5-0 window; a push acknowledges nothing. Blocks count from 1,
 * and block 1 always begins anew: meters abandon transfers (seen in ch-lg-e450-gbt-16). The LLC header stands before
 * the first block alone, and nothing of a block may be read before all are there.
 */
import { Reader } from '../bytes/reader.ts'
import { DecodeError } from '../errors.ts'
import { Assembly } from '../link/assembly.ts'
import type { Information, InformationSink } from '../link/information.ts'
import { skipLlc } from '../link/llc.ts'
import type { Instant } from '../reading.ts'
import { readLength } from './axdr.ts'

/** Tag of the APDU that carries a block. */
export const GENERAL_BLOCK_TRANSFER = 0xe0

const LAST_BLOCK = 0x80
const FIRST_NUMBER = 1
/** The next block is there within this time, or never: a second of silence, and a frame of 255 bytes at 2400 baud. */
const TIMEOUT_MS = 2000

/** One block as sent. */
interface Block {
  readonly number: number
  readonly isLast: boolean
  /** Indices of its data. */
  readonly start: number
  readonly end: number
}

/** Stands between a link and the application layer: joins blocks, and passes everything else through untouched. */
export class BlockJoiner implements InformationSink {
  private readonly sink: InformationSink
  private readonly pending: Assembly
  private readonly reader = new Reader(new Uint8Array(0))
  /** Number of the last block taken. */
  private number = 0

  /** `maxBytes` bounds what blocks may add up to. */
  constructor(sink: InformationSink, maxBytes: number) {
    this.sink = sink
    this.pending = new Assembly(sink, maxBytes, TIMEOUT_MS)
  }

  get heldBytes(): number {
    return this.pending.heldBytes
  }

  get wakeAt(): Instant | undefined {
    return this.pending.wakeAt
  }

  /** Gives up what silence until `now` shows to be incomplete. */
  wake(now: Instant): void {
    this.pending.wake(now)
  }

  information(information: Information, at: Instant): void {
    const { kind, bytes, start, end } = information
    const apdu = skipLlc(bytes, start, end)
    if (kind === 'pdu' && apdu < end && bytes[apdu] === GENERAL_BLOCK_TRANSFER) {
      this.block(information, apdu, at)
      return
    }
    this.drop('the last block is missing: another APDU begins', at)
    this.sink.information(information, at)
  }

  rejected(error: DecodeError, offset: number, length: number, at: Instant): void {
    // A good frame that carries something else stands for itself; damaged bytes and blocks without use are one run.
    if (error.code.startsWith('LINK_')) this.pending.addRejected(error, offset, length, at)
    else {
      this.drop('the last block is missing: something else came', at)
      this.sink.rejected(error, offset, length, at)
    }
  }

  private block(information: Information, apdu: number, at: Instant): void {
    const { pending } = this
    const block = this.readBlock(information, apdu)
    if (block === undefined) {
      pending.add(information, 0, 0, at)
      return
    }
    const { number, isLast, start, end } = block
    if (number === FIRST_NUMBER) {
      this.drop('the last block is missing: a new transfer begins', at)
      if (isLast) {
        this.sink.information({ ...information, start, end }, at)
        return
      }
    } else if (pending.isPending && !pending.isSpoiled && number === this.number) {
      // Sent twice: only the span grows.
      pending.add(information, 0, 0, at)
      return
    } else if (!pending.isPending)
      pending.spoil('LINK_INCOMPLETE', `block ${number} came without those before it`)
    else if (number !== this.number + 1)
      pending.spoil('LINK_INCOMPLETE', `block ${number} came after block ${this.number}`)
    this.number = number
    pending.add(information, start, end, at)
    if (isLast && !pending.isSpoiled) pending.complete(1, at)
  }

  /** Reads one block; `undefined` where it is malformed, which spoils the transfer. */
  private readBlock({ bytes, end }: Information, apdu: number): Block | undefined {
    const { reader } = this
    reader.reset(bytes, apdu, end)
    try {
      reader.take(1)
      const control = reader.u8()
      const number = reader.u16()
      reader.u16()
      const size = readLength(reader)
      if (size === reader.remaining)
        return { number, isLast: (control & LAST_BLOCK) !== 0, start: reader.offset, end }
      const detail = `block ${number} announces ${size} bytes and has ${reader.remaining}`
      this.pending.spoil('LINK_INCOMPLETE', detail)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      this.pending.spoil(error.code, `a block: ${error.detail}`)
    }
    return undefined
  }

  private drop(detail: string, at: Instant): void {
    this.pending.drop('LINK_INCOMPLETE', detail, at)
  }
}
