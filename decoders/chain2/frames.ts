/**
 * The compact frames of Chain2 (CEI TS 13-82, 13-83) as far as gateways pass them on, and the OBIS code of each value
 * that has one (IEC 62056-6-1). The official layouts are sold, not public: names are those of gateways in the field.
 *
 * | frame | when                                   | gives                                   |
 * |-------|----------------------------------------|-----------------------------------------|
 * | CF1   | every quarter of an hour               | powers, energies, tariff band           |
 * | CF2   | every quarter of an hour, meter M2     | mean production, a register             |
 * | CF5   | once a day                             | energies of the day by band, maximum    |
 * | CF9   | once a week                            | voltages                                |
 * | CF10  | once a month                           | energies of the month by band, maximum  |
 * | CF20  | the contract or its period changed     | a signal: available power               |
 * | CF21  | power crossed a multiple of the gap    | power                                   |
 * | CF22  | available power exceeded               | power, and a signal with the countdown  |
 * | CF23  | after an interruption                  | its duration                            |
 * | CF41  | production changed, meter M2           | production, a register                  |
 * | CF51  | power crossed a threshold              | powers                                  |
 */
import type { FieldName } from '../../src/reading.ts'

/** Frames that are read; any other number is unknown. */
export const FRAMES: Readonly<Record<number, string>> = {
  1: 'measures of the quarter hour',
  2: 'production of the quarter hour',
  5: 'measures of the day',
  9: 'voltages of the week',
  10: 'measures of the month',
  20: 'contract',
  21: 'power has changed',
  22: 'available power exceeded',
  23: 'interruption of the supply',
  41: 'production has changed',
  51: 'power has crossed a threshold',
}

/** A value with a place among registers and fields. */
export interface Quantity {
  /** OBIS code without medium and channel, `1.7.0*255`. F 101 is the period that was closed last. */
  readonly code: string
  readonly unit: string
  readonly field?: FieldName
  /** Name of the value that tells when it was reached. */
  readonly at?: string
}

const power = (code: string, field?: FieldName): Quantity =>
  field === undefined ? { code, unit: 'W' } : { code, unit: 'W', field }
const energy = (code: string, field?: FieldName): Quantity =>
  field === undefined ? { code, unit: 'Wh' } : { code, unit: 'Wh', field }

/** Values by lower-case name. */
export const QUANTITIES: ReadonlyMap<string, Quantity> = new Map<string, Quantity>([
  ['instantpower', power('1.7.0*255', 'activePowerImportW')],
  ['instantprodpower', power('2.7.0*255', 'activePowerExportW')],
  ['prodinstantpower', power('2.7.0*255', 'activePowerExportW')],
  ['quartaveragepower', power('1.5.0*255')],
  ['quartaverageprodpower', power('2.5.0*255')],
  ['totalactenergy', energy('1.8.0*255', 'activeEnergyImportWh')],
  ['totalprodactenergy', energy('2.8.0*255', 'activeEnergyExportWh')],
  ['currquartactenergy', energy('1.29.0*255')],
  ['prevquartactenergy', energy('1.29.0*101')],
  ['currquartprodactenergy', energy('2.29.0*255')],
  ['prevquartprodactenergy', energy('2.29.0*101')],
  ...[1, 2, 3, 4, 5, 6].flatMap((band): [string, Quantity][] => [
    [`dailytotalactenergyf${band}`, energy(`1.9.${band}*101`)],
    [`monthlytotalactenergyf${band}`, energy(`1.9.${band}*101`)],
  ]),
  ['dailymaxinstantpower', { ...power('1.6.0*101'), at: 'dailymaxinstantpowerdatetime' }],
  [
    'monthlymaxquartaveragepower',
    { ...power('1.6.0*101'), at: 'monthlymaxquartaveragepowerdatetime' },
  ],
  ['weeklyveffmin', { code: '32.3.0*101', unit: 'V', at: 'weeklyveffmindatetime' }],
  ['weeklyveffmax', { code: '32.6.0*101', unit: 'V', at: 'weeklyveffmaxdatetime' }],
])

/** Reactive energies go by quadrants: with import inductive is I and capacitive IV, with production III and II. */
const QUADRANTS: Readonly<Record<string, string>> = {
  inductive: '5',
  capacitive: '8',
  'inductive prod': '7',
  'capacitive prod': '6',
}
const PERIODS: Readonly<Record<string, string>> = {
  total: '8.0*255',
  currquart: '29.0*255',
  prevquart: '29.0*101',
}

/** The quantity of a value by its lower-case name; `undefined` for values without a code. */
export function quantityOf(name: string): Quantity | undefined {
  const found = QUANTITIES.get(name)
  if (found !== undefined) return found
  const [, period, kind] = /^(total|currquart|prevquart).*(inductive|capacitive)/.exec(name) ?? []
  if (period === undefined || kind === undefined) return undefined
  const quadrant = QUADRANTS[name.includes('prod') ? `${kind} prod` : kind]
  return { code: `${quadrant}.${PERIODS[period]}`, unit: 'varh' }
}

/** Values that say who somebody is or where: never in a reading, a log or a payload. */
export const PERSONAL: ReadonlySet<string> = new Set([
  'pod',
  'customercode',
  'phone',
  'vendor',
  'dataplate',
])
