/** Profiles from files: those that come with the program, and a maker's own. */
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'
import { AmpacityError } from '../../errors.ts'
import type { ChargerProfile } from './profile.ts'
import { parseChargerProfile } from './profile-schema.ts'

const SHIPPED = fileURLToPath(new URL('../profiles/', import.meta.url))

/** Ids of the profiles that come with the program, in the order of the alphabet. */
export function shippedProfileIds(): readonly string[] {
  return readdirSync(SHIPPED)
    .filter(name => name.endsWith('.json'))
    .map(name => basename(name, '.json'))
    .sort()
}

/** Every profile that comes with the program. */
export function shippedProfiles(): readonly ChargerProfile[] {
  return shippedProfileIds().map(id => {
    const path = `${SHIPPED}${id}.json`
    return profileOf(readFileSync(path, 'utf8'), path)
  })
}

/**
 * The profile with this id, or in this file: what contains a slash or ends in .json, .yaml or .yml is the path of a
 * file, seen from `folder`.
 *
 * @throws AmpacityError PROFILE_UNKNOWN, FILE_UNREADABLE; PROFILE_INVALID with one line for each problem
 */
export async function loadProfile(name: string, folder: string): Promise<ChargerProfile> {
  const isFile = name.includes('/') || /\.(json|ya?ml)$/.test(name)
  const ids = shippedProfileIds()
  if (!isFile && !ids.includes(name))
    throw new AmpacityError('PROFILE_UNKNOWN', `no profile '${name}', there are ${ids.join(', ')}`)
  const path = isFile ? resolve(folder, name) : `${SHIPPED}${name}.json`
  let content: string
  try {
    content = await readFile(path, 'utf8')
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${found}`, { cause })
  }
  return profileOf(content, path)
}

function profileOf(content: string, path: string): ChargerProfile {
  const fail = (lines: readonly string[]) => {
    const title = `${path}: ${lines.length === 1 ? 'one problem' : `${lines.length} problems`}`
    return new AmpacityError('PROFILE_INVALID', [title, ...lines.map(l => `  ${l}`)].join('\n'))
  }
  let raw: unknown
  try {
    raw = path.endsWith('.json') ? JSON.parse(content) : parse(content)
  } catch (error) {
    throw fail([(error as Error).message])
  }
  const parsed = parseChargerProfile(raw)
  if (!parsed.ok) throw fail(parsed.problems.map(({ path: at, message }) => `${at}: ${message}`))
  const { profile } = parsed.value
  const name = basename(path).replace(/\.(json|ya?ml)$/, '')
  if (profile !== name)
    throw fail([`profile: found '${profile}', expected '${name}', the name of the file`])
  return parsed.value
}
