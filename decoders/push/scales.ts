/** Scaler and unit of codes whose values come without them: what a profile says, else what the code stands for. */
import { CATALOGUE, unitOf } from '../../src/obis.ts'
import type { ScaleOf } from './layouts/layout.ts'
import type { Scale } from './list.ts'
import type { ProfileScale } from './profile.ts'

/** A group of a pattern: numbers separated by `|`, or `*` for any. */
const GROUP = String.raw`(?:\*|\d+(?:\|\d+)*)`
/** Form of a pattern of C.D.E. */
export const PATTERN: RegExp = new RegExp(`^${GROUP}\\.${GROUP}\\.${GROUP}$`)

/** Powers are in W and energies in Wh wherever nobody says otherwise; all else is too often something else. */
const PLAIN: ReadonlySet<string> = new Set(['W', 'var', 'VA', 'Wh', 'varh', 'VAh'])
/** Codes of power factors: numbers without a unit that need a scaler none the less. */
const POWER_FACTOR = /^(13|33|53|73)\.7\.0$/

/** Scale of a code of which nothing is known but what it stands for: currents and voltages have none. */
export const plainScale: ScaleOf = key => {
  const meaning = CATALOGUE.get(key)
  const unit = meaning?.unit || unitOf(key)
  const isPlain = unit === '' ? !POWER_FACTOR.test(meaning?.code ?? '') : PLAIN.has(unit)
  return { scaler: isPlain ? 0 : undefined, unit, isSent: false }
}

/** Scales of a profile. `isOpen`: codes whose scaler the numbers of each telegram decide. */
export function profileScale(
  scale: Readonly<Record<string, ProfileScale>>,
  isOpen: (unit: string) => boolean,
): ScaleOf {
  const rows = Object.entries(scale).map(([pattern, row]) => ({
    fits: matcher(pattern),
    scaler: typeof row === 'number' ? row : row[0],
    unit: typeof row === 'number' ? undefined : row[1],
  }))
  return key => {
    const plain = plainScale(key) as Scale
    const row = rows.find(({ fits }) => fits(key))
    const unit = row?.unit ?? plain.unit
    if (isOpen(unit)) return undefined
    return row === undefined ? plain : { scaler: row.scaler, unit, isSent: false }
  }
}

function matcher(pattern: string): (key: number) => boolean {
  const [c, d, e] = pattern.split('.').map(group => {
    if (group === '*') return () => true
    const numbers = new Set(group.split('|').map(Number))
    return (value: number) => numbers.has(value)
  }) as [(n: number) => boolean, (n: number) => boolean, (n: number) => boolean]
  return key => c(key >>> 16) && d((key >>> 8) & 0xff) && e(key & 0xff)
}
