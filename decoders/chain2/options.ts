/** What a user can say of a Chain2 meter where the frames do not, for every gateway alike. */
import type { Parsed, Problem } from '../../src/errors.ts'

export interface Chain2Options {
  /** Step of power from one report to the next, W; until a frame names it a tenth of the contracted power, at least 300. */
  readonly gapW?: number
  /** Contracted power, W, until a frame names it. */
  readonly contractedPowerW?: number
}

const RANGES: Readonly<Record<string, readonly [least: number, most: number]>> = {
  gapW: [50, 10_000],
  contractedPowerW: [500, 200_000],
}

/** Checks what configuration or command line say; lists every problem. */
export function parseChain2Options(raw: unknown): Parsed<Chain2Options> {
  if (raw === undefined || raw === null) return { ok: true, value: {} }
  if (typeof raw !== 'object')
    return { ok: false, problems: [{ path: '', message: `found ${typeof raw}, expected options` }] }
  const problems = Object.entries(raw).flatMap(([path, value]): Problem[] => {
    const range = RANGES[path]
    if (range === undefined)
      return [{ path, message: `unknown option, expected ${Object.keys(RANGES).join(', ')}` }]
    const [least, most] = range
    return typeof value === 'number' && value >= least && value <= most
      ? []
      : [
          {
            path,
            message: `found ${JSON.stringify(value)}, expected watts from ${least} to ${most}`,
          },
        ]
  })
  return problems.length === 0 ? { ok: true, value: raw } : { ok: false, problems }
}

const LEAST_GAP_W = 300
const GAP_SHARE = 0.1

/** The report step where no frame has named it. */
export function presumedGapW(options: Chain2Options, toldPowerW: number = 0): number {
  const contractedW = toldPowerW > 0 ? toldPowerW : (options.contractedPowerW ?? 0)
  return options.gapW ?? Math.max(LEAST_GAP_W, GAP_SHARE * contractedW)
}
