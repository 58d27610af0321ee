/** From the values of a telegram to the fields of a reading. */
import { scaled } from '../../src/dlms/scale.ts'
import type { Derived, FieldName, Note, Reading } from '../../src/reading.ts'
import type { ValuesBuilder } from '../push/values.ts'
import type { RuledCode } from './codes.ts'
import { readPower, split } from './power.ts'
import type { SmlValues } from './values.ts'

/** Signed power of each phase, and the fields of its two directions. */
const PHASES: readonly (readonly [RuledCode, FieldName, FieldName])[] = [
  ['36.7.0', 'activePowerImportL1W', 'activePowerExportL1W'],
  ['56.7.0', 'activePowerImportL2W', 'activePowerExportL2W'],
  ['76.7.0', 'activePowerImportL3W', 'activePowerExportL3W'],
]

/** Energies of both directions: the total, its field, and the tariffs that add up to it. */
const ENERGIES: readonly (readonly [RuledCode, FieldName, readonly RuledCode[]])[] = [
  ['1.8.0', 'activeEnergyImportWh', ['1.8.1', '1.8.2', '1.8.3', '1.8.4']],
  ['2.8.0', 'activeEnergyExportWh', ['2.8.1', '2.8.2', '2.8.3', '2.8.4']],
]

/** Energies in whole kWh: the resolution of a meter whose PIN was not entered. */
const LOCKED_SCALER = 3

/** Adds the fields that the telegram fills as it is, powers included; returns what there is to note. */
export function fillValues(values: SmlValues, builder: ValuesBuilder): readonly Note[] {
  const { importW, exportW, notes = NONE } = readPower(values)
  if (importW !== undefined) builder.add('activePowerImportW', importW)
  if (exportW !== undefined) builder.add('activePowerExportW', exportW)
  for (const [code, imported, exported] of PHASES) {
    const watts = values.number(code)
    if (watts === undefined) continue
    const phase = split(watts)
    builder.add(imported, phase.importW)
    builder.add(exported, phase.exportW)
  }
  const { registers, shape } = values
  for (let i = 0; i < registers.length; i++) {
    const { field, unit } = shape.entries[i]!
    if (field === undefined) continue
    const { value } = registers[i]!
    if (value === null) builder.add(field, null)
    if (typeof value !== 'number') continue
    // Currents are magnitudes: the power of the phase has the sign. Nothing else here can be negative.
    if (unit === 'A') builder.add(field, Math.abs(value))
    else if (value >= 0) builder.add(field, value)
  }
  return isLocked(values) ? LOCKED : notes
}

const NONE: readonly Note[] = []
const LOCKED: readonly Note[] = ['meter_locked']

/** True if the telegram says no more than a meter does whose PIN was not entered: energies in whole kWh, no power. */
function isLocked({ shape, list }: SmlValues): boolean {
  return (
    !shape.hasPower &&
    shape.energies.length > 0 &&
    shape.energies.every(i => list.scaler[i]! >= LOCKED_SCALER)
  )
}

/** Totals that the telegram does not carry, from the tariffs it carries. */
export function deriveTotals(values: SmlValues): Reading['derived'] {
  let derived: { [Name in FieldName]?: Derived } | undefined
  for (const [total, field, tariffs] of ENERGIES) {
    if (values.has(total)) continue
    const value = tariffSum(values, tariffs)
    if (value !== undefined) derived = { ...derived, [field]: { value, method: 'tariff-sum' } }
  }
  return derived
}

/** Sum of the tariffs that are there, in whole steps of the finest of them, so that no floating-point noise comes in. */
function tariffSum(values: SmlValues, tariffs: readonly RuledCode[]): number | undefined {
  const { tape, list, shape } = values
  const entries = tariffs.map(code => shape.entryOf(code)).filter(i => i >= 0)
  if (entries.length === 0) return undefined
  const finest = Math.min(...entries.map(i => list.scaler[i]!))
  let sum = 0
  for (const i of entries) {
    const value = values.registers[i]!.value
    if (typeof value !== 'number' || value < 0) return undefined
    sum += scaled(tape.number(list.value[i]!), list.scaler[i]! - finest)
  }
  const total = scaled(sum, finest)
  return Number.isNaN(total) ? undefined : total
}
