/**
 * openWB 2 (`control/counter.py`): every 10 s what is left on each phase once the vehicle is taken out.
 *
 * Restated: the least of the used phases is offered at once, in both directions; below the minimum charging stops.
 * Left out: solar control with its delays, phase switching, several charge points, failures of counters.
 */
import { peer, vehicleOnLines } from './peer.ts'

const EVERY_S = 10

/** Load management of a counter. */
export const openwb: ReturnType<typeof peer> = peer(site => (known, now) => {
  if ((now / 1000) % EVERY_S !== site.offsetS) return known.limitA
  if (known.readAt === undefined) return 0
  const own = vehicleOnLines(known, site)
  const left = site.lines.map(line =>
    Math.max(0, site.limitA[line]! - (known.currents[line]! - own[line]!)),
  )
  return Math.min(...left)
})
