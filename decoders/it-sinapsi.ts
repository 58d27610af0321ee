/** Italian second-generation meters behind a Sinapsi Alfa and its re-brands, polled over Modbus TCP. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { type Chain2Options, parseChain2Options } from './chain2/options.ts'
import { SinapsiDecoder } from './sinapsi/decoder.ts'
import { explainPoll } from './sinapsi/explain.ts'

export const sinapsi: DecoderDefinition<Chain2Options> = {
  id: 'it-sinapsi',
  title: 'Sinapsi Alfa, Italy: registers of Open Meters (Chain2)',
  input: 'message',
  parseOptions: parseChain2Options,
  create: options => new SinapsiDecoder(options),
  explain: explainPoll,
}
