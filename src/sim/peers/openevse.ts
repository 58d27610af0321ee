/**
 * OpenEVSE (`src/current_shaper.cpp`): a limit of the total power, in whole amperes every 2 s.
 *
 * Restated: total power shared evenly over the phases, five minutes of pause, while paused the power rises at once and
 * falls with a filter of a minute, two minutes without a sample stop it.
 * Left out: solar divert, temperature throttling, claims of other services.
 */
import { peer, vehicleA } from './peer.ts'

const EVERY_MS = 2000
const SILENT_MS = 120_000
const PAUSE_MS = 300_000
const FILTER_S = 60
const RESUME_A = 0.5

/** The shaper with the connection's power as its limit. */
export const openevse: ReturnType<typeof peer> = peer(
  ({ limitA, minA, maxA, voltageV, phases }) => {
    const most = limitA.reduce((sum, amperes) => sum + amperes, 0) * voltageV
    let counted = 0
    let live = 0
    let current = 0
    let pausedAt: number | undefined
    return (known, now) => {
      const { readAt, readings, powerW } = known
      if (readAt === undefined || now - readAt > SILENT_MS) return 0
      if (readings !== counted) {
        const falls = pausedAt !== undefined && powerW < live
        live = falls ? live + ((powerW - live) * 2) / FILTER_S : powerW
        current = (most - live) / (voltageV * phases) + vehicleA(known)
      }
      counted = readings
      if (now % EVERY_MS !== 0) return known.limitA
      if (pausedAt !== undefined) {
        if (now - pausedAt < PAUSE_MS || current - minA < RESUME_A) return 0
        pausedAt = undefined
      }
      const amperes = Math.floor(Math.min(current, maxA))
      if (amperes >= minA) return amperes
      pausedAt = now
      return 0
    }
  },
)
