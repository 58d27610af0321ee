/**
 * Parameters of the control core. People write {@link ControlConfig} in amperes and seconds; the core works with
 * {@link ControlParameters} in integer milliamperes and milliseconds.
 *
 * | name                   | default                     | why                                                      |
 * |------------------------|-----------------------------|----------------------------------------------------------|
 * | marginA                | max(resolution / 2, 0.1)    | what the meter's resolution hides; 0.5 if it truncates   |
 * | computedLineA          | 0.9                         | harmonics that a computed line current does not show     |
 * | minIntervalS           | 5                           | least time between pilot changes (IEC 61851-1)           |
 * | t0S, tMaxS             | max(15, 2 cadences), 120    | a raise waits for one cycle of an appliance              |
 * | kDecayS                | 300                         | back-off fades one level                                 |
 * | dbUpA                  | 0.5; unmetered or whole: 1.1 | raises worth making: cars follow whole amperes          |
 * | failMemS               | 600                         | a raise undone at once is not tried again                |
 * | deadBandA              | 0.5; above 20 A: 1          | less is not worth a change while nothing can trip        |
 * | pulseS                 | 60                          | loads this short are waited out while nothing can trip   |
 * | probeS, hiddenW        | 75, 2600                    | reports get lost: asks after this silence for such a load |
 * | limiterFactor, -BandS  | 1.16, 10200                 | a meter's limiter bears this much more for three hours   |
 * | strictGap              | auto                        | the whole report step counts as drawn, once reports get lost |
 * | stepReserve            | auto                        | 16 and 20 A: a step as large as the largest seen is survived |
 * | rideMaxS               | 120                         | at the minimum while the fuse can never trip             |
 * | resume0S, resumeMaxS   | 60, 600                     | contactor and car                                        |
 * | resumeMarginA          | 1                           | room above the minimum before charging resumes           |
 * | failsafeA              | 0                           | without readings: pause                                  |
 * | validForS, resendS     | 30, 10                      | three re-sends guard against a dead author               |
 * | responseS, settleS     | 5, 4                        | a vehicle follows the pilot within 5 s (IEC 61851-1)     |
 */
import type { PhaseOrder } from '../it-net.ts'
import { floorToStep, milliamperes } from './amperes.ts'
import { type MainDevice, type TripCurve, tripCurve } from './protection.ts'

export type { MainDevice } from './protection.ts'

/**
 * Never-trip current as a multiple of the rating: what the fastest device its standard permits carries for ever.
 * gG: IEC 60269-1 (25 % for an hour), MCB B and C: IEC 60898-1, SLS-E: selective main circuit breaker, DIN VDE 0641-21.
 */
export const NEVER_TRIP: Readonly<Record<MainDevice, number>> = {
  gG: 1.25,
  'MCB-B': 1.13,
  'MCB-C': 1.13,
  'SLS-E': 1.05,
}

/** Settings as a person writes them: A, V, s. Everything is optional. */
export interface ControlConfig {
  readonly installation?: {
    readonly phases?: 1 | 3
    /** `auto`: as the telegrams show it. */
    readonly grid?: 'TN' | 'IT' | 'auto'
    /** One rating for all lines, or one for each. */
    readonly mainFuseA?: number | readonly number[]
    readonly device?: MainDevice
    /** Phase to neutral, in a three-wire net line to line; used where the meter sends none. */
    readonly voltageV?: number
    /** Production behind the meter: power alone then says nothing about the lines. */
    readonly production?: boolean
    /** What the contract permits for the whole connection, W. */
    readonly contractedPowerW?: number
    /** Difference between lines the grid operator permits: 20 in Germany, 16 in Austria and Switzerland. */
    readonly unbalanceA?: number
    /**
     * `meter`: thresholds that the meter tells of its limiter and fuses bound the connection. `italy`: the meter
     * disconnects by the rules of Italian contracts, {@link contractedPowerW} is the contract's.
     */
    readonly limiter?: 'ignore' | 'meter' | 'italy'
    /** The contract has the nights of ARERA 541/2020, even where the meter does not say so. */
    readonly night541?: boolean
    /** Further holidays as `MM-DD`, where the tariff bands follow them. */
    readonly extraHolidays?: readonly string[]
    /** Three-wire nets, line 2 not measured: `3-2-1` where terminals of the meter were swapped. */
    readonly phaseOrder?: PhaseOrder
  }
  readonly chargePoint?: {
    readonly id?: string
    readonly phases?: 1 | 3
    /**
     * Grid lines 1 to 3 the charge point hangs on. Three phases: the line of each of its own phases in turn. One
     * phase: the line, or both lines in a net without neutral. Without it every line limits.
     */
    readonly lines?: readonly number[]
    readonly minA?: number
    readonly maxA?: number
    readonly stepA?: number
    /** False: currents the charge point reports are not used. */
    readonly metered?: boolean
    /** Temperatures of the charge point: less from here, the minimum from there, pause and resume; degrees Celsius. */
    readonly derateFromC?: number
    readonly derateToC?: number
    readonly pauseAboveC?: number
    readonly resumeBelowC?: number
  }
  readonly meter?: {
    /** From the meter's sample to the telegram's last byte. */
    readonly latencyS?: number
    /** Between telegrams with currents; learned when absent. */
    readonly cadenceS?: number
    /** Between telegrams with power; learned when absent. */
    readonly powerCadenceS?: number
    readonly resolutionA?: number
    /** The meter sends when something has changed, not at intervals. */
    readonly reportsChanges?: boolean
    /** The meter cuts off decimals instead of rounding. */
    readonly truncates?: boolean
  }
  readonly control?: {
    readonly marginA?: number
    readonly computedLineA?: number
    readonly minIntervalS?: number
    readonly t0S?: number
    readonly tMaxS?: number
    readonly kDecayS?: number
    readonly dbUpA?: number
    readonly failMemS?: number
    readonly deadBandA?: number
    readonly pulseS?: number
    /** Highest mean power of a billing window, W: below it the peak tariff is not raised. */
    readonly peakTargetW?: number
    /** Length of the billing window: 3600 or 900. */
    readonly peakWindowS?: number
    readonly probeS?: number
    readonly hiddenW?: number
    readonly limiterFactor?: number
    readonly limiterBandS?: number
    /** Meters that report changes: count all that may have been added since the last report as drawn. */
    readonly strictGap?: boolean
    /** `auto`: where the main device is rated 20 A or less and no power comes between the currents. */
    readonly stepReserve?: boolean | 'auto'
    readonly rideMaxS?: number
    readonly resume0S?: number
    readonly resumeMaxS?: number
    readonly resumeMarginA?: number
    readonly failsafeA?: number
    readonly validForS?: number
    readonly resendS?: number
    readonly responseS?: number
    readonly settleS?: number
  }
}

