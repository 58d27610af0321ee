/** Italian second-generation meters behind a Chain2Gate (MAC), or whatever passes its JSON on. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { JsonDecoder } from '../src/json/decoder.ts'
import { Chain2Messages } from './chain2/decoder.ts'
import { explainChain2 } from './chain2/explain.ts'
import { type Chain2Options, parseChain2Options } from './chain2/options.ts'

export const chain2gate: DecoderDefinition<Chain2Options> = {
  id: 'it-chain2gate',
  title: 'Chain2Gate, Italy: JSON of Open Meters (Chain2)',
  input: 'message',
  parseOptions: parseChain2Options,
  create: options => {
    const messages = new Chain2Messages('it-chain2gate', options)
    return new JsonDecoder(message => messages.read(message))
  },
  explain: explainChain2,
}
