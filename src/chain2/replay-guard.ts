/**
 * Refuses what was sent before: the counter of a meter grows with every message under one key. Only what was
 * authenticated is asked and remembered, so that a forged counter locks nobody out.
 */
import type { InvocationCounter } from '../decoder.ts'
import { DecodeError } from '../errors.ts'

/** Last accepted counters by their id. */
export type Counters = Readonly<Record<string, number>>

export class ReplayGuard {
  private readonly accepted: Map<string, number>
  private readonly resetAfter: number
  /** Refused ones in a row whose counters grow among themselves, by id: a meter that began again. */
  private readonly refused = new Map<string, { readonly value: number; readonly times: number }>()

  /**
   * `resetAfter`: after so many refused messages in a row, each with a counter above that of the one before, the meter
   * is believed to have begun again; 0 = never, only somebody who removes the stored counter.
   */
  constructor(initial: Counters, resetAfter: number) {
    this.accepted = new Map(Object.entries(initial))
    this.resetAfter = resetAfter
  }

  /** Accepts a counter that is new. Throws CIPHER_REPLAY. */
  accept(id: string, value: number): InvocationCounter {
    const last = this.accepted.get(id)
    if (last !== undefined && value <= last && !this.beganAgain(id, value))
      throw new DecodeError(
        'CIPHER_REPLAY',
        0,
        `counter ${value}, the last accepted one is ${last}; if the meter began again remove the stored counter ${id}`,
      )
    this.refused.delete(id)
    this.accepted.set(id, value)
    return { id, value }
  }

  private beganAgain(id: string, value: number): boolean {
    if (this.resetAfter === 0) return false
    const before = this.refused.get(id)
    const grows = before !== undefined && value > before.value
    const times = grows ? before.times + 1 : 1
    this.refused.set(id, { value, times })
    return times > this.resetAfter
  }
}
