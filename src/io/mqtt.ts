/**
 * The agent on MQTT. Control does not depend on it: while the broker is away nothing is thrown and nothing queued, and
 * when it is back only the newest command is sent.
 *
 * | topic             | retained | QoS | content                                          |
 * |-------------------|----------|-----|--------------------------------------------------|
 * | `<base>/status`   | yes      | 1   | `online`, `offline` (also as last will)          |
 * | `<base>/limit`    | no       | 1   | the command for actuators                        |
 * | `<base>/decision` | yes      | 1   | the command with its reasons                     |
 * | `<base>/meter`    | no       | 0   | every reading                                    |
 *
 * `limit` and `decision` are those of charge point 1; others have theirs below (`<base>/limit/2`).
 */
import type { IClientPublishOptions, MqttClient } from 'mqtt'
import type { LimitCommand } from '../control/model.ts'
import { AmpacityError } from '../errors.ts'
import { decisionPayload, isoTime, limitPayload, readingPayload } from '../payload.ts'
import type { Note, Reading } from '../reading.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import {
  type BrokerOptions,
  brokerError,
  connectBroker,
  otherVersion,
  type ProtocolVersion,
  wantsOtherVersion,
} from './mqtt-connection.ts'
import type { Clock, Output, SourceEvent } from './ports.ts'
import { safeCommand } from './safe-command.ts'

/** Where and what is published. */
export interface MqttOptions extends BrokerOptions {
  readonly id: string
  /** Root of the topics, without a slash at its end. */
  readonly base: string
  /** Published on close, A per phase; 0 = pause. */
  readonly failsafeA: number
  readonly clock: Clock
  readonly backoff?: BackoffLimits
  /** A message that is not acknowledged by then ends the connection, ms. */
  readonly ackMs?: number
}

/** An output that also publishes readings. */
export interface MqttOutput extends Output {
  run(report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void>
  /** Publishes a reading; without a connection it is dropped. */
  publishReading(reading: Reading, notes: readonly Note[], source: string): void
}

/** An output over MQTT. Its `apply` never rejects: the state of the broker is told by `run`. */
export function mqttOutput(options: MqttOptions): MqttOutput {
  return new Mqtt(options)
}

/** One topic of which only the newest content matters: one message on its way, at most one waiting; a lower limit does not wait. */
interface Slot {
  readonly command: LimitCommand
  sent: boolean
}

/** A command that is not acknowledged yet. */
interface Underway {
  readonly limitA: number
  /** Gives it up, and the connection with it. */
  readonly timer: NodeJS.Timeout
}

const ACK_MS = 10_000

/** MQTT 5 lets a limit expire on its way. */
const PREFERRED_VERSION: ProtocolVersion = 5

class Mqtt implements MqttOutput {
  readonly id: string
  private readonly options: MqttOptions
  private readonly backoff: Backoff
  /** Newest command of each charge point. */
  private readonly newest = new Map<string, Slot>()
  /** Charge points with a command on its way. */
  private readonly underway = new Map<string, Underway>()
  private readonly closing = new AbortController()
  private leaving = false
  private client: MqttClient | undefined
  private version: ProtocolVersion = PREFERRED_VERSION
  /** The newest connection was established. */
  private wasUp = false
  private unreachable = false
  private whenUp: (() => void)[] = []

  constructor(options: MqttOptions) {
    this.id = options.id
    this.options = options
    this.backoff = new Backoff(options.backoff)
  }

  async run(report: (event: SourceEvent) => void, signal: AbortSignal): Promise<void> {
    const stop = () => this.closing.abort()
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
    while (!this.closing.signal.aborted) {
      const failure = await this.connection(report)
      if (this.leaving || this.closing.signal.aborted) break
      if (this.fallsBack(failure)) continue
      if (!this.unreachable) {
        this.unreachable = true
        const detail = `${failure.message}. Charging goes on as before; trying again`
        report({ level: 'error', code: 'output_unreachable', detail })
      }
      await pause(this.backoff.next(), this.closing.signal)
    }
    signal.removeEventListener('abort', stop)
  }

  async apply(command: LimitCommand): Promise<undefined> {
    this.newest.set(command.chargePoint, { command, sent: false })
    this.flush(command.chargePoint)
  }

  async ready(signal: AbortSignal): Promise<void> {
    if (this.client !== undefined) return
    await new Promise<void>((resolve, reject) => {
      this.whenUp.push(resolve)
      const late = () => reject(new Error(`${this.options.url}: not connected`))
      signal.addEventListener('abort', late, { once: true })
    })
  }

  publishReading(reading: Reading, notes: readonly Note[], source: string): void {
    const t = this.options.clock.wall()
    const payload = { ...readingPayload(reading, notes), t, source }
    this.client?.publish(`${this.options.base}/meter`, JSON.stringify(payload), { qos: 0 })
  }

