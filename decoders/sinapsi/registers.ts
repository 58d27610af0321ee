/** The registers of a Sinapsi Alfa that are known, each with the OBIS code of what it holds. */
import type { FieldName } from '../../src/reading.ts'

/** A register, or two that belong together. */
export interface RegisterRow {
  readonly address: number
  readonly words: 1 | 2
  /** Full OBIS code; channel 1 is the production meter. */
  readonly obis: string
  readonly unit: string
  readonly title: string
  readonly field?: FieldName
}

const BANDS = [1, 2, 3, 4, 5, 6]

/** Every value but the warning, in the order of addresses. */
export const REGISTERS: readonly RegisterRow[] = [
  row(2, 1, '1-0:1.7.0*255', 'W', 'import power', 'activePowerImportW'),
  row(5, 2, '1-0:1.8.0*255', 'Wh', 'import energy', 'activeEnergyImportWh'),
  row(9, 1, '1-0:1.5.0*255', 'W', 'mean import power of the quarter hour'),
  row(12, 1, '1-0:2.7.0*255', 'W', 'export power', 'activePowerExportW'),
  row(15, 2, '1-0:2.8.0*255', 'Wh', 'export energy', 'activeEnergyExportWh'),
  row(19, 1, '1-0:2.5.0*255', 'W', 'mean export power of the quarter hour'),
  ...BANDS.map(n => row(28 + 2 * n, 2, `1-0:1.9.${n}*101`, 'Wh', `import of the day, band F${n}`)),
  ...BANDS.map(n => row(52 + 2 * n, 2, `1-0:2.9.${n}*101`, 'Wh', `export of the day, band F${n}`)),
  row(203, 1, '0-0:96.14.0*255', '', 'tariff band'),
  row(921, 1, '1-1:2.7.0*255', 'W', 'production power'),
  row(924, 2, '1-1:2.8.0*255', 'Wh', 'production energy'),
]

/** Addresses with a meaning of their own. */
export const ADDRESS = { importW: 2, importWh: 5, exportW: 12, exportWh: 15, band: 203 } as const
/** When the warning was given, Unix seconds of the meter's clock; all bits set = none. */
export const WARNED_AT = 780
/** Seconds that were left then; all bits set = none. Not counted down. */
export const SECONDS_LEFT = 782

function row(
  address: number,
  words: 1 | 2,
  obis: string,
  unit: string,
  title: string,
  field?: FieldName,
): RegisterRow {
  return { address, words, obis, unit, title, ...(field === undefined ? {} : { field }) }
}
