/**
 * The one reading model that every decoder fills: what one telegram said, nothing more.
 *
 * A field the telegram did not carry is absent; absent is not zero. `null` means the meter said "not available".
 * Names carry quantity, direction, phase and unit; there is no kilo anywhere.
 */

/** Milliseconds on a monotonic clock with an arbitrary zero. Never compared with wall-clock time. */
export type Instant = number

/**
 * How the bytes were protected: `none` = nothing was checked (a bare APDU), `checksum` = a checksum over the whole
 * frame was right, `authenticated` = a cryptographic tag was right. Readings of `none` never raise a current.
 */
export type Integrity = 'none' | 'checksum' | 'authenticated'

/** `TN`: voltages are phase to neutral. `IT`: three wires, voltages are line to line. `null`: the list does not tell. */
export type Grid = 'TN' | 'IT' | null

/**
 * Every numeric field a reading can have. Powers, voltages (RMS) and energies are never negative; currents are
 * magnitudes, negative only where the meter's sign means export on that phase.
 */
export const FIELD_NAMES = [
  'activePowerImportW',
  'activePowerExportW',
  'reactivePowerImportVar',
  'reactivePowerExportVar',
  'apparentPowerImportVa',
  'apparentPowerExportVa',
  'currentL1A',
  'currentL2A',
  'currentL3A',
  'voltageL1V',
  'voltageL2V',
  'voltageL3V',
  'voltageL1L2V',
  'voltageL1L3V',
  'voltageL2L3V',
  'activePowerImportL1W',
  'activePowerExportL1W',
  'activePowerImportL2W',
  'activePowerExportL2W',
  'activePowerImportL3W',
  'activePowerExportL3W',
  'reactivePowerImportL1Var',
  'reactivePowerExportL1Var',
  'reactivePowerImportL2Var',
  'reactivePowerExportL2Var',
  'reactivePowerImportL3Var',
  'reactivePowerExportL3Var',
  'activeEnergyImportWh',
  'activeEnergyExportWh',
  'activeEnergyImportT1Wh',
  'activeEnergyImportT2Wh',
  'activeEnergyImportT3Wh',
  'activeEnergyImportT4Wh',
  'activeEnergyExportT1Wh',
  'activeEnergyExportT2Wh',
  'activeEnergyExportT3Wh',
  'activeEnergyExportT4Wh',
  'reactiveEnergyImportVarh',
  'reactiveEnergyExportVarh',
  'demandImportW',
  'demandImportMaxMonthW',
  'contractedPowerW',
  'availablePowerW',
  'limiterThresholdW',
  'limiterThresholdVa',
  'limiterThresholdA',
  'fuseThresholdA',
  'uncertaintyW',
  'powerFactor',
  'powerFactorL1',
  'powerFactorL2',
  'powerFactorL3',
  'frequencyHz',
] as const

/** Name of a numeric field; in JSON the same in snake case (`active_power_import_w`). */
export type FieldName = (typeof FIELD_NAMES)[number]

/** Numeric fields of one telegram. */
export type Values = { readonly [Name in FieldName]?: number | null }

/** Who measured, each part only if the telegram tells. Texts without padding blanks and NULs. */
export interface Meter {
  readonly id?: string
  /** Lower-case word: `aidon`, `kaifa`, `kamstrup`, `embriq`. */
  readonly maker?: string
  readonly model?: string
  /** List id as sent. */
  readonly list?: string
  /** COSEM logical device name. */
  readonly deviceName?: string
  /** Absent for one phase, for power-only lists and where the decoder has no rule. */
  readonly grid?: Grid
}

/** The meter's clock as sent. Data to publish; never used for age or control. */
export type MeterTime = CivilTime | SecondsIndex

/** How long the meter has been running, s: what meters without a clock send. */
export interface SecondsIndex {
  readonly seconds: number
}

/** A clock with a calendar. */
export interface CivilTime {
  /** ISO 8601 without zone, as the meter's display would show it. */
  readonly local: string
  /** Minutes to add to local time to get UTC as sent (COSEM sign: CET is -60), `null` = not specified. */
  readonly deviationMin: number | null
  /** ISO 8601 with Z, `null` where neither the deviation nor a zone rule tells. */
  readonly utc: string | null
  /** Clock status octet as sent, `null` = not specified. */
  readonly status: number | null
  /** Summer time, where the telegram has a sign for it; `null` = the sign is missing. */
  readonly dst?: boolean | null
}

