/** The form of a profile file. Each value carries, as its error text, what would be right. */
import { z } from 'zod'
import { type Located, problem, problemsOf } from '../../config-problems.ts'
import type { Parsed } from '../../errors.ts'
import { id, mapping, numberFrom, oneOf, text, yesOrNo } from '../../schema-parts.ts'
import type { ChargerProfile } from './profile.ts'
import { contradictions } from './profile-check.ts'
import { wordsOfType } from './registers.ts'

const optional = z.exactOptional

/** A whole number, or one in text as the manuals print them: 0x4100. */
function whole(what: string, most: number) {
  const error = `${what} from 0 to ${most}, or text such as '0x4100'`
  const hex = z
    .string({ error })
    .regex(/^0x[0-9a-f]{1,8}$/i, { error })
    .transform(Number)
  const number = z.union([z.number({ error }), hex], { error })
  return number.pipe(z.int({ error }).min(0, { error }).max(most, { error }))
}

const address = whole('an address', 0xffff)
const word = whole('a whole number', 0xffff_ffff)
const count = (what: string, least: number, most: number) => numberFrom(what, least, most).int()
const table = oneOf('holding', 'input', 'coil')
const type = oneOf(
  'uint16',
  'int16',
  'uint32',
  'int32',
  'uint64',
  'float32',
  'float64',
  'ascii',
  'coil',
)
const scale = numberFrom('a factor', 1e-6, 1e6).default(1)
const words = count('a number of registers', 1, 64).default(1)

const readShape = {
  table: table.default('holding'),
  address,
  type,
  scale,
  words,
  mask: optional(word),
  optional: yesOrNo.default(false),
}
const sized = <R extends { type: z.infer<typeof type>; words: number }>(register: R): R => ({
  ...register,
  words: wordsOfType(register.type, register.words),
})
const reading = <Shape extends z.ZodRawShape>(more: Shape) =>
  mapping({ ...readShape, ...more }).transform(
    register => sized(register as never) as typeof register,
  )
const read = reading({})

const FC = "5, 6, 16 or 'auto'"
const write = mapping({
  address,
  type,
  scale,
  words,
  fc: z.union([z.literal(5), z.literal(6), z.literal(16), z.literal('auto')], { error: FC }),
}).transform(sized)
const fixed = mapping({ write, value: word })

const least = 'a number'
const FORMAT = 'line settings such as 8E1, 8N1 or 8N2'
const transport = mapping({
  kinds: z
    .array(oneOf('tcp', 'rtu', 'rtu-over-tcp'), { error: 'a list of tcp, rtu and rtu-over-tcp' })
    .min(1, { error: 'at least one of tcp, rtu and rtu-over-tcp' }),
  port: count('a port', 1, 65_535).default(502),
  unit: count('a unit id', 0, 255),
  serial: optional(
    mapping({
      baud: count('a number of bits a second', 300, 921_600),
      format: z.string({ error: FORMAT }).regex(/^[78][NEO][12]$/, { error: FORMAT }),
    }),
  ),
  minGapMs: count('a number of milliseconds', 0, 5000),
  timeoutMs: count('a number of milliseconds', 50, 10_000).default(1500),
  maxReadWords: count('a number of registers', 1, 125).default(125),
  singleMaster: yesOrNo.default(false),
  wordOrder: oneOf('big', 'little').default('big'),
  connectorStep: count('a number of registers', 0, 20_000).default(0),
})

const amperes = numberFrom('a number of amperes', 0, 80)
const limit = mapping({
  write,
  also: z.array(address, { error: 'a list of addresses' }).default([]),
  min: numberFrom('a number of amperes', 5, 80),
  max: numberFrom('a number of amperes', 5, 80),
  step: numberFrom('a number of amperes', 0.01, 1),
  storage: oneOf('volatile', 'flash', 'unknown'),
  minWriteIntervalS: numberFrom('a number of seconds', 0, 3600).default(0),
  readback: z.nullable(reading({ meaning: oneOf('offered', 'limit') })),
})

const switched = (kind: 'mode' | 'coil') =>
  mapping({
    kind: z.literal(kind),
    write,
    on: word,
    off: word,
    alsoLimitA: optional(amperes),
    settleS: numberFrom('a number of seconds', 0, 10).default(0),
    read: optional(read),
  })
const pause = z.discriminatedUnion(
  'kind',
  [
    mapping({
      kind: z.literal('zero'),
      fc: optional(z.union([z.literal(6), z.literal(16)], { error: '6 or 16' })),
    }),
    switched('mode'),
    switched('coil'),
  ],
  { error: 'zero, mode or coil: a box that cannot pause cannot be protected' },
)

