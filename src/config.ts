/**
 * The configuration file: YAML (JSON is YAML too), checked as a whole before anything starts. Amperes, volts, seconds;
 * secrets are files, never values.
 */
import { readFile } from 'node:fs/promises'
import { type Document, LineCounter, parse, parseDocument } from 'yaml'
import { describe, type Located, type Path, problem, problemsOf } from './config-problems.ts'
import { CONFIG_SCHEMA } from './config-schema.ts'
import { checkSource, isItalian, type MqttAccess, type SourceConfig } from './config-source.ts'
import type { ControlConfig } from './control/parameters.ts'
import { AmpacityError, type Parsed } from './errors.ts'
import type { LogLevel } from './io/log.ts'
import type { OutputConfig } from './output-config.ts'

export type { FileOutputConfig, ModbusOutputConfig, OutputConfig } from './output-config.ts'

/** Where the meter's keys are: a file of the form that \`decode --keys\` takes, or the name of a systemd credential. */
export interface KeysConfig {
  readonly file?: string
  readonly credential?: string
}

/** The broker. */
export interface MqttConfig extends MqttAccess {
  /** Default `ampacity/<device.id>`. */
  readonly base?: string
}

/** The file's content. What the control core uses has the names and units of {@link ControlConfig}. */
export interface Config extends ControlConfig {
  readonly device?: {
    readonly id?: string
    /** Folder for what must survive a restart; default the one that systemd gives. */
    readonly stateDir?: string
  }
  readonly installation?: NonNullable<ControlConfig['installation']> & {
    /** IANA name. */
    readonly timezone?: string
  }
  readonly meter?: NonNullable<ControlConfig['meter']> & {
    /** Id of a decoder; `auto` (default) = by content. */
    readonly decoder?: string
    readonly source?: SourceConfig
    /** Files of profiles that are not built in, JSON or YAML. */
    readonly profiles?: readonly string[]
    /** Checked by the decoder. */
    readonly options?: { readonly [key: string]: unknown }
  }
  readonly keys?: KeysConfig
  readonly outputs?: readonly OutputConfig[]
  readonly mqtt?: MqttConfig
  readonly log?: { readonly level?: LogLevel }
}

/**
 * Reads a configuration file and applies settings of the form `installation.mainFuseA=20` over it. Without a path only
 * the settings count.
 *
 * @throws AmpacityError FILE_UNREADABLE; CONFIG_INVALID with one line for each problem
 */
export async function loadConfig(
  path: string | undefined,
  settings: readonly string[] = [],
): Promise<Config> {
  const parsed = parseConfig(path === undefined ? '' : await read(path), settings)
  if (parsed.ok) return parsed.value
  const { length } = parsed.problems
  const lines = parsed.problems.map(({ path, message }) => `  ${path}: ${message}`)
  const title = `${path ?? '--set'}: ${length === 1 ? 'one problem' : `${length} problems`}`
  throw new AmpacityError('CONFIG_INVALID', [title, ...lines].join('\n'))
}

/** The configuration in a text, or every problem found in it, each with its line where it stands in the text. */
export function parseConfig(text: string, settings: readonly string[] = []): Parsed<Config> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos }) =>
      problem([], `line ${lines.linePos(pos[0]).line}: ${message}`),
    )
    return { ok: false, problems }
  }
  const inText = document.clone()
  const wrongSettings = settings.flatMap(setting => apply(document, setting))
  const data = withoutEmptySections(document.toJS() ?? {})
  const located = [...wrongSettings, ...check(data)]
  if (located.length === 0) return { ok: true, value: data as Config }
  const problems = located.map(({ at, path, message }) => {
    const isSet = settings.some(setting => setting.startsWith(`${path}=`))
    const line = isSet ? undefined : lineOf(inText, lines, at)
    return { path, message: line === undefined ? message : `line ${line}: ${message}` }
  })
  return { ok: false, problems }
}

/** Every problem of the parts, then of how the parts that are right fit together. */
function check(data: unknown): readonly Located[] {
  const result = CONFIG_SCHEMA.safeParse(data)
  if (result.success) return crossCheck(result.data)
  const problems = problemsOf(result.error.issues, CONFIG_SCHEMA, data)
  let rest = data
  // First only what is wrong is left out; a section that then lacks something, as a whole.
  for (const depth of [Number.POSITIVE_INFINITY, 1]) {
    const left = CONFIG_SCHEMA.safeParse(rest)
    if (left.success) break
    const wrong = problemsOf(left.error.issues, CONFIG_SCHEMA, rest)
    rest = without(
      rest,
      wrong.map(({ at }) => at.slice(0, depth)),
    )
  }
  const right = CONFIG_SCHEMA.safeParse(rest)
  return right.success ? [...problems, ...crossCheck(right.data)] : problems
}

