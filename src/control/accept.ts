/**
 * A reading becomes knowledge: what each line carries, and what of it is the house.
 *
 * | telegram                               | gives                                             | may        |
 * |----------------------------------------|---------------------------------------------------|------------|
 * | currents of all lines that count       | the frame the law works with                      | cut, raise |
 * | power alone, currents known from before | the rise of power on every line (worst line)     | cut        |
 * | power alone, never any current         | all of it on every line at power factor 0.85      | cut, raise |
 */
import type { Instant, Reading, Values } from '../reading.ts'
import { acceptPower } from './accept-power.ts'
import { meanBase, sinceFrame } from './derate.ts'
import { echoed } from './echo.ts'
import { heated } from './heat.ts'
import { atSample, goodReadings, remembered, vehicleW, withTotal } from './house.ts'
import { field, type LineReading, readLines } from './lines.ts'
import { learn } from './mapping.ts'
import { canLoad } from './own-lines.ts'
import { type OwnShare, ownShare } from './own-share.ts'
import type { ControlParameters } from './parameters.ts'
import {
  implausible,
  isFrozen,
  isMismatched,
  newestEnergy,
  repetition,
  undershoot,
} from './plausibility.ts'
import { heard } from './staleness.ts'
import type { ControlState, Frame } from './state.ts'
import { medianOfThree } from './three-wire.ts'

/** Export registers of homes without production creep by a few watt-hours. */
const CREEP_WH = 100

/** What a reading says of itself. */
export interface Report {
  /** Step from one report to the next, W, where the meter names it. */
  readonly stepW: number | null
  /** Reports lost since the last one, where the meter counts. */
  readonly missed: number | undefined
  /** How much older its values may be than it looks. */
  readonly ageMs: number
  /** It may raise. */
  readonly trusted: boolean
}

/** What a reading was good for. `view` is what the law may cut by; `raises` says whether it may also raise. */
export interface Accepted {
  readonly state: ControlState
  /** `frame`: all lines known. `fast`: a rise of power since. `none`: nothing about lines. */
  readonly kind: 'frame' | 'fast' | 'none'
  readonly view: Frame | null
  readonly raises: boolean
}

/** Takes one reading. Late, repeated and impossible ones change nothing but the counters. */
export function accept(
  parameters: ControlParameters,
  state: ControlState,
  reading: Reading,
  mayRaise: boolean,
  now: Instant,
): Accepted {
  const at = Math.min(reading.receivedAt, now)
  const newest = Math.max(state.currents.at ?? -Infinity, state.power.at ?? -Infinity)
  const ageMs = reading.ageMs ?? 0
  if (at - ageMs < newest) return reject(state, 'older than the newest reading')

  const lines = readLines(parameters, state.secondLine, reading, at)
  const { values } = reading
  const fault = implausible(parameters, values, lines, state.energy, at)
  const known = { ...state, energy: newestEnergy(values, state.energy, at) }
  if (fault !== null) return reject(known, fault)

  const exported = known.exported || isExporting(values) || isHiding(values, lines.powerW)
  const trusted = mayRaise && reading.integrity !== 'none' && at > newest
  const told = { ...known, exported, secondLine: lines.secondLine }
  const stepW = field(values, 'uncertaintyW')
  const report = { stepW, missed: reading.missedReports, ageMs, trusted }
  if (hasLines(parameters, lines)) return acceptFrame(parameters, told, lines, report, at)
  if (lines.powerW === null) return { state: told, kind: 'none', view: null, raises: false }
  return acceptPower(parameters, told, lines, lines.powerW, report, at)
}

