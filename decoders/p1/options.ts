/** What a user can say of a P1 port where the telegrams do not. */
import type { Parsed, Problem } from '../../src/errors.ts'
import type { ClockZone } from '../../src/p1/clock.ts'

export interface P1Options {
  /** `required`: a telegram without CRC is refused, whatever version it says it is. */
  readonly crc?: 'required' | 'optional'
  /** Zone of the meter's clock, for `utc`: civil time of Central or Eastern Europe, or UTC+01:00 all year (Sweden). */
  readonly zone?: ClockZone
  /** Net of a three-phase meter whose telegram does not tell. */
  readonly grid?: 'TN' | 'IT'
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
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
  for (const [path, value] of Object.entries(raw)) {
    const choices = CHOICES[path]
    if (choices === undefined)
      problems.push({
        path,
        message: `unknown option, expected ${Object.keys(CHOICES).join(', ')}`,
      })
    else if (!choices.includes(value))
      problems.push({ path, message: `found ${show(value)}, expected ${choices.join(' or ')}` })
  }
  return problems.length === 0 ? { ok: true, value: raw } : { ok: false, problems }
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
