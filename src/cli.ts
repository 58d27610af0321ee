#!/usr/bin/env -S node --max-semi-space-size=1
/** Arguments, exit statuses, signals. Commands are loaded when they are asked for. */
import { realpathSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { auto, decoders } from '../decoders/index.ts'
import type { Command, CommandIo } from './commands/io.ts'
import { AmpacityError, EXIT } from './errors.ts'

/** Every command there is, in the order of the overview. */
const COMMANDS: readonly [name: string, summary: string, load: () => Promise<Command>][] = [
  [
    'run',
    'the agent; without --config a simulated home',
    async () => (await import('./commands/run.ts')).run,
  ],
  ['decode', 'bytes to JSON lines', async () => (await import('./commands/decode.ts')).decode],
  [
    'replay',
    'a capture through decoder and control core',
    async () => (await import('./commands/replay.ts')).replay,
  ],
  [
    'capture',
    'records what a port or socket delivers',
    async () => (await import('./commands/capture.ts')).capture,
  ],
  [
    'simulate',
    'the closed loop of a scenario, as figures',
    async () => (await import('./commands/simulate.ts')).simulate,
  ],
  [
    'decoders',
    'lists the built-in decoders',
    async () => (await import('./commands/decoders.ts')).listDecoders,
  ],
  [
    'chargers',
    'lists the built-in wallboxes',
    async () => (await import('./commands/chargers.ts')).listChargers,
  ],
  [
    'output-safe',
    'the safe value to every output, then leaves',
    async () => (await import('./commands/output-safe.ts')).outputSafe,
  ],
]

const OVERVIEW = `ampacity reads the smart meter's local port and commands the wallbox's charging current.

${COMMANDS.map(([name, summary]) => `  ampacity ${name.padEnd(13)}${summary}`).join('\n')}

\`ampacity COMMAND --help\` shows options and an example.
Example:  ampacity decode fixtures/norway/aidon-6534-list2.constructed.hex
`

/** Runs one command line and gives its exit status. Everything it touches comes in `io`. */
export async function main(args: readonly string[], io: CommandIo): Promise<number> {
  const [name, ...rest] = args
  try {
    if (name === '--version') {
      io.stdout.write(`${version()}\n`)
      return EXIT.ok
    }
    if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
      io[name === undefined ? 'stderr' : 'stdout'].write(OVERVIEW)
      return name === undefined ? EXIT.usage : EXIT.ok
    }
    const found = COMMANDS.find(([known]) => known === name)
    if (found === undefined)
      throw new AmpacityError(
        'USAGE',
        `unknown command '${name}', there are ${COMMANDS.map(([known]) => known).join(', ')}`,
      )
    const command = await found[2]()
    if (rest.includes('--help') || rest.includes('-h')) {
      io.stdout.write(`${command.help}\n`)
      return EXIT.ok
    }
    return await command.run(rest, io)
  } catch (error) {
    return report(error, io.stderr)
  }
}

/** One message, no stack trace: what was found, what to do, and the code that stays the same. */
function report(error: unknown, stderr: CommandIo['stderr']): number {
  if (error instanceof AmpacityError) {
    stderr.write(`ampacity: ${error.code}: ${error.message}. ${error.remedy}\n`)
    return error.exitStatus
  }
  const message = error instanceof Error ? error.message : String(error)
  stderr.write(
    `ampacity: INTERNAL: ${message}. This is a fault of ampacity: please report it with the command and its input.\n`,
  )
  if (process.env['AMPACITY_DEBUG'] !== undefined && error instanceof Error)
    stderr.write(`${error.stack}\n`)
  return EXIT.internal
}

function version(): string {
  // In a checkout this file is src/cli.ts, in the package dist/src/cli.js.
  const require = createRequire(import.meta.url)
  for (const path of ['../package.json', '../../package.json'])
    try {
      const { name, version } = require(path) as { name: string; version: string }
      if (name === 'ampacity') return version
    } catch {
      // The other layout.
    }
  return 'unknown'
}

async function start(): Promise<void> {
  const stop = new AbortController()
  // The first signal ends in order, the second at once.
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)
    process.on(signal, () => {
      if (stop.signal.aborted || !isLong) process.exit(status)
      stop.abort()
    })
  const isLong = ['run', 'replay', 'capture'].includes(process.argv[2] ?? '')
  for (const stream of [process.stdout, process.stderr])
    stream.on('error', (error: NodeJS.ErrnoException) => {
      // A reader that has seen enough, `head` for instance, is no fault.
      if (error.code === 'EPIPE') process.exit(EXIT.ok)
      throw error
    })
  process.on('uncaughtException', error => process.exit(report(error, process.stderr)))
  process.on('unhandledRejection', error => process.exit(report(error, process.stderr)))
  const status = await main(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    decoders: [auto, ...decoders],
    signal: stop.signal,
  })
  process.exitCode = status
  // Standard input may still be open: nothing is waited for any more.
  process.stdin.unref?.()
}

if (
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)
)
  await start()
