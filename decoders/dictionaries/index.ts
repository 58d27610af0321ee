/** Every dictionary that is shipped. A new one is a file of its own and a line here. */
import type { Dictionary } from '../../src/chain2/dictionary.ts'
import { parseDictionary } from '../../src/chain2/dictionary-parse.ts'
import { CHAIN2_ELECTRIC } from './chain2-electric.ts'
import { TEMPLATE_250 } from './template-250.ts'

/** Dictionaries by name; the first is used where none is configured. */
export const DICTIONARIES: ReadonlyMap<string, Dictionary> = new Map(
  [CHAIN2_ELECTRIC, TEMPLATE_250].map(raw => {
    const parsed = parseDictionary(raw)
    if (!parsed.ok) throw new Error(`a shipped dictionary is wrong: ${JSON.stringify(parsed)}`)
    return [parsed.value.name, parsed.value]
  }),
)
