/**
 * Makes the spans of printed lines cover the input without gaps: fill between telegrams (flags, CR LF, zero padding)
 * belongs to the telegram before it, at the start of the input to the one after it. A line is therefore held back
 * until the next one shows where it ends; what was printed meanwhile follows it.
 */
import type { Payload } from '../payload.ts'

export class Coverage {
  private readonly print: (line: Payload) => void
  /** The line whose end is not known yet, and the lines without a span that follow it. */
  private held: Payload[] = []
  private started = false

  constructor(print: (line: Payload) => void) {
    this.print = print
  }

  /** Takes a line; those with `offset` and `length` are spans. */
  add(line: Payload): void {
    if (typeof line['offset'] !== 'number') {
      if (this.held.length > 0) this.held.push(line)
      else this.print(line)
      return
    }
    const offset = line['offset']
    if (!this.started) {
      this.started = true
      line['length'] = (line['length'] as number) + offset
      line['offset'] = 0
    } else this.release(offset)
    this.held.push(line)
  }

  /** Prints what is held, which ends before `offset`. */
  release(offset: number): void {
    const [line, ...followers] = this.held
    this.held = []
    if (line === undefined) return
    line['length'] = offset - (line['offset'] as number)
    this.print(line)
    for (const follower of followers) this.print(follower)
  }
}
