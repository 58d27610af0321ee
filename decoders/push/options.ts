/** What a user can say of a port that pushes lists where the telegrams do not. */
import type { Parsed } from '../../src/errors.ts'
import { type Check, fields, integer, number, oneOf, unexpected } from './checks.ts'

/** Options that every decoder of pushed lists has. */
export interface PushOptions {
  /** `crlf`: take out the CR that an intermediate device put before every LF, where the checksum then holds. */
  readonly repair?: 'crlf'
  /** Wiring of a three-phase meter that does not tell. */
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

/** Options of the Norwegian port. */
export interface HanOptions extends PushOptions {
  /** `none`: LLC PDUs or APDUs without HDLC, as some bridges log them; readings then have the integrity `none`. */
  readonly link?: 'hdlc' | 'none'
}

const POWER_OF_TEN = integer('a power of ten', -4, 4)

/** Checks of {@link PushOptions}. */
export const PUSH_CHECKS: Readonly<Record<string, Check>> = {
  'repair?': oneOf('crlf'),
  'grid?': oneOf('TN', 'IT'),
  'scale?': fields('powers of ten by quantity', {
    'power?': POWER_OF_TEN,
    'current?': POWER_OF_TEN,
    'voltage?': POWER_OF_TEN,
    'energy?': POWER_OF_TEN,
  }),
  'ctRatio?': number('a ratio', 1, 1000),
}

const HAN_CHECK = fields('options', { 'link?': oneOf('hdlc', 'none'), ...PUSH_CHECKS })

/** Checks what configuration or command line say; lists every problem. */
export function parseHanOptions(raw: unknown): Parsed<HanOptions> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object') return { ok: false, problems: unexpected(raw, '', 'options') }
  const problems = HAN_CHECK(raw, '')
  return problems.length === 0 ? { ok: true, value: raw } : { ok: false, problems }
}
