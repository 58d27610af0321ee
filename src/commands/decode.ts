import type { Config } from '../config.ts'
import type { Decoder, DecoderDefinition, DecoderEvent } from '../decoder.ts'
import { startsApdu } from '../dlms/apdu.ts'
import { AmpacityError, EXIT } from '../errors.ts'
import { type InputForm, loadRecording, type Recording } from '../io/capture-file.ts'
import { loadKeys, loadProfile } from '../io/meter-files.ts'
import { startsWithLlc } from '../link/llc.ts'
import { eventLine, type Payload } from '../payload.ts'
import { Coverage } from './coverage.ts'
import {
  type Command,
  type CommandIo,
  choice,
  decoderById,
  decoderOptions,
  Printer,
  readArgs,
} from './io.ts'
import { jsonMessages, piecesOf, startsJson } from './messages.ts'
import { explained, TABLE_HEAD, tableRow } from './render.ts'

/** Options that `decode` and `replay` share. */
export const INPUT_OPTIONS = {
  decoder: { type: 'string' },
  input: { type: 'string' },
  format: { type: 'string' },
  repair: { type: 'string' },
  keys: { type: 'string' },
  profile: { type: 'string', multiple: true },
} as const

export const decode: Command = {
  name: 'decode',
  summary: 'bytes to JSON lines',
  help: `ampacity decode [FILE|-]    bytes to JSON lines, nothing else

  --decoder ID      which decoder (default auto: by content; see \`ampacity decoders\`)
  --input FORM      auto, hex, binary or text (default auto)
  --format FORM     jsonl, table or explain (default jsonl; explain gives every byte its meaning)
  --config FILE     decoder and its options from a configuration (meter.decoder, meter.options)
  --keys FILE       keys of encrypted telegrams, JSON or YAML (form: README)
  --profile NAME    a meter by its id (see \`ampacity decoders\`), or the file of a further one
  --repair crlf     undo a device on the way that puts CR before every LF

Example:  xxd -p meter.bin | ampacity decode --input hex - | jq .active_power_import_w
Exit status: 0 everything understood, 1 something rejected or nothing there, 2 wrong usage.`,

  async run(args, io) {
    const { values, positionals } = readArgs(
      args,
      { ...INPUT_OPTIONS, config: { type: 'string' } },
      { least: 0, most: 1, name: 'FILE' },
    )
    const { decoder = 'auto', options: configured = {} } = await meterOf(values.config)
    const definition = decoderById(io, values.decoder ?? decoder)
    const format = choice('format', values.format, ['jsonl', 'table', 'explain'])
    const form = choice<InputForm>('input', values.input, ['auto', 'hex', 'binary', 'text'])
    const options = { ...configured, ...(await inputOptions(definition, values)) }
    const path = positionals[0] ?? '-'
    if (path === '-' && form !== 'hex' && format !== 'explain') {
      const first = await firstChunk(io)
      const isLive =
        definition.input === 'message'
          ? startsJson(first.chunk)
          : !looksLikeText(first.chunk) && !looksBare(first.chunk)
      if (first.rest !== undefined && isLive)
        return decodeLive(first.chunk, first.rest, definition, options, format, io)
      const recording = await loadRecording('-', form, prepend(first.chunk, first.rest))
      return decodeWhole(recording, definition, options, format, io)
    }
    const recording = await loadRecording(path, form, io.stdin)
    return decodeWhole(recording, definition, options, format, io)
  },
}

/** What a configuration says of the meter; it costs its libraries only where there is one. */
async function meterOf(path: string | undefined): Promise<NonNullable<Config['meter']>> {
  if (path === undefined) return {}
  const { loadConfig } = await import('../config.ts')
  return (await loadConfig(path)).meter ?? {}
}

/** What `decode` and `replay` may be told of the meter. */
interface InputArgs {
  readonly repair?: string | undefined
  readonly keys?: string | undefined
  /** Ids of profiles, or files of further ones. */
  readonly profile?: readonly string[] | undefined
}

/** The decoder options that `--repair`, `--keys` and `--profile` ask for. */
export async function inputOptions(
  definition: DecoderDefinition,
  { repair, keys, profile = [] }: InputArgs,
): Promise<RawOptions> {
  if (profile.length > 0 && definition.profiles === undefined)
    throw new AmpacityError('USAGE', `--profile: ${definition.id} knows no profiles`)
  const files = profile.filter(isFileName)
  const id = profile.find(name => !isFileName(name))
  if (keys !== undefined && definition.usesKeys === undefined)
    throw new AmpacityError('USAGE', `--keys: ${definition.id} reads nothing encrypted`)
  return {
    ...(repair === undefined ? {} : { repair: choice('repair', repair, ['crlf']) }),
    ...(keys === undefined ? {} : { keys: await loadKeys(keys) }),
    ...(id === undefined ? {} : { profile: id }),
    ...(files.length === 0 ? {} : { profiles: await Promise.all(files.map(loadProfile)) }),
  }
}

/** Ids have neither dots nor slashes. */
function isFileName(name: string): boolean {
  return /[./]/.test(name)
}

type RawOptions = { readonly [key: string]: unknown }

/** Line settings matter to a port; bytes alone may also be what other software logged without the frame around it. */
export function createDecoder(
  bytes: Uint8Array,
  definition: DecoderDefinition,
  options: RawOptions,
): Decoder {
  const create = (raw: unknown): Decoder => definition.create(decoderOptions(definition, raw))
  if (definition.input === 'message') return create(options)
  const takesBare = definition.parseOptions({ link: 'none' }).ok
  const isBare = takesBare && looksBare(bytes) && !understandsSome(create(options), bytes)
  return create(isBare ? { ...options, link: 'none' } : options)
}

