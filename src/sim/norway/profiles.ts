/** Every simulated HAN meter family by name. */
import { aidon, aidonSe, embriq } from './aidon.ts'
import { kaifa, kaifaSe, kaifaSeObis } from './kaifa.ts'
import { kamstrup, kamstrupDkCt, kamstrupOld } from './kamstrup.ts'
import type { HanProfile } from './telegram.ts'

/** All profiles, in the order the documentation lists them. */
export const HAN_PROFILES: readonly HanProfile[] = [
  aidon,
  aidonSe,
  embriq,
  kaifa,
  kaifaSe,
  kaifaSeObis,
  kamstrup,
  kamstrupOld,
  kamstrupDkCt,
]
