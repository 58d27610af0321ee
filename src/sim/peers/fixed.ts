/** No control at all: the wallbox offers its maximum, whatever the house does. */
import { peer } from './peer.ts'

/** Always the maximum. */
export const fixed: ReturnType<typeof peer> = peer(
  ({ maxA }) =>
    () =>
      maxA,
)
