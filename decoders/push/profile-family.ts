/**
 * The family whose grammar is data: lists are told by their layout, then by what a profile says of them. A list that
 * no profile knows is read by its layout alone, with the scalers that it sends.
 */
import type { AxdrTape } from '../../src/dlms/axdr.ts'
import { DecodeError } from '../../src/errors.ts'
import { CATALOGUE, formatObis, obisKey } from '../../src/obis.ts'
import type { Envelope, Family, Scaling } from './family.ts'
import { descriptors } from './layouts/descriptors.ts'
import { isContainer, type Layout, type ScaleOf } from './layouts/layout.ts'
import { holdsValue, objectList } from './layouts/object-list.ts'
import { pairs } from './layouts/pairs.ts'
import { positions } from './layouts/positions.ts'
import { PushList } from './list.ts'
import { fits } from './match.ts'
import type { LayoutName, Profile, ProfileMatch } from './profile.ts'
import { profileScaling } from './profile-scaling.ts'
import { plainScale, profileScale } from './scales.ts'
import { type ClockZone, ZONES } from './zones.ts'

/** Layouts that need no profile, in the order in which they are tried: pairs are found in nearly everything. */
const LAYOUTS: Readonly<Partial<Record<LayoutName, Layout>>> = {
  descriptors,
  'object-list': objectList,
  pairs,
}

/** A way of reading lists: a profile, or a layout alone. */
interface Way {
  readonly profile: Profile | undefined
  readonly layout: Layout
  readonly scaleOf: ScaleOf
  /** Empty where only the user's choice or another profile's variants lead here. */
  readonly matches: readonly ProfileMatch[]
  readonly zone: ClockZone | undefined
  readonly scaling: ((list: PushList) => Scaling) | undefined
}

/**
 * The family of `profiles` in their order, its decoder called `id`. With `chosenId` no other profile is used, whatever
 * the lists say of themselves; `zone` is that of the meter's clock, where the user knows it.
 */
export function profileFamily(
  id: string,
  profiles: readonly Profile[],
  chosenId: string | undefined,
  zone: ClockZone | undefined,
): Family {
  const ways = profiles.flatMap(profile => wayOf(profile, profiles) ?? [])
  const ofProfile = new Map(ways.map(way => [way.profile?.id, way]))
  const chosen = chosenId === undefined ? undefined : ofProfile.get(chosenId)
  const candidates = chosenId === undefined ? ways : []
  const find = (tape: AxdrTape, envelope: Envelope): Way | undefined =>
    [chosen].find(way => way?.layout.recognise(tape)) ??
    candidates.find(way => leadsTo(way, tape, envelope)) ??
    PLAIN_WAYS.find(({ layout }) => layout.recognise(tape))

  return {
    id,
    recognise: (tape, envelope) => find(tape, envelope) !== undefined,
    read: list => {
      const { profile, layout, scaleOf } = find(list.tape, list.envelope)!
      list.profile = profile?.id
      layout.read(list, scaleOf)
    },
    readEvent: (list, event) => {
      const { bytes } = list.tape
      const obis = formatObis(bytes, event.name)
      if (!holdsValue(event.classId, event.attribute) || isContainer(list.tape, 0))
        throw new DecodeError(
          'LIST_UNKNOWN',
          0,
          `event of attribute ${event.attribute} of ${obis}, class ${event.classId}`,
        )
      const key = obisKey(bytes, event.name)
      list.put(obis, CATALOGUE.get(key), 0, plainScale(key))
    },
    maker: list => ofProfile.get(list.profile)?.profile?.maker ?? flagLetters(list),
    signedCurrents: false,
    zone: list => zone ?? ofProfile.get(list.profile)?.zone,
    scaling: list => ofProfile.get(list.profile)?.scaling?.(list),
  }
}

/** Lists that no profile knows. */
const PLAIN_WAYS: readonly Way[] = Object.values(LAYOUTS).map(layout => ({
  profile: undefined,
  layout,
  scaleOf: plainScale,
  matches: [],
  zone: undefined,
  scaling: undefined,
}))

function wayOf(profile: Profile, profiles: readonly Profile[]): Way | undefined {
  const { layout: name, lists, match, scale = {}, autoScale, zone } = profile
  const layout = lists === undefined ? LAYOUTS[name] : positions(lists)
  if (layout === undefined) return undefined
  const variants = profiles.filter(({ variantOf }) => variantOf === profile.id)
  const isOpen = (unit: string): boolean =>
    (unit === 'A' && autoScale?.current !== undefined) ||
    (unit === 'V' && autoScale?.voltage !== undefined)
  return {
    profile,
    layout,
    scaleOf: profileScale(scale, isOpen),
    matches: match === undefined ? [] : [match].flat(),
    zone: zone === undefined ? undefined : ZONES.get(zone),
    scaling: profileScaling(profile, variants),
  }
}

/** True if the list is of this profile by all that it says. */
function leadsTo({ layout, matches }: Way, tape: AxdrTape, envelope: Envelope): boolean {
  if (matches.length === 0 || !layout.recognise(tape)) return false
  const probe = new PushList(envelope, {}, tape)
  layout.read(probe, plainScale)
  probe.identify()
  return matches.some(match => fits(match, probe))
}

/** Three capital letters that begin device names and system titles: the maker's, as the FLAG association gave them. */
function flagLetters({ deviceName, envelope }: PushList): string | undefined {
  const named = /^[A-Z]{3}/.exec(deviceName ?? '')
  if (named !== null) return named[0]
  const codes = envelope.systemTitle.match(/../g)?.slice(0, 3) ?? []
  const letters = String.fromCharCode(...codes.map(code => Number.parseInt(code, 16)))
  return /^[A-Z]{3}$/.test(letters) ? letters : undefined
}
