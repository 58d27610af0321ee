import type { Note, Reading } from './reading.ts'

/** A scale found by magnitude is believed from this reading on. */
const AGREEMENTS = 6

/** What is said of readings that may lower a current and never raise it. */
const UNTRUSTED: ReadonlySet<Note> = new Set(['retained', 'unauthenticated'])

/**
 * Which readings of a meter may raise a current: those whose bytes were protected and whose scale is not a guess. A
 * scale that was chosen by magnitude counts as a guess until six readings in a row of the same meter agree. What was
 * kept by somebody and handed out on request may be old; what nothing authenticates may be anybody's.
 */
export class ScaleTrust {
  private agreements = 0
  private meterId: string | undefined

  /** Takes the next reading and says whether it may raise. */
  mayRaise(reading: Reading, notes: readonly Note[]): boolean {
    const id = reading.meter?.id ?? this.meterId
    if (id !== this.meterId) this.agreements = 0
    this.meterId = id
    this.agreements = notes.includes('scale_corrected') ? this.agreements + 1 : 0
    const isKnown = this.agreements === 0 || this.agreements >= AGREEMENTS
    const isUntrusted = notes.some(note => UNTRUSTED.has(note))
    return isKnown && reading.integrity !== 'none' && !isUntrusted
  }
}
