/**
 * What may stand in a scenario file. Each value carries, as its error text, what would be right. Only what reads files
 * imports this: the loop itself does without.
 */
import { z } from 'zod'
import { describe, problem, problemsOf } from '../config-problems.ts'
import { CONFIG_SCHEMA } from '../config-schema.ts'
import type { Problem } from '../errors.ts'
import { amperes, numberFrom, phases, seconds, text, yesOrNo } from '../schema-parts.ts'
import { LOAD_NAMES } from './appliances/index.ts'
import { SIMULATED_DECODERS } from './meters/telegrams.ts'
import type { ScenarioFile } from './scenario-form.ts'
import { VEHICLES } from './vehicle.ts'

const optional = z.exactOptional

const watts = (least: number, most: number) => numberFrom('a number of watts', least, most)

function oneOf(words: readonly string[]) {
  return z.enum(words as [string, ...string[]], { error: `one of ${words.join(', ')}` })
}

function object<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, { error: `an object with ${Object.keys(shape).join(', ')}` })
}

function listOf<Item extends z.ZodType>(item: Item, what: string) {
  return z.array(item, { error: `a list of ${what}` })
}

const line = z.union([z.literal(1), z.literal(2), z.literal(3)], { error: '1, 2 or 3' })

const TIME = 'a time of day such as "18:30"'
const time = z.string({ error: TIME }).regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/, { error: TIME })

const ZONE = 'a time zone such as Europe/Oslo'
const zone = z.string({ error: ZONE }).refine(isTimeZone, { error: ZONE })

const SPREAD = 'seconds, [least, most], or [p10, median, p90]'
const positive = z.number().positive()
const spread = z.union(
  [positive, z.tuple([positive, positive]), z.tuple([positive, positive, positive])],
  { error: SPREAD },
)

const spells = listOf(
  object({ from: time, minutes: numberFrom('a number of minutes', 1, 1440) }),
  'spells, each with from and minutes',
)

const STAGGER = 'three numbers of seconds from 0 to 60'
const delay = z.number().min(0).max(60)

const car = object({
  model: optional(oneOf(Object.keys(VEHICLES))),
  max_a: optional(amperes(6, 80)),
  delay_s: optional(seconds(0, 60)),
  up_a_per_s: optional(numberFrom('amperes a second', 0.05, 100)),
  down_a_per_s: optional(numberFrom('amperes a second', 0.05, 100)),
  whole_amperes: optional(yesOrNo),
  resume_s: optional(seconds(0, 600)),
  stagger_s: optional(z.tuple([delay, delay, delay], { error: STAGGER })),
  taper: optional(
    object({ after_wh: numberFrom('watt-hours', 0, 1e6), minutes: numberFrom('minutes', 1, 1440) }),
  ),
})

const load = object({
  appliance: oneOf(LOAD_NAMES),
  phase: optional(line),
  per_day: optional(numberFrom('uses a day', 0, 1000)),
  power_w: optional(watts(0, 100_000)),
  on_s: optional(spread),
  off_s: optional(spread),
  rate: optional(numberFrom('a factor', 0, 20)),
})

const RATINGS = 'a list of one or three ratings, each from 6 to 125 A'
const rating = z.number().min(6).max(125)
const ratings = z.union([z.tuple([rating]), z.tuple([rating, rating, rating])], { error: RATINGS })

const LINES = 'a list of lines, each 1, 2 or 3'
const LIMIT_KINDS = ['available_power', 'section_14a', 'flex_window', 'user'] as const

