/**
 * OBIS codes (IEC 62056-6-1) and what they mean for the reading model. Value groups C.D.E say what was measured; A.B
 * (medium and channel) differ between makers for the same quantity, so the catalogue goes by C.D.E.
 */
import type { FieldName } from './reading.ts'

/** What a register is, apart from a number that fills a field. */
export type ObisRole =
  | 'field'
  | 'meter-id'
  | 'model'
  | 'list'
  | 'device-name'
  | 'clock'
  | 'tariff'
  | 'breaker'
  | 'limiter'

/** An entry of the catalogue. */
export interface ObisMeaning {
  /** C.D.E, `1.7.0`. */
  readonly code: string
  readonly role: ObisRole
  readonly title: string
  /** Unit of the register, '' for none. */
  readonly unit: string
  /** Field it fills; on three-wire nets {@link lineField} where that differs. */
  readonly field?: FieldName
  readonly lineField?: FieldName
}

const CODES: readonly [
  code: string,
  unit: string,
  title: string,
  field?: FieldName,
  line?: FieldName,
][] = [
  ['1.7.0', 'W', 'active power import', 'activePowerImportW'],
  ['2.7.0', 'W', 'active power export', 'activePowerExportW'],
  ['3.7.0', 'var', 'reactive power import', 'reactivePowerImportVar'],
  ['4.7.0', 'var', 'reactive power export', 'reactivePowerExportVar'],
  ['31.7.0', 'A', 'current L1', 'currentL1A'],
  ['51.7.0', 'A', 'current L2', 'currentL2A'],
  ['71.7.0', 'A', 'current L3', 'currentL3A'],
  ['32.7.0', 'V', 'voltage L1 (three wires: L1-L2)', 'voltageL1V', 'voltageL1L2V'],
  ['52.7.0', 'V', 'voltage L2 (three wires: L1-L3)', 'voltageL2V', 'voltageL1L3V'],
  ['72.7.0', 'V', 'voltage L3 (three wires: L2-L3)', 'voltageL3V', 'voltageL2L3V'],
  ['21.7.0', 'W', 'active power import L1', 'activePowerImportL1W'],
  ['22.7.0', 'W', 'active power export L1', 'activePowerExportL1W'],
  ['23.7.0', 'var', 'reactive power import L1', 'reactivePowerImportL1Var'],
  ['24.7.0', 'var', 'reactive power export L1', 'reactivePowerExportL1Var'],
  ['41.7.0', 'W', 'active power import L2', 'activePowerImportL2W'],
  ['42.7.0', 'W', 'active power export L2', 'activePowerExportL2W'],
  ['43.7.0', 'var', 'reactive power import L2', 'reactivePowerImportL2Var'],
  ['44.7.0', 'var', 'reactive power export L2', 'reactivePowerExportL2Var'],
  ['61.7.0', 'W', 'active power import L3', 'activePowerImportL3W'],
  ['62.7.0', 'W', 'active power export L3', 'activePowerExportL3W'],
  ['63.7.0', 'var', 'reactive power import L3', 'reactivePowerImportL3Var'],
  ['64.7.0', 'var', 'reactive power export L3', 'reactivePowerExportL3Var'],
  ['9.7.0', 'VA', 'apparent power import', 'apparentPowerImportVa'],
  ['10.7.0', 'VA', 'apparent power export', 'apparentPowerExportVa'],
  ['1.4.0', 'W', 'mean power import of the running interval', 'demandImportW'],
  ['1.6.0', 'W', 'highest mean power import of the month', 'demandImportMaxMonthW'],
  ['31.4.0', 'A', 'current threshold L1', 'fuseThresholdA'],
  ['1.8.1', 'Wh', 'active energy import tariff 1', 'activeEnergyImportT1Wh'],
  ['1.8.2', 'Wh', 'active energy import tariff 2', 'activeEnergyImportT2Wh'],
  ['1.8.3', 'Wh', 'active energy import tariff 3', 'activeEnergyImportT3Wh'],
  ['1.8.4', 'Wh', 'active energy import tariff 4', 'activeEnergyImportT4Wh'],
  ['2.8.1', 'Wh', 'active energy export tariff 1', 'activeEnergyExportT1Wh'],
  ['2.8.2', 'Wh', 'active energy export tariff 2', 'activeEnergyExportT2Wh'],
  ['2.8.3', 'Wh', 'active energy export tariff 3', 'activeEnergyExportT3Wh'],
  ['2.8.4', 'Wh', 'active energy export tariff 4', 'activeEnergyExportT4Wh'],
  ['16.7.0', 'W', 'active power, signed'],
  ['15.7.0', 'W', 'active power, magnitude'],
  ['1.8.0', 'Wh', 'active energy import', 'activeEnergyImportWh'],
  ['2.8.0', 'Wh', 'active energy export', 'activeEnergyExportWh'],
  ['3.8.0', 'varh', 'reactive energy import', 'reactiveEnergyImportVarh'],
  ['4.8.0', 'varh', 'reactive energy export', 'reactiveEnergyExportVarh'],
  ['21.8.0', 'Wh', 'active energy import L1'],
  ['22.8.0', 'Wh', 'active energy export L1'],
  ['41.8.0', 'Wh', 'active energy import L2'],
  ['42.8.0', 'Wh', 'active energy export L2'],
  ['61.8.0', 'Wh', 'active energy import L3'],
  ['62.8.0', 'Wh', 'active energy export L3'],
  ['13.7.0', '', 'power factor', 'powerFactor'],
  ['33.7.0', '', 'power factor L1', 'powerFactorL1'],
  ['53.7.0', '', 'power factor L2', 'powerFactorL2'],
  ['73.7.0', '', 'power factor L3', 'powerFactorL3'],
  ['14.7.0', 'Hz', 'frequency', 'frequencyHz'],
]