/** One value as sent, after the scaler and before any correction. Units: W, Wh, var, varh, VA, V, A, Hz or ''. */
export interface Register {
  /** Full OBIS code, `1-0:1.7.0*255`. */
  readonly obis: string
  /** Several values of one line of text stand as an array of texts. */
  readonly value: number | string | boolean | null | readonly string[]
  readonly unit: string
  /** Local ISO time sent with the value. */
  readonly time?: string
  /** Status word sent with the value. */
  readonly status?: number
}

/** State of the meter's own breaker. `ready` = disconnected, waiting for a person to switch it on. */
export type Breaker = 'connected' | 'disconnected' | 'ready'

/**
 * How a derived value was computed: `it-triangle` (estimate from two element powers), `it-kirchhoff` (exact, one line
 * idle), `it-bound` (upper bound |I1| + |I3|), `tariff-sum`, `phase-sum`.
 */
export type DerivedMethod = 'it-triangle' | 'it-kirchhoff' | 'it-bound' | 'tariff-sum' | 'phase-sum'

/** A value that was computed, not measured. */
export interface Derived {
  readonly value: number
  readonly method: DerivedMethod
  /** How far the truth can lie above or below, in the unit of the field; present where it is not exact. */
  readonly uncertainty?: number
}

/** Oddities accepted but worth counting; the words are part of the interface. */
export type Note =
  | 'limiter_sentinel_ignored'
  | 'limiter_zero_ignored'
  | 'fuse_sentinel_ignored'
  | 'energy_scale_uncertain'
  | 'scale_corrected'
  | 'currents_implausible'
  | 'power_sign_corrected'
  | 'absolute_power'
  | 'meter_locked'
  | 'trailing_padding'
  | 'repaired_crlf'
  | 'retained'
  | 'reports_lost'
  | 'unauthenticated'

/** What one telegram said. */
export interface Reading {
  /** Id of the decoder that understood it. */
  readonly decoder: string
  readonly profile?: string
  /** When the telegram's last byte arrived. */
  readonly receivedAt: Instant
  readonly integrity: Integrity
  readonly meter?: Meter
  readonly meterTime?: MeterTime
  readonly values: Values
  /** Active tariff, text as in the register. */
  readonly tariff?: string
  readonly breaker?: Breaker
  readonly derived?: { readonly [Name in FieldName]?: Derived }
  /** Everything the telegram carried, in its order; where a code repeats, the first counts. */
  readonly registers: readonly Register[]
  /**
   * Reports of a meter that reports changes which were made since the last one and never arrived, by the meter's own
   * counter; absent where it tells nothing. Not published.
   */
  readonly missedReports?: number
  /**
   * How much older its values may be than its arrival and the usual latency say, ms; absent where they are not. Not
   * published.
   */
  readonly ageMs?: number
  /**
   * What the meter's clock showed at {@link receivedAt}, epoch ms, smoothed over several telegrams: a limiter switches
   * by this clock. Not published.
   */
  readonly meterClockMs?: number
}

/** Something that limits rather than measures: contracted power, power available now, a limiter's countdown. */
export interface AvailablePower {
  readonly availablePowerW: number | null
  readonly contractedPowerW?: number
  /** Wall-clock ISO times, where the signal names them. */
  readonly validFrom?: string
  readonly validUntil?: string
  /** Seconds from the event to the disconnection, where the meter counts down; 0 = at once, or not told. */
  readonly tripInS?: number
  /** Instant of the disconnection, where the time since the event is known; not published. */
  readonly tripAt?: Instant
  /** How far the true power can be from a report, where the signal names the report step. */
  readonly uncertaintyW?: number
  /** As in {@link Reading}. */
  readonly meterClockMs?: number
  /** When the meter said so, epoch ms of its clock; not published. */
  readonly toldAtMs?: number
  /** Decoder id. */
  readonly source: string
  readonly receivedAt: Instant
  readonly integrity: Integrity
}

/** Active power of the whole connection, W, positive = import; `undefined` where the telegram does not tell. */
export function netPowerW(values: Values): number | undefined {
  return net(values.activePowerImportW, values.activePowerExportW)
}

/** Reactive power of the whole connection, var, positive = inductive import. */
export function netReactivePowerVar(values: Values): number | undefined {
  return net(values.reactivePowerImportVar, values.reactivePowerExportVar)
}

/** Import minus export. Export absent counts as none: power-only lists carry import alone. */
function net(imported?: number | null, exported?: number | null): number | undefined {
  if (imported === undefined || imported === null) return undefined
  return imported - (exported ?? 0)
}
