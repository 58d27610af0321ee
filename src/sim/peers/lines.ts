/** What the restated controllers take from a reading. */
import type { Reading } from '../../reading.ts'

const LINES = [
  ['currentL1A', 'activePowerImportL1W', 'activePowerExportL1W'],
  ['currentL2A', 'activePowerImportL2W', 'activePowerExportL2W'],
  ['currentL3A', 'activePowerImportL3W', 'activePowerExportL3W'],
] as const

/** Current of each line, A; negative where the phase is known to export, 0 where the meter sends none. */
export function lineCurrents({ values }: Reading, lines: number): number[] {
  return LINES.slice(0, lines).map(([current, imported, exported]) => {
    const amperes = values[current] ?? 0
    return (values[exported] ?? 0) > (values[imported] ?? 0) ? -amperes : amperes
  })
}

/** Whether a reading tells any current; those of power alone are passed over. */
export function hasCurrents({ values }: Reading): boolean {
  return LINES.some(([current]) => values[current] !== undefined && values[current] !== null)
}

/** Net power of the connection, W, as sent or from the currents. */
export function netPower(reading: Reading, lines: number, voltageV: number): number {
  const { activePowerImportW, activePowerExportW } = reading.values
  if (typeof activePowerImportW === 'number') return activePowerImportW - (activePowerExportW ?? 0)
  return lineCurrents(reading, lines).reduce((sum, amperes) => sum + amperes, 0) * voltageV
}

/** Names of states that these controllers share. */
export function codeOf(limitA: number, maxA: number): string {
  if (limitA === 0) return 'PAUSED'
  return limitA < maxA ? 'LIMITED' : 'FULL'
}
