/** What a field of a compact frame can stand for in the reading model, by the names that dictionaries use. */
import type { FieldName } from '../reading.ts'

/** A place in the reading model. */
export interface Target {
  /** Unit of the value after its scaler. */
  readonly unit: string
  /** Register of the value; fields without one share the register of the compact data object. */
  readonly obis?: string
  readonly field?: FieldName
  /** Kind of value: a number, the number of a tariff band, or a point in time. */
  readonly kind: 'number' | 'band' | 'time'
  /** Limits: the frame gives a signal. */
  readonly limits?: true
}

const number = (unit: string, obis: string, field?: FieldName): Target =>
  field === undefined ? { kind: 'number', unit, obis } : { kind: 'number', unit, obis, field }

/** Names of the targets as dictionaries use them. */
export type TargetName =
  | `${'import' | 'export'}.${'power' | 'energy'}`
  | 'production.power'
  | 'tariff'
  | `limit.${'contracted' | 'available' | 'gap'}`
  | `trip.${'countdown' | 'deadline'}`
  | 'outage'
  | 'event.counter'
  | 'measuredAt'
  | 'sentAt'

/** Targets by name. Production (meter M2) is no part of the power at the connection: it fills a register alone. */
export const TARGETS: Readonly<Record<TargetName, Target>> = {
  'import.power': number('W', '1-0:1.7.0*255', 'activePowerImportW'),
  'export.power': number('W', '1-0:2.7.0*255', 'activePowerExportW'),
  'import.energy': number('Wh', '1-0:1.8.0*255', 'activeEnergyImportWh'),
  'export.energy': number('Wh', '1-0:2.8.0*255', 'activeEnergyExportWh'),
  'production.power': number('W', '1-1:2.7.0*255'),
  tariff: { kind: 'band', unit: '', obis: '0-0:96.14.0*255' },
  'limit.contracted': { kind: 'number', unit: 'W', limits: true },
  'limit.available': { ...number('W', '0-0:17.0.0*255', 'availablePowerW'), limits: true },
  'limit.gap': { kind: 'number', unit: 'W', limits: true },
  /** Seconds from the event to the disconnection. */
  'trip.countdown': { kind: 'number', unit: 's', limits: true },
  /** When the meter disconnects. */
  'trip.deadline': { kind: 'time', unit: '', limits: true },
  outage: number('s', '0-0:96.7.19*255'),
  /** Counts the events of its frame: a step of more than one means that some were lost. */
  'event.counter': { kind: 'number', unit: '' },
  /** When it was measured, or happened. */
  measuredAt: { kind: 'time', unit: '' },
  /** When the message left the meter: what its clock is compared by. */
  sentAt: { kind: 'time', unit: '' },
}

/** The target of that name, if there is one. */
export function targetOf(name: string): Target | undefined {
  return Object.hasOwn(TARGETS, name) ? TARGETS[name as TargetName] : undefined
}
