/**
 * Active power of the whole connection as one signed number, import positive. Meters send it in one of these ways;
 * the first that is there counts:
 *
 * | code   | what it is                                                                         |
 * |--------|------------------------------------------------------------------------------------|
 * | 16.7.0 | signed                                                                             |
 * | 15.7.0 | magnitude; the status word says whether it is export (EMH eHZ, ED300L)             |
 * | 1.7.0  | import, less 2.7.0 if that is sent as well (EMH GW8)                               |
 * | 2.7.0  | export alone                                                                       |
 * | 1.7.1  | signed (Hager eHZ361)                                                              |
 */
import { scaled } from '../../src/dlms/scale.ts'
import type { Note } from '../../src/reading.ts'
import { TYPE } from '../../src/sml/tape.ts'
import { isExporting, isImporting } from './status.ts'
import type { SmlValues } from './values.ts'

/** Import and export, W, never negative; absent where the telegram does not tell. */
export interface Power {
  readonly importW?: number | null
  readonly exportW?: number | null
  readonly notes?: readonly Note[]
}

const NOTHING: Power = {}
const NOT_AVAILABLE: Power = { importW: null, exportW: null }
const CORRECTED: readonly Note[] = ['power_sign_corrected']
const ABSOLUTE: readonly Note[] = ['absolute_power']

/** Power of the connection. */
export function readPower(values: SmlValues): Power {
  const signed = values.number('16.7.0')
  if (signed !== undefined) {
    const meant = signed < 0 ? unsignedPower(values) : undefined
    return meant === undefined ? split(signed) : split(meant, CORRECTED)
  }
  const magnitude = values.number('15.7.0')
  if (magnitude !== undefined) {
    const status = values.status()
    const exports = status !== undefined && isExporting(status)
    return split(exports ? -Math.abs(magnitude) : magnitude, ABSOLUTE)
  }
  const imported = values.number('1.7.0')
  const exported = values.number('2.7.0')
  if (imported !== undefined && (exported !== undefined || imported < 0))
    return split(rounded(imported - (exported ?? 0)))
  // One direction alone says nothing of the other.
  if (imported !== undefined) return { importW: imported }
  if (exported !== undefined && exported >= 0) return { exportW: exported }
  const hager = values.number('1.7.1')
  if (hager !== undefined) return split(hager)
  return values.has('16.7.0') || values.has('15.7.0') ? NOT_AVAILABLE : NOTHING
}

/** Import and export of one signed number. */
export function split(
  watts: number,
  notes: readonly Note[] = [],
): Power & { readonly importW: number; readonly exportW: number } {
  return { importW: Math.max(watts, 0), exportW: Math.max(-watts, 0), notes }
}

/** A difference of two decimal numbers without floating-point noise. */
function rounded(watts: number): number {
  return Number(watts.toPrecision(12))
}

/**
 * DZG DVS74 writes an unsigned number of up to three octets as a signed one, so that 356.24 W look like -299.12 W. It
 * is meant so if the status word says import; meters that do export say so there. Returns the power meant,
 * `undefined` if the negative one is.
 */
function unsignedPower(values: SmlValues): number | undefined {
  const { tape, list } = values
  const entry = values.shape.entryOf('16.7.0')
  const element = list.value[entry]!
  const size = tape.size(element)
  if (tape.type[element] !== TYPE.integer || size > 3) return undefined
  const status = values.status()
  const isFaulty = status === undefined ? isFaultySerial(values) : isImporting(status)
  if (!isFaulty) return undefined
  return scaled(tape.number(element) + 2 ** (8 * size), list.scaler[entry]!)
}

/** Server ids of DZG: 0A 01, the letters, fabrication block, serial number. */
const DZG = [0x0a, 0x01, 0x44, 0x5a, 0x47]
const FAULTY_SERIALS = [
  [42_000_000, 48_999_999],
  [55_000_000, 58_999_999],
] as const

/** True for the serial numbers whose power is known to be written wrongly. */
function isFaultySerial({ tape, list }: SmlValues): boolean {
  const { bytes } = tape
  const start = tape.from(list.serverId)
  if (tape.size(list.serverId) !== 10 || DZG.some((octet, i) => bytes[start + i] !== octet))
    return false
  const serial = new DataView(bytes.buffer, bytes.byteOffset + start + 6, 4).getUint32(0)
  return FAULTY_SERIALS.some(([first, last]) => serial >= first && serial <= last)
}
