/** What a user can say of a P1 port where the telegrams do not. */
import { type KeyRing, parseKeyRing } from '../../src/dlms/keys.ts'
import type { Parsed, Problem } from '../../src/errors.ts'
import type { ClockZone } from '../../src/p1/clock.ts'

export interface P1Options {
  readonly keys?: KeyRing
  /** Last accepted invocation counters by their ids, as they were kept outside. */
  readonly counters?: Readonly<Record<string, number>>
  /** `optional`: telegrams whose tag cannot be checked for want of a key are read without. */
  readonly authentication?: 'required' | 'optional'
  /** `required`: a telegram without CRC is refused, whatever version it says it is. */
  readonly crc?: 'required' | 'optional'
  /** Zone of the meter's clock, for `utc`: civil time of Central or Eastern Europe, or UTC+01:00 all year (Sweden). */
  readonly zone?: ClockZone
  /** Net of a three-phase meter whose telegram does not tell. */
  readonly grid?: 'TN' | 'IT'
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  authentication: ['required', 'optional'],
  crc: ['required', 'optional'],
  zone: ['CET', 'EET', 'UTC+1'],
  grid: ['TN', 'IT'],
}

/** Checks what configuration or command line say; lists every problem. */
export function parseP1Options(raw: unknown): Parsed<P1Options> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object')
    return { ok: false, problems: [{ path: '', message: `found ${typeof raw}, expected options` }] }
  const problems: Problem[] = []
  const { keys: rawKeys, ...others } = raw as Readonly<Record<string, unknown>>
  const keys = parseKeyRing(rawKeys)
  if (!keys.ok)
    problems.push(
      ...keys.problems.map(({ path, message }) => ({
        path: path === '' ? 'keys' : `keys.${path}`,
        message,
      })),
    )
  for (const [path, value] of Object.entries(others)) problems.push(...problemsOf(path, value))
  if (problems.length > 0 || !keys.ok) return { ok: false, problems }
  return { ok: true, value: { ...others, keys: keys.value } }
}

function problemsOf(path: string, value: unknown): Problem[] {
  if (path === 'counters') return counterProblems(value)
  const choices = CHOICES[path]
  if (choices === undefined)
    return [
      {
        path,
        message: `unknown option, expected ${['keys', 'counters', ...Object.keys(CHOICES)].join(', ')}`,
      },
    ]
  return typeof value === 'string' && choices.includes(value)
    ? []
    : [{ path, message: `found ${show(value)}, expected ${choices.join(' or ')}` }]
}

const MAX_COUNTER = 0xffff_ffff

function counterProblems(raw: unknown): Problem[] {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw))
    return [{ path: 'counters', message: `found ${show(raw)}, expected counters by their ids` }]
  return Object.entries(raw)
    .filter(([, value]) => !(Number.isInteger(value) && value >= 0 && value <= MAX_COUNTER))
    .map(([id, value]) => ({
      path: `counters.${id}`,
      message: `found ${show(value)}, expected an integer from 0 to ${MAX_COUNTER}`,
    }))
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
