/**
 * What the counters of a listening modem say of the line. Nothing is transmitted, so every counter of the physical layer
 * that rises counts something received: a preamble with its unique word.
 */
import type { Instant } from '../../reading.ts'

/** Something to tell a person; codes are stable. */
export interface Report {
  readonly level: 'info' | 'warn' | 'error'
  readonly code: string
  readonly detail: string
}

/** A meter says something at least once in a quarter of an hour. */
const SILENCE_MS = 20 * 60_000
/** Noise gives a unique word now and then. */
const HEARD_ENOUGH = 5

export class Hearing {
  private last: readonly number[] | undefined
  private since: Instant | undefined
  private heard = 0
  private dataUnits = 0
  private told: string | undefined

  /** The modem listens anew: its counters may have begun again. */
  begin(): void {
    this.last = undefined
    this.since = undefined
    this.heard = 0
    this.dataUnits = 0
  }

  /** A data unit whose check was right. */
  dataUnit(): void {
    this.dataUnits++
    this.told = undefined
  }

  /** Takes the counters of the physical and the data link layer; gives what is to be told, each thing once. */
  counters(phy: readonly number[], dl: readonly number[], now: Instant): Report | undefined {
    const { last } = this
    this.last = phy
    this.since ??= now
    if (last !== undefined) this.heard += rise(last, phy)
    if (this.dataUnits > 0) {
      this.begin()
      this.last = phy
      return undefined
    }
    const counters = `counters: PHY ${phy.join(' ')}, DL ${dl.join(' ')}`
    if (this.heard >= HEARD_ENOUGH)
      return this.once({
        level: 'warn',
        code: 'modem_hears_noise',
        detail: `${this.heard} beginnings of frames were heard and none was right: check modulation, layer and check (${counters})`,
      })
    if (now - this.since < SILENCE_MS) return undefined
    const minutes = Math.round((now - this.since) / 60_000)
    return this.once({
      level: 'warn',
      code: 'modem_hears_nothing',
      detail: `nothing was heard for ${minutes} minutes: check carrier frequency and coupling to the mains (${counters})`,
    })
  }

  private once(report: Report): Report | undefined {
    if (this.told === report.code) return undefined
    this.told = report.code
    return report
  }
}

/** How far the counter that rose furthest rose; they are 16 bits wide and begin again. */
function rise(from: readonly number[], to: readonly number[]): number {
  return Math.max(0, ...to.map((value, i) => (value - (from[i] ?? value)) & 0xffff))
}
