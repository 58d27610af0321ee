/** What a user can say of an infrared head. */
import type { Parsed, Problem } from '../../src/errors.ts'

export interface SmlOptions {
  /**
   * Takes a list whose own checksum is right out of a frame whose checksum is wrong: a last resort for heads that
   * damage the octets around the list. Off by default.
   */
  readonly acceptFrameCrcError?: boolean
}

/** Checks what configuration or command line say; lists every problem. */
export function parseSmlOptions(raw: unknown): Parsed<SmlOptions> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object' || Array.isArray(raw))
    return {
      ok: false,
      problems: [{ path: '', message: `found ${JSON.stringify(raw)}, expected options` }],
    }
  const problems: Problem[] = []
  for (const [path, value] of Object.entries(raw)) {
    if (path !== 'acceptFrameCrcError')
      problems.push({ path, message: 'unknown option, expected acceptFrameCrcError' })
    else if (typeof value !== 'boolean')
      problems.push({ path, message: `found ${JSON.stringify(value)}, expected true or false` })
  }
  return problems.length === 0 ? { ok: true, value: raw } : { ok: false, problems }
}
