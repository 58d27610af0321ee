/**
 * Which line of a telegram says what, worked out once for telegrams of one shape. Value group A is 1 for electricity
 * and 0 for what belongs to no medium. Further channels of the latter are gas, water and heat meters and relays: they
 * stay registers and fill no field.
 */
import { CATALOGUE, keyOf } from '../../src/obis.ts'
import type { P1Line, P1Lines } from '../../src/p1/lines.ts'
import type { FieldName } from '../../src/reading.ts'

/** A line whose number fills a field. */
export interface FieldLine {
  readonly line: P1Line
  readonly field: FieldName
  /** Field on three-wire nets. */
  readonly lineField: FieldName
  readonly unit: string
}

/** A total that the telegram lacks, and the lines that add up to it. */
export interface Sum {
  readonly field: FieldName
  readonly lines: readonly P1Line[]
  readonly unit: string
}

/** The lines of one telegram by their meaning; those objects stay the same while the shape does. */
export interface Plan {
  readonly fields: readonly FieldLine[]
  /** Signed net power, where the telegram has no power by direction. */
  readonly netPower: P1Line | undefined
  /** Totals that only their tariffs tell, and totals that only their phases tell. */
  readonly tariffSums: readonly Sum[]
  readonly phaseSums: readonly Sum[]
  readonly clock: P1Line | undefined
  /** Clock in two lines: `hhmmss` and `YYMMDD`. */
  readonly time: P1Line | undefined
  readonly date: P1Line | undefined
  readonly id: P1Line | undefined
  readonly deviceName: P1Line | undefined
  readonly version: P1Line | undefined
  readonly tariff: P1Line | undefined
  readonly breaker: P1Line | undefined
  readonly limiter: P1Line | undefined
  readonly fuses: readonly P1Line[]
  /** Belgium: 230 or 400, the voltage between lines. */
  readonly lineVoltage: P1Line | undefined
  /** The telegram speaks of a second or third phase; of its powers. */
  readonly isThreePhase: boolean
  readonly hasPhasePowers: boolean
}

const ELECTRICITY = 1
const NO_MEDIUM = 0

/** Codes of the equipment id, the best first: Netherlands and Belgium; Hungary, Poland, Slovenia; Groupe E. */
const ID_CODES: readonly string[] = ['96.1.1', '96.1.0', '0.0.0']
/** Version of the interface: Netherlands and Luxembourg, Belgium. */
const DSMR_VERSION = '1-3:0.2.8*255'
const BELGIAN_VERSION = '96.1.4'

const TARIFFS = [1, 2, 3, 4] as const
const TARIFF_TOTALS: readonly (readonly [FieldName, string, number])[] = [
  ['activeEnergyImportWh', 'Wh', 1],
  ['activeEnergyExportWh', 'Wh', 2],
]
const PHASE_TOTALS: readonly (readonly [FieldName, string, readonly string[]])[] = [
  ['activePowerImportW', '1.7.0', ['21.7.0', '41.7.0', '61.7.0']],
  ['activePowerExportW', '2.7.0', ['22.7.0', '42.7.0', '62.7.0']],
]
const OTHER_PHASES = ['41.7.0', '61.7.0', '51.7.0', '71.7.0', '52.7.0', '72.7.0']

/** Looks the lines through; where a code repeats, the first counts. */
export function planOf({ lines }: P1Lines): Plan {
  const electricity = new Map<number, P1Line>()
  const common = new Map<number, P1Line>()
  let version: P1Line | undefined
  for (const line of lines) {
    const { code } = line
    if (code === undefined) continue
    if (code.obis === DSMR_VERSION) version ??= line
    if (code.medium === ELECTRICITY && code.channel <= 1) setFirst(electricity, code.key, line)
    if (code.medium === NO_MEDIUM && code.channel === 0) setFirst(common, code.key, line)
  }
  const measured = (code: string): P1Line | undefined => electricity.get(keyOf(code))
  const said = (code: string): P1Line | undefined => common.get(keyOf(code))
  const all = (codes: readonly string[]): P1Line[] =>
    codes.map(measured).filter(line => line !== undefined)

  const hasPower = measured('1.7.0') !== undefined || measured('2.7.0') !== undefined
  return {
    fields: [...electricity].flatMap(([key, line]) => fieldLine(key, line)),
    netPower: hasPower ? undefined : measured('16.7.0'),
    tariffSums: TARIFF_TOTALS.flatMap(([field, unit, c]) =>
      measured(`${c}.8.0`) === undefined
        ? sumOf(field, unit, all(TARIFFS.map(tariff => `${c}.8.${tariff}`)))
        : [],
    ),
    phaseSums: PHASE_TOTALS.flatMap(([field, , codes]) =>
      hasPower || measured('16.7.0') !== undefined ? [] : sumOf(field, 'W', all(codes)),
    ),
    clock: said('1.0.0'),
    time: measured('0.9.1') ?? said('0.9.1'),
    date: measured('0.9.2') ?? said('0.9.2'),
    id: ID_CODES.map(said).find(line => line !== undefined),
    deviceName: said('42.0.0'),
    version: version ?? said(BELGIAN_VERSION),
    tariff: said('96.14.0'),
    breaker: said('96.3.10'),
    limiter: said('17.0.0'),
    fuses: all(['31.4.0', '51.4.0', '71.4.0']),
    lineVoltage: measured('94.32.1'),
    isThreePhase: all(OTHER_PHASES).length > 0,
    hasPhasePowers: all(['41.7.0', '42.7.0']).length > 0,
  }
}

function setFirst(lines: Map<number, P1Line>, key: number, line: P1Line): void {
  if (!lines.has(key)) lines.set(key, line)
}

/** The field a code fills, the fuse apart: that is read with its sentinels. */
function fieldLine(key: number, line: P1Line): FieldLine[] {
  const meaning = CATALOGUE.get(key)
  const field = meaning?.field
  if (meaning === undefined || field === undefined || field === 'fuseThresholdA') return []
  return [{ line, field, lineField: meaning.lineField ?? field, unit: meaning.unit }]
}

function sumOf(field: FieldName, unit: string, lines: readonly P1Line[]): Sum[] {
  return lines.length === 0 ? [] : [{ field, unit, lines }]
}
