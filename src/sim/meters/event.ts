/**
 * A meter that reports changes: when the power has moved by more than a tenth since the last report, at most every two
 * seconds, and after a quarter of an hour in any case. So do Italian meters on their in-home channel (CEI 13-82).
 */
import { type Meter, type MeterSetting, Transit } from './meter.ts'
import { readingOf } from './values.ts'

const RELATIVE = 0.1
const LEAST_CHANGE_W = 30
const LEAST_GAP_S = 2
const LONGEST_GAP_S = 900

/** Reports as its power changes. */
export function eventMeter(setting: MeterSetting): Meter {
  const { latencyS } = setting.model
  const transit = new Transit(setting)
  let reportedW: number | undefined
  let reportedAt = 0
  return {
    step(second, truth) {
      const state = truth()
      const watts = state.activeW[0] + state.activeW[1] + state.activeW[2]
      const since = second - reportedAt
      const moved =
        reportedW === undefined ||
        Math.abs(watts - reportedW) > Math.max(RELATIVE * Math.abs(reportedW), LEAST_CHANGE_W)
      if ((moved && (since >= LEAST_GAP_S || reportedW === undefined)) || since >= LONGEST_GAP_S) {
        reportedW = watts
        reportedAt = second
        const at = Math.round((second + latencyS) * 1000)
        if (!transit.loses(second)) transit.send({ at, reading: readingOf(setting, state, at) })
      }
      return transit.arrived(second)
    },
  }
}
