/** How a broker is reached: options of the client, secrets from files, and which protocol version it speaks. */
import { readFile } from 'node:fs/promises'
import type { IClientOptions, MqttClient } from 'mqtt'
import { AmpacityError } from '../errors.ts'

/** Where the broker is and who we are there. Secrets and certificates are files, read anew for each connection. */
export interface BrokerOptions {
  /** `mqtt://host:1883`, `mqtts://host:8883`. */
  readonly url: string
  readonly clientId: string
  readonly usernameFile?: string
  readonly passwordFile?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
  readonly keepaliveS?: number
  readonly connectTimeoutMs?: number
}

/** What a broker tells for us when the connection is lost. */
export interface LastWill {
  readonly topic: string
  readonly payload: string
}

/** MQTT 5, or 3.1.1. */
export type ProtocolVersion = 5 | 4

/** Reason codes of brokers that do not know a protocol version: 3.1.1, 5.0. */
const UNSUPPORTED_VERSION: ReadonlySet<unknown> = new Set([1, 132])

/**
 * Starts one connection that is never repeated: the caller tries again, so that nothing is queued in between.
 *
 * @throws AmpacityError FILE_UNREADABLE for a secret or certificate
 */
export async function connectBroker(
  broker: BrokerOptions,
  version: ProtocolVersion,
  will?: LastWill,
): Promise<MqttClient> {
  const { connect } = await import('mqtt')
  const options: IClientOptions = {
    clientId: broker.clientId,
    protocolVersion: version,
    clean: true,
    keepalive: broker.keepaliveS ?? 15,
    connectTimeout: broker.connectTimeoutMs ?? 10_000,
    reconnectPeriod: 0,
    queueQoSZero: false,
    ...(will && { will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
    ...(await secrets(broker)),
  }
  return connect(broker.url, options)
}

/**
 * Connects once and leaves again.
 *
 * @throws AmpacityError BROKER_UNREACHABLE, FILE_UNREADABLE
 */
export async function checkBroker(broker: BrokerOptions): Promise<void> {
  let version: ProtocolVersion = 5
  for (let attempt = 0; ; attempt += 1) {
    const client = await connectBroker(broker, version)
    const failure = await new Promise<Error | undefined>(resolve => {
      client.on('connect', () => resolve(undefined))
      client.on('error', resolve)
      client.on('close', () => resolve(new Error('the broker closed the connection')))
    })
    await client.endAsync(failure !== undefined)
    if (failure === undefined) return
    if (attempt > 0 || !wantsOtherVersion(failure)) throw brokerError(broker, failure)
    version = otherVersion(version)
  }
}

/** BROKER_UNREACHABLE with what was found. */
export function brokerError(broker: BrokerOptions, cause: Error): AmpacityError {
  const { code } = cause as { code?: unknown }
  const found = cause.message || String(code ?? 'no reason given')
  return new AmpacityError('BROKER_UNREACHABLE', `${broker.url}: ${found}`, { cause })
}

/** True where the other protocol version may work: the broker answered, but not to this one. */
export function wantsOtherVersion(failure: unknown): boolean {
  if (!(failure instanceof Error)) return false
  const { code } = failure as { code?: unknown }
  // Old brokers close the connection or answer in a form that cannot be parsed; both come without a code.
  return code === undefined || code === 'ECONNRESET' || UNSUPPORTED_VERSION.has(code)
}

/** MQTT 5 falls back to 3.1.1, and back. */
export function otherVersion(version: ProtocolVersion): ProtocolVersion {
  return version === 5 ? 4 : 5
}

async function secrets(broker: BrokerOptions): Promise<IClientOptions> {
  const { usernameFile, passwordFile, caFile, certFile, keyFile } = broker
  return {
    ...(usernameFile && { username: (await readSecret(usernameFile)).toString().trim() }),
    ...(passwordFile && { password: (await readSecret(passwordFile)).toString().trim() }),
    ...(caFile && { ca: await readSecret(caFile) }),
    ...(certFile && { cert: await readSecret(certFile) }),
    ...(keyFile && { key: await readSecret(keyFile) }),
  }
}

async function readSecret(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new AmpacityError('FILE_UNREADABLE', `${path}: ${found}`, { cause })
  }
}
