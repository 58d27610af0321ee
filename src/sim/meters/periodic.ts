/** A meter that reports at fixed intervals. */

import type { ElectricalState } from '../norway/electrical.ts'
import { type Meter, type MeterSetting, Transit } from './meter.ts'
import { readingOf } from './values.ts'

/** Samples at the first second of each interval; what it sampled arrives after the latency. */
export function periodicMeter(setting: MeterSetting): Meter {
  const { intervalS, latencyS } = setting.model
  const transit = new Transit(setting)
  let due = 0
  let last: ElectricalState | undefined
  return {
    step(second, truth) {
      if (second >= due) {
        while (due <= second) due += intervalS
        const state = transit.freezes(second) ? (last ?? truth()) : truth()
        last = state
        const at = Math.round((second + latencyS) * 1000)
        if (!transit.loses(second)) transit.send({ at, reading: readingOf(setting, state, at) })
      }
      return transit.arrived(second)
    },
  }
}