/** The same for the core: integer mA, ms, V. `null` = decided from what is learned while running. */
export interface ControlParameters {
  readonly chargePoint: string
  /** Phases of the charge point. */
  readonly phases: 1 | 3
  readonly grid: 'TN' | 'IT' | 'auto'
  /** Rating of the main device on each line; its length is the number of lines. */
  readonly fuseMa: readonly number[]
  readonly neverTripMa: readonly number[]
  /** Tripping time of the main device on each line. */
  readonly tripCurves: readonly TripCurve[]
  readonly voltageV: number
  readonly production: boolean
  readonly contractedPowerW: number | null
  /** Whether thresholds that the meter tells of its limiter and fuses bound the connection. */
  readonly thresholds: 'ignore' | 'meter'
  /** The meter limits by the rules of Italian contracts; `null` = it does not. */
  readonly limiter: {
    readonly contractedW: number | null
    readonly night541: boolean
    readonly extraHolidays: readonly string[]
  } | null
  readonly unbalanceMa: number | null
  readonly phaseOrder: PhaseOrder
  /** Line index (0 to 2) of each phase of a three-phase charge point; the lines a single-phase one hangs on. */
  readonly lineOf: readonly number[]
  /** {@link lineOf} was stated, not presumed. */
  readonly linesKnown: boolean
  readonly metered: boolean
  readonly derateFromC: number
  readonly derateToC: number
  readonly pauseAboveC: number
  readonly resumeBelowC: number
  /** On the step grid. */
  readonly minMa: number
  readonly maxMa: number
  readonly stepMa: number
  readonly latencyMs: number
  readonly cadenceMs: number | null
  readonly powerCadenceMs: number | null
  readonly resolutionMa: number
  readonly truncates: boolean
  readonly reportsChanges: boolean
  readonly marginMa: number
  readonly computedLineMa: number
  readonly minIntervalMs: number
  readonly t0Ms: number | null
  readonly tMaxMs: number
  readonly kDecayMs: number
  readonly dbUpMa: number | null
  readonly failMemMs: number
  /** `null`: by current and resolution. */
  readonly deadBandMa: number | null
  readonly pulseMs: number
  readonly peak: { readonly targetW: number; readonly windowMs: number } | null
  readonly probeMs: number
  readonly hiddenW: number
  readonly limiterFactor: number
  readonly limiterBandMs: number
  /** `null` = once reports get lost. */
  readonly strictGap: boolean | null
  readonly stepReserve: boolean | 'auto'
  readonly rideMaxMs: number
  readonly resume0Ms: number
  readonly resumeMaxMs: number
  readonly resumeMarginMa: number
  readonly failsafeMa: number
  readonly validForS: number
  readonly resendMs: number
  readonly responseMs: number
  readonly settleMs: number
}

