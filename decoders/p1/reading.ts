/** From the lines of a telegram to the reading: registers as printed, fields as meant. */
import { localOf, readStamp, type Stamp, utcOf } from '../../src/p1/clock.ts'
import type { P1Line, P1Lines } from '../../src/p1/lines.ts'
import type {
  Breaker,
  Derived,
  FieldName,
  Grid,
  Instant,
  Integrity,
  Meter,
  MeterTime,
  Note,
  Reading,
  Register,
  Values,
} from '../../src/reading.ts'
import { ValuesBuilder } from '../push/values.ts'
import { idOf, makerOf, modelOf } from './identity.ts'
import type { P1Options } from './options.ts'
import { type Plan, planOf, type Sum } from './plan.ts'

/** What assembling gives beside the reading. */
export interface Assembled {
  readonly reading: Reading
  readonly notes: readonly Note[]
  /** The version the telegram says it is of: such versions have a CRC. */
  readonly hasVersion: boolean
}

const BREAKERS: Readonly<Record<string, Breaker>> = {
  '0': 'disconnected',
  '1': 'connected',
  '2': 'ready',
}

const LIMITER_FIELDS: Readonly<Record<string, FieldName>> = {
  W: 'limiterThresholdW',
  VA: 'limiterThresholdVa',
  A: 'limiterThresholdA',
}

/** On three wires the meter need not measure the second line and the voltage across it: a zero there is no value. */
const NOT_MEASURED: ReadonlySet<FieldName> = new Set(['currentL2A', 'voltageL1L3V'])

/** Builds readings of one meter. */
export class P1Assembler {
  private readonly options: P1Options
  private readonly values = new ValuesBuilder()
  private plan: Plan | undefined
  private shape = -1
  private meter: Meter | undefined
  /** Registers that {@link meter} was made of. */
  private meterOf: readonly (Register | undefined)[] = []

  constructor(options: P1Options) {
    this.options = options
  }

  /** The reading of the telegram that `lines` read last. */
  assemble(lines: P1Lines, receivedAt: Instant, integrity: Integrity): Assembled {
    const plan = this.planFor(lines)
    const registers: Register[] = []
    for (const { register } of lines.lines) if (register !== undefined) registers.push(register)
    const meter = this.meterFor(lines, plan)
    const notes: Note[] = []
    const values = this.fields(plan, meter.grid === 'IT', notes)
    const stamp = stampOf(lines, plan)
    const reading: { -readonly [K in keyof Reading]: Reading[K] } = {
      decoder: 'p1',
      receivedAt,
      integrity,
      meter,
      values,
      registers,
    }
    if (stamp !== undefined) reading.meterTime = this.meterTime(stamp)
    const tariff = textOf(plan.tariff)
    if (tariff !== undefined) reading.tariff = tariff
    const breaker = BREAKERS[textOf(plan.breaker) ?? '']
    if (breaker !== undefined) reading.breaker = breaker
    const derived = derivedOf(plan)
    if (derived !== undefined) reading.derived = derived
    return { reading, notes, hasVersion: plan.version !== undefined }
  }

  /** The clock of the telegram that `lines` read last, where it has one that is set. */
  stamp(lines: P1Lines): Stamp | undefined {
    return stampOf(lines, this.planFor(lines))
  }

  private planFor(lines: P1Lines): Plan {
    if (this.plan === undefined || this.shape !== lines.shape) {
      this.shape = lines.shape
      this.plan = planOf(lines)
      this.meter = undefined
    }
    return this.plan
  }

  private fields(plan: Plan, isIt: boolean, notes: Note[]): Values {
    const { values } = this
    values.reset()
    for (const { line, field, lineField, unit } of plan.fields) {
      const value = numberOf(line, unit)
      if (value === undefined || (isIt && value === 0 && NOT_MEASURED.has(lineField))) continue
      if (unit === 'A') values.add(field, Math.abs(value))
      // What has a direction of its own is never negative: such a number is no value of it.
      else if (value >= 0) values.add(isIt ? lineField : field, value)
    }
    const net = numberOf(plan.netPower, 'W')
    if (net !== undefined) {
      values.add('activePowerImportW', Math.max(net, 0))
      values.add('activePowerExportW', Math.max(-net, 0))
    }
    this.limiter(plan, notes)
    this.fuse(plan, notes)
    return values.build()
  }

  /** The threshold of the meter's limiter, unless it says that there is none. */
  private limiter({ limiter }: Plan, notes: Note[]): void {
    const register = limiter?.register
    if (typeof register?.value !== 'number') return
    const field = LIMITER_FIELDS[register.unit]
    if (field === undefined) return
    if (register.value === 0) notes.push('limiter_zero_ignored')
    else if (isAllNines(register.value)) notes.push('limiter_sentinel_ignored')
    else this.values.add(field, register.value)
  }