  async close(): Promise<void> {
    const { client, options } = this
    this.leaving = true
    this.down()
    if (client !== undefined) {
      for (const { command } of this.newest.values())
        for (const [topic, payload, how] of this.messages(safeCommand(command, options.failsafeA)))
          client.publish(topic, payload, how)
      client.publish(`${options.base}/status`, 'offline', { qos: 1, retain: true })
      // Waits until everything is acknowledged, then takes its leave, so that the broker does not tell the will.
      await client.endAsync()
    }
    this.closing.abort()
  }

  /** A broker that does not know this version of the protocol is asked with the other one at once, then in turn. */
  private fallsBack(failure: AmpacityError): boolean {
    if (this.wasUp || !wantsOtherVersion(failure.cause)) {
      this.version = PREFERRED_VERSION
      return false
    }
    this.version = otherVersion(this.version)
    return this.version !== PREFERRED_VERSION
  }

  /** One connection from beginning to end; the reason why it ended. */
  private async connection(report: (event: SourceEvent) => void): Promise<AmpacityError> {
    const { signal } = this.closing
    this.wasUp = false
    let client: MqttClient
    try {
      const will = { topic: `${this.options.base}/status`, payload: 'offline' }
      client = await connectBroker(this.options, this.version, will)
    } catch (error) {
      if (error instanceof AmpacityError) return error
      throw error
    }
    const onAbort = () => cut(client)
    signal.addEventListener('abort', onAbort, { once: true })
    const failure = await new Promise<Error>(resolve => {
      client.on('error', resolve)
      client.on('close', () => resolve(new Error('the broker closed the connection')))
      client.on('connect', () => {
        if (!this.leaving) this.up(client, report)
      })
      if (signal.aborted) cut(client)
    })
    signal.removeEventListener('abort', onAbort)
    if (!this.leaving) {
      this.down()
      cut(client)
    }
    return brokerError(this.options, failure)
  }

  private up(client: MqttClient, report: (event: SourceEvent) => void): void {
    this.client = client
    this.wasUp = true
    this.backoff.reset()
    for (const told of this.whenUp.splice(0)) told()
    client.publish(`${this.options.base}/status`, 'online', { qos: 1, retain: true })
    for (const [chargePoint, slot] of this.newest) {
      slot.sent = false
      this.flush(chargePoint)
    }
    if (!this.unreachable) return
    this.unreachable = false
    const detail = `${this.options.url} is connected again`
    report({ level: 'info', code: 'output_recovered', detail })
  }

  /** Nothing is published from here on. What was on its way counts as not sent. */
  private down(): void {
    this.client = undefined
    for (const { timer } of this.underway.values()) clearTimeout(timer)
    this.underway.clear()
  }

  /** Sends the newest command unless it was sent, a lower one is on its way, or it is too old to be acted on. */
  private flush(chargePoint: string): void {
    const { client } = this
    const { ackMs = ACK_MS, clock } = this.options
    const slot = this.newest.get(chargePoint)
    if (client === undefined || slot === undefined || slot.sent) return
    const before = this.underway.get(chargePoint)
    if (before !== undefined && slot.command.limitA >= before.limitA) return
    if (clock.now() - slot.command.at > slot.command.validForS * 1000) return
    slot.sent = true
    clearTimeout(before?.timer)
    const timer = setTimeout(() => cut(client), ackMs)
    this.underway.set(chargePoint, { limitA: slot.command.limitA, timer })
    const messages = this.messages(slot.command)
    let missing = messages.length
    const acknowledged = () => {
      missing -= 1
      // Of an earlier connection, which was begun anew, or overtaken by a lower limit.
      if (missing > 0 || this.underway.get(chargePoint)?.timer !== timer) return
      clearTimeout(timer)
      this.underway.delete(chargePoint)
      this.flush(chargePoint)
    }
    for (const [topic, payload, how] of messages) client.publish(topic, payload, how, acknowledged)
  }

  private messages(
    command: LimitCommand,
  ): [topic: string, payload: string, how: IClientPublishOptions][] {
    const { base, clock } = this.options
    const t = clock.wall()
    const suffix = command.chargePoint === '1' ? '' : `/${command.chargePoint}`
    const validUntil = isoTime(t + command.validForS * 1000)
    const decision = {
      ...decisionPayload(command),
      t,
      seq: command.seq,
      valid_until: validUntil,
    }
    const expiry =
      this.version === 5
        ? { properties: { messageExpiryInterval: Math.ceil(command.validForS) } }
        : {}
    return [
      [`${base}/limit${suffix}`, JSON.stringify(limitPayload(command, t)), { qos: 1, ...expiry }],
      [`${base}/decision${suffix}`, JSON.stringify(decision), { qos: 1, retain: true }],
    ]
  }
}

/** Ends a connection without ceremony, also one that is taking its leave and gets no answer. */
function cut(client: MqttClient): void {
  client.end(true)
  client.stream.destroy()
}
