/** From what a person names (a port, a host) to a source. */

import type { SourceConfig } from '../config.ts'
import type { DecoderDefinition, SerialSettings } from '../decoder.ts'
import { AmpacityError } from '../errors.ts'
import { loadRecording } from '../io/capture-file.ts'
import { listenSource } from '../io/listen.ts'
import type { Clock, Source } from '../io/ports.ts'
import { replaySource } from '../io/replay-source.ts'
import { serialSource } from '../io/serial.ts'
import { tcpSource } from '../io/tcp.ts'

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

/** The source a configuration names. */
export async function sourceOfConfig(
  config: SourceConfig,
  definition: DecoderDefinition,
  clock: Clock,
): Promise<Source> {
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
  const { chunks } = await loadRecording(config.file ?? '-')
  return replaySource({ id: config.file === undefined ? 'stdin' : 'file', chunks, clock })
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
