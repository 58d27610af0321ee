/** Runs a command line in this process and collects what it prints. */
import { Writable } from 'node:stream'
import { auto, decoders } from '../decoders/index.ts'
import { main } from '../src/cli.ts'

export interface CliResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON lines. */
  // biome-ignore lint/suspicious/noExplicitAny: what is printed is what the tests look into.
  readonly lines: any[]
}

function sink(): [stream: Writable, text: () => string] {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(Buffer.from(chunk))
      done()
    },
  })
  return [stream, () => Buffer.concat(chunks).toString()]
}

async function* chunksOf(
  stdin: readonly (Uint8Array | string)[],
): AsyncGenerator<Uint8Array | string> {
  yield* stdin
}

/** `stdin` is given in these chunks; the signal ends long commands. */
export async function runCli(
  args: readonly string[],
  stdin: readonly (Uint8Array | string)[] = [],
  signal: AbortSignal = new AbortController().signal,
): Promise<CliResult> {
  const [stdout, out] = sink()
  const [stderr, err] = sink()
  const status = await main(args, {
    stdout,
    stderr,
    stdin: chunksOf(stdin),
    decoders: [auto, ...decoders],
    signal,
  })
  const text = out()
  const lines = text.startsWith('{')
    ? text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line))
    : []
  return { status, stdout: text, stderr: err(), lines }
}
