/** Why a serial port could not be opened, as an error a person can act on. */
import { constants } from 'node:fs'
import { access, readdir, stat } from 'node:fs/promises'
import { AmpacityError, type ErrorCode } from '../errors.ts'

/** Where the names of USB adapters stay the same from one boot to the next. */
const BY_ID = '/dev/serial/by-id'

/** Words of the serial library for what went wrong; it gives no codes. */
const WORDS: readonly (readonly [RegExp, ErrorCode])[] = [
  [/cannot lock port|resource busy|resource temporarily unavailable/i, 'PORT_BUSY'],
  [/permission denied|access denied/i, 'PORT_DENIED'],
  [/no such (file|device)|file not found/i, 'PORT_MISSING'],
]

/** PORT_MISSING, PORT_DENIED, PORT_BUSY or PORT_UNUSABLE, with what was found. */
export async function serialError(path: string, cause: unknown): Promise<AmpacityError> {
  const said = cause instanceof Error ? cause.message : String(cause)
  const fail = (code: ErrorCode, found: string) =>
    new AmpacityError(code, `${path}: ${found}`, { cause })
  const file = await stat(path).catch(() => undefined)
  if (file === undefined) return fail('PORT_MISSING', `there is no such port${await present()}`)
  if (!file.isCharacterDevice()) {
    const kind = file.isDirectory() ? 'a folder' : file.isFile() ? 'a plain file' : 'no port'
    return fail('PORT_UNUSABLE', `this is ${kind}`)
  }
  const mayUse = await access(path, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!mayUse) {
    const mode = (file.mode & 0o777).toString(8)
    return fail('PORT_DENIED', `permission denied, its mode is ${mode} and its group ${file.gid}`)
  }
  const code = WORDS.find(([words]) => words.test(said))?.[1] ?? 'PORT_UNUSABLE'
  return fail(code, code === 'PORT_BUSY' ? `another program has it open (${said})` : said)
}

/** The adapters that are plugged in, so that a wrong name shows at once. */
async function present(): Promise<string> {
  try {
    const names = await readdir(BY_ID)
    return names.length === 0 ? '' : `; plugged in: ${names.map(n => `${BY_ID}/${n}`).join(', ')}`
  } catch {
    // No adapter is plugged in, or the system does not name them.
    return ''
  }
}
