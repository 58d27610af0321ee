import { DecodeError, type DecodeErrorCode } from '../errors.ts'

/** What became of the first candidate of a run: decides the run's code. */
interface Fate {
  /** Input offset behind the candidate's last byte, as far as that is known. */
  readonly expectedEnd: number
  readonly code: DecodeErrorCode
  readonly detail: string
}

/** A run that has ended. */
export interface EndedRun {
  readonly error: DecodeError
  readonly offset: number
  readonly length: number
}

/** The open run of bytes that gave nothing. All positions are input offsets. */
export class RejectedRun {
  private start = -1
  private fate: Fate | undefined

  get isOpen(): boolean {
    return this.start >= 0
  }

  /** The byte at `offset` gave nothing. */
  add(offset: number): void {
    if (this.start < 0) this.start = offset
  }

  /** A candidate failed that should have ended at `expectedEnd`. The first one counts. */
  fail(expectedEnd: number, code: DecodeErrorCode, detail: string): void {
    this.fate ??= { expectedEnd, code, detail }
  }

  /** True where the first candidate failed with `code` and ended at `offset`. */
  hasFailedAt(offset: number, code: DecodeErrorCode): boolean {
    return this.fate?.code === code && this.fate.expectedEnd === offset
  }

  /** Ends the run before `offset`; `undefined` where none is open. */
  end(offset: number): EndedRun | undefined {
    const { start, fate } = this
    this.start = -1
    this.fate = undefined
    if (start < 0) return undefined
    const [code, detail] = faultOf(fate, offset)
    return { error: new DecodeError(code, 0, detail), offset: start, length: offset - start }
  }
}

function faultOf(fate: Fate | undefined, end: number): [DecodeErrorCode, string] {
  if (fate === undefined) return ['LINK_BAD_FORMAT', 'no telegram starts in these bytes']
  // A telegram that should reach beyond the run lost bytes; one that ends inside it was damaged.
  if (fate.expectedEnd > end && fate.code !== 'LINK_INCOMPLETE')
    return ['LINK_INCOMPLETE', 'a telegram begins here, another one before it ends']
  return [fate.code, fate.detail]
}
