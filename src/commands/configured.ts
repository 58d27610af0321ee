/** `run` with a configuration: the agent put together from it. */
import { type Config, loadConfig } from '../config.ts'
import { SOURCES } from '../config-source.ts'
import { controlParameters } from '../control/parameters.ts'
import { createAgent } from '../daemon.ts'
import type { DecoderDefinition } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import { systemClock } from '../io/clock.ts'
import { type CounterFile, openCounters } from '../io/counter-file.ts'
import { createLog } from '../io/log.ts'
import { configuredKeys, loadProfile } from '../io/meter-files.ts'
import type { Log, Output } from '../io/ports.ts'
import { ITALIAN_SILENCE_MS, withItalianDefaults } from '../italy/defaults.ts'
import { type CommandIo, decoderById, decoderOptions } from './io.ts'
import { mqttOf, outputsOf } from './outputs.ts'
import { decoderOfSource, sourceOfConfig } from './sources.ts'

/** Runs until the user ends it; throws AmpacityError for everything a person has to mend first. */
export async function runConfigured(
  path: string | undefined,
  settings: readonly string[],
  io: CommandIo,
): Promise<void> {
  const written = await loadConfig(path, settings)
  const from = written.meter?.source
  if (from === undefined)
    throw new AmpacityError(
      'CONFIG_INVALID',
      `meter.source: nothing found, expected one of ${SOURCES.join(', ')}`,
    )
  const id = written.meter?.decoder ?? decoderOfSource(from) ?? 'auto'
  const definition = decoderById(io, id)
  const config = withItalianDefaults(written, id)
  const { meter = {} } = config
  const log = createLog(config.log?.level)
  const counters = await countersOf(config, definition, log)
  const keys =
    definition.usesKeys === undefined
      ? undefined
      : await configuredKeys(config.keys, process.env['CREDENTIALS_DIRECTORY'])
  const options = decoderOptions(definition, {
    ...meter.options,
    ...(meter.profiles === undefined
      ? {}
      : { profiles: await Promise.all(meter.profiles.map(loadProfile)) }),
    ...(keys === undefined ? {} : { keys }),
    ...(keys === undefined || counters === undefined ? {} : { counters: counters.initial }),
  })
  const source = await sourceOfConfig(from, definition, systemClock, keys)
  const mqtt = mqttOf(config, systemClock)
  const outputs: readonly Output[] = [
    ...(await outputsOf(config, path, systemClock)),
    ...(mqtt === undefined ? [] : [mqtt]),
  ]
  if (outputs.length === 0)
    log.warn(
      { code: 'no_output' },
      'no output is configured: decisions are only logged; add outputs or mqtt',
    )
  const agent = createAgent({
    parameters: controlParameters(config),
    meters: [
      {
        source,
        definition,
        options,
        ...(id.startsWith('it-') ? { silenceMs: ITALIAN_SILENCE_MS } : {}),
      },
    ],
    outputs,
    clock: systemClock,
    log,
    onDecision: ({ limitA }) => source.charging?.(limitA > 0),
    ...(mqtt === undefined
      ? {}
      : { onReading: (reading, notes, id) => mqtt.publishReading(reading, notes, id) }),
    ...(counters === undefined
      ? {}
      : { onCounter: (counter, now) => counters.remember(counter, now) }),
  })
  logStart(log, config, definition.id)
  try {
    await agent.run(io.signal)
  } finally {
    await counters?.close()
  }
}

/** Where accepted counters are kept: the folder configured, else the one systemd gives. */
async function countersOf(
  config: Config,
  { usesKeys }: DecoderDefinition,
  log: Log,
): Promise<CounterFile | undefined> {
  const folder = config.device?.stateDir ?? process.env['STATE_DIRECTORY']
  if (usesKeys === undefined || folder === undefined) return undefined
  return openCounters(folder, ({ level, code, detail }) => log[level]({ code }, detail))
}

function logStart(log: Log, config: Config, decoder: string): void {
  const fuse = config.installation?.mainFuseA ?? 25
  log.info({ code: 'started', decoder }, `main fuse ${fuse} A, decoder ${decoder}`)
}
