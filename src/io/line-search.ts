/**
 * Which line settings are right. Wrong parity gives no silence but altered bytes, so the criterion is two frames with
 * a right checksum, never that bytes arrive. Pure: instants in, verdicts out.
 */
import type { SerialSettings } from '../decoder.ts'
import type { Instant } from '../reading.ts'

/** Times of the search, ms. */
export interface SearchTimings {
  /** Without a good frame for this long after the first byte, the next settings are tried: period plus frame. */
  readonly trialMs: number
  /** Bytes for this long without a good frame, after there were good ones: the search begins again. */
  readonly lostMs: number
  /** Silence that is reported. */
  readonly silenceMs: number
}

/** 12 s hold the 10 s period of a Kamstrup meter and its frame. */
export const DEFAULT_SEARCH_TIMINGS: SearchTimings = {
  trialMs: 12_000,
  lostMs: 60_000,
  silenceMs: 60_000,
}

/** What is to be done: open the line again with other settings, or tell that nothing arrives. */
export type Verdict = 'change' | 'silence' | undefined

/** Good frames that settle the matter. */
const FRAMES_TO_SETTLE = 2

/** The search over a list of settings; with one entry only silence is watched. */
export class LineSearch {
  private readonly settings: readonly SerialSettings[]
  private readonly timings: SearchTimings
  private index = 0
  private frames = 0
  private settled = false
  private lastByteAt: Instant
  /** First byte since the line was opened or the last good frame came; the spell ends with silence. */
  private doubtSince: Instant | undefined
  private silenceTold = false

  constructor(
    settings: readonly SerialSettings[],
    now: Instant,
    timings: SearchTimings = DEFAULT_SEARCH_TIMINGS,
  ) {
    if (settings.length === 0) throw new RangeError('a serial line needs settings to try')
    this.settings = settings
    this.timings = timings
    this.lastByteAt = now
  }

  get current(): SerialSettings {
    return this.settings[this.index]!
  }

  /** The line was opened, again or with other settings. What was found before stays found. */
  opened(now: Instant): void {
    this.doubtSince = undefined
    this.lastByteAt = now
  }

  /** Bytes arrived. */
  bytes(now: Instant): void {
    if (now - this.lastByteAt >= this.timings.lostMs) this.doubtSince = undefined
    this.lastByteAt = now
    this.silenceTold = false
    this.doubtSince ??= now
  }

  /** A frame with a right checksum arrived; true when this settles the settings. */
  frame(): boolean {
    this.doubtSince = undefined
    this.frames += 1
    if (this.settled || this.frames < FRAMES_TO_SETTLE) return false
    this.settled = true
    return this.settings.length > 1
  }

  /** When {@link wake} is wanted; `undefined` while only bytes can change anything. */
  get wakeAt(): Instant | undefined {
    const silenceAt = this.silenceTold ? undefined : this.lastByteAt + this.timings.silenceMs
    if (!this.onTrial || this.doubtSince === undefined) return silenceAt
    const trialEnd = this.doubtSince + this.timings.trialMs
    return silenceAt === undefined ? trialEnd : Math.min(trialEnd, silenceAt)
  }

  /** What is to be done now. After `change`, {@link current} is the next settings. */
  wake(now: Instant): Verdict {
    if (this.isWrong(now)) {
      this.index = (this.index + 1) % this.settings.length
      this.frames = 0
      this.settled = false
      return 'change'
    }
    if (this.silenceTold || now - this.lastByteAt < this.timings.silenceMs) return undefined
    this.silenceTold = true
    return 'silence'
  }

  /** Nothing good yet with these settings. After one good frame a slow meter gets the time to send its second. */
  private get onTrial(): boolean {
    return this.settings.length > 1 && this.frames === 0
  }

  private isWrong(now: Instant): boolean {
    if (this.settings.length === 1 || this.doubtSince === undefined) return false
    if (this.onTrial) return now - this.doubtSince >= this.timings.trialMs
    // Bytes have to go on for that long: padding behind a frame of a slow meter is no doubt.
    return this.lastByteAt - this.doubtSince >= this.timings.lostMs
  }
}
