/** A topic of an MQTT broker as a source; each message is one. What the broker kept is marked, because it may be old. */
import type { IPublishPacket, MqttClient } from 'mqtt'
import { AmpacityError } from '../errors.ts'
import { marked } from '../json/mark.ts'
import { Backoff, type BackoffLimits, pause } from './backoff.ts'
import { FloodGauge, type FloodLimits, LONGEST_WIRE_MESSAGE } from './flood.ts'
import {
  type BrokerOptions,
  brokerError,
  connectBroker,
  otherVersion,
  type ProtocolVersion,
  wantsOtherVersion,
} from './mqtt-connection.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** Which topic of which broker. */
export interface MqttSourceOptions extends BrokerOptions {
  readonly id: string
  /** May hold wildcards. */
  readonly topic: string
  readonly clock: Clock
  readonly backoff?: BackoffLimits
  readonly flood?: FloodLimits
}

type Report = (event: SourceEvent) => void

const PREFERRED_VERSION: ProtocolVersion = 5

/** A source that subscribes, and does so again when the connection breaks. */
export function mqttSource(options: MqttSourceOptions): Source {
  const { id, topic, url, clock } = options
  const backoff = new Backoff(options.backoff)

  /** One connection; resolves with the reason of its end. `opened` is told once messages can come. */
  async function session(
    client: MqttClient,
    opened: () => void,
    sink: Sink,
    report: Report,
    signal: AbortSignal,
  ): Promise<Error> {
    const gauge = new FloodGauge(options.flood)
    const onAbort = () => cut(client)
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await new Promise<Error>(resolve => {
        client.on('error', resolve)
        client.on('close', () => resolve(new Error('the broker closed the connection')))
        client.on('connect', () => {
          client.subscribe(topic, { qos: 1 }, (error, granted) => {
            const refused = granted?.some(({ qos }) => qos > 2) ?? false
            if (error || refused)
              resolve(error ?? new Error(`the broker refuses the topic ${topic}`))
            else opened()
          })
        })
        client.on('message', (_, payload: Buffer, packet: IPublishPacket) => {
          const at = clock.now()
          if (!gauge.admits(at)) {
            const detail = `${topic} at ${url} carries more messages than any meter has to say: connecting again later`
            report({ level: 'error', code: 'message_flood', detail })
            resolve(new Error('too many messages'))
          } else if (payload.length > LONGEST_WIRE_MESSAGE) {
            const detail = `a message of ${payload.length} bytes on ${topic}: this is no meter's topic`
            report({ level: 'error', code: 'message_overflow', detail })
          } else sink(packet.retain ? marked(payload) : payload, at)
        })
        if (signal.aborted) cut(client)
      })
    } finally {
      signal.removeEventListener('abort', onAbort)
      cut(client)
    }
  }

  return {
    id,
    async run(sink: Sink, report: Report, signal: AbortSignal): Promise<void> {
      let version = PREFERRED_VERSION
      let told: string | undefined
      while (!signal.aborted) {
        let isOpen = false
        let failure: AmpacityError
        try {
          const client = await connectBroker(options, version)
          const opened = () => {
            isOpen = true
            told = undefined
            backoff.reset()
            report({
              level: 'info',
              code: 'port_opened',
              detail: `subscribed to ${topic} at ${url}`,
            })
          }
          failure = brokerError(options, await session(client, opened, sink, report, signal))
        } catch (error) {
          if (!(error instanceof AmpacityError)) throw error
          failure = error
        }
        if (signal.aborted) return
        if (!isOpen && wantsOtherVersion(failure.cause) && version === PREFERRED_VERSION) {
          version = otherVersion(version)
          continue
        }
        if (!isOpen) version = PREFERRED_VERSION
        const detail = `${failure.code}: ${failure.message}. ${failure.remedy}`
        if (isOpen) report({ level: 'warn', code: 'port_lost', detail })
        else if (detail !== told) report({ level: 'error', code: 'port_unavailable', detail })
        told = detail
        await pause(backoff.next(), signal)
      }
    },
  }
}

/** Ends a connection without ceremony. */
function cut(client: MqttClient): void {
  client.end(true)
  client.stream.destroy()
}
