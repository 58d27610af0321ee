/**
 * Recordings: JSON lines with the instant of every chunk, or plain files of hex digits or bytes.
 *
 *     {"capture":1,"started_at":"2026-01-05T11:00:00.000Z","source":"/dev/ttyUSB0","serial":{"baud":2400,"format":"8E1"}}
 *     {"at_ms":0,"hex":"7ea027…"}
 *     {"at_ms":2008,"hex":"7ea027…"}
 *
 * A plain file has no instants. They come from `chunks_ms_and_bytes` of an `index.json` beside it that names it, else
 * the bytes arrive as a 2400 baud line would deliver them.
 */
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { formatLine, type SerialSettings } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'

/** Bytes that arrived together; `atMs` counts from the start of the input and is that of the last byte. */
export interface Chunk {
  readonly atMs: number
  readonly bytes: Uint8Array
}

/** First line of a recording. */
export interface CaptureHeader {
  /** ISO 8601 in UTC. */
  readonly startedAt?: string
  /** Where the bytes came from, as a person would name it. */
  readonly source?: string
  readonly serial?: { readonly baud: number; readonly format: string }
}

/** How an input is to be read; `auto` takes a recording as such and hex where there is nothing else in it. */
export type InputForm = 'auto' | 'hex' | 'binary' | 'text'

/** What an input held. `chunks` can be walked through more than once. */
export interface Recording {
  readonly form: 'capture' | 'hex' | 'binary' | 'text'
  readonly header?: CaptureHeader
  /** Everything, in one piece. */
  readonly bytes: Uint8Array
  readonly chunks: Iterable<Chunk>
}

/** Format version written and understood. */
const VERSION = 1

/** Pace of a plain file without instants: the line of a Norwegian meter, start, 8 data, parity and stop bit. */
const BAUD = 2400
const BITS_PER_BYTE = 11

/**
 * Content of a file, or of standard input for `-`.
 *
 * @throws AmpacityError FILE_UNREADABLE
 */
export async function readInput(
  path: string,
  stdin: AsyncIterable<Uint8Array | string> = process.stdin,
): Promise<Uint8Array> {
  if (path !== '-') {
    try {
      return await readFile(path)
    } catch (cause) {
      throw new AmpacityError('FILE_UNREADABLE', `${path}: ${reason(cause)}`, { cause })
    }
  }
  const parts: Uint8Array[] = []
  for await (const part of stdin) parts.push(typeof part === 'string' ? Buffer.from(part) : part)
  return Buffer.concat(parts)
}

/**
 * Reads a recording from a file (or `-`), with the instants its `index.json` gives.
 *
 * @throws AmpacityError FILE_UNREADABLE, INPUT_EMPTY, INPUT_NOT_HEX, CAPTURE_INVALID
 */
export async function loadRecording(
  path: string,
  form: InputForm = 'auto',
  stdin?: AsyncIterable<Uint8Array | string>,
): Promise<Recording> {
  const recording = parseRecording(await readInput(path, stdin), form, path)
  if (path === '-' || recording.form === 'capture') return recording
  const timing = await timingBeside(path)
  if (timing === undefined) return recording
  return { ...recording, chunks: cut(recording.bytes, timing, path) }
}

/**
 * Reads a recording from the content of a file. `name` is what messages call it.
 *
 * @throws AmpacityError INPUT_EMPTY, INPUT_NOT_HEX, CAPTURE_INVALID, each with the line where there are lines
 */
export function parseRecording(
  content: Uint8Array,
  form: InputForm = 'auto',
  name = 'input',
): Recording {
  const found = form === 'auto' ? detect(content) : form
  if (found === 'capture') return parseCapture(text(content), name)
  const bytes = found === 'hex' ? parseHexFile(text(content), name) : content
  if (bytes.length === 0) throw new AmpacityError('INPUT_EMPTY', `${name} holds no bytes`)
  return { form: found, bytes, chunks: paced(bytes) }
}

/** First line of a recording, with its line end. */
export function captureHeaderLine(header: {
  readonly startedAt: string
  readonly source: string
  readonly serial?: SerialSettings
}): string {
  const { startedAt, source, serial } = header
  return `${JSON.stringify({
    capture: VERSION,
    started_at: startedAt,
    source,
    ...(serial && { serial: { baud: serial.baudRate, format: formatLine(serial) } }),
  })}\n`
}

/** One chunk of a recording, with its line end. */
export function captureChunkLine(chunk: Chunk): string {
  return `${JSON.stringify({ at_ms: chunk.atMs, hex: Buffer.from(chunk.bytes).toString('hex') })}\n`
}

/** Chunks as a line of `baud` delivers them, one a byte; `atMs` is when the byte had arrived, whole ms. */
export function paced(bytes: Uint8Array, baud: number = BAUD): Iterable<Chunk> {
  const msPerByte = (BITS_PER_BYTE * 1000) / baud
  return {
    *[Symbol.iterator](): Generator<Chunk> {
      for (let i = 0; i < bytes.length; i += 1)
        yield { atMs: Math.round((i + 1) * msPerByte), bytes: bytes.subarray(i, i + 1) }
    },
  }
}

