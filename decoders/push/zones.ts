/** What a meter's clock follows, where its date-time carries no deviation or a wrong one. */
import { europeanToUtc } from '../../src/dlms/date-time.ts'

/** A fixed offset all year, or civil time of Western, Central or Eastern Europe. */
export type ClockZone = 'utc' | 'utc+1' | 'western' | 'civil' | 'eastern'

/** Standard time ahead of UTC, s, and whether summer time is kept. */
const RULES: Readonly<Record<ClockZone, readonly [standardS: number, hasSummer: boolean]>> = {
  utc: [0, false],
  'utc+1': [3600, false],
  western: [0, true],
  civil: [3600, true],
  eastern: [7200, true],
}

const WESTERN = ['Dublin', 'Lisbon', 'London']
const CENTRAL = [
  'Amsterdam Berlin Bratislava Brussels Budapest Copenhagen Ljubljana Luxembourg Madrid Malta',
  'Oslo Paris Prague Rome Sarajevo Skopje Stockholm Vienna Warsaw Zagreb Zurich',
].flatMap(names => names.split(' '))
const EASTERN = ['Athens', 'Bucharest', 'Helsinki', 'Kyiv', 'Riga', 'Sofia', 'Tallinn', 'Vilnius']

const named = (cities: readonly string[], zone: ClockZone): [string, ClockZone][] =>
  cities.map(city => [`Europe/${city}`, zone])

/** Zones by the names under which people write them. */
export const ZONES: ReadonlyMap<string, ClockZone> = new Map([
  ['utc', 'utc'],
  ['utc+1', 'utc+1'],
  ...named(WESTERN, 'western'),
  ...named(CENTRAL, 'civil'),
  ...named(EASTERN, 'eastern'),
])

/** UTC of a local time, s; `undefined` in the hour that does not exist and in the one that comes twice. */
export function toUtc(zone: ClockZone, localS: number): number | undefined {
  const [standardS, hasSummer] = RULES[zone]
  return hasSummer ? europeanToUtc(localS, standardS) : localS - standardS
}
