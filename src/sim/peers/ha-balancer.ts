/**
 * The load balancer of Home Assistant (`hass-evse-load-balancer`: `optimised_load_balancer.py`, `coordinator.py`):
 * whole amperes every second.
 *
 * Restated: the optimised balancer waits until an overload has gathered 60 points, the conservative one acts at once;
 * cuts by what is missing, raises by what is free, 20 s between changes, raises a quarter of an hour after the last.
 * Left out: priorities of several boxes, sensors of single integrations. There is no check of the readings' age.
 */
import { peer } from './peer.ts'

const BETWEEN_MS = 20_000
const RAISE_MS = 900_000
const ACT_AT = 60
/** Points a second by the share above the limit. */
const RISK: readonly (readonly [upTo: number, points: number])[] = [
  [0.13, 1],
  [0.4, 2],
  [1, 6],
  [Infinity, 60],
]

/** `optimised` rides out short overloads, `conservative` none. */
export function haBalancer(mode: 'optimised' | 'conservative'): ReturnType<typeof peer> {
  return peer(({ limitA, minA, maxA }) => {
    let risk = 0
    let changedAt = -Infinity
    return (known, now) => {
      const { readAt, currents, limitA: set } = known
      if (readAt === undefined) return 0
      const rooms = currents.map((amperes, line) => Math.floor(limitA[line]! - amperes))
      const room = Math.min(...rooms)
      if (room < 0) {
        const over = Math.max(...currents.map((amperes, line) => amperes / limitA[line]! - 1))
        risk += RISK.find(([upTo]) => over <= upTo)![1]
      } else risk = Math.max(0, risk - 1)
      const since = now - changedAt
      const acts = mode === 'conservative' || risk >= ACT_AT
      if (room < 0 && acts && since >= BETWEEN_MS && set > 0) {
        risk = 0
        changedAt = now
        return set + room
      }
      const target = Math.min(set + room, maxA)
      if (room > 0 && target > set && target >= minA && since >= RAISE_MS) {
        changedAt = now
        return target
      }
      return set
    }
  })
}
