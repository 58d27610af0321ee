/**
 * Meters that push DLMS/COSEM lists at their customer port, read by profile files: Denmark, Austria, Switzerland,
 * Slovenia, Croatia, the Czech Republic, and whoever sends the same forms (IEC 62056-5-3, -46, -47; EN 13757).
 *
 *     HDLC | M-Bus | wrapper | nothing ─> segments, blocks ─> cipher ─> list ─> profile ─> reading
 *
 * A meter is a file in `profiles/` or one handed over as an option. Lists without a profile are read as far as they
 * explain themselves.
 */
import type { Decoder, DecoderDefinition } from '../src/decoder.ts'
import { Opener, type OpenerOptions } from '../src/dlms/cipher.ts'
import { NO_KEYS } from '../src/dlms/keys.ts'
import { OmsOpener } from '../src/dlms/oms.ts'
import { PROFILE_FILES } from './profiles/index.ts'
import { PushDecoder } from './push/decoder.ts'
import { type DlmsPushOptions, parseDlmsOptions } from './push/dlms-options.ts'
import { explainTelegram } from './push/explain/telegram.ts'
import type { Family } from './push/family.ts'
import { blockLink, type LinkName } from './push/links.ts'
import { omsReader } from './push/oms-reading.ts'
import { parseProfiles } from './push/parse-profile.ts'
import type { Profile } from './push/profile.ts'
import { profileFamily } from './push/profile-family.ts'
import { ZONES } from './push/zones.ts'
import { RacingDecoder } from './race.ts'

const ID = 'dlms-push'

/** The built-in profiles, in the order in which they are tried. */
export const PROFILES: readonly Profile[] = checked(PROFILE_FILES)

function checked(files: readonly unknown[]): readonly Profile[] {
  const parsed = parseProfiles(files, 'profiles', [])
  if (parsed.ok) return parsed.value
  throw new RangeError(parsed.problems.map(p => `${p.path}: ${p.message}`).join('\n'))
}

/** Transports in the order of what their checks are worth; some have none. */
const RACE: readonly { readonly name: LinkName; readonly isGuess: boolean }[] = [
  { name: 'hdlc', isGuess: false },
  { name: 'mbus', isGuess: false },
  { name: 'wrapper', isGuess: true },
  { name: 'none', isGuess: true },
]

/** A decoder of pushed lists; `families` are asked before the profiles whose a list is, unless one was chosen. */
export function createPush(options: DlmsPushOptions, families: readonly Family[] = []): Decoder {
  const own = options.profiles ?? []
  const profiles = [...own, ...PROFILES.filter(({ id }) => !own.some(other => other.id === id))]
  const chosen = profiles.find(({ id }) => id === options.profile)
  const zone = options.zone === undefined ? undefined : ZONES.get(options.zone)
  const family = profileFamily(ID, profiles, chosen?.id, zone)
  const oms = profiles.find(({ layout }) => layout === 'oms')
  const { keys = NO_KEYS, link = 'auto' } = options
  const decoderOf = (name: LinkName, counters: OpenerOptions['counters']): Decoder =>
    new PushDecoder(
      {
        families: chosen === undefined ? [...families, family] : [family],
        makeLink: blockLink(name, options),
        opener: new Opener(keys, {
          authentication: options.authentication ?? chosen?.security.authentication ?? 'required',
          counters,
          replay: chosen?.security.counter ?? 'increasing',
        }),
        readOms: omsReader(ID, new OmsOpener(keys), oms, zone),
      },
      options,
    )
  if (link !== 'auto') return decoderOf(link, options.counters ?? {})
  return new RacingDecoder(
    counters => RACE.map(({ name, isGuess }) => ({ decoder: decoderOf(name, counters), isGuess })),
    options.counters,
  )
}

/** An explanation shows what can be shown, whether or not it would be believed. */
const EXPLAINING: OpenerOptions = { authentication: 'optional', counters: {}, replay: 'none' }

/** Decoder of pushed DLMS lists. */
export const dlmsPush: DecoderDefinition<DlmsPushOptions> = {
  id: ID,
  title: 'DLMS/COSEM push by profile: Denmark, Austria, Switzerland, Slovenia and others',
  input: 'stream',
  usesKeys: true,
  profiles: PROFILES,
  serial: [
    { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
    { baudRate: 2400, dataBits: 8, parity: 'none', stopBits: 1 },
    { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
    { baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 },
    { baudRate: 9600, dataBits: 8, parity: 'even', stopBits: 1 },
    { baudRate: 38_400, dataBits: 8, parity: 'none', stopBits: 1 },
  ],
  parseOptions: raw => parseDlmsOptions(raw, PROFILES),
  create: options => createPush(options),
  explain: (telegram, { keys = NO_KEYS } = {}) =>
    explainTelegram(telegram, {
      opener: new Opener(keys, EXPLAINING),
      oms: new OmsOpener(keys),
    }),
}
