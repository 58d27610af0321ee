/** What a configuration says of the way from a power-line modem to a compact frame. */
import { Checker, joined } from '../../src/chain2/check.ts'
import { APDU_KINDS, type ApduKind } from '../../src/chain2/compact-data.ts'
import type { Dictionary } from '../../src/chain2/dictionary.ts'
import { parseDictionary } from '../../src/chain2/dictionary-parse.ts'
import { parseChain2Keys } from '../../src/chain2/keys.ts'
import type { PipelineOptions } from '../../src/chain2/pipeline.ts'
import { parseSecurity } from '../../src/chain2/security.ts'
import { parseStrip } from '../../src/chain2/strip.ts'
import { NO_KEYS } from '../../src/dlms/keys.ts'
import type { Parsed, Problem } from '../../src/errors.ts'
import type { DialectDefinition } from '../../src/link/modem/dialect.ts'
import { DIALECTS, type DialectId } from '../../src/link/modem/dialects.ts'
import { MMHI_CHECKS } from '../../src/link/modem/mmhi.ts'
import { type Chain2Options, parseChain2Options } from '../chain2/options.ts'
import { DICTIONARIES } from '../dictionaries/index.ts'

/** Options of `it-chain2`. */
export interface PlcOptions extends PipelineOptions {
  readonly dialect: DialectDefinition
  readonly dictionary: Dictionary
  readonly apdu: ApduKind
  /** Report step and contracted power, until a frame names them. */
  readonly meter: Chain2Options
}

const KEYS = [
  'dialect',
  'check',
  'prefixBytes',
  'link',
  'strip',
  'security',
  'keys',
  'counters',
  'dictionary',
  'apdu',
  'allowUnauthenticated',
  'gapW',
  'contractedPowerW',
]
const DIALECT_IDS = Object.keys(DIALECTS) as [DialectId, ...DialectId[]]

/** Checks what configuration or command line say; lists every problem. */
export function parsePlcOptions(raw: unknown): Parsed<PlcOptions> {
  const checker = new Checker()
  const options = checker.mapping('', raw ?? {}, KEYS)
  const { gapW, contractedPowerW } = options
  const told = Object.entries({ gapW, contractedPowerW }).filter(([, value]) => value !== undefined)
  const meter = take(checker, '', parseChain2Options(Object.fromEntries(told)), {})
  return checker.result({
    dialect: parseDialect(checker, options),
    strip: parseStrip(checker, 'strip', options['strip']),
    security: parseSecurity(checker, 'security', options['security']),
    keys: take(checker, 'keys', parseChain2Keys(options['keys']), NO_KEYS),
    counters: parseCounters(checker, options['counters']),
    dictionary: parseDictionaryOption(checker, options['dictionary']),
    apdu: checker.choice('apdu', options['apdu'], APDU_KINDS),
    allowUnauthenticated: checker.flag('allowUnauthenticated', options['allowUnauthenticated']),
    meter,
  })
}

/** `link: none` is what the command line says of one bare data unit: nothing around it, ended by silence. */
function parseDialect(
  checker: Checker,
  options: Readonly<Record<string, unknown>>,
): DialectDefinition {
  const link = checker.choice('link', options['link'], ['modem', 'none'])
  const id = checker.choice('dialect', options['dialect'], DIALECT_IDS)
  const check = checker.choice('check', options['check'], MMHI_CHECKS)
  const prefixBytes = checker.integer('prefixBytes', options['prefixBytes'], 0, 2, 2) as 0 | 1 | 2
  return link === 'none' ? DIALECTS.raw({ prefixBytes: 0 }) : DIALECTS[id]({ check, prefixBytes })
}

function parseCounters(checker: Checker, raw: unknown): Readonly<Record<string, number>> {
  if (raw === undefined) return {}
  const isRight =
    typeof raw === 'object' && raw !== null && Object.values(raw).every(Number.isSafeInteger)
  if (isRight) return raw as Record<string, number>
  checker.wrong('counters', raw, 'whole numbers by their ids')
  return {}
}

/** One that is shipped, by its name, or a dictionary written out. */
function parseDictionaryOption(checker: Checker, raw: unknown): Dictionary {
  const shipped = typeof raw === 'string' ? DICTIONARIES.get(raw) : undefined
  if (typeof raw === 'string' && shipped === undefined)
    checker.wrong('dictionary', raw, `${[...DICTIONARIES.keys()].join(', ')} or a dictionary`)
  const fallback = [...DICTIONARIES.values()][0]!
  if (raw === undefined || typeof raw === 'string') return shipped ?? fallback
  return take(checker, 'dictionary', parseDictionary(raw), fallback)
}

/** The value of a part, or its problems with the path of the part before theirs. */
function take<T>(checker: Checker, path: string, parsed: Parsed<T>, fallback: T): T {
  if (parsed.ok) return parsed.value
  checker.problems.push(
    ...parsed.problems.map(
      (problem): Problem => ({
        ...problem,
        path: path === '' ? problem.path : joined(path, problem.path),
      }),
    ),
  )
  return fallback
}