/** The file as it is written. Values under `control` are those of the configuration. */
export const SCENARIO_SCHEMA: z.ZodType<ScenarioFile> = object({
  id: optional(text('a short name')),
  title: optional(z.string({ error: 'a sentence' })),
  extends: optional(text('the name of a shipped scenario')),
  start: optional(time),
  hours: optional(numberFrom('a number of hours', 1, 24)),
  time_zone: optional(zone),
  voltage_v: optional(numberFrom('a number of volts', 100, 260)),
  grid: optional(oneOf(['TN', 'IT'])),
  supply: optional(
    object({
      device: optional(oneOf(['gG', 'MCB-B', 'MCB-C', 'SLS-E', 'limiter'])),
      rating_a: optional(ratings),
      bands: optional(
        listOf(
          object({ up_to_w: optional(watts(100, 100_000)), seconds: optional(seconds(1, 86_400)) }),
          'bands, each with up_to_w and seconds',
        ).min(1, { error: 'at least one band' }),
      ),
    }),
  ),
  loads: optional(listOf(load, 'loads, each with the name of an appliance')),
  house: optional(
    object({
      csv: text('the path of a CSV file'),
      columns: optional(
        object({
          t_s: optional(text('the name of a column')),
          current_l1_a: optional(text('the name of a column')),
          current_l2_a: optional(text('the name of a column')),
          current_l3_a: optional(text('the name of a column')),
        }),
      ),
      repeat: optional(yesOrNo),
      scale: optional(numberFrom('a factor', 0, 100)),
    }),
  ),
  pv: optional(object({ peak_w: optional(watts(0, 100_000)), phase: optional(line) })),
  meter: optional(
    object({
      kind: optional(oneOf(['periodic', 'event', 'telegrams'])),
      decoder: optional(oneOf(SIMULATED_DECODERS)),
      interval_s: optional(seconds(1, 3600)),
      latency_s: optional(seconds(0, 60)),
      told_latency_s: optional(seconds(0, 60)),
      resolution_a: optional(amperes(0.001, 1)),
      truncate: optional(yesOrNo),
      phase_powers: optional(yesOrNo),
      loss: optional(numberFrom('a share', 0, 1)),
      outages: optional(spells),
      frozen: optional(spells),
    }),
  ),
  charge_points: optional(
    listOf(
      object({
        id: optional(text('a short name')),
        phases: optional(phases),
        first_line: optional(line),
        told_lines: optional(z.array(line, { error: LINES })),
        min_a: optional(amperes(6, 32)),
        max_a: optional(amperes(6, 80)),
        step_a: optional(amperes(0.1, 1)),
        metered: optional(yesOrNo),
        ignores: optional(spells),
        car: optional(car),
      }),
      'charge points',
    ).length(1, { error: 'a list with one charge point' }),
  ),
  limits: optional(
    listOf(
      object({
        id: text('a short name'),
        kind: optional(oneOf(LIMIT_KINDS)),
        from: optional(time),
        until: optional(time),
        w: optional(watts(0, 100_000)),
        schedule: optional(
          listOf(object({ from: time, until: time, w: watts(0, 100_000) }), 'windows'),
        ),
      }),
      'limits, each with an id',
    ),
  ),
  control: optional(z.record(z.string(), z.unknown(), { error: 'an object with parameters' })),
}) as unknown as z.ZodType<ScenarioFile>

/** Every problem of a file that was parsed as JSON; empty for a good one. */
export function problemsOfScenario(raw: unknown): readonly Problem[] {
  const parsed = SCENARIO_SCHEMA.safeParse(raw)
  const problems = parsed.success ? [] : problemsOf(parsed.error.issues, SCENARIO_SCHEMA, raw)
  return [...problems.map(named), ...problemsOfControl(raw)]
}

/** Parameters obey the rules of the configuration file. */
function problemsOfControl(raw: unknown): readonly Problem[] {
  const control = (raw as { control?: unknown } | null)?.control
  if (control === undefined) return []
  const config = { control }
  const parsed = CONFIG_SCHEMA.safeParse(config)
  return parsed.success ? [] : problemsOf(parsed.error.issues, CONFIG_SCHEMA, config)
}

/** What only the whole says, defaults and inheritance included. */
export function problemsOfWhole(file: ScenarioFile): readonly Problem[] {
  const { supply = {}, meter = {}, house, grid } = file
  const found: [path: string, message: string][] = []
  if (supply.device === 'limiter' && supply.bands === undefined)
    found.push(['supply.bands', 'found nothing, expected the bands of the limiter'])
  if (supply.device !== 'limiter' && supply.bands !== undefined)
    found.push([
      'supply.bands',
      `found bands, expected none with ${describe(supply.device ?? 'gG')}`,
    ])
  if (supply.bands?.[0] !== undefined && supply.bands[0].up_to_w === undefined)
    found.push(['supply.bands.0', 'found no up_to_w, expected what may flow continuously'])
  if (house !== undefined && meter.kind === 'telegrams' && grid === 'IT')
    found.push([
      'meter.kind',
      "found 'telegrams', expected periodic: a recording without neutral has no powers",
    ])
  if (grid === 'IT' && supply.rating_a?.length === 1)
    found.push(['grid', "found 'IT', expected TN for one line"])
  return found.map(([path, message]) => problem(path.split('.'), message))
}

function named({ path, message }: Problem): Problem {
  return { path: path === 'configuration' ? 'scenario' : path, message }
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
  } catch {
    // The only way to ask is to try.
    return false
  }
}
