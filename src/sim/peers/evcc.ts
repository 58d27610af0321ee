/**
 * evcc (`core/circuit/circuit.go`, `core/loadpoint.go`): a circuit with a current limit, asked once in an interval.
 *
 * Restated: the worst phase, the vehicle's own draw added back at the moment of the decision, no hold and no minimum
 * between changes, whole amperes as for chargers that do not declare finer steps, nothing below the minimum, readings
 * older than a minute count as overload.
 * Left out: tariffs, solar surplus, phase switching, priorities between load points, power limits of circuits.
 */
import { type Known, peer, vehicleA } from './peer.ts'

const OUTDATED_MS = 60_000

/** With an interval of its loop, s: 30 by default, 10 is the least people use. */
export function evcc(intervalS: number): ReturnType<typeof peer> {
  return peer(({ limitA, maxA, minA, offsetS }) => {
    const most = Math.min(...limitA)
    return (known: Known, now) => {
      if ((now / 1000) % intervalS !== offsetS) return known.limitA
      const { readAt, currents } = known
      if (readAt === undefined || now - readAt > OUTDATED_MS) return 0
      const worst = Math.max(...currents)
      const old = vehicleA(known)
      const room = most - worst
      const amperes = maxA - old > room ? Math.min(maxA, Math.max(0, old + room)) : maxA
      return amperes < minA ? 0 : Math.floor(amperes)
    }
  })
}
