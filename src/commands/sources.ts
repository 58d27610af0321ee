/** From what a person names (a port, a host) to a source. */

import { type ModemConfig, SOURCES, type SourceConfig } from '../config-source.ts'
import type { DecoderDefinition, SerialSettings } from '../decoder.ts'
import { type KeyRing, NO_KEYS } from '../dlms/keys.ts'
import { AmpacityError } from '../errors.ts'
import { loadRecording } from '../io/capture-file.ts'
import { listenSource } from '../io/listen.ts'
import type { Clock, Source } from '../io/ports.ts'
import { replaySource } from '../io/replay-source.ts'
import { serialSource } from '../io/serial.ts'
import { tcpSource } from '../io/tcp.ts'
import { chunksOf } from './messages.ts'

const PARITIES = { N: 'none', E: 'even', O: 'odd' } as const

/** Line settings from `8E1`. */
export function parseLine(format: string, baudRate: number): SerialSettings {
  const found = /^([78])([NEO])([12])$/.exec(format)
  if (found === null)
    throw new AmpacityError('USAGE', `line format ${format}: expected one such as 8E1 or 8N1`)
  return {
    baudRate,
    dataBits: found[1] === '7' ? 7 : 8,
    parity: PARITIES[found[2] as keyof typeof PARITIES],
    stopBits: found[3] === '2' ? 2 : 1,
  }
}

/** `host:port`, with or without `tcp://` or `udp://`. */
export function parseAddress(text: string): { host: string; port: number } {
  const found = /^(?:(?:tcp|udp):\/\/)?(\[[^\]]+\]|[^:/\s]+):(\d{1,5})$/.exec(text)
  if (found === null) throw new AmpacityError('USAGE', `address ${text}: expected host:port`)
  return { host: found[1]!.replace(/^\[|\]$/g, ''), port: Number(found[2]) }
}

/** Middle of the band 125 to 140 kHz; a placeholder, the carrier of Chain2 is not public. */
const CARRIER_HZ = 132_500
/** The second channel is not heard; it may be 38 461 Hz away at most. */
const CHANNELS_HZ = 8000

/** Decoders of sources that carry nothing else. */
const DECODERS: { readonly [Kind in keyof SourceConfig]?: string } = {
  modem: 'it-chain2',
  chain2gate: 'it-chain2gate',
  sinapsi: 'it-sinapsi',
}

/** The decoder a source speaks by itself; `undefined` where the bytes may be anybody's. */
export function decoderOfSource(config: SourceConfig): string | undefined {
  return SOURCES.flatMap(kind => (config[kind] === undefined ? [] : (DECODERS[kind] ?? [])))[0]
}

/**
 * The source a configuration names. What needs a package of its own is loaded only here. `keys` are those of the meter:
 * a modem that opens frames by itself needs one.
 */
export async function sourceOfConfig(
  config: SourceConfig,
  definition: DecoderDefinition,
  clock: Clock,
  keys: KeyRing = NO_KEYS,
): Promise<Source> {
  if (config.modem !== undefined) return modemOf(config.modem, definition, clock, keys)
  const gateway = await gatewayOf(config, clock)
  if (gateway !== undefined) return gateway
  const [kind] = SOURCES.filter(kind => config[kind] !== undefined)
  if (definition.input === 'message' && kind !== 'file' && kind !== 'stdin')
    throw new AmpacityError(
      'CONFIG_INVALID',
      `meter.source: found ${kind}, expected chain2gate, sinapsi, mqtt, http or file: ${definition.id} reads whole messages`,
    )
  if (config.serial !== undefined)
    return serialSource({
      id: 'serial',
      path: config.serial,
      settings: settingsOf(config, definition),
      clock,
    })
  if (config.listen !== undefined)
    return listenSource({
      id: 'listen',
      protocol: config.listen.startsWith('udp') ? 'udp' : 'tcp',
      ...parseAddress(config.listen),
      clock,
    })
  if (config.tcp !== undefined) return tcpSource({ id: 'tcp', ...parseAddress(config.tcp), clock })
  const chunks = chunksOf(await loadRecording(config.file ?? '-'), definition)
  return replaySource({ id: config.file === undefined ? 'stdin' : 'file', chunks, clock })
}

