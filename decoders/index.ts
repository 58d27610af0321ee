/** Every decoder there is. A new one is a file of its own and a line here. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { defineHan } from './han/definition.ts'
import { chain2 } from './it-chain2.ts'
import { chain2gate } from './it-chain2gate.ts'
import { sinapsi } from './it-sinapsi.ts'
import { jsonMap } from './json-map.ts'
import { AIDON, aidon } from './no-aidon.ts'
import { KAIFA, kaifa } from './no-kaifa.ts'
import { KAMSTRUP, kamstrup } from './no-kamstrup.ts'

/** Decoders by the order in which they are listed. */
export const decoders: readonly DecoderDefinition[] = [
  aidon,
  kaifa,
  kamstrup,
  chain2gate,
  sinapsi,
  chain2,
  jsonMap,
]

/** Tells the maker from the content of each telegram; its readings carry the id of the decoder that fits. */
export const auto: DecoderDefinition = defineHan('Whatever arrives, recognised by its content', [
  AIDON,
  KAIFA,
  KAMSTRUP,
])
