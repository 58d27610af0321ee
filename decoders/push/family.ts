/** What a maker's file must say for its lists to become readings; everything common is in this folder. */
import type { AxdrTape } from '../../src/dlms/axdr.ts'
import type { Note } from '../../src/reading.ts'
import type { PushList } from './list.ts'

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

/** Zone of the meter's clock, whatever deviation it sends: `utc+1` all year, Central European `civil`, or unknown. */
export type ClockZone = 'utc+1' | 'civil' | undefined

/** How a list's numbers are scaled where it does not say so itself. */
export interface Scaling {
  /** Power of ten of each C.D.E code; what is not listed is sent as it is. */
  readonly scalers: Readonly<Record<string, number>>
  readonly notes: readonly Note[]
}

/** One maker's lists. */
export interface Family {
  /** Id of the decoder, `no-aidon`. */
  readonly id: string
  /** Answers from the list's shape whether it is this maker's. */
  recognise(tape: AxdrTape, hasHeaderTime: boolean): boolean
  /** Adds every entry of the tape to the list; throws DecodeError where the list breaks the maker's grammar. */
  read(list: PushList): void
  /** Maker of this list: lower-case word. */
  maker(list: PushList): string
  readonly models: readonly ModelRow[]
  /** True where the meter's current carries a sign. */
  readonly signedCurrents: boolean
  zone(list: PushList): ClockZone
  /** `undefined` where every number carries its own scaler. */
  scaling?(list: PushList): Scaling
  /** Hourly registers are now and then those of the hour before, with their clock. */
  readonly repeatsHour?: true
}