const ROLES: readonly [code: string, role: ObisRole, title: string][] = [
  ['0.2.129', 'list', 'list id'],
  ['96.1.0', 'meter-id', 'meter id'],
  ['0.0.5', 'meter-id', 'meter id (GS1)'],
  ['0.0.1', 'meter-id', 'meter number'],
  ['96.1.7', 'model', 'meter model'],
  ['96.1.1', 'model', 'meter model'],
  ['96.1.2', 'meter-id', 'meter id'],
  ['96.1.3', 'meter-id', 'meter id'],
  ['42.0.0', 'device-name', 'logical device name'],
  ['1.0.0', 'clock', 'clock'],
  ['96.14.0', 'tariff', 'active tariff'],
  ['96.3.10', 'breaker', 'breaker'],
  ['17.0.0', 'limiter', 'limiter threshold'],
]

/** The catalogue by the key of {@link obisKey}. */
export const CATALOGUE: ReadonlyMap<number, ObisMeaning> = new Map([
  ...CODES.map(([code, unit, title, field, lineField]): [number, ObisMeaning] => [
    keyOf(code),
    {
      code,
      role: 'field',
      title,
      unit,
      ...(field === undefined ? {} : { field }),
      ...(lineField === undefined ? {} : { lineField }),
    },
  ]),
  ...ROLES.map(([code, role, title]): [number, ObisMeaning] => [
    keyOf(code),
    { code, role, title, unit: '' },
  ]),
])

/** Key of a C.D.E text, `1.7.0`. */
export function keyOf(code: string): number {
  const [c, d, e] = code.split('.').map(Number) as [number, number, number]
  return (c << 16) | (d << 8) | e
}

/** Key of the C.D.E groups of a logical name of six bytes at `at`. */
export function obisKey(bytes: Uint8Array, at: number): number {
  return (bytes[at + 2]! << 16) | (bytes[at + 3]! << 8) | bytes[at + 4]!
}

/** Quantity of value group C, 1 to 20 for the sum of the phases and 20 more for each of them. */
const QUANTITY_UNITS: Readonly<Record<number, readonly [power: string, energy: string]>> = {
  1: ['W', 'Wh'],
  2: ['W', 'Wh'],
  3: ['var', 'varh'],
  4: ['var', 'varh'],
  5: ['var', 'varh'],
  6: ['var', 'varh'],
  7: ['var', 'varh'],
  8: ['var', 'varh'],
  9: ['VA', 'VAh'],
  10: ['VA', 'VAh'],
  11: ['A', ''],
  12: ['V', ''],
  14: ['Hz', ''],
  15: ['W', 'Wh'],
  16: ['W', 'Wh'],
}

/**
 * Unit that groups C and D of an electricity code stand for (IEC 62056-6-1): what {@link CATALOGUE} does not list are
 * mostly tariffs and quadrants. '' where they tell none.
 */
export function unitOf(key: number): string {
  const [c, d] = [key >>> 16, (key >>> 8) & 0xff]
  if (c === 0 || c > 80) return c === 90 || c === 91 ? 'A' : ''
  const units = QUANTITY_UNITS[((c - 1) % 20) + 1]
  if (units === undefined) return ''
  if (d === 8 || d === 9) return units[1]
  return d >= 4 && d <= 7 ? units[0] : ''
}

/** Text of a logical name of six bytes: `1-0:1.7.0*255`. */
export function formatObis(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}-${bytes[at + 1]}:${bytes[at + 2]}.${bytes[at + 3]}.${bytes[at + 4]}*${bytes[at + 5]}`
}
