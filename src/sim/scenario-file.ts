/** Reads scenarios from files: those that are shipped, by name, and one's own, which may extend them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { AmpacityError, type Problem } from '../errors.ts'
import { type Recording, readRecording } from './recording.ts'
import { type Scenario, scenarioOf } from './scenario.ts'
import type { ScenarioFile } from './scenario-form.ts'
import { problemsOfScenario, problemsOfWhole } from './scenario-schema.ts'

/** Longest chain of `extends`. */
const MOST_ANCESTORS = 8

/** Folder of the shipped scenarios: beside `src` in a checkout, two levels above it in the package. */
function shippedFolder(): string {
  const found = ['../../fixtures/scenarios/', '../../../fixtures/scenarios/']
    .map(path => fileURLToPath(new URL(path, import.meta.url)))
    .find(path => existsSync(path))
  if (found === undefined)
    throw new AmpacityError('FILE_UNREADABLE', 'the shipped scenarios are missing')
  return found
}

/** Names of the shipped scenarios, letters first. */
export function shippedScenarios(): readonly string[] {
  return readdirSync(shippedFolder())
    .filter(name => name.endsWith('.json'))
    .map(name => basename(name, '.json'))
    .sort((a, b) => Number(a.length > 1) - Number(b.length > 1) || a.localeCompare(b))
}

/**
 * The scenario of a shipped name or of a file. Throws AmpacityError FILE_UNREADABLE, or CONFIG_INVALID with every
 * problem found.
 */
export function loadScenario(name: string): Scenario {
  const { file, folder } = read(pathOf(name), 0)
  const recording = file.house === undefined ? undefined : recordingOf(file, folder)
  return check(name, file, recording)
}

/** The same from what was already parsed; paths of recordings are taken from `folder`. */
export function scenarioFrom(raw: unknown, folder: string = '.'): Scenario {
  const { file } = extended(raw, 'scenario', folder, 0)
  const recording = file.house === undefined ? undefined : recordingOf(file, folder)
  return check('scenario', file, recording)
}

function check(name: string, file: ScenarioFile, recording: Recording | undefined): Scenario {
  refuse(name, problemsOfWhole(file))
  const scenario = scenarioOf(file, recording)
  if (recording !== undefined && !recording.repeat && recording.seconds < scenario.seconds)
    refuse(name, [
      {
        path: 'house.csv',
        message: `${recording.seconds} s long and not to be repeated, expected ${scenario.seconds} s, or fewer hours`,
      },
    ])
  return scenario
}

/** A shipped name, else a path. */
function pathOf(name: string): string {
  const shipped = join(shippedFolder(), `${name}.json`)
  if (/^[\w-]+$/.test(name) && existsSync(shipped)) return shipped
  if (existsSync(name)) return name
  throw new AmpacityError(
    'FILE_UNREADABLE',
    `no scenario '${name}', there are ${shippedScenarios().join(', ')} and files of one's own`,
  )
}

interface Found {
  readonly file: ScenarioFile
  /** Where the recording it names lies. */
  readonly folder: string
}

function read(path: string, depth: number): Found {
  let raw: unknown
  try {
    raw = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    const detail = (cause as Error).message
    if (cause instanceof SyntaxError)
      throw new AmpacityError('CONFIG_INVALID', `${path}: no JSON: ${detail}`)
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${detail}`, { cause })
  }
  return extended(raw, path, dirname(path), depth)
}

function extended(raw: unknown, name: string, folder: string, depth: number): Found {
  refuse(name, problemsOfScenario(raw))
  const file: ScenarioFile = { id: basename(name, '.json'), ...(raw as ScenarioFile) }
  if (file.extends === undefined) return { file, folder }
  if (depth >= MOST_ANCESTORS)
    refuse(name, [{ path: 'extends', message: 'found a circle, expected an end' }])
  const shipped = join(shippedFolder(), `${file.extends}.json`)
  if (!existsSync(shipped))
    refuse(name, [
      {
        path: 'extends',
        message: `found '${file.extends}', expected one of ${shippedScenarios().join(', ')}`,
      },
    ])
  const { file: parent, folder: parentFolder } = read(shipped, depth + 1)
  // A recorded house takes the place of the generated one.
  const { loads, ...without } = parent
  const base = file.house === undefined && loads !== undefined ? parent : without
  return {
    file: merged(base, file) as ScenarioFile,
    folder: file.house === undefined ? parentFolder : folder,
  }
}

/** Objects are merged key by key, lists are replaced; the one charge point is an object in a list. */
function merged(parent: unknown, own: unknown, key = ''): unknown {
  if (key === 'charge_points') return [merged((parent as [unknown])[0], (own as [unknown])[0])]
  if (!isPlain(parent) || !isPlain(own)) return own
  const result: { [key: string]: unknown } = { ...parent }
  for (const [name, value] of Object.entries(own))
    result[name] = name in parent ? merged(parent[name], value, name) : value
  return result
}

function isPlain(value: unknown): value is { readonly [key: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordingOf(file: ScenarioFile, folder: string): Recording {
  const spec = file.house!
  const path = isAbsolute(spec.csv) ? spec.csv : join(folder, spec.csv)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (cause) {
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${(cause as Error).message}`, { cause })
  }
  const result = readRecording(text, spec)
  if (!result.ok) refuse(path, result.problems)
  return (result as { recording: Recording }).recording
}

function refuse(name: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return
  const lines = problems.map(({ path, message }) => `  ${path}: ${message}`)
  const title = `${name}: ${problems.length === 1 ? 'one problem' : `${problems.length} problems`}`
  throw new AmpacityError('CONFIG_INVALID', [title, ...lines].join('\n'))
}
