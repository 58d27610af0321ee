/** Where a configuration says the meter's bytes come from. */
import { describe, type Located, problem } from './config-problems.ts'

/** Kinds of sources; a configuration names one. */
export const SOURCES = [
  'serial',
  'tcp',
  'listen',
  'modem',
  'chain2gate',
  'sinapsi',
  'mqtt',
  'http',
  'file',
  'stdin',
] as const

/** How a broker is reached; secrets are files. */
export interface MqttAccess {
  readonly url: string
  readonly clientId?: string
  readonly usernameFile?: string
  readonly passwordFile?: string
  readonly caFile?: string
  readonly certFile?: string
  readonly keyFile?: string
}

/** A power-line modem (ST7580) at a serial port, and how it is to listen. */
export interface ModemConfig {
  readonly port: string
  /** The only channel it hears, Hz; that of Chain2 is not public, 132 500 is the middle of its band. */
  readonly carrierHz?: number
  /** Layer that hands data over, default DL: the agent then opens what is protected. */
  readonly layer?: 'PHY' | 'DL' | 'SS'
  /** Check of the data link layer, default crc32-le as the modem comes. */
  readonly check?: 'crc8' | 'crc16-be' | 'crc32-le' | 'crc32-be'
  readonly checkCoversLength?: boolean
  /** Hands over frames whose check or digest failed as well. */
  readonly sniffer?: boolean
  /** T_REQ: `rts` (default), or `none` where a bridge holds it. */
  readonly requestLine?: 'rts' | 'none'
  /** RESETN: `dtr` (default), or `none`: the modem is then reset by command. */
  readonly resetLine?: 'dtr' | 'none'
}

/** Where the meter's bytes come from; one of {@link SOURCES}. */
export interface SourceConfig {
  readonly serial?: string
  /** `host:port` or `tcp://host:port`. */
  readonly tcp?: string
  /** `tcp://host:port` or `udp://host:port` of this machine, for meters that connect by themselves. */
  readonly listen?: string
  readonly modem?: ModemConfig
  /** Host of a Chain2Gate, with the port where it is none of its own. */
  readonly chain2gate?: string
  /** Host of a Sinapsi Alfa. */
  readonly sinapsi?: string
  /** Messages of a topic. */
  readonly mqtt?: MqttAccess & { readonly topic: string }
  /** A document that is asked for again and again. */
  readonly http?: { readonly url: string; readonly everyS?: number }
  readonly file?: string
  readonly stdin?: true
  readonly baud?: number
  /** `auto` (default): what the decoder names, found by trying. */
  readonly format?: '8E1' | '8N1' | '8O1' | '7E1' | 'auto'
  /** Of `sinapsi`: from one poll to the next, s; and while a vehicle charges. */
  readonly everyS?: number
  readonly chargingEveryS?: number
}

/** Whether the meter brings the rules of Italian contracts with it. */
export function isItalian(decoder: string | undefined, source: SourceConfig | undefined): boolean {
  return (
    decoder?.startsWith('it-') === true ||
    source?.modem !== undefined ||
    source?.chain2gate !== undefined ||
    source?.sinapsi !== undefined
  )
}

/** Problems of a source: not exactly one kind, or keys of another kind. */
export function checkSource(source: SourceConfig | undefined): readonly Located[] {
  if (source === undefined) return []
  const kinds = SOURCES.filter(kind => source[kind] !== undefined)
  const at = ['meter', 'source']
  if (kinds.length !== 1)
    return [
      problem(at, `found ${kinds.join(' and ') || 'none'}, expected one of ${SOURCES.join(', ')}`),
    ]
  return OWN_KEYS.filter(
    ([key, kind]) => source[key] !== undefined && source[kind] === undefined,
  ).map(([key, kind]) =>
    problem([...at, key], `found ${describe(source[key])}, expected it with ${kind} only`),
  )
}

/** Keys that belong to one kind of source. */
const OWN_KEYS = [
  ['baud', 'serial'],
  ['format', 'serial'],
  ['everyS', 'sinapsi'],
  ['chargingEveryS', 'sinapsi'],
] as const
