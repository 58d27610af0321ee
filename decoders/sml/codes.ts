/** The OBIS codes of German meters: which of them follow a rule, which fill a field as they are, what they are called. */
import { CATALOGUE, obisKey } from '../../src/obis.ts'
import type { FieldName } from '../../src/reading.ts'

/** Codes 1-0:C.D.E*255 that take part in a rule, with their unit and title. */
const RULED = {
  '16.7.0': ['W', 'active power, signed'],
  '15.7.0': ['W', 'active power, magnitude'],
  '1.7.0': ['W', 'active power import'],
  '2.7.0': ['W', 'active power export'],
  // Hager; not tariff 1.
  '1.7.1': ['W', 'active power, signed'],
  '36.7.0': ['W', 'active power L1, signed'],
  '56.7.0': ['W', 'active power L2, signed'],
  '76.7.0': ['W', 'active power L3, signed'],
  '1.8.0': ['Wh', 'active energy import'],
  '1.8.1': ['Wh', 'active energy import tariff 1'],
  '1.8.2': ['Wh', 'active energy import tariff 2'],
  '1.8.3': ['Wh', 'active energy import tariff 3'],
  '1.8.4': ['Wh', 'active energy import tariff 4'],
  '2.8.0': ['Wh', 'active energy export'],
  '2.8.1': ['Wh', 'active energy export tariff 1'],
  '2.8.2': ['Wh', 'active energy export tariff 2'],
  '2.8.3': ['Wh', 'active energy export tariff 3'],
  '2.8.4': ['Wh', 'active energy export tariff 4'],
} as const

/** C.D.E of a code that takes part in a rule. */
export type RuledCode = keyof typeof RULED

/** Codes that take part in a rule, in the order of {@link SLOT}. */
export const RULED_CODES: readonly RuledCode[] = Object.keys(RULED) as RuledCode[]

/** Number of each ruled code. */
export const SLOT: Readonly<Record<RuledCode, number>> = Object.fromEntries(
  RULED_CODES.map((code, slot) => [code, slot]),
) as Record<RuledCode, number>

/** Titles of what the catalogue does not have, by C.D.E. */
const TITLES: Readonly<Record<string, string>> = {
  ...Object.fromEntries(RULED_CODES.map(code => [code, RULED[code][1]])),
  '0.0.0': 'meter number',
  '0.0.9': 'server id',
  '96.1.0': 'server id',
  '0.2.0': 'firmware',
  '81.7.1': 'angle of U2 to U1',
  '81.7.2': 'angle of U3 to U1',
  '81.7.4': 'angle of I1 to U1',
  '81.7.15': 'angle of I2 to U2',
  '81.7.26': 'angle of I3 to U3',
  '96.5.0': 'status word',
  '96.50.1': 'maker',
  '96.90.2': 'firmware checksum',
  '199.130.3': 'maker',
  '199.130.5': 'public key',
}

/** What a code means here. */
export interface SmlMeaning {
  /** Number of the ruled code, -1 if it is none. */
  readonly slot: number
  /** Field that the value fills as it is. */
  readonly field: FieldName | undefined
  /** Holds the letters of the maker. */
  readonly isMaker: boolean
}

/** Meaning of the name of six octets at `at`, which was sent with `unit`. */
export function meaningOf(name: Uint8Array, at: number, unit: string): SmlMeaning {
  const code = `${name[at + 2]}.${name[at + 3]}.${name[at + 4]}`
  const isMaker = TITLES[code] === 'maker'
  const isMeasured = name[at] === 1 && name[at + 1] === 0 && name[at + 5] === 255
  if (!isMeasured) return { slot: -1, field: undefined, isMaker }
  const ruled = Object.hasOwn(RULED, code) ? RULED[code as RuledCode] : undefined
  const listed = CATALOGUE.get(obisKey(name, at))
  const expected = ruled?.[0] ?? listed?.unit
  // A unit that is not sent is the one the code implies; another one makes the value another quantity.
  if (unit !== '' && unit !== expected) return { slot: -1, field: undefined, isMaker }
  return {
    slot: ruled === undefined ? -1 : SLOT[code as RuledCode],
    field: ruled?.[0] === 'W' ? undefined : listed?.field,
    isMaker,
  }
}

/** Title of the name of six octets at `at`, '' if nobody knows it. */
export function titleOf(name: Uint8Array, at: number): string {
  const code = `${name[at + 2]}.${name[at + 3]}.${name[at + 4]}`
  return TITLES[code] ?? CATALOGUE.get(obisKey(name, at))?.title ?? ''
}