/** A modem that listens as its configuration says, and where it opens frames by itself with the first key. */
async function modemOf(
  modem: ModemConfig,
  definition: DecoderDefinition,
  clock: Clock,
  { keys }: KeyRing,
): Promise<Source> {
  const { layer = 'DL', check = 'crc32-le', carrierHz = CARRIER_HZ } = modem
  const ssKey = layer === 'SS' ? keys[0]?.encryptionKey : undefined
  if (layer === 'SS' && ssKey === undefined)
    throw new AmpacityError('KEYS_INVALID', 'meter.source.modem: layer SS needs a key in keys.file')
  const { modemSource } = await import('../io/modem-driver.ts')
  return modemSource({
    id: 'modem',
    path: modem.port,
    settings: definition.serial ?? [parseLine('8N1', 57_600)],
    requestLine: modem.requestLine ?? 'rts',
    resetLine: modem.resetLine ?? 'dtr',
    session: {
      modem: {
        layer,
        check,
        sniffer: modem.sniffer ?? false,
        checkCoversLength: modem.checkCoversLength ?? false,
      },
      phy: { highHz: carrierHz, lowHz: carrierHz - CHANNELS_HZ, dual: false, pskPreamble: 2 },
      ...(ssKey === undefined ? {} : { ssKey }),
    },
    clock,
  })
}

/** Sources that hand over whole messages. */
async function gatewayOf(
  { chain2gate, sinapsi, mqtt, http, everyS, chargingEveryS }: SourceConfig,
  clock: Clock,
): Promise<Source | undefined> {
  if (chain2gate !== undefined) {
    const { chain2GateSource } = await import('../io/chain2gate.ts')
    const { host, port } = hostOf(chain2gate)
    // With a port of its own both its servers are there, as behind a proxy.
    const ports = port === undefined ? {} : { port, httpPort: port }
    return chain2GateSource({ id: 'chain2gate', host, ...ports, clock })
  }
  if (sinapsi !== undefined) {
    const { modbusSource } = await import('../io/modbus-source.ts')
    const { encodePoll } = await import('../../decoders/sinapsi/poll.ts')
    const { host, port } = hostOf(sinapsi)
    return modbusSource({
      id: 'sinapsi',
      host,
      ...(port === undefined ? {} : { port }),
      clock,
      ...(everyS === undefined ? {} : { everyMs: everyS * 1000 }),
      ...(chargingEveryS === undefined ? {} : { chargingEveryMs: chargingEveryS * 1000 }),
      encode: encodePoll,
    })
  }
  if (mqtt !== undefined) {
    const { mqttSource } = await import('../io/mqtt-source.ts')
    const { clientId = `ampacity-meter-${process.pid}`, ...broker } = mqtt
    return mqttSource({ id: 'mqtt', clientId, ...broker, clock })
  }
  if (http === undefined) return undefined
  const { httpPollSource } = await import('../io/http-poll.ts')
  return httpPollSource({ id: 'http', url: http.url, everyMs: (http.everyS ?? 10) * 1000, clock })
}

function hostOf(text: string): { readonly host: string; readonly port: number | undefined } {
  const [, host = '', port] = /^(\[[^\]]+\]|[^:]+)(?::(\d+))?$/.exec(text) ?? []
  return {
    host: host.replace(/^\[|\]$/g, ''),
    port: port === undefined ? undefined : Number(port),
  }
}

/** One line format if it is configured, else those the decoder names; a configured speed holds for all of them. */
function settingsOf(
  config: SourceConfig,
  definition: DecoderDefinition,
): readonly SerialSettings[] {
  const { baud, format = 'auto' } = config
  if (format !== 'auto') return [parseLine(format, baud ?? 2400)]
  const named = definition.serial ?? [parseLine('8N1', 115_200)]
  if (baud === undefined) return named
  const formats = [
    ...new Set(named.map(s => `${s.dataBits}${s.parity[0]!.toUpperCase()}${s.stopBits}`)),
  ]
  return formats.map(line => parseLine(line, baud))
}