function acceptFrame(
  parameters: ControlParameters,
  state: ControlState,
  lines: LineReading,
  report: Report,
  at: Instant,
): Accepted {
  const { trusted, stepW, missed, ageMs } = report
  const share = ownShare(parameters, state, at, ageMs)
  const repeated = repetition(state, lines, share, at)
  const frames = undershoot(state, lines, share)
  const judged = { ...state, repeated, undershoot: frames }
  if (isFrozen(parameters, state, repeated, at)) {
    // What it said was true at most until it began to repeat itself.
    const currents = { ...judged.currents, at: repeated.since }
    return reject({ ...judged, currents }, 'the meter repeats itself')
  }
  if (isMismatched(frames)) return reject(judged, 'the lines carry less than the vehicle')

  const { mid, least, unsettled } = atSample(state, share, at)
  const median = medianOfThree(
    state.secondLine?.recentMa ?? [],
    (lines.lineMa[1] ?? 0) - (share.leastMa[1] ?? 0),
  )
  const raiseBase = lines.lineMa.map((ma, line) =>
    ma === null ? null : lines.computed[line] ? median.ma : ma - share.leastMa[line]!,
  )
  const baseMa = lines.cutMa.map((ma, line) => (ma === null ? null : ma - mid[line]!))
  const frame: Frame = {
    at,
    lineMa: lines.cutMa,
    baseMa,
    rideBaseMa: lines.cutMa.map((ma, line) =>
      lines.threeWire && mid[line]! > parameters.minMa + 1000 ? ma : baseMa[line]!,
    ),
    computed: lines.computed,
    voltageV: lines.voltageV,
    powerW: lines.powerW,
    vehicleW: vehicleW(parameters, lines, least),
    guessed: false,
    reportStepW: stepW,
  }
  const memory = judged.secondLine
  const next: ControlState = {
    ...judged,
    frame,
    view: frame,
    unsettled,
    powerOnly: false,
    powerSince: null,
    secondLine: memory === null ? null : { ...memory, recentMa: median.recentMa },
    history: remembered(parameters, judged, raiseBase, at),
    ...heated(parameters, state, frame),
    meanBaseMa: meanBase(state.meanBaseMa, frame, sinceFrame(state, at)),
    ...(parameters.reportsChanges
      ? { echo: { ...echoed(state, missed, at), drawMa: Math.max(...(share.phaseMa ?? [0])) } }
      : {}),
    mapping: learned(parameters, state, lines, share),
    ...(trusted
      ? { currents: heard(judged.currents, at), good: goodReadings(parameters, judged, at) }
      : {}),
  }
  const whole =
    lines.powerW === null ? next : withTotal(parameters, next, lines, share, mid, trusted, at)
  return { state: whole, kind: 'frame', view: frame, raises: trusted }
}

function hasLines(parameters: ControlParameters, lines: LineReading): boolean {
  return lines.lineMa.every((ma, line) => ma !== null || !canLoad(parameters, line))
}

function isExporting(values: Values): boolean {
  return (
    (field(values, 'activePowerExportW') ?? 0) > 0 ||
    (field(values, 'activeEnergyExportWh') ?? 0) > CREEP_WH
  )
}

/** Settled frames of metered vehicles tell which lines belong to them. */
function learned(
  parameters: ControlParameters,
  { mapping }: ControlState,
  lines: LineReading,
  share: OwnShare,
): ControlState['mapping'] {
  const { phaseMa, settled } = share
  if (phaseMa === null || !settled || lines.threeWire || lines.lineMa.length === 1) return mapping
  const own = parameters.phases === 1 ? [Math.max(...phaseMa)] : phaseMa
  return learn(parameters, mapping, own, lines.lineMa)
}

/** Import alone, and none of it although the house lives: production behind the meter. */
function isHiding(values: Values, powerW: number | null): boolean {
  return (
    powerW === 0 &&
    field(values, 'activePowerExportW') === null &&
    CURRENTS.every(name => field(values, name) === null)
  )
}

const CURRENTS = ['currentL1A', 'currentL2A', 'currentL3A'] as const

function reject(state: ControlState, reason: string): Accepted {
  const rejected = { count: state.rejected.count + 1, reason }
  return { state: { ...state, rejected }, kind: 'none', view: null, raises: false }
}
