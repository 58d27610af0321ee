/** Every decoder there is. A new one is a file of its own and a line here. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { dlmsPush } from './dlms-push.ts'
import { AIDON, aidon } from './no-aidon.ts'
import { KAIFA, kaifa } from './no-kaifa.ts'
import { KAMSTRUP, kamstrup } from './no-kamstrup.ts'
import { p1 } from './p1.ts'
import { defineHan } from './push/definition.ts'
import { sml } from './sml.ts'

/** Decoders by the order in which they are listed. */
export const decoders: readonly DecoderDefinition[] = [aidon, kaifa, kamstrup, dlmsPush, p1, sml]

/** Tells the maker from the content of each telegram; its readings carry the id of the decoder that fits. */
export const auto: DecoderDefinition = defineHan('Whatever arrives, recognised by its content', [
  AIDON,
  KAIFA,
  KAMSTRUP,
])
