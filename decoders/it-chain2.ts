/**
 * Italian second-generation meters over the power line: whatever a modem receives, opened and read as the configuration
 * says. What CEI TS 13-83 and 13-84 fix and nobody publishes (headers, protection, layouts) is configuration, and none
 * of it is guessed.
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { PlcDecoder } from './plc/decoder.ts'
import { explainPlc } from './plc/explain.ts'
import { type PlcOptions, parsePlcOptions } from './plc/options.ts'

const ID = 'it-chain2'

export const chain2: DecoderDefinition<PlcOptions> = {
  id: ID,
  title: 'Open Meters, Italy, by a power-line modem (Chain2)',
  input: 'stream',
  usesKeys: true,
  serial: [57_600, 38_400, 19_200, 9600].map(baudRate => ({
    baudRate,
    dataBits: 8,
    parity: 'none',
    stopBits: 1,
  })),
  parseOptions: parsePlcOptions,
  create: options => new PlcDecoder(ID, options),
  explain: explainPlc,
}
