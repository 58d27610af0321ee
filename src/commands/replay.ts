import type { Config } from '../config.ts'
import type { ControlEvent, LimitCommand } from '../control/model.ts'
import { type ControlParameters, controlParameters } from '../control/parameters.ts'
import { type ControlState, initialState, step } from '../control/step.ts'
import type { DecoderEvent } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import { pauseUntil } from '../io/backoff.ts'
import { type InputForm, loadRecording } from '../io/capture-file.ts'
import { systemClock } from '../io/clock.ts'
import { withItalianDefaults } from '../italy/defaults.ts'
import { decisionPayload, type Payload } from '../payload.ts'
import type { Instant } from '../reading.ts'
import { ScaleTrust } from '../scale-trust.ts'
import { createDecoder, INPUT_OPTIONS, inputOptions, Lines } from './decode.ts'
import { type Command, choice, decoderById, Printer, readArgs } from './io.ts'
import { chunksOf } from './messages.ts'
import { TABLE_HEAD, tableRow } from './render.ts'
import { decoderOfSource } from './sources.ts'

export const replay: Command = {
  name: 'replay',
  summary: 'a capture through decoder, reading model and control core',
  help: `ampacity replay FILE    a capture as the agent would have seen it: readings and decisions as JSON lines

  --config FILE     installation and charge point (default: fuse 25 A, charger 6 to 32 A, a car that draws nothing)
  --set PATH=VALUE  one value of the configuration, as often as wanted: --set installation.mainFuseA=20
  --speed N         max (default), 1 for the pace of the recording, or N times faster
  --decoder ID, --input FORM, --format jsonl|table, --keys FILE, --repair crlf: as for decode

Example:  ampacity replay fixtures/norway/evening-aidon-6534.jsonl --set installation.mainFuseA=20
Exit status: 0 everything understood, 1 something rejected or nothing there, 2 wrong usage or configuration.`,

  async run(args, io) {
    const { values, positionals } = readArgs(
      args,
      {
        ...INPUT_OPTIONS,
        config: { type: 'string' },
        set: { type: 'string', multiple: true },
        speed: { type: 'string', default: 'max' },
      },
      { least: 1, most: 1, name: 'FILE' },
    )
    const written = await readConfig(values.config, values.set ?? [])
    const from = written.meter?.source
    const own = from === undefined ? undefined : decoderOfSource(from)
    const definition = decoderById(io, values.decoder ?? written.meter?.decoder ?? own ?? 'auto')
    const config = withItalianDefaults(written, definition.id)
    const format = choice('format', values.format, ['jsonl', 'table'])
    const form = choice<InputForm>('input', values.input, ['auto', 'hex', 'binary', 'text'])
    const speed = readSpeed(values.speed)
    const options = { ...config.meter?.options, ...(await inputOptions(definition, values)) }
    const recording = await loadRecording(positionals[0]!, form, io.stdin)

    const printer = new Printer(io.stdout)
    const lines = new Lines(line =>
      format === 'jsonl' ? printer.json(line) : printer.line(tableRow(line)),
    )
    if (format === 'table') printer.line(TABLE_HEAD)
    const decoder = createDecoder(recording.bytes, definition, options)
    const core = new ReplayedCore(controlParameters(config), command =>
      lines.addLine(decisionLine(command)),
    )
    const startedAt = systemClock.now()
    const wakeUntil = (at: Instant): void => {
      while (decoder.wakeAt !== undefined && decoder.wakeAt <= at) {
        const due = decoder.wakeAt
        take(decoder.wake(due), due)
      }
      core.tickUntil(at)
    }
    const take = (events: readonly DecoderEvent[], at: Instant): void => {
      for (const event of events) {
        lines.add([event], { at_ms: Math.round(at) })
        core.take(event, at)
      }
    }
    let last = 0
    for (const { atMs, bytes } of chunksOf(recording, definition)) {
      wakeUntil(atMs)
      if (speed !== undefined) {
        await printer.flush()
        await pauseUntil(startedAt + atMs / speed, systemClock, io.signal)
        if (io.signal.aborted) break
      }
      take(decoder.push(bytes, atMs), atMs)
      last = atMs
    }
    take(decoder.wake(Number.POSITIVE_INFINITY), last)
    lines.end(recording.bytes.length)
    await printer.flush()
    return lines.status
  },
}

/** The control core on the recording's clock, with a car connected that draws nothing. */
class ReplayedCore {
  private readonly parameters: ControlParameters
  private readonly decide: (command: LimitCommand) => void
  private readonly trust = new ScaleTrust()
  private state: ControlState | undefined
  private last: LimitCommand | undefined
  private nextTick = 0

  constructor(parameters: ControlParameters, decide: (command: LimitCommand) => void) {
    this.parameters = parameters
    this.decide = decide
  }

  /** Ticks once a second of the recording, from the first telegram on. */
  tickUntil(at: Instant): void {
    if (this.state === undefined) return
    for (; this.nextTick <= at; this.nextTick += 1000) {
      this.step(this.charger(this.nextTick), this.nextTick)
      this.step({ type: 'tick', wallMs: undefined }, this.nextTick)
    }
  }

  take(event: DecoderEvent, at: Instant): void {
    if (event.type !== 'reading' && event.type !== 'signal') return
    if (this.state === undefined) {
      this.state = initialState(this.parameters, at, 0)
      this.nextTick = at + 1000
      this.step(this.charger(at), at)
    }
    if (event.type === 'signal') this.step(event, at)
    else
      this.step(
        {
          type: 'reading',
          reading: event.reading,
          mayRaise: this.trust.mayRaise(event.reading, event.notes ?? []),
        },
        at,
      )
  }

  private charger(at: Instant): ControlEvent {
    const charger = {
      chargePoint: this.parameters.chargePoint,
      at,
      state: 'B',
      offeredA: null,
      currentA: [0, 0, 0],
      powerW: 0,
    } as const
    return { type: 'charger', charger }
  }

  private step(event: ControlEvent, now: Instant): void {
    const { state, commands } = step(this.parameters, this.state!, event, now)
    this.state = state
    for (const command of commands) {
      const { last } = this
      this.last = command
      const isSame =
        last?.limitA === command.limitA &&
        last.code === command.code &&
        last.limitedBy === command.limitedBy
      if (!isSame) this.decide(command)
    }
  }
}

function decisionLine(command: LimitCommand): Payload {
  return { type: 'decision', at_ms: Math.round(command.at), ...decisionPayload(command) }
}

/** Times faster than recorded; `undefined` = without waiting. */
function readSpeed(text: string): number | undefined {
  if (text === 'max') return undefined
  const speed = Number(text)
  if (!(speed > 0) || !Number.isFinite(speed))
    throw new AmpacityError('USAGE', `--speed ${text}: expected max or a number above 0`)
  return speed
}

/** The configuration, which costs its libraries only where there is one. */
async function readConfig(path: string | undefined, settings: readonly string[]): Promise<Config> {
  if (path === undefined && settings.length === 0) return {}
  const { loadConfig } = await import('../config.ts')
  return loadConfig(path, settings)
}
