/** `ampacity simulate`: the closed loop of home, meter, wallbox, car and fuse against a controller. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { AmpacityError, EXIT } from '../errors.ts'
import { CONTROLLERS } from '../sim/controllers/index.ts'
import type { TraceRow } from '../sim/loop.ts'
import { loadScenario } from '../sim/scenario-file.ts'
import { simulate as run } from '../sim/simulate.ts'
import { type Command, type CommandIo, choice, Printer, readArgs } from './io.ts'

const IDS = Object.keys(CONTROLLERS)

export const simulate: Command = {
  name: 'simulate',
  summary: 'the closed loop of home, meter, wallbox and car against a controller',
  help: `ampacity simulate SCENARIO    a simulated home against a controller; figures as one JSON object

  SCENARIO          a shipped one by name (A to P, lifelike, it-net, …), or a JSON file of the same form
  --controller ID   ampacity (default), or one that people use today:
                    ${IDS.slice(1).join(', ')}
  --seed N          which home of many (default 1)
  --seeds A..B      several, added up
  --days N          days of each (default 1)
  --trace FILE      every second of the first seed as CSV

Example:  ampacity simulate B --seeds 1..3 --controller evcc-30
Exit status: 0 simulated, 1 the trace could not be written, 2 wrong usage or scenario.`,

  async run(args, io) {
    const { values, positionals } = readArgs(
      args,
      {
        controller: { type: 'string' },
        seed: { type: 'string' },
        seeds: { type: 'string' },
        days: { type: 'string', default: '1' },
        trace: { type: 'string' },
      },
      { least: 1, most: 1, name: 'SCENARIO' },
    )
    const id = choice('controller', values.controller, IDS)
    const seeds = seedsOf(values.seed, values.seeds)
    const days = whole('days', values.days, 1, 3650)
    const scenario = loadScenario(positionals[0]!)
    const trace = values.trace === undefined ? undefined : openTrace(values.trace)
    try {
      const metrics = run(scenario, {
        controller: CONTROLLERS[id]!,
        seeds,
        days,
        decoders: io.decoders,
        ...(trace === undefined ? {} : { trace: trace.row }),
        progress: progressOf(io),
      })
      const printer = new Printer(io.stdout)
      printer.json({ scenario: scenario.id, controller: id, seeds, days, ...metrics })
      await printer.flush()
    } finally {
      trace?.close()
    }
    return EXIT.ok
  },
}

function seedsOf(seed: string | undefined, seeds: string | undefined): readonly number[] {
  if (seed !== undefined && seeds !== undefined)
    throw new AmpacityError('USAGE', '--seed and --seeds: expected one of them')
  if (seeds === undefined) return [whole('seed', seed ?? '1', 0, 2 ** 31)]
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(seeds) ?? []
  const [first, last] = [Number(from), Number(to)]
  if (from === undefined || last < first || last - first >= 1000)
    throw new AmpacityError('USAGE', `--seeds ${seeds}: expected A..B such as 1..8`)
  return Array.from({ length: last - first + 1 }, (_, k) => first + k)
}

function whole(name: string, text: string, least: number, most: number): number {
  const value = Number(text)
  if (!Number.isInteger(value) || value < least || value > most || text.trim() === '')
    throw new AmpacityError(
      'USAGE',
      `--${name} ${text}: expected a whole number from ${least} to ${most}`,
    )
  return value
}

/** A line that is overwritten, where a person looks on and it takes a while. */
function progressOf(io: CommandIo): (done: number, all: number) => void {
  return (done, all) => {
    if (io.stderr.isTTY !== true || all < 3) return
    io.stderr.write(`\r${done} of ${all} days simulated${done === all ? '\n' : ''}`)
  }
}

const BLOCK = 1 << 16

/** A CSV file that is written in blocks. */
function openTrace(path: string): {
  readonly row: (row: TraceRow) => void
  readonly close: () => void
} {
  let file: number
  try {
    file = openSync(path, 'w')
  } catch (cause) {
    throw new AmpacityError('FILE_UNWRITABLE', `${path}: ${(cause as Error).message}`, { cause })
  }
  let block = ''
  const flush = (): void => {
    try {
      writeSync(file, block)
    } catch (cause) {
      throw new AmpacityError('FILE_UNWRITABLE', `${path}: ${(cause as Error).message}`, { cause })
    }
    block = ''
  }
  return {
    row(row) {
      if (row.second === 0) block += `${traceHead(row.baseA.length)}\n`
      block += `${traceLine(row)}\n`
      if (block.length > BLOCK) flush()
    },
    close() {
      flush()
      closeSync(file)
    },
  }
}

function traceHead(lines: number): string {
  const each = (name: (line: number) => string): string[] =>
    Array.from({ length: lines }, (_, line) => name(line + 1))
  return [
    't_s',
    ...each(line => `base_l${line}_a`),
    ...each(line => `ev_l${line}_a`),
    'limit_a',
    'code',
    'limited_by',
    ...each(line => `damage_l${line}`),
  ].join(',')
}

function traceLine({ second, baseA, carA, limitA, code, limitedBy, damage }: TraceRow): string {
  return [
    second,
    ...baseA.map(a => a.toFixed(2)),
    ...carA.map(a => a.toFixed(2)),
    limitA,
    code,
    limitedBy,
    ...damage.map(d => d.toFixed(4)),
  ].join(',')
}
