/**
 * Files about a meter: keys of protected telegrams (from a systemd credential or a file, never from a command line or
 * the configuration), and profiles of meters that are not built in.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type KeyRing, NO_KEYS, parseKeyRing } from '../dlms/keys.ts'
import { AmpacityError } from '../errors.ts'

/** Credential that is used without being named. */
const USUAL_CREDENTIAL = 'han-keys'

/**
 * Reads a keys file, JSON or YAML.
 *
 * @throws AmpacityError FILE_UNREADABLE; KEYS_INVALID with one line for each problem, no key in it
 */
export async function loadKeys(path: string): Promise<KeyRing> {
  const parsed = parseKeyRing((await readYaml(path, 'KEYS_INVALID')) ?? {})
  if (parsed.ok) return parsed.value
  const lines = parsed.problems.map(p => `  ${p.path || 'file'}: ${p.message}`)
  throw new AmpacityError('KEYS_INVALID', [`${path}:`, ...lines].join('\n'))
}

/**
 * Reads the profile of a further meter, JSON or YAML; the decoder says what is wrong with it.
 *
 * @throws AmpacityError FILE_UNREADABLE, CONFIG_INVALID
 */
export function loadProfile(path: string): Promise<unknown> {
  return readYaml(path, 'CONFIG_INVALID')
}

/** The keys a configuration names, else the usual credential where there is one, else none. */
export async function configuredKeys(
  config: { readonly file?: string; readonly credential?: string } | undefined,
  credentials: string | undefined,
): Promise<KeyRing> {
  if (config?.file !== undefined) return loadKeys(config.file)
  const name = config?.credential
  if (credentials === undefined) {
    if (name === undefined) return NO_KEYS
    throw new AmpacityError(
      'KEYS_INVALID',
      `credential ${name}: systemd handed over none; add LoadCredential=${name}:/path/of/keys to the unit, or use keys.file`,
    )
  }
  if (name !== undefined) return loadKeys(join(credentials, name))
  try {
    return await loadKeys(join(credentials, USUAL_CREDENTIAL))
  } catch (error) {
    if (error instanceof AmpacityError && error.code === 'FILE_UNREADABLE') return NO_KEYS
    throw error
  }
}

/** What a file says; the parser's own words are left out, because they quote lines that may hold a key. */
async function readYaml(path: string, code: 'KEYS_INVALID' | 'CONFIG_INVALID'): Promise<unknown> {
  const { LineCounter, parseDocument } = await import('yaml')
  const lines = new LineCounter()
  const document = parseDocument(await read(path), { lineCounter: lines, prettyErrors: false })
  const [wrong] = document.errors
  if (wrong === undefined) return document.toJS()
  const { line } = lines.linePos(wrong.pos[0])
  throw new AmpacityError(code, `${path}: line ${line} is neither JSON nor YAML`)
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${found}`, { cause })
  }
}