/** Fills in the defaults. Takes values as they are; a fail-safe between 0 and the minimum becomes 0. */
export function controlParameters(config: ControlConfig = {}): ControlParameters {
  const { installation = {}, chargePoint = {}, meter = {}, control = {} } = config
  const lines = installation.phases ?? 3
  const phases = chargePoint.phases ?? lines
  const fuse = installation.mainFuseA ?? 25
  const fuseMa = Array.from({ length: lines }, (_, line) =>
    milliamperes(typeof fuse === 'number' ? fuse : (fuse[line] ?? Math.min(...fuse))),
  )
  const stepMa = milliamperes(chargePoint.stepA ?? 0.1)
  const minMa = Math.ceil(milliamperes(chargePoint.minA ?? 6) / stepMa) * stepMa
  const failsafeMa = floorToStep(milliamperes(control.failsafeA ?? 0), stepMa)
  const resolutionMa = milliamperes(meter.resolutionA ?? (meter.truncates ? 1 : 0.1))
  const reportsChanges = meter.reportsChanges ?? false
  const device = installation.device ?? 'gG'
  const factor = NEVER_TRIP[device]
  return {
    chargePoint: chargePoint.id ?? '1',
    phases,
    grid: installation.grid ?? 'auto',
    fuseMa,
    neverTripMa: fuseMa.map(ma => Math.floor(ma * factor)),
    tripCurves: fuseMa.map(ma => tripCurve(device, ma)),
    voltageV: installation.voltageV ?? 230,
    production: installation.production ?? false,
    contractedPowerW:
      installation.limiter === 'italy' ? null : (installation.contractedPowerW ?? null),
    thresholds: installation.limiter === 'meter' ? 'meter' : 'ignore',
    limiter:
      installation.limiter !== 'italy'
        ? null
        : {
            contractedW: installation.contractedPowerW ?? null,
            night541: installation.night541 ?? false,
            extraHolidays: installation.extraHolidays ?? [],
          },
    unbalanceMa:
      installation.unbalanceA === undefined ? null : milliamperes(installation.unbalanceA),
    phaseOrder: installation.phaseOrder ?? '1-2-3',
    lineOf: linesOf(chargePoint.lines, lines),
    linesKnown: lines === 1 || (chargePoint.lines?.length ?? 0) > 0,
    metered: chargePoint.metered ?? true,
    derateFromC: chargePoint.derateFromC ?? 60,
    derateToC: chargePoint.derateToC ?? 75,
    pauseAboveC: chargePoint.pauseAboveC ?? 80,
    resumeBelowC: chargePoint.resumeBelowC ?? 65,
    minMa,
    maxMa: floorToStep(milliamperes(chargePoint.maxA ?? 32), stepMa),
    stepMa,
    latencyMs: ms(meter.latencyS ?? 1),
    cadenceMs: optionalMs(meter.cadenceS),
    powerCadenceMs: optionalMs(meter.powerCadenceS),
    resolutionMa,
    truncates: meter.truncates ?? false,
    reportsChanges,
    marginMa: milliamperes(
      control.marginA ?? (reportsChanges ? 0.3 : defaultMargin(resolutionMa, meter.truncates)),
    ),
    computedLineMa: milliamperes(control.computedLineA ?? 0.9),
    minIntervalMs: ms(control.minIntervalS ?? 5),
    t0Ms: optionalMs(control.t0S),
    tMaxMs: ms(control.tMaxS ?? 120),
    kDecayMs: ms(control.kDecayS ?? 300),
    dbUpMa: control.dbUpA === undefined ? null : milliamperes(control.dbUpA),
    failMemMs: ms(control.failMemS ?? 600),
    deadBandMa: control.deadBandA === undefined ? null : milliamperes(control.deadBandA),
    pulseMs: ms(control.pulseS ?? 60),
    peak:
      control.peakTargetW === undefined
        ? null
        : { targetW: control.peakTargetW, windowMs: ms(control.peakWindowS ?? 3600) },
    probeMs: ms(control.probeS ?? 75),
    hiddenW: control.hiddenW ?? 2600,
    limiterFactor: control.limiterFactor ?? 1.28 / 1.1,
    limiterBandMs: ms(control.limiterBandS ?? 10_200),
    strictGap: control.strictGap ?? null,
    stepReserve: control.stepReserve ?? 'auto',
    rideMaxMs: ms(control.rideMaxS ?? 120),
    resume0Ms: ms(control.resume0S ?? 60),
    resumeMaxMs: ms(control.resumeMaxS ?? 600),
    resumeMarginMa: milliamperes(control.resumeMarginA ?? 1),
    failsafeMa: failsafeMa >= minMa ? failsafeMa : 0,
    validForS: control.validForS ?? 30,
    resendMs: ms(control.resendS ?? 10),
    responseMs: ms(control.responseS ?? 5),
    settleMs: ms(control.settleS ?? 4),
  }
}

function linesOf(configured: readonly number[] | undefined, lines: 1 | 3): readonly number[] {
  const wanted = configured?.filter(line => line >= 1 && line <= lines) ?? []
  return wanted.length > 0
    ? wanted.map(line => line - 1)
    : Array.from({ length: lines }, (_, line) => line)
}

function defaultMargin(resolutionMa: number, truncates: boolean | undefined): number {
  return truncates ? 0.5 : Math.max(resolutionMa / 2000, 0.1)
}

function ms(seconds: number): number {
  return Math.round(seconds * 1000)
}

function optionalMs(seconds: number | undefined): number | null {
  return seconds === undefined ? null : ms(seconds)
}
