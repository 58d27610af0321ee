/**
 * Polls of a Sinapsi Alfa to readings and signals.
 *
 * The registers have no time stamp: the age of a value is not that of the poll. A poll tells of the power of now only
 * when one of its powers or totals has changed, as they do with each report of the meter and every quarter of an hour.
 * A gateway that has just started shows zeros for minutes to hours: such polls are refused as a whole.
 */
import type { Decoder, DecoderEvent } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import { LONGEST_MESSAGE } from '../../src/json/decoder.ts'
import { isMarked, unmarked } from '../../src/json/mark.ts'
import type { AvailablePower, FieldName, Instant, Reading, Register } from '../../src/reading.ts'
import { type Chain2Options, presumedGapW } from '../chain2/options.ts'
import { type Registers, readPoll } from './poll.ts'
import { ADDRESS, REGISTERS, type RegisterRow, SECONDS_LEFT, WARNED_AT } from './registers.ts'

/** From the event to the register. */
const DELAY_MS = 10_000
const NO_WORD = 0xffff

/** Registers that change with each report. */
const LIVE = [
  ADDRESS.importW,
  ADDRESS.exportW,
  ADDRESS.importWh,
  ADDRESS.importWh + 1,
  ADDRESS.exportWh,
  ADDRESS.exportWh + 1,
]

/** One conversation with one gateway. */
export class SinapsiDecoder implements Decoder {
  readonly wakeAt: Instant | undefined = undefined
  readonly heldBytes = 0
  private readonly options: Chain2Options
  private known: Registers = new Map()
  private isWarmingUp = false
  /** When the warning registers were read last. */
  private warningReadAt: Instant | undefined
  private received = 0

  constructor(options: Chain2Options) {
    this.options = options
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    const span = { offset: this.received, length: chunk.length }
    this.received += chunk.length
    if (chunk.length === 0) return []
    try {
      if (chunk.length > LONGEST_MESSAGE)
        throw new DecodeError('LINK_OVERFLOW', 0, `a message of ${chunk.length} bytes`)
      return this.poll(readPoll(unmarked(chunk)), isMarked(chunk), at, span)
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error
      return [{ type: 'rejected', error, ...span }]
    }
  }

  wake(): readonly DecoderEvent[] {
    return []
  }

  private poll(
    poll: Registers,
    isOld: boolean,
    at: Instant,
    span: { readonly offset: number; readonly length: number },
  ): readonly DecoderEvent[] {
    this.refuseWarmUp(poll)
    const before = this.known
    const changed = new Set([...poll.keys()].filter(key => poll.get(key) !== before.get(key)))
    this.known = new Map([...before, ...poll])
    const signal = this.warning(poll, changed, at)
    const isLive = LIVE.some(address => changed.has(address))
    const rows = REGISTERS.filter(
      ({ address, words }) =>
        poll.has(address) &&
        (isLive || changed.has(address) || (words === 2 && changed.has(address + 1))),
    )
    if (rows.length > 0) {
      const reading: DecoderEvent = {
        type: 'reading',
        reading: this.reading(poll, rows, isLive, at),
        ...span,
        ...(isOld ? { notes: ['retained'] as const } : {}),
      }
      return signal === undefined ? [reading] : [reading, { type: 'signal', signal }]
    }
    return signal === undefined
      ? [{ type: 'info', detail: 'nothing has changed since the last poll', ...span }]
      : [{ type: 'signal', signal, ...span }]
  }

  /** Register 203 or the import total is 0 while the gateway has nothing from the meter yet. */
  private refuseWarmUp(poll: Registers): void {
    const band = poll.get(ADDRESS.band)
    const total = wide(poll, ADDRESS.importWh)
    if (band === 0 || total === 0) this.isWarmingUp = true
    else if (band !== undefined) this.isWarmingUp = false
    if (!this.isWarmingUp) return
    this.known = new Map()
    throw new DecodeError(
      'VALUE_IMPLAUSIBLE',
      0,
      `${
        [
          ...(band === 0 ? ['register 203 is 0'] : []),
          ...(total === 0 ? ['the import total is 0'] : []),
        ].join(', ') || 'register 203 was 0'
      }: the gateway has nothing from the meter yet`,
    )
  }

  private reading(
    poll: Registers,
    rows: readonly RegisterRow[],
    isLive: boolean,
    at: Instant,
  ): Reading {
    const values: { [Name in FieldName]?: number | null } = {}
    const registers: Register[] = []
    for (const { address, words, obis, unit, field } of rows) {
      const value = words === 2 ? wide(poll, address) : poll.get(address)
      const known = value === (words === 2 ? 0xffff_ffff : NO_WORD) ? null : (value ?? null)
      if (field !== undefined && isLive) values[field] = known
      registers.push({ obis, value: address === ADDRESS.band ? String(known) : known, unit })
    }
    if (typeof values.activePowerImportW === 'number')
      values.uncertaintyW = presumedGapW(this.options)
    const band = poll.get(ADDRESS.band)
    return {
      decoder: 'it-sinapsi',
      receivedAt: at,
      // Modbus itself has no checksum over TCP; TCP has.
      integrity: 'checksum',
      meter: { list: 'poll' },
      values,
      ...(band !== undefined && band >= 1 && band <= 6 ? { tariff: String(band) } : {}),
      registers,
    }
  }

  /**
   * A new warning. Its instant lies between this reading of the registers and the one before; at the first one it may
   * be of any age, and no time is left to rely on.
   */
  private warning(
    poll: Registers,
    changed: ReadonlySet<number>,
    at: Instant,
  ): AvailablePower | undefined {
    const warnedAt = wide(poll, WARNED_AT)
    if (warnedAt === undefined) return undefined
    const readBefore = this.warningReadAt
    this.warningReadAt = at
    const isNew = [WARNED_AT, WARNED_AT + 1, SECONDS_LEFT].some(address => changed.has(address))
    if (!isNew || warnedAt === 0 || warnedAt === 0xffff_ffff) return undefined
    const left = poll.get(SECONDS_LEFT) ?? NO_WORD
    const tripInS = left === NO_WORD ? 0 : left
    const earliest = readBefore === undefined ? at : readBefore + tripInS * 1000 - DELAY_MS
    return {
      availablePowerW: null,
      tripInS,
      tripAt: tripInS === 0 ? at : earliest,
      source: 'it-sinapsi',
      receivedAt: at,
      integrity: 'checksum',
    }
  }
}

function wide(registers: Registers, address: number): number | undefined {
  const high = registers.get(address)
  const low = registers.get(address + 1)
  return high === undefined || low === undefined ? undefined : high * 0x1_0000 + low
}
