/**
 * WARP charger (`power_manager.cpp`, `current_allocator.cpp`), dynamic load management: per phase, allocation every 10 s.
 *
 * Restated: a target below the limit by the largest load expected (11 A here, the firmware's default is 32), mean of
 * 10 s or worse the further it is above the target, raw current from the error, charging only while the least raw
 * current of four minutes suffices, 210 s of pause, what the vehicle draws plus 3 A after a minute, no reading for
 * 65 s stops it.
 * Left out: solar surplus, several boxes, phase switching, rotation.
 */
import { peer, vehicleOnLines } from './peer.ts'

const LARGEST_A = 11
const MEAN_S = 10
const ALLOCATE_MS = 10_000
const URGENT_MS = 5000
const PAUSE_MS = 210_000
const LEAST_S = 240
const SILENT_MS = 65_000
const SETTLED_MS = 60_000
const MORE_A = 3

/** Dynamic load management. */
export const warp: ReturnType<typeof peer> = peer(site => {
  const { limitA, lines, minA, maxA } = site
  const targets = limitA.map(limit => Math.min(1.4 * limit - LARGEST_A, limit))
  const recent: number[][] = limitA.map(() => [])
  const raws: number[] = []
  let allocatedAt = 0
  let offAt = -Infinity
  let chargingSince: number | undefined
  return (known, now) => {
    const { readAt, currents, limitA: allocated, charger } = known
    if (readAt === undefined || now - readAt > SILENT_MS) return 0
    chargingSince = charger?.state === 'C' ? (chargingSince ?? now) : undefined

    let urgent = false
    let raw = Infinity
    for (const [line, values] of recent.entries()) {
      values.push(currents[line]!)
      if (values.length > MEAN_S) values.shift()
      if (!lines.includes(line)) continue
      const target = targets[line]!
      const share = currents[line]! / target
      const mean = values.reduce((sum, amperes) => sum + amperes, 0) / values.length
      const worse = (Math.max(...values) + mean) / 2
      const weight = Math.max(0, Math.min(1, (share - 1.1) / 0.1))
      const error = target - (mean + weight * (worse - mean))
      const step =
        allocated === 0 ? error : error < 0 ? (15 / 16) * error : Math.min(error / 2, target / 2)
      raw = Math.min(raw, allocated + step)
      if (share > 1.2) urgent = true
    }
    raws.push(raw)
    if (raws.length > LEAST_S) raws.shift()

    const since = now - allocatedAt
    if (since < (urgent ? URGENT_MS : ALLOCATE_MS)) return allocated
    allocatedAt = now
    if (allocated === 0) {
      const isSafe = raws.length >= LEAST_S && Math.min(...raws) >= minA
      return isSafe && now - offAt >= PAUSE_MS ? Math.min(raw, maxA) : 0
    }
    if (raw < minA) {
      offAt = now
      return 0
    }
    const settled = chargingSince !== undefined && now - chargingSince >= SETTLED_MS
    const drawn = Math.max(...vehicleOnLines(known, site)) + MORE_A
    return Math.min(raw, settled ? drawn : maxA, maxA)
  }
})
