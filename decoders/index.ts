/** Every decoder there is. A new one is a file of its own and a line here. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { dlmsPush } from './dlms-push.ts'
import { chain2 } from './it-chain2.ts'
import { chain2gate } from './it-chain2gate.ts'
import { sinapsi } from './it-sinapsi.ts'
import { jsonMap } from './json-map.ts'
import { aidon } from './no-aidon.ts'
import { kaifa } from './no-kaifa.ts'
import { kamstrup } from './no-kamstrup.ts'
import { p1 } from './p1.ts'
import { sml } from './sml.ts'

export { auto } from './auto.ts'

/** Decoders by the order in which they are listed. */
export const decoders: readonly DecoderDefinition[] = [
  aidon,
  kaifa,
  kamstrup,
  dlmsPush,
  p1,
  sml,
  chain2gate,
  sinapsi,
  chain2,
  jsonMap,
]