  /** The least of the phases' current thresholds. */
  private fuse({ fuses }: Plan, notes: Note[]): void {
    let least = Number.POSITIVE_INFINITY
    let isIgnored = false
    for (const line of fuses) {
      const value = numberOf(line, 'A')
      if (value === undefined) continue
      if (value <= 0 || isAllNines(value)) isIgnored = true
      else least = Math.min(least, value)
    }
    if (least < Number.POSITIVE_INFINITY) this.values.add('fuseThresholdA', least)
    if (isIgnored) notes.push('fuse_sentinel_ignored')
  }

  private meterFor(lines: P1Lines, plan: Plan): Meter {
    const { meterOf } = this
    const { id, deviceName, version, lineVoltage } = plan
    const isSame =
      meterOf[0] === id?.register &&
      meterOf[1] === deviceName?.register &&
      meterOf[2] === version?.register &&
      meterOf[3] === lineVoltage?.register
    if (this.meter === undefined || !isSame) {
      this.meterOf = [id, deviceName, version, lineVoltage].map(line => line?.register)
      this.meter = meterIn(lines, plan, this.options)
    }
    return this.meter
  }

  private meterTime(stamp: Stamp): MeterTime {
    const { zone } = this.options
    return {
      local: stamp.local,
      deviationMin: null,
      utc: zone === undefined ? null : utcOf(stamp, zone),
      status: null,
      dst: stamp.dst,
    }
  }
}

function meterIn({ identification }: P1Lines, plan: Plan, options: P1Options): Meter {
  const meter: { -readonly [K in keyof Meter]: Meter[K] } = { maker: makerOf(identification) }
  const deviceName = idOf(textOf(plan.deviceName) ?? '')
  const id = idOf(textOf(plan.id) ?? '') ?? deviceName
  const model = modelOf(identification)
  const list = textOf(plan.version)
  if (id !== undefined) meter.id = id
  if (model !== undefined) meter.model = model
  if (list !== undefined) meter.list = list
  if (deviceName !== undefined) meter.deviceName = deviceName
  if (plan.isThreePhase) meter.grid = gridOf(plan, identification, options)
  return meter
}

/** Belgian meters print the powers of three phases on three wires too; elsewhere they need a neutral. */
function gridOf(plan: Plan, identification: string, { grid }: P1Options): Grid {
  if (grid !== undefined) return grid
  const lineVoltage = textOf(plan.lineVoltage)
  if (lineVoltage === '400') return 'TN'
  if (lineVoltage === '230') return 'IT'
  return plan.hasPhasePowers && !identification.startsWith('FLU') ? 'TN' : null
}

function stampOf({ bytes }: P1Lines, { clock, date, time }: Plan): Stamp | undefined {
  if (clock?.code !== undefined) {
    const from = clock.start + clock.code.length + 1
    return readStamp(bytes, from, bytes.indexOf(CLOSE, from))
  }
  if (date?.code === undefined || time?.code === undefined) return undefined
  if (textOf(date)?.length !== 6 || textOf(time)?.length !== 6) return undefined
  const local = localOf(bytes, date.start + date.code.length + 1, time.start + time.code.length + 1)
  return local === undefined ? undefined : { local, dst: null }
}

const CLOSE = 0x29

function derivedOf(plan: Plan): Reading['derived'] {
  if (plan.tariffSums.length === 0 && plan.phaseSums.length === 0) return undefined
  const derived: { [Name in FieldName]?: Derived } = {}
  for (const sum of plan.tariffSums) {
    const value = total(sum)
    if (value !== undefined) derived[sum.field] = { value, method: 'tariff-sum' }
  }
  for (const sum of plan.phaseSums) {
    const value = total(sum)
    if (value !== undefined) derived[sum.field] = { value, method: 'phase-sum' }
  }
  return Object.keys(derived).length === 0 ? undefined : derived
}

/** Sum without floating-point noise; `undefined` where one of the lines has no such number. */
function total({ lines, unit }: Sum): number | undefined {
  let sum = 0
  for (const line of lines) sum += numberOf(line, unit) ?? Number.NaN
  if (Number.isNaN(sum)) return undefined
  return Number.isInteger(sum) ? sum : Number(sum.toPrecision(12))
}

/** The number of a line in this unit. A unit that contradicts the code makes it no value. */
function numberOf(line: P1Line | undefined, unit: string): number | undefined {
  const register = line?.register
  return typeof register?.value === 'number' && register.unit === unit ? register.value : undefined
}

function textOf(line: P1Line | undefined): string | undefined {
  const value = line?.register?.value
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** True for 999, 999.9, 99.999, 0999.00: at least three nines and nothing else. */
function isAllNines(value: number): boolean {
  return /^0*9{3,}0*$/.test(String(value).replace('.', ''))
}
