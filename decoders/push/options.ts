/** What a user can say of a HAN port where the telegrams do not. */
import type { Parsed, Problem } from '../../src/errors.ts'

export interface PushOptions {
  /** `none`: LLC PDUs or APDUs without HDLC, as some bridges log them; readings then have the integrity `none`. */
  readonly link?: 'hdlc' | 'none'
  /** `crlf`: take out the CR that an intermediate device put before every LF, where the checksum then holds. */
  readonly repair?: 'crlf'
  /** Wiring of a three-phase meter whose model is unknown. */
  readonly grid?: 'TN' | 'IT'
  /** Powers of ten for lists that carry none, where the meter's configuration differs from its description. */
  readonly scale?: {
    readonly power?: number
    readonly current?: number
    readonly voltage?: number
    readonly energy?: number
  }
  /** Ratio of current transformers whose secondary values the meter sends; multiplies currents, powers and energies. */
  readonly ctRatio?: number
}

const CHOICES: Readonly<Record<string, readonly string[]>> = {
  link: ['hdlc', 'none'],
  repair: ['crlf'],
  grid: ['TN', 'IT'],
}
const QUANTITIES = ['power', 'current', 'voltage', 'energy']

/** Checks what configuration or command line say; lists every problem. */
export function parsePushOptions(raw: unknown): Parsed<PushOptions> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object')
    return { ok: false, problems: [{ path: '', message: `found ${typeof raw}, expected options` }] }
  const problems: Problem[] = []
  for (const [key, value] of Object.entries(raw)) {
    const choices = CHOICES[key]
    if (choices !== undefined) {
      if (!choices.includes(value))
        problems.push({
          path: key,
          message: `found ${show(value)}, expected ${choices.join(' or ')}`,
        })
    } else if (key === 'ctRatio') {
      if (typeof value !== 'number' || !(value >= 1 && value <= 1000))
        problems.push({
          path: key,
          message: `found ${show(value)}, expected a ratio from 1 to 1000`,
        })
    } else if (key === 'scale') problems.push(...scaleProblems(value))
    else
      problems.push({
        path: key,
        message: `unknown option, expected ${[...Object.keys(CHOICES), 'scale', 'ctRatio'].join(', ')}`,
      })
  }
  return problems.length === 0 ? { ok: true, value: raw } : { ok: false, problems }
}

function scaleProblems(scale: unknown): Problem[] {
  if (typeof scale !== 'object' || scale === null)
    return [{ path: 'scale', message: `found ${show(scale)}, expected powers of ten by quantity` }]
  return Object.entries(scale).flatMap(([quantity, power]) => {
    const path = `scale.${quantity}`
    if (!QUANTITIES.includes(quantity))
      return [{ path, message: `unknown quantity, expected ${QUANTITIES.join(', ')}` }]
    return Number.isInteger(power) && power >= -4 && power <= 4
      ? []
      : [{ path, message: `found ${show(power)}, expected a power of ten from -4 to 4` }]
  })
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? String(value)
}