function crossCheck(config: Config): readonly Located[] {
  const { installation = {}, chargePoint = {}, control = {}, meter = {}, outputs = [] } = config
  const { keys } = config
  const problems: Located[] = []
  const wrong = (at: Path, message: string) => problems.push(problem(at, message))
  const { mainFuseA } = installation
  const lines = installation.phases ?? 3
  if (Array.isArray(mainFuseA) && mainFuseA.length !== lines)
    wrong(
      ['installation', 'mainFuseA'],
      `found ${mainFuseA.length} ratings for ${lines} lines, expected one for each line, or a single number`,
    )
  if (chargePoint.phases === 3 && lines === 1)
    wrong(['chargePoint', 'phases'], 'found 3, expected 1: the installation has one phase')
  const beyond = chargePoint.lines?.find(line => line > lines)
  if (beyond !== undefined)
    wrong(
      ['chargePoint', 'lines'],
      `found line ${beyond}, expected 1 to ${lines}: the installation has no other`,
    )
  const { minA = 6, maxA = 32 } = chargePoint
  if (minA > maxA)
    wrong(['chargePoint', 'minA'], `found ${minA}, expected at most maxA, which is ${maxA}`)
  const { failsafeA = 0 } = control
  if (failsafeA !== 0 && (failsafeA < minA || failsafeA > maxA))
    wrong(
      ['control', 'failsafeA'],
      `found ${failsafeA}, expected 0 (pause) or a number of amperes from ${minA} to ${maxA}`,
    )
  const { validForS = 30, resendS = 10 } = control
  if (resendS * 2 > validForS)
    wrong(
      ['control', 'resendS'],
      `found ${resendS}, expected at most ${validForS / 2}, half of validForS: one lost command must not end charging`,
    )
  const { resume0S = 60, resumeMaxS = 600 } = control
  if (resume0S > resumeMaxS)
    wrong(
      ['control', 'resume0S'],
      `found ${resume0S}, expected at most resumeMaxS, which is ${resumeMaxS}`,
    )
  if (
    installation.night541 === true &&
    installation.limiter === undefined &&
    !isItalian(meter.decoder, meter.source)
  )
    wrong(['installation', 'night541'], 'found true, expected it with limiter: italy')
  problems.push(...checkSource(meter.source))
  if (keys !== undefined && (keys.file === undefined) === (keys.credential === undefined))
    wrong(['keys'], `found ${describe(keys)}, expected one of file and credential`)
  for (const [i, { id }] of outputs.entries())
    if (outputs.findIndex(other => other.id === id) < i)
      wrong(['outputs', i, 'id'], `found '${id}' a second time, expected another name`)
  return problems
}

/** `a.b=value` into the document; what is wrong with it, if anything. */
function apply(document: Document, setting: string): readonly Located[] {
  const [, path, value] = /^([^=\s]+)=(.*)$/s.exec(setting) ?? []
  if (path === undefined || value === undefined)
    return [
      problem(
        ['--set'],
        `found '${setting}', expected path=value, as in installation.mainFuseA=20`,
      ),
    ]
  const keys = path.split('.').map(key => (/^\d+$/.test(key) ? Number(key) : key))
  try {
    document.setIn(keys, document.createNode(parse(value)))
    return []
  } catch (error) {
    return [problem(['--set'], `'${setting}' cannot be applied: ${(error as Error).message}`)]
  }
}

/** A section whose values are all commented out is as good as absent. */
function withoutEmptySections(data: unknown): unknown {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data
  return Object.fromEntries(Object.entries(data).filter(([, section]) => section !== null))
}

/** The data without the values at these paths. */
function without(data: unknown, paths: readonly Path[]): unknown {
  const copy = structuredClone(data)
  for (const at of paths) {
    const parent = at
      .slice(0, -1)
      .reduce<unknown>(
        (value, key) => (value as { [key: string]: unknown } | undefined)?.[key],
        copy,
      )
    if (Array.isArray(parent)) continue
    if (typeof parent === 'object' && parent !== null)
      Reflect.deleteProperty(parent, String(at.at(-1)))
  }
  return copy
}

/** Line of the value in the text; `undefined` for what came from elsewhere. */
function lineOf(document: Document, lines: LineCounter, at: Path): number | undefined {
  const node = at.length === 0 ? undefined : document.getIn(at, true)
  const range = (node as { range?: readonly number[] } | undefined)?.range
  return range === undefined ? undefined : lines.linePos(range[0]!).line
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${found}`, { cause })
  }
}
