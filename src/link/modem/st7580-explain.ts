/** What status and data of the ST7580 mean, for explanations. */
import { hex, toHex } from '../../bytes/hex.ts'
import type { LocalMeaning } from './local-explain.ts'
import {
  COMMAND,
  ERRORS,
  INDICATION_HEADER,
  readReception,
  readStatus,
  ST7580_FRAMES,
} from './st7580.ts'
import { MIB, MIB_NAMES, readModemConfiguration, readReset } from './st7580-mib.ts'
import { readDataConfirm, readDataRequest } from './st7580-transmission.ts'

const RESET_CAUSES: readonly string[] = ['pin or power', 'watchdog', 'command', 'unknown']

/** Meanings for {@link explainLocal}. */
export const ST7580_MEANING: LocalMeaning = {
  form: ST7580_FRAMES,
  status: (bytes, at) => {
    const { configError, transmitting, receiving, layer } = readStatus(bytes[at]!)
    const doing = transmitting ? 'transmitting' : receiving ? 'receiving' : 'idle'
    return `layer ${layer}, ${doing}${configError ? ', not configured' : ''}`
  },
  data: (command, bytes, start, end, row) => {
    const { role, name } = ST7580_FRAMES.commands[command]!
    if (role === 'indication' && command !== COMMAND.resetIndication) {
      const { modulation, channel, pga, snrDb } = readReception(bytes.subarray(start, end))
      row(start, start + 1, `${modulation}, ${channel} channel, gain step ${pga}`)
      row(
        start + 1,
        start + 2,
        snrDb === null ? 'no signal to noise ratio' : `signal ${snrDb} dB over noise`,
      )
      row(start + 2, start + INDICATION_HEADER, 'delay against the zero crossing')
      return [start + INDICATION_HEADER, end]
    }
    if (start === end) return undefined
    const first = bytes[start]!
    if (command === COMMAND.mibWriteRequest) {
      row(start, start + 1, `object ${MIB_NAMES[first] ?? hex(first)}`)
      row(start + 1, end, objectText(first, bytes, start + 1, end))
    } else if (command === COMMAND.mibReadRequest)
      row(start, end, `object ${MIB_NAMES[first] ?? hex(first)}`)
    else if (command === COMMAND.resetIndication) row(start, end, resetText(first))
    else if (name.endsWith('Error')) row(start, end, ERRORS[first] ?? `error ${hex(first)}`)
    else if (role === 'transmission') {
      const { channel, modulation, payloadAt } = readDataRequest(bytes.subarray(start, end))
      row(start, start + payloadAt, `${modulation}, ${channel} channel`)
      row(start + payloadAt, end, 'to be transmitted')
    } else if (name.endsWith('DataConfirm')) {
      const confirm = readDataConfirm(bytes.subarray(start, end))
      const gains = confirm === undefined ? '' : `, gain ${confirm.minGain} to ${confirm.maxGain}`
      row(start, end, `transmitted${gains}`)
    } else row(start, end, 'data')
    return undefined
  },
}

/** Content of an object; a key is never shown. */
function objectText(object: number, bytes: Uint8Array, start: number, end: number): string {
  if (object === MIB.ssKey) return 'key'
  if (object !== MIB.modem) return toHex(bytes, start, end)
  const configuration = readModemConfiguration(bytes[start]!)
  if (configuration === undefined) return `no such layer in ${hex(bytes[start]!)}`
  const { layer, check, sniffer } = configuration
  return `layer ${layer}, ${check}${sniffer ? ', sniffer' : ''}`
}

function resetText(byte: number): string {
  const report = readReset(byte)
  const faults = [
    [report.autoReconfigError, 'not restored by itself'],
    [report.modemConfigError, 'modem configuration'],
    [report.phyConfigError, 'PHY configuration'],
    [report.ssKeyError, 'SS key'],
  ].flatMap(([isSo, what]) => (isSo ? [what] : []))
  const missing = faults.length === 0 ? 'everything restored' : `missing: ${faults.join(', ')}`
  return `reset by ${RESET_CAUSES[report.cause]}; ${missing}`
}
