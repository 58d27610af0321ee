import { closeSync, openSync, writeSync } from 'node:fs'
import type { SourceConfig } from '../config-source.ts'
import type { Decoder, DecoderDefinition, DecoderEvent, SerialSettings } from '../decoder.ts'
import { AmpacityError, EXIT } from '../errors.ts'
import { captureHeaderLine } from '../io/capture-file.ts'
import { systemClock } from '../io/clock.ts'
import type { Clock, Sink, Source } from '../io/ports.ts'
import { recordBursts } from '../io/record.ts'
import { closeSerialPort, openSerialPort, serialSource } from '../io/serial.ts'
import { ITALIAN_SILENCE_MS } from '../italy/defaults.ts'
import { diagnose, newLineStats, observeBytes, observeEvent } from '../line-health.ts'
import { isoTime } from '../payload.ts'
import { type Command, decoderById, decoderOptions, readArgs } from './io.ts'
import { decoderOfSource, parseLine, sourceOfConfig } from './sources.ts'

export const capture: Command = {
  name: 'capture',
  summary: 'records what a port or socket delivers',
  help: `ampacity capture --serial PORT | --tcp HOST:PORT | …    records bytes with their times, for replay

  --serial PORT     serial port, best by its name under /dev/serial/by-id
  --baud N          bits a second (default 2400)
  --line FORMAT     8E1 (default), 8N1, 7E1: Kamstrup sends 8N1, the others 8E1
  --tcp HOST:PORT   a socket that passes the bytes on as they are
  --chain2gate HOST, --sinapsi HOST    Italian gateways, message by message
  --output FILE     where to (default: standard output)
  --seconds N       how long (default: until Ctrl-C)

Bursts are what comes without a pause of 60 ms; a count of good telegrams goes to standard error.
Example:  ampacity capture --serial /dev/ttyUSB0 --line 8N1 --seconds 60 --output kamstrup.jsonl
Exit status: 0 bytes were recorded, 1 none came or the port could not be opened, 2 wrong usage.`,

  async run(args, io) {
    const { values } = readArgs(
      args,
      {
        serial: { type: 'string' },
        baud: { type: 'string', default: '2400' },
        line: { type: 'string', default: '8E1' },
        tcp: { type: 'string' },
        chain2gate: { type: 'string' },
        sinapsi: { type: 'string' },
        output: { type: 'string', short: 'o' },
        seconds: { type: 'string' },
      },
      { least: 0, most: 0, name: '' },
    )
    const from = KINDS.flatMap(kind => (values[kind] === undefined ? [] : [kind]))
    const [kind] = from
    if (kind === undefined || from.length > 1)
      throw new AmpacityError('USAGE', `expected one of --${KINDS.join(', --')}`)
    const address = values[kind]!
    const config: SourceConfig = { [kind]: address }
    const definition = decoderById(io, decoderOfSource(config) ?? 'auto')
    const settings = parseLine(values.line, positive('baud', values.baud))
    const stop = AbortSignal.any([
      io.signal,
      ...(values.seconds === undefined
        ? []
        : [AbortSignal.timeout(positive('seconds', values.seconds) * 1000)]),
    ])
    const source =
      kind === 'serial'
        ? await openedOnce(address, settings)
        : await sourceOfConfig(config, definition, systemClock)
    const monitor = new Monitor(source, definition, systemClock)
    const fd = values.output === undefined ? undefined : openFile(values.output)
    const write = (line: string): void => {
      if (fd === undefined) io.stdout.write(line)
      else writeSync(fd, line)
    }
    try {
      write(
        captureHeaderLine({
          startedAt: isoTime(systemClock.wall()),
          source: address,
          ...(kind === 'serial' ? { serial: settings } : {}),
        }),
      )
      const recorded = await recordBursts(
        {
          source: monitor.source,
          clock: systemClock,
          write,
          isMessages: definition.input === 'message',
          report: ({ detail }) => io.stderr.write(`ampacity: ${detail}\n`),
        },
        stop,
      )
      io.stderr.write(
        `ampacity: ${recorded.bytes} bytes in ${recorded.bursts} bursts, ${monitor.summary()}\n`,
      )
      return recorded.bytes > 0 ? EXIT.ok : EXIT.rejected
    } finally {
      if (fd !== undefined) closeSync(fd)
    }
  },
}

const KINDS = ['serial', 'tcp', 'chain2gate', 'sinapsi'] as const

/** A port that cannot be opened now is an error here, not something to wait for. */
async function openedOnce(path: string, settings: SerialSettings): Promise<Source> {
  await closeSerialPort(await openSerialPort(path, settings))
  return serialSource({ id: 'serial', path, settings: [settings], clock: systemClock })
}

/** Looks at what passes by, so that a recording that is of no use is known at once. */
class Monitor {
  readonly source: Source
  private readonly clock: Clock
  private readonly decoder: Decoder
  private readonly isGateway: boolean
  private stats

  constructor(source: Source, definition: DecoderDefinition, clock: Clock) {
    this.clock = clock
    this.decoder = definition.create(decoderOptions(definition, undefined))
    this.isGateway = definition.input === 'message'
    this.stats = newLineStats(clock.now())
    this.source = {
      id: source.id,
      run: (sink: Sink, report, signal) =>
        source.run(
          (chunk, at) => {
            this.stats = observeBytes(this.stats, chunk, at)
            this.observe(this.decoder.wake(at))
            this.observe(this.decoder.push(chunk, at))
            sink(chunk, at)
          },
          report,
          signal,
        ),
    }
  }

  summary(): string {
    this.observe(this.decoder.wake(Number.POSITIVE_INFINITY))
    const { isGateway } = this
    const silenceMs = isGateway ? ITALIAN_SILENCE_MS : 10_000
    const facts = { silenceMs, settingsTried: [], expectsAscii: false, isGateway }
    const finding = diagnose(this.stats, facts, this.clock.now())
    const rejected = Object.values(this.stats.rejected).reduce((sum, count) => sum + count, 0)
    const counts = `${this.stats.readings} telegrams understood, ${rejected} pieces rejected`
    return finding === undefined
      ? counts
      : `${counts}\nampacity: ${finding.code}: ${finding.detail}`
  }

  private observe(events: readonly DecoderEvent[]): void {
    for (const event of events) this.stats = observeEvent(this.stats, event)
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, 'w')
  } catch (cause) {
    throw new AmpacityError('FILE_UNWRITABLE', `${path}: ${(cause as Error).message}`, { cause })
  }
}

function positive(name: string, text: string): number {
  const value = Number(text)
  if (!(value > 0) || !Number.isFinite(value))
    throw new AmpacityError('USAGE', `--${name} ${text}: expected a number above 0`)
  return value
}