/** True for what may be an LLC PDU or APDU: such a telegram ends with the input. */
function looksBare(bytes: Uint8Array): boolean {
  return startsWithLlc(bytes, 0, bytes.length) || startsApdu(bytes[0] ?? -1)
}

function understandsSome(decoder: Decoder, bytes: Uint8Array): boolean {
  return [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)].some(
    event => event.type === 'reading',
  )
}

async function decodeWhole(
  recording: Recording,
  definition: DecoderDefinition,
  options: RawOptions,
  format: Format,
  io: CommandIo,
): Promise<number> {
  const { bytes } = recording
  const parsed = decoderOptions(definition, options)
  const explain = (line: Payload) => explained(line, bytes, definition, parsed)
  const { printer, lines } = printed(format, io, explain)
  const decoder = createDecoder(bytes, definition, options)
  for (const { atMs, bytes: piece } of piecesOf(recording, definition)) {
    lines.add(decoder.push(piece, atMs))
    await printer.flush()
  }
  lines.add(decoder.wake(Number.POSITIVE_INFINITY))
  lines.end(bytes.length)
  await printer.flush()
  return lines.status
}

/** Bytes that keep coming: a line is printed as soon as the line after it, or half a second of silence, ends it. */
async function decodeLive(
  first: Uint8Array,
  rest: AsyncIterator<Uint8Array | string>,
  definition: DecoderDefinition,
  options: RawOptions,
  format: Format,
  io: CommandIo,
): Promise<number> {
  const { printer, lines } = printed(format, io)
  const decoder = definition.create(decoderOptions(definition, options))
  const input = prepend(first, rest)
  let received = 0
  let silence: ReturnType<typeof setTimeout> | undefined
  const quiet = (): void => {
    lines.release()
    void printer.flush()
  }
  try {
    for await (const piece of definition.input === 'message' ? jsonMessages(input) : input) {
      clearTimeout(silence)
      const chunk = toBytes(piece)
      lines.add(decoder.push(chunk, 0))
      received += chunk.length
      await printer.flush()
      silence = setTimeout(quiet, SILENCE_MS)
    }
  } finally {
    clearTimeout(silence)
  }
  lines.add(decoder.wake(Number.POSITIVE_INFINITY))
  lines.end(received)
  await printer.flush()
  return lines.status
}

type Format = 'jsonl' | 'table' | 'explain'

/** Lines on their way to standard output in a format; `explain` needs the bytes they stand for. */
function printed(
  format: Format,
  io: CommandIo,
  explain: (line: Payload) => readonly string[] = line => [JSON.stringify(line)],
): { readonly printer: Printer; readonly lines: Lines } {
  const printer = new Printer(io.stdout)
  if (format === 'table') printer.line(TABLE_HEAD)
  const lines = new Lines(line => {
    if (format === 'jsonl') printer.json(line)
    else if (format === 'table') printer.line(tableRow(line))
    else for (const row of explain(line)) printer.line(row)
  })
  return { printer, lines }
}

const SILENCE_MS = 500

/** Events as lines whose spans cover the input, and the exit status they add up to. */
export class Lines {
  status: number = EXIT.rejected
  private understood = 0
  private rejected = 0
  private last = 0
  private readonly coverage: Coverage
  private readonly extra: Payload

  /** `extra` is added to every line. */
  constructor(print: (line: Payload) => void, extra: Payload = {}) {
    this.coverage = new Coverage(print)
    this.extra = extra
  }

  add(events: readonly DecoderEvent[], extra: Payload = this.extra): void {
    for (const event of events) {
      const line = eventLine(event)
      if (line === undefined) continue
      if (event.type === 'rejected') this.rejected++
      else if ('offset' in event) this.understood++
      if ('offset' in event) this.last = event.offset + event.length
      this.coverage.add({ ...line, ...extra })
    }
    this.status = this.understood > 0 && this.rejected === 0 ? EXIT.ok : EXIT.rejected
  }

  /** Adds a line that is no event of a decoder. */
  addLine(line: Payload): void {
    this.coverage.add(line)
  }

  /** Prints what is held back: nothing follows it for now. */
  release(): void {
    this.coverage.release(this.last)
  }

  /** The input ended after `total` bytes; fill without any telegram is a rejected line of its own. */
  end(total: number): void {
    if (this.understood + this.rejected === 0 && total > 0)
      this.coverage.add({
        type: 'rejected',
        code: 'LINK_BAD_FORMAT',
        offset: 0,
        length: total,
        detail: 'only fill bytes, no telegram',
        ...this.extra,
      })
    this.coverage.release(total)
  }
}

async function firstChunk(
  io: CommandIo,
): Promise<{ chunk: Uint8Array; rest: AsyncIterator<Uint8Array | string> | undefined }> {
  const iterator = io.stdin[Symbol.asyncIterator]()
  const { value, done } = await iterator.next()
  if (done) throw new AmpacityError('INPUT_EMPTY', 'standard input holds no bytes')
  return { chunk: toBytes(value), rest: iterator }
}

async function* prepend(
  chunk: Uint8Array,
  rest: AsyncIterator<Uint8Array | string> | undefined,
): AsyncGenerator<Uint8Array | string> {
  yield chunk
  if (rest !== undefined)
    for (let next = await rest.next(); !next.done; next = await rest.next()) yield next.value
}

function toBytes(chunk: Uint8Array | string): Uint8Array {
  return typeof chunk === 'string' ? Buffer.from(chunk) : chunk
}

/** True for printable ASCII and line ends, but the flag `~`: hex, a recording or text, all of which end. */
function looksLikeText(chunk: Uint8Array): boolean {
  return chunk.every(byte => (byte >= 0x20 && byte < 0x7e) || (byte >= 0x09 && byte <= 0x0d))
}
