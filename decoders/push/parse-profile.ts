/** Reads profile files strictly: every problem with its path, unknown keys refused. */
import { TAG_NAMES } from '../../src/dlms/axdr.ts'
import type { Parsed, Problem } from '../../src/errors.ts'
import {
  type Check,
  either,
  fields,
  integer,
  list,
  mapping,
  number,
  oneOf,
  text,
  yesOrNo,
} from './checks.ts'
import type { Profile } from './profile.ts'
import { PATTERN } from './scales.ts'
import { ZONES } from './zones.ts'

const TYPE = Object.values(TAG_NAMES).join('|')
const TYPE_FORM = new RegExp(`^((${TYPE})|array\\((${TYPE})\\))(\\|(${TYPE}))*$`)
const TYPE_TEXT = 'a DLMS type such as long-unsigned, enum|boolean or array(long-unsigned)'
const OBIS = text('a code such as 1-0:32.7.0', /^\d{1,3}-\d{1,3}:\d{1,3}\.\d{1,3}\.\d{1,3}$/)
const SHORT_OBIS = text('a code such as 32.7.0', /^\d{1,3}\.\d{1,3}\.\d{1,3}$/)
const ID = text('lower-case words with hyphens', /^[a-z0-9]+(-[a-z0-9]+)*$/)
const SCALER = integer('a power of ten', -6, 6)
const UNIT = oneOf('W', 'VA', 'var', 'Wh', 'VAh', 'varh', 'A', 'V', 'Hz', 's', '%', 'm3', '')

const MATCH = fields('a match', {
  'title?': text('hex digits', /^([0-9a-f]{2}){1,8}$/i),
  'listId?': text('a list id'),
  'deviceName?': (value, path) =>
    value === null ? [] : text('a logical device name or null')(value, path),
  'meterId?': text('the beginning of a meter id'),
  'codes?': list(SHORT_OBIS),
  'pushSetup?': OBIS,
  'contains?': oneOf(...Object.values(TAG_NAMES)),
})

const ITEM = fields('an item', {
  type: text(TYPE_TEXT, TYPE_FORM),
  'length?': integer('bytes', 0, 255),
  'obis?': OBIS,
})

const scaleRow: Check = (value, path) =>
  Array.isArray(value)
    ? value.length === 2
      ? [...SCALER(value[0], `${path}.0`), ...UNIT(value[1], `${path}.1`)]
      : [{ path, message: 'expected a power of ten, or one and a unit' }]
    : SCALER(value, path)

const PROFILE = fields('a profile', {
  id: ID,
  title: text('a title'),
  country: text('two capital letters', /^[A-Z]{2}$/),
  'maker?': text('a lower-case word', /^[a-z+]+$/),
  status: oneOf('captures', 'constructed', 'none'),
  'about?': text('a text'),
  'match?': either(MATCH, list(MATCH)),
  'variantOf?': ID,
  transport: oneOf('hdlc', 'mbus', 'wrapper', 'none'),
  serial: list(text('line settings such as 2400 8E1', /^\d{3,6} [78][NEO][12]$/)),
  security: fields('what protects telegrams', {
    encrypted: yesOrNo,
    authentication: oneOf('required', 'optional'),
    counter: oneOf('increasing', 'none'),
  }),
  layout: oneOf('pairs', 'object-list', 'positions', 'descriptors', 'oms'),
  'lists?': list(fields('a positional list', { name: text('a name'), items: list(ITEM) })),
  'scale?': mapping('patterns of C.D.E such as 31|51|71.7.0 or *.8.*', PATTERN, scaleRow),
  'autoScale?': fields('powers of ten to choose from', {
    'voltage?': list(SCALER),
    'current?': list(SCALER),
  }),
  'zone?': oneOf(...ZONES.keys()),
  intervalS: number('seconds', 0.5, 86_400),
  'guards?': list(oneOf('voltage', 'apparent-power', 'phase-sum')),
  'energyScale?': oneOf('uncertain'),
})

/** The profile, or every problem in it. */
export function parseProfile(raw: unknown): Parsed<Profile> {
  const problems = PROFILE(raw, '')
  if (problems.length > 0) return { ok: false, problems }
  const profile = raw as Profile
  const contradictions = contradictionsOf(profile)
  return contradictions.length === 0
    ? { ok: true, value: profile }
    : { ok: false, problems: contradictions }
}

/** What the keys say against each other. */
function contradictionsOf(profile: Profile): readonly Problem[] {
  const { layout, lists, match, variantOf, autoScale, id } = profile
  const problems: Problem[] = []
  if (layout === 'positions' && lists === undefined)
    problems.push({ path: 'lists', message: 'found nothing, a layout of positions needs them' })
  if (layout !== 'positions' && lists !== undefined)
    problems.push({ path: 'lists', message: `only a layout of positions has lists, not ${layout}` })
  if (variantOf !== undefined && match !== undefined)
    problems.push({ path: 'match', message: `a variant is recognised by ${variantOf}` })
  if (variantOf === id)
    problems.push({ path: 'variantOf', message: 'a profile is no variant of itself' })
  if (variantOf !== undefined && autoScale !== undefined)
    problems.push({ path: 'autoScale', message: `a variant's scale is fixed` })
  if ((autoScale?.current?.length ?? 0) > 2)
    problems.push({
      path: 'autoScale.current',
      message: 'the usual power of ten and one other: more cannot be told apart',
    })
  return problems
}

/** Profiles beside those that are there already: checked one by one and against the ids of all. */
export function parseProfiles(
  raw: unknown,
  path: string,
  others: readonly Profile[],
): Parsed<readonly Profile[]> {
  if (!Array.isArray(raw)) return { ok: false, problems: [{ path, message: 'expected a list' }] }
  const problems: Problem[] = []
  const profiles: Profile[] = []
  const places: string[] = []
  for (const [i, entry] of raw.entries()) {
    const parsed = parseProfile(entry)
    const place = `${path}.${i}`
    if (parsed.ok) {
      profiles.push(parsed.value)
      places.push(place)
    } else
      for (const p of parsed.problems)
        problems.push({ ...p, path: p.path === '' ? place : `${place}.${p.path}` })
  }
  const all = [...profiles, ...others]
  for (const [i, { id, variantOf }] of profiles.entries()) {
    if (profiles.findIndex(p => p.id === id) < i)
      problems.push({ path: `${places[i]}.id`, message: `two profiles are called ${id}` })
    if (variantOf !== undefined && !all.some(p => p.id === variantOf))
      problems.push({ path: `${places[i]}.variantOf`, message: `there is no profile ${variantOf}` })
  }
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: profiles }
}
