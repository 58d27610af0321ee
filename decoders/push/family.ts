/** What a maker's file must say for its lists to become readings; everything common is in this folder. */
import type { EventHeader } from '../../src/dlms/apdu.ts'
import type { AxdrTape } from '../../src/dlms/axdr.ts'
import type { Integrity, Note } from '../../src/reading.ts'
import type { PushList } from './list.ts'
import type { ClockZone } from './zones.ts'

/**
 * How many wires the meter measures: `1P` one phase; `3P4W` voltages to neutral; `3P3W` line to line, the line
 * without a current transformer not always sent.
 */
export type Wiring = '1P' | '3P4W' | '3P3W'

/** A row of a maker's model table: what model texts look like, and what they mean. */
export interface ModelRow {
  readonly model: RegExp
  readonly wiring: Wiring
  /** On three wires: the current of line 2 is measured, so a zero is a zero. */
  readonly measuresL2?: true
}

/** How a list's numbers are scaled where it does not say so itself. */
export interface Scaling {
  /** Power of ten of each C.D.E code; what is not listed is sent as it is. */
  readonly scalers: Readonly<Record<string, number>>
  readonly notes: readonly Note[]
  /** Profile that this scaling belongs to, where it is not the one by which the list was read. */
  readonly profile?: string
  /** Units whose fields stay empty because the numbers contradict each other; the registers keep them. */
  readonly withheld?: readonly string[]
}

/** What stands around the list of the telegram at hand. One object for the life of a decoder. */
export interface Envelope {
  /** Index of the header's date-time in the tape's bytes, -1 if there is none. */
  headerTime: number
  /** HDLC source address, 0 without HDLC. */
  source: number
  /** Sender of a protected telegram, 16 hex digits; empty for others. */
  systemTitle: string
  integrity: Integrity
}

/** Lists of one maker, or of whatever is known about them in the same form. */
export interface Family {
  /** Id of the decoder, `no-aidon`. */
  readonly id: string
  /** Answers from the list's shape whether it belongs here. */
  recognise(tape: AxdrTape, envelope: Envelope): boolean
  /** Adds every entry of the tape to the list; throws DecodeError where the list breaks the grammar. */
  read(list: PushList): void
  /** Adds the value of an event-notification, the tape's only element; absent where there are none. */
  readEvent?(list: PushList, event: EventHeader): void
  /** Maker of this list: lower-case word or FLAG letters; `undefined` if nothing tells. */
  maker(list: PushList): string | undefined
  /** Model table by which three-phase nets with and without neutral are told apart; absent where there is no rule. */
  readonly models?: readonly ModelRow[]
  /** True where the meter's current carries a sign. */
  readonly signedCurrents: boolean
  /** Zone of the meter's clock, whatever deviation it sends; `undefined` where the deviation is to be believed. */
  zone(list: PushList): ClockZone | undefined
  /** `undefined` where the entries say everything themselves. */
  scaling?(list: PushList): Scaling | undefined
  /** Hourly registers are now and then those of the hour before, with their clock. */
  readonly repeatsHour?: true
}