function detect(content: Uint8Array): Recording['form'] {
  const start = text(content.subarray(0, 200)).trimStart()
  if (/^\{\s*"capture"\s*:/.test(start)) return 'capture'
  // Latin-1 keeps every byte one character, so that nothing but hex digits can look like them.
  const digits = stripComments(
    Buffer.from(content)
      .toString('latin1')
      .replace(/^\xef\xbb\xbf/, ''),
  )
  return NOT_HEX.test(digits) ? 'binary' : 'hex'
}

const NOT_HEX = /[^0-9a-fA-F\s]/

function stripComments(hex: string): string {
  return hex.replace(/#[^\n]*/g, '')
}

function parseHexFile(content: string, name: string): Uint8Array {
  const lines = content.split('\n')
  for (const [i, line] of lines.entries()) {
    const wrong = NOT_HEX.exec(stripComments(line))
    if (wrong !== null)
      throw new AmpacityError(
        'INPUT_NOT_HEX',
        `${name}, line ${i + 1}, column ${wrong.index + 1}: found ${JSON.stringify(wrong[0])}, expected hex digits, white space or a # comment`,
      )
  }
  const digits = lines.map(line => stripComments(line).replace(/\s/g, ''))
  const joined = digits.join('')
  if (joined.length % 2 !== 0) {
    const last = digits.findLastIndex(line => line !== '') + 1
    const odd = digits.findIndex(line => line.length % 2 !== 0) + 1
    throw new AmpacityError(
      'INPUT_NOT_HEX',
      `${name}, line ${odd}: ${joined.length} hex digits up to line ${last}, expected two for each byte`,
    )
  }
  return Buffer.from(joined, 'hex')
}

function parseCapture(content: string, name: string): Recording {
  const chunks: Chunk[] = []
  let header: CaptureHeader | undefined
  for (const [i, line] of content.split('\n').entries()) {
    if (line.trim() === '') continue
    const fail = (found: string): never => {
      throw new AmpacityError('CAPTURE_INVALID', `${name}, line ${i + 1}: ${found}`)
    }
    const entry = parseObject(line) ?? fail('found no JSON object; was the recording cut off?')
    if (header === undefined) header = parseHeader(entry, fail)
    else chunks.push(parseChunk(entry, chunks.at(-1)?.atMs ?? 0, fail))
  }
  const bytes = Buffer.concat(chunks.map(chunk => chunk.bytes))
  if (bytes.length === 0) throw new AmpacityError('INPUT_EMPTY', `${name} holds no bytes`)
  return { form: 'capture', header: header!, bytes, chunks }
}

function parseHeader(
  entry: { [key: string]: unknown },
  fail: (found: string) => never,
): CaptureHeader {
  const { capture: version, started_at: startedAt, source, serial } = entry
  if (version !== VERSION) fail(`found capture ${JSON.stringify(version)}, expected ${VERSION}`)
  const line = serial as { baud?: unknown; format?: unknown } | undefined
  return {
    ...(typeof startedAt === 'string' && { startedAt }),
    ...(typeof source === 'string' && { source }),
    ...(typeof line?.baud === 'number' &&
      typeof line.format === 'string' && { serial: { baud: line.baud, format: line.format } }),
  }
}

function parseChunk(
  entry: { [key: string]: unknown },
  previousMs: number,
  fail: (found: string) => never,
): Chunk {
  const { at_ms: atMs, hex } = entry
  if (typeof atMs !== 'number' || !(atMs >= 0))
    return fail(`found at_ms ${JSON.stringify(atMs)}, expected milliseconds from the start`)
  if (atMs < previousMs) return fail(`at_ms goes back from ${previousMs} to ${atMs}`)
  if (typeof hex !== 'string' || hex.length % 2 !== 0 || /[^0-9a-fA-F]/.test(hex))
    return fail('hex must be a text of two hex digits for each byte')
  return { atMs, bytes: Buffer.from(hex, 'hex') }
}

/** Instants of a plain file: pairs of ms and number of bytes, from the index beside it. */
type Timing = readonly (readonly [ms: number, bytes: number])[]

async function timingBeside(path: string): Promise<Timing | undefined> {
  let content: string
  try {
    content = await readFile(join(dirname(path), 'index.json'), 'utf8')
  } catch {
    // No index, or none for us: the usual case.
    return undefined
  }
  const index = parseObject(content)
  const entry = Object.values(index ?? {})
    .flatMap(list => (Array.isArray(list) ? list : []))
    .find(item => item?.file === basename(path))
  const timing: unknown = entry?.chunks_ms_and_bytes
  if (timing === undefined || isTiming(timing)) return timing
  throw new AmpacityError(
    'CAPTURE_INVALID',
    `${path}: chunks_ms_and_bytes of its index.json must be pairs of milliseconds and number of bytes`,
  )
}

function isTiming(value: unknown): value is Timing {
  const isPair = (pair: unknown) =>
    Array.isArray(pair) && pair.length === 2 && pair.every(n => Number.isFinite(n) && n >= 0)
  return Array.isArray(value) && value.every(isPair)
}

function cut(bytes: Uint8Array, timing: Timing, name: string): Chunk[] {
  let offset = 0
  const chunks = timing.map(([atMs, length]) => {
    const chunk = { atMs, bytes: bytes.subarray(offset, offset + length) }
    offset += length
    return chunk
  })
  if (offset !== bytes.length)
    throw new AmpacityError(
      'CAPTURE_INVALID',
      `${name}: its index.json gives instants for ${offset} bytes, the file has ${bytes.length}`,
    )
  return chunks
}

function parseObject(json: string): { [key: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(json)
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    // Not JSON: the caller says what was expected.
    return undefined
  }
}

function text(content: Uint8Array): string {
  return new TextDecoder().decode(content)
}

function reason(cause: unknown): string {
  const code = (cause as { code?: unknown }).code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'permission denied'
  if (code === 'EISDIR') return 'this is a folder'
  return cause instanceof Error ? cause.message : String(cause)
}
