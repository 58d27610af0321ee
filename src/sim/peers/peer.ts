/** What every restated controller remembers of meter and charge point; the rules are in the files beside. */
import type { ChargerStatus } from '../../control/model.ts'
import type { Instant, Reading } from '../../reading.ts'
import type { Controller, ControllerFactory, Site } from '../controllers/controller.ts'
import { codeOf, hasCurrents, lineCurrents, netPower } from './lines.ts'

/** What is known when a rule decides. */
export interface Known {
  /** Newest currents of all lines, A. */
  currents: readonly number[]
  powerW: number
  /** When they arrived; `undefined` before the first. */
  readAt: Instant | undefined
  /** Number of readings so far. */
  readings: number
  charger: ChargerStatus | undefined
  /** What it commands now, A. */
  limitA: number
}

/** Decides once a second what is commanded, A. */
export type Rule = (known: Known, now: Instant) => number

/** A controller from a rule made for a place. */
export function peer(ruleOf: (site: Site) => Rule): ControllerFactory {
  return (site): Controller => {
    const rule = ruleOf(site)
    const lines = site.limitA.length
    const known: Known = {
      currents: site.limitA.map(() => 0),
      powerW: 0,
      readAt: undefined,
      readings: 0,
      charger: undefined,
      limitA: 0,
    }
    return {
      reading(reading: Reading, now) {
        if (!hasCurrents(reading)) return
        known.currents = lineCurrents(reading, lines)
        known.powerW = netPower(reading, lines, site.voltageV)
        known.readAt = now
        known.readings += 1
      },
      charger(status) {
        known.charger = status
      },
      tick(now) {
        const limitA = Math.min(rule(known, now), site.maxA)
        known.limitA = limitA < site.minA ? 0 : Math.floor(limitA / site.stepA + 1e-6) * site.stepA
        return known.limitA
      },
      get code() {
        return codeOf(known.limitA, site.maxA)
      },
      limitedBy: 'main_fuse',
    }
  }
}

/** Draw of the vehicle on its busiest phase, A: measured, else what is offered while it charges. */
export function vehicleA({ charger }: Known): number {
  if (charger === undefined) return 0
  if (charger.currentA !== null) return Math.max(...charger.currentA)
  return charger.state === 'C' ? (charger.offeredA ?? 0) : 0
}

/** Draw of the vehicle on each line of the grid, A. */
export function vehicleOnLines(known: Known, site: Site): readonly number[] {
  const { charger } = known
  return site.limitA.map((_, line) => {
    const phase = site.lines.indexOf(line)
    if (phase === -1) return 0
    if (charger?.currentA == null) return vehicleA(known)
    return charger.currentA[site.phases === 1 ? 0 : (phase as 0 | 1 | 2)]
  })
}
