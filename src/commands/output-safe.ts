/** `output-safe`: the safe value to every output, and away. What the supervisor calls when the agent has died. */
import { type Config, loadConfig } from '../config.ts'
import type { LimitCommand } from '../control/model.ts'
import { AmpacityError, EXIT } from '../errors.ts'
import { pause } from '../io/backoff.ts'
import { systemClock } from '../io/clock.ts'
import type { Output } from '../io/ports.ts'
import { safeCommand } from '../io/safe-command.ts'
import { type Command, Printer, readArgs } from './io.ts'
import { failsafeOf } from './output-context.ts'
import { mqttOf, outputsOf } from './outputs.ts'

/** Everything ends by then, ms. */
const BUDGET_MS = 4000
/** An output that was not there is tried again after this, ms. */
const RETRY_MS = 200
/** Connections are cut; that takes no longer, ms. */
const CUT_MS = 300

export const outputSafe: Command = {
  name: 'output-safe',
  summary: 'writes the safe value to every output and leaves',
  help: `ampacity output-safe --config FILE    writes the safe value (control.failsafeA, 0 = pause) to every output and leaves

  --config FILE     the configuration the agent ran with
  --set PATH=VALUE  one value of it, as often as wanted

What systemd calls when the agent has ended in whatever way (ExecStopPost). Takes ${BUDGET_MS / 1000} s at most. It is what
protects behind a wallbox of the dead-man class none, which would keep its last current.

Example:  ampacity output-safe --config /etc/ampacity/home.yaml
Exit status: 0 every output took it, 1 one did not, 2 wrong usage or configuration.`,

  async run(args, io) {
    const { values } = readArgs(
      args,
      { config: { type: 'string' }, set: { type: 'string', multiple: true } },
      { least: 0, most: 0, name: '' },
    )
    if (values.config === undefined) throw new AmpacityError('USAGE', '--config FILE is missing')
    const config = await loadConfig(values.config, values.set ?? [])
    const mqtt = mqttOf(config, systemClock)
    const outputs = await outputsOf(config, values.config, systemClock)
    const all: readonly Output[] = mqtt === undefined ? outputs : [...outputs, mqtt]
    const commands = safeCommands(config)
    const deadline = AbortSignal.any([io.signal, AbortSignal.timeout(BUDGET_MS)])
    const failures = await Promise.all(all.map(output => leaveSafe(output, commands, deadline)))
    const printer = new Printer(io.stdout)
    const safe = failsafeOf(config) === 0 ? 'pause' : `${failsafeOf(config)} A`
    for (const [i, { id }] of all.entries())
      printer.line(`${id}: ${failures[i] === undefined ? safe : `not reached: ${failures[i]}`}`)
    await printer.flush()
    return failures.every(failure => failure === undefined) ? EXIT.ok : EXIT.rejected
  },
}

/** The safe value of every charge point that the configuration knows. */
function safeCommands(config: Config): readonly LimitCommand[] {
  const { chargePoint, outputs = [], control } = config
  const ids = [chargePoint?.id ?? '1', ...outputs.map(output => output.chargePoint ?? '1')]
  return [...new Set(ids)].map(id =>
    safeCommand(
      {
        seq: systemClock.wall(),
        chargePoint: id,
        limitA: 0,
        phases: null,
        code: 'STALE_FAILSAFE',
        limitedBy: 'stale',
        text: '',
        headroomA: [],
        validForS: control?.validForS ?? 30,
        readingAgeS: null,
        at: systemClock.now(),
      },
      failsafeOf(config),
    ),
  )
}

/** Why the output did not take the safe value; `undefined` = it did. */
async function leaveSafe(
  output: Output,
  commands: readonly LimitCommand[],
  deadline: AbortSignal,
): Promise<string | undefined> {
  const stop = new AbortController()
  let failure: string | undefined
  const running = Promise.resolve(output.run?.(() => {}, stop.signal)).catch(error => {
    failure = reasonOf(error)
  })
  try {
    await output.ready?.(deadline)
    for (const command of commands)
      await untilTaken(() => output.apply(command, deadline), deadline)
    await Promise.race([output.close(), lateness(deadline)])
  } catch (error) {
    failure ??= reasonOf(error)
  }
  stop.abort()
  await Promise.race([running, pause(CUT_MS, new AbortController().signal)])
  return failure
}

/** Again until it works. @throws why it did not, when there is no time left */
async function untilTaken(apply: () => Promise<unknown>, deadline: AbortSignal): Promise<void> {
  let reason: unknown
  for (;;)
    try {
      await Promise.race([apply(), lateness(deadline)])
      return
    } catch (error) {
      if (deadline.aborted) throw reason ?? error
      reason = error
      await pause(RETRY_MS, deadline)
    }
}

function lateness(deadline: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const late = () => reject(new Error(`no answer within ${BUDGET_MS / 1000} s`))
    if (deadline.aborted) late()
    else deadline.addEventListener('abort', late, { once: true })
  })
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
