/** What commands share: arguments, printing, decoders by id. */
import { type ParseArgsConfig, parseArgs } from 'node:util'
import type { DecoderDefinition } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import type { Payload } from '../payload.ts'

/** What a command may touch. Tests hand in their own. */
export interface CommandIo {
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stdin: AsyncIterable<Uint8Array | string>
  /** Decoders by id; the first recognises by content. */
  readonly decoders: readonly DecoderDefinition[]
  /** Aborts when the user ends the program. */
  readonly signal: AbortSignal
}

/** A command: its own arguments in, exit status out. */
export interface Command {
  readonly name: string
  /** One line for the overview. */
  readonly summary: string
  /** One screen, with an example. */
  readonly help: string
  run(args: readonly string[], io: CommandIo): Promise<number>
}

/** Options that every command understands the same way. */
type Options = NonNullable<ParseArgsConfig['options']>

/** Parses arguments; throws AmpacityError USAGE with what was found. */
export function readArgs<T extends Options>(
  args: readonly string[],
  options: T,
  positionals: { readonly least: number; readonly most: number; readonly name: string },
): ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>> {
  let parsed: ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true }>>
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    // parseArgs throws a TypeError that says which argument it did not understand.
    throw new AmpacityError('USAGE', firstSentence((error as Error).message))
  }
  const found = parsed.positionals.length
  if (found < positionals.least) throw new AmpacityError('USAGE', `${positionals.name} is missing`)
  if (found > positionals.most)
    throw new AmpacityError(
      'USAGE',
      `unexpected argument '${parsed.positionals[positionals.most]}'`,
    )
  return parsed
}

function firstSentence(message: string): string {
  return message.split('. ')[0]!.replace(/\.$/, '')
}

/** Value of an option that must be one of a few words. */
export function choice<T extends string>(
  name: string,
  value: string | undefined,
  words: readonly T[],
): T {
  const found = value ?? words[0]!
  if (!(words as readonly string[]).includes(found))
    throw new AmpacityError('USAGE', `--${name} ${found}: expected ${words.join(', ')}`)
  return found as T
}

/** The decoder with this id. */
export function decoderById(io: CommandIo, id: string): DecoderDefinition {
  const found = io.decoders.find(d => d.id === id)
  if (found === undefined)
    throw new AmpacityError(
      'DECODER_UNKNOWN',
      `no decoder '${id}', there are ${io.decoders.map(d => d.id).join(', ')}`,
    )
  return found
}

/** Options of a decoder, checked; throws AmpacityError CONFIG_INVALID with every problem. */
export function decoderOptions(definition: DecoderDefinition, raw: unknown): unknown {
  const parsed = definition.parseOptions(raw)
  if (parsed.ok) return parsed.value
  throw new AmpacityError(
    'CONFIG_INVALID',
    parsed.problems.map(p => `${p.path}: ${p.message}`).join('; '),
  )
}

/** Prints lines in blocks, waiting while the reader is slower. */
export class Printer {
  private readonly stream: NodeJS.WritableStream
  private block = ''

  constructor(stream: NodeJS.WritableStream) {
    this.stream = stream
  }

  line(text: string): void {
    this.block += `${text}\n`
  }

  json(payload: Payload): void {
    this.line(JSON.stringify(payload))
  }

  /** Writes what was collected; call it when nothing more is to be had at once. */
  async flush(): Promise<void> {
    if (this.block === '') return
    const { block } = this
    this.block = ''
    if (!this.stream.write(block))
      await new Promise<void>(resolve => {
        this.stream.once('drain', resolve)
        this.stream.once('close', resolve)
      })
  }
}
