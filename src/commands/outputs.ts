/** From what a configuration says of its outputs to the outputs: one factory for each type. */
import { dirname } from 'node:path'
import type { Config, OutputConfig } from '../config.ts'
import { limitFileOutput } from '../io/limit-file.ts'
import { type MqttOutput, mqttOutput } from '../io/mqtt.ts'
import type { Clock, Output } from '../io/ports.ts'
import { failsafeOf, type OutputContext } from './output-context.ts'

type OfType<Type extends OutputConfig['type']> = Extract<OutputConfig, { type: Type }>

/** Makes an output; what belongs to a type is loaded when the first one is configured. */
const FACTORIES: {
  readonly [Type in OutputConfig['type']]: (
    output: OfType<Type>,
    context: OutputContext,
  ) => Output | Promise<Output>
} = {
  file: ({ id, path, chargePoint }, { config, clock }) =>
    limitFileOutput({
      id,
      path,
      failsafeA: failsafeOf(config),
      clock,
      ...(chargePoint !== undefined && { chargePoint }),
    }),
  modbus: async (output, context) =>
    (await import('./modbus-outputs.ts')).modbusOutputOf(output, context),
}

/**
 * The outputs of a configuration file, without that of the broker.
 *
 * @throws AmpacityError for everything a person has to mend first
 */
export async function outputsOf(
  config: Config,
  path: string | undefined,
  clock: Clock,
): Promise<readonly Output[]> {
  const folder = path === undefined ? '.' : dirname(path)
  const context: OutputContext = { config, clock, folder, shared: new Map() }
  const outputs: Output[] = []
  for (const output of config.outputs ?? []) outputs.push(await outputOf(output, context))
  return outputs
}

async function outputOf(output: OutputConfig, context: OutputContext): Promise<Output> {
  const make = FACTORIES[output.type] as (
    output: OutputConfig,
    context: OutputContext,
  ) => Output | Promise<Output>
  return make(output, context)
}

/** The broker as an output, if one is configured. */
export function mqttOf(config: Config, clock: Clock): MqttOutput | undefined {
  if (config.mqtt === undefined) return undefined
  const device = config.device?.id ?? 'home'
  const { base = `ampacity/${device}`, clientId = `ampacity-${device}`, ...broker } = config.mqtt
  return mqttOutput({
    id: 'mqtt',
    base,
    clientId,
    ...broker,
    failsafeA: failsafeOf(config),
    clock,
  })
}
