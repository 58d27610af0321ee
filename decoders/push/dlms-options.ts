/** What a user can say of a port that pushes DLMS lists in any of their forms. */
import { type KeyRing, parseKeyRing } from '../../src/dlms/keys.ts'
import type { Parsed, Problem } from '../../src/errors.ts'
import { type Check, fields, integer, mapping, oneOf, text, unexpected } from './checks.ts'
import type { LinkName } from './links.ts'
import { PUSH_CHECKS, type PushOptions } from './options.ts'
import { parseProfiles } from './parse-profile.ts'
import type { Profile } from './profile.ts'
import { ZONES } from './zones.ts'

export interface DlmsPushOptions extends PushOptions {
  /** `auto` (default): told by the bytes. `none`: APDUs without any frame, as other software logs them. */
  readonly link?: 'auto' | LinkName
  readonly keys?: KeyRing
  /** Last accepted invocation counters by their id, as they were kept outside. */
  readonly counters?: Readonly<Record<string, number>>
  /** `required` (default): a tag that cannot be checked for want of a key is refused. */
  readonly authentication?: 'required' | 'optional'
  /** Id of the profile to be used; `auto` (default): told by the content of each list. */
  readonly profile?: string
  /** Further profiles, tried before the built-in ones; one with the id of a built-in one takes its place. */
  readonly profiles?: readonly Profile[]
  /** Zone of the meter's clock, `Europe/Copenhagen` or `utc+1`, where it does not tell. */
  readonly zone?: string
}

const anything: Check = () => []

const CHECK = fields('options', {
  'link?': oneOf('auto', 'hdlc', 'mbus', 'wrapper', 'none'),
  'keys?': anything,
  'counters?': mapping('counters by their id', /./, integer('a counter', 0, 0xffff_ffff)),
  'authentication?': oneOf('required', 'optional'),
  'profile?': text('the id of a profile, or auto'),
  'profiles?': anything,
  'zone?': oneOf(...ZONES.keys()),
  ...PUSH_CHECKS,
})

/** Checks what configuration or command line say; lists every problem. `builtIn` are the profiles there are anyway. */
export function parseDlmsOptions(
  raw: unknown,
  builtIn: readonly Profile[],
): Parsed<DlmsPushOptions> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object') return { ok: false, problems: unexpected(raw, '', 'options') }
  const options = raw as { readonly [key: string]: unknown }
  const problems: Problem[] = [...CHECK(options, '')]
  const value: { -readonly [K in keyof DlmsPushOptions]: DlmsPushOptions[K] } = { ...options }

  if (options['keys'] !== undefined) {
    const keys = parseKeyRing(options['keys'])
    if (keys.ok) value.keys = keys.value
    else problems.push(...keys.problems.map(p => ({ ...p, path: inside('keys', p.path) })))
  }
  if (options['profiles'] !== undefined) {
    const profiles = parseProfiles(options['profiles'], 'profiles', builtIn)
    if (profiles.ok) value.profiles = profiles.value
    else problems.push(...profiles.problems)
  }
  const { profile } = options
  const ids = [...(value.profiles ?? []), ...builtIn].map(({ id }) => id)
  if (typeof profile === 'string' && profile !== 'auto' && !ids.includes(profile))
    problems.push(...unexpected(profile, 'profile', `auto or one of ${ids.join(', ')}`))
  return problems.length === 0 ? { ok: true, value } : { ok: false, problems }
}

function inside(path: string, inner: string): string {
  return inner === '' ? path : `${path}.${inner}`
}