const fraction = numberFrom('a fraction', 0.05, 0.5).default(0.33)
const everyS = numberFrom('a number of seconds', 1, 300)
const keepalive = z.discriminatedUnion(
  'kind',
  [
    mapping({ kind: z.literal('none') }),
    mapping({ kind: z.literal('any'), fraction, everyS }),
    mapping({ kind: z.literal('rewrite'), fraction, everyS }),
    mapping({
      kind: z.literal('token'),
      write,
      value: z.union([z.literal('timeout'), word], { error: "a whole number, or 'timeout'" }),
      fraction,
      everyS,
    }),
  ],
  { error: 'none, any, rewrite or token' },
)

const seconds = numberFrom('a number of seconds', 0, 65_535)
const failsafe = mapping({
  timeout: mapping({
    write: optional(write),
    read: optional(read),
    shows: oneOf('timeout', 'remaining').default('timeout'),
    least: seconds,
    most: seconds,
    defaultS: z.nullable(seconds),
  }),
  current: mapping({
    write: optional(write),
    read: optional(read),
    least: amperes,
    most: amperes,
    zeroAllowed: yesOrNo,
    defaultA: z.nullable(amperes),
  }),
})

const LETTERS = 'letters A to F of IEC 61851-1, by raw value'
const letter = z.enum(['A', 'B', 'C', 'D', 'E', 'F'], { error: 'one of A to F' })
const readings = mapping({
  everyS: numberFrom('a number of seconds', 1, 120).default(1),
  blocks: z
    .array(mapping({ table, address, words: count('a number of registers', 1, 125) }), {
      error: 'a list of blocks, each with table, address and words',
    })
    .default([]),
  state: optional(reading({ map: z.record(z.string(), letter, { error: LETTERS }) })),
  plug: optional(reading({ connected: z.array(word, { error: 'a list of whole numbers' }) })),
  currents: optional(z.tuple([read, read, read], { error: 'a list of three registers' })),
  power: optional(read),
  temperature: optional(read),
  max: optional(read),
  notAvailable: z.array(word, { error: 'a list of whole numbers' }).default([]),
})

const sentences = (what: string) => z.array(text(what), { error: `a list, each ${what}` })
const LAST = 'an address, or the first and last of a range'
const range = z.union(
  [address.transform(one => [one, one] as const), z.tuple([address, address])],
  {
    error: LAST,
  },
)

/** The whole file, defaults filled in. What the values must have to do with each other is in `profile-check.ts`. */
const PROFILE: z.ZodType<ChargerProfile> = mapping({
  schema: z.literal(1, { error: '1' }),
  profile: id,
  title: text('what the box is called'),
  transport,
  limit,
  pause,
  phases: z
    .nullable(mapping({ write, one: word, three: word, when: oneOf('idle-only', 'live') }))
    .default(null),
  deadMan: oneOf('device', 'none'),
  keepalive,
  failsafe: z.nullable(failsafe).default(null),
  require: z
    .array(
      mapping({
        read,
        min: numberFrom(least, -1e9, 1e9),
        max: numberFrom(least, -1e9, 1e9),
        say: text('a sentence that says what to do'),
      }),
      { error: 'a list of conditions, each with read, min, max and say' },
    )
    .default([]),
  init: z.array(fixed, { error: 'a list of writes' }).default([]),
  before: z.array(fixed, { error: 'a list of writes' }).default([]),
  read: readings.prefault({}),
  stored: z.array(range, { error: 'a list of addresses and ranges' }).default([]),
  notes: sentences('a sentence').default([]),
  evidence: sentences('a source of the facts').min(1, {
    error: 'at least one source of the facts',
  }),
  verified: oneOf('none', 'bench', 'field'),
}) as never

/** A profile, or every problem found in it. Registers between which something does not fit are problems too. */
export function parseChargerProfile(raw: unknown): Parsed<ChargerProfile> {
  const result = PROFILE.safeParse(raw)
  const problems: readonly Located[] = result.success
    ? contradictions(result.data).map(([at, message]) => problem(at, message))
    : problemsOf(result.error.issues, PROFILE, raw)
  if (result.success && problems.length === 0) return { ok: true, value: result.data }
  return {
    ok: false,
    problems: problems.map(({ path, message }) => ({
      path: path === 'configuration' ? 'profile' : path,
      message,
    })),
  }
}
