/**
 * SmartEVSE 3.5, smart mode (`main.cpp`, CalcBalancedCurrent): every 2 s the set current moves with the room on the
 * worst phase, a quarter of it upwards, all of it downwards.
 *
 * Restated: the cap by mains limit less what others draw (taken with its own set current, not with the measured one),
 * three shortages or twice the limit stop charging, a minute of room starts it again, 11 s without a frame stop it.
 * Left out: solar mode, several boxes on one bus, capacity tariff, temperature.
 */
import { peer } from './peer.ts'

const EVERY_MS = 2000
const SILENT_MS = 11_000
const RETRY_MS = 60_000
const SHORTAGES = 3

/** Smart mode. */
export const smartevse: ReturnType<typeof peer> = peer(({ limitA, minA, maxA }) => {
  const mains = Math.min(...limitA)
  let set = minA
  let counted = 0
  let shortages = 0
  let stopped = true
  let roomSince: number | undefined
  return (known, now) => {
    const { readAt, currents, readings } = known
    if (readAt === undefined || now - readAt > SILENT_MS) return 0
    if (now % EVERY_MS !== 0) return known.limitA
    const worst = Math.max(...currents)
    if (stopped) {
      roomSince = minA + worst <= mains ? (roomSince ?? now) : undefined
      if (roomSince === undefined || now - roomSince < RETRY_MS) return 0
      stopped = false
      shortages = 0
      set = minA
    }
    const room = mains - worst
    if (readings !== counted) set += room > 0 ? room / 4 : room
    counted = readings
    const share = mains - (worst - known.limitA)
    set = Math.min(set, share, maxA)
    if (set < minA) {
      set = minA
      shortages = minA > share ? shortages + 1 : 0
    } else shortages = 0
    if (shortages >= SHORTAGES || worst > 2 * mains) {
      stopped = true
      roomSince = undefined
      return 0
    }
    return Math.floor(set * 10) / 10
  }
})
