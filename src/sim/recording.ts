/** A recorded house: line currents from a CSV file, held between rows. */
import type { Problem } from '../errors.ts'
import { type Load, newLoad } from './appliances/load.ts'
import type { HouseSpec } from './scenario-form.ts'

/** Currents of three lines, one value a second, A; negative = export. */
export interface Recording {
  readonly seconds: number
  readonly amperes: readonly [Float32Array, Float32Array, Float32Array]
  readonly repeat: boolean
}

/** Result of reading a recording: it, or every problem found. */
export type ReadRecording =
  | { readonly ok: true; readonly recording: Recording }
  | { readonly ok: false; readonly problems: readonly Problem[] }

const LEAST_S = 3600
const LONGEST_GAP_S = 600
const COLUMNS = ['t_s', 'current_l1_a', 'current_l2_a', 'current_l3_a'] as const
/** Faults of single rows that are listed; more of the same would hide the others. */
const MOST_PROBLEMS = 10

/** Reads a table of seconds and amperes: first line names the columns, separator comma or semicolon. */
export function readRecording(text: string, spec: HouseSpec): ReadRecording {
  const rows = text.split(/\r?\n/).filter(line => line.trim() !== '' && !line.startsWith('#'))
  const separator = rows[0]?.includes(';') ? ';' : ','
  const head = (rows[0] ?? '').split(separator).map(name => name.trim())
  const wanted = COLUMNS.map(name => spec.columns?.[name] ?? name)
  // A home with one phase has no others.
  const places = wanted.map(name => head.indexOf(name))
  const missing = wanted.filter((_, k) => k < 2 && places[k] === -1)
  if (missing.length > 0)
    return refused(missing.map(name => `no column '${name}', there are ${head.join(', ')}`))

  const times: number[] = []
  const lines: number[][] = [[], [], []]
  const faults: string[] = []
  for (const [k, row] of rows.slice(1).entries()) {
    const cells = row.split(separator)
    const [t, ...amperes] = places.map(place =>
      place === -1 ? 0 : Number(cells[place]?.trim() || NaN),
    )
    const before = times.at(-1)
    const where = `row ${k + 2}`
    if (![t, ...amperes].every(Number.isFinite))
      faults.push(`${where}: '${row}' is no row of numbers`)
    else if (before !== undefined && t! <= before)
      faults.push(`${where}: ${t} s follows ${before} s, times have to rise`)
    else {
      if (before !== undefined && t! - before > LONGEST_GAP_S)
        faults.push(
          `${where}: a gap of ${t! - before} s begins at ${before} s, at most ${LONGEST_GAP_S} are held`,
        )
      times.push(t!)
      for (const line of [0, 1, 2]) lines[line]!.push(amperes[line]! * (spec.scale ?? 1))
    }
  }
  const seconds = times.length === 0 ? 0 : Math.floor(times.at(-1)! - times[0]!)
  if (seconds < LEAST_S && faults.length === 0)
    faults.push(`${seconds} s long, at least ${LEAST_S} are needed`)
  if (faults.length > 0) return refused(faults)
  return {
    ok: true,
    recording: {
      seconds,
      amperes: [
        held(times, lines[0]!, seconds),
        held(times, lines[1]!, seconds),
        held(times, lines[2]!, seconds),
      ],
      repeat: spec.repeat ?? true,
    },
  }
}

function refused(faults: readonly string[]): ReadRecording {
  const problems = faults.slice(0, MOST_PROBLEMS).map(message => ({ path: 'house.csv', message }))
  if (faults.length > MOST_PROBLEMS)
    problems.push({ path: 'house.csv', message: `and ${faults.length - MOST_PROBLEMS} rows more` })
  return { ok: false, problems }
}

function held(times: readonly number[], values: readonly number[], seconds: number): Float32Array {
  const result = new Float32Array(seconds)
  let row = 0
  for (let s = 0; s < seconds; s++) {
    while (row + 1 < times.length && times[row + 1]! <= times[0]! + s) row++
    result[s] = values[row]!
  }
  return result
}

/** A stretch of the recording that begins at second `from`; it starts over at its end. */
export function recordedLoad(recording: Recording, from: number, seconds: number): Load {
  const load = newLoad(seconds)
  for (const line of [0, 1, 2] as const)
    for (let s = 0; s < seconds; s++)
      load.activeA[line][s] = recording.amperes[line][(from + s) % recording.seconds]!
  return load
}
