/**
 * The status word that meters send with their energies. Two layouts are in use; the low octet tells them apart.
 *
 * | bit        | modern meters: low octet 04 | older meters (EDL): any other low octet |
 * |------------|-----------------------------|-----------------------------------------|
 * | 5          | always 0                    | export                                  |
 * | 8          | current above start-up      | not public                              |
 * | 10         | terminal cover was opened   |                                         |
 * | 11         | export; 0 also at standstill |                                        |
 * | 12 to 14   | L1 to L3 export             |                                         |
 * | 15         | phases not in the order L1, L2, L3 |                                  |
 * | 18 to 20   | voltage on L1 to L3         |                                         |
 *
 * Modern layout: manual of Sagemcom Siconia Smarty BZ-SLP, table of the status word. Old layout: EMH ED300L and
 * Iskra MT175 while exporting.
 */
import type { SmlTape } from '../../src/sml/tape.ts'

const MODERN = 0x04
const OLD_EXPORT = 1 << 5
const ABOVE_START_UP = 1 << 8
const COVER_OPENED = 1 << 10
const EXPORT = 1 << 11
const EXPORT_L1 = 12
const WRONG_ORDER = 1 << 15
const VOLTAGE_L1 = 18

/** The low 32 bits of the status word in element i, `undefined` if it is none. */
export function readStatus(tape: SmlTape, i: number): number | undefined {
  if (!tape.isNumber(i)) return undefined
  const end = tape.to(i)
  let flags = 0
  for (let at = Math.max(tape.from(i), end - 4); at < end; at++)
    flags = (flags << 8) | tape.bytes[at]!
  return flags
}

/** True for the layout of modern meters. */
export function isModern(status: number): boolean {
  return (status & 0xff) === MODERN
}

/** The meter says that the connection as a whole exports. */
export function isExporting(status: number): boolean {
  return (status & (isModern(status) ? EXPORT : OLD_EXPORT)) !== 0
}

/** The meter says that it measures import: a modern one that neither exports nor stands still. */
export function isImporting(status: number): boolean {
  return isModern(status) && (status & (EXPORT | ABOVE_START_UP)) === ABOVE_START_UP
}

/** What a status word says, for people. */
export function describeStatus(status: number): string {
  if (!isModern(status)) return `old layout, ${isExporting(status) ? 'export' : 'no export'}`
  const phases = (from: number): string =>
    [0, 1, 2]
      .filter(phase => status & (1 << (from + phase)))
      .map(phase => `L${phase + 1}`)
      .join(' ')
  const parts = [
    isExporting(status) ? 'export' : isImporting(status) ? 'import' : 'standstill',
    phases(EXPORT_L1) && `${phases(EXPORT_L1)} export`,
    `voltage on ${phases(VOLTAGE_L1) || 'no phase'}`,
    status & WRONG_ORDER ? 'phases not in the order L1 L2 L3' : '',
    status & COVER_OPENED ? 'terminal cover was opened' : '',
  ]
  return parts.filter(part => part !== '').join(', ')
}
