/**
 * Carries the newest command to the box, one plan at a time, and compares what the box says with it. Knows validity and
 * other masters; when to write is decided elsewhere.
 */
import type { LimitCommand } from '../../control/model.ts'
import type { Instant } from '../../reading.ts'
import { limitInForce } from '../box-current.ts'
import type { SourceEvent } from '../ports.ts'
import type { Box } from './box.ts'
import { inForce } from './box-status.ts'
import { URGENCY } from './bus.ts'
import { isWriteDue } from './life-sign.ts'
import { type LimitPlan, planLimit } from './limit-plan.ts'
import type { ChargerProfile } from './profile.ts'
import type { Words } from './read-plan.ts'
import type { Time } from './wait.ts'
import { away, capped, compare, NEW_WATCH, told, type Watch } from './watch.ts'

export interface LimitWriterOptions {
  readonly profile: ChargerProfile
  readonly box: Box
  readonly time: Time
  /** What a command that is over is lowered to, A; 0 = pause. */
  readonly failsafeA: number
  tell(event: SourceEvent): void
}

export class LimitWriter {
  /** The newest; what is carried out is what it amounts to at that moment. */
  command: LimitCommand | undefined
  private readonly options: LimitWriterOptions
  private lock: Promise<void> = Promise.resolve()
  private isWriting = false
  /** A raise waits for the register's sake. */
  private isHeldBack = false
  private plans = 0
  private written: { readonly amperes: number; readonly at: Instant } | undefined
  private watch: Watch = NEW_WATCH

  constructor(options: LimitWriterOptions) {
    this.options = options
  }

  /** When a limit was last confirmed; never since the box came back = minus infinity. */
  get writtenAt(): Instant {
    return this.written?.at ?? Number.NEGATIVE_INFINITY
  }

  /** The box has offered more than it was told for so long that it will not change. */
  get isDisobeyed(): boolean {
    return this.watch.isDisobeyed
  }

  /** The newest command is no longer valid. */
  isOver(now: Instant): boolean {
    const { command } = this
    return command !== undefined && now - command.at > command.validForS * 1000
  }

  /** A raise that waited for the register's sake need not wait any more. */
  isRaiseDue(now: Instant): boolean {
    const { minWriteIntervalS } = this.options.profile.limit
    return this.isHeldBack && now - this.writtenAt >= minWriteIntervalS * 1000
  }

  /** The box was away: nothing is known of it any more. */
  forget(): void {
    this.written = undefined
    this.watch = away(this.watch)
  }

  /** Marks the beginning of a look; one that a write came into means nothing. */
  mark(): () => boolean {
    const plans = this.isWriting ? undefined : this.plans
    return () => plans === this.plans && !this.isWriting
  }

  /** Compares with what is in force by the box's account. `isAbove`: more than was told, the command must be repeated. */
  judge(words: Words, now: Instant): { inForceA: number | null; isAbove: boolean } {
    const { profile, tell } = this.options
    const inForceA = inForce(profile, words, this.watch.toldA)
    const { watch, events, rewrite } = compare(this.watch, inForceA, profile.limit, now)
    this.watch = watch
    for (const event of events) tell(event)
    if (rewrite) this.written = undefined
    return { inForceA, isAbove: rewrite }
  }

  /** Writes what the newest command amounts to now, unless that has to wait for the register's sake. */
  carryOut(signal: AbortSignal): Promise<void> {
    return this.inTurn(async () => {
      const { profile, box, time } = this.options
      if (this.command === undefined) return
      if (this.mayOverrule(this.plan(this.command)))
        this.judge(await box.lookAtLimit(signal), time.clock.now())
      const plan = this.plan(this.command)
      const isDue = isWriteDue(profile.limit, this.written, plan.amperes, time.clock.now())
      this.isHeldBack = !isDue && plan.amperes !== this.written?.amperes
      if (isDue) await this.write(plan, signal)
    })
  }

  /** Writes what is left behind, A. What only waits for the box's sake is left out: the agent is leaving. */
  leave(limitA: number, signal: AbortSignal): Promise<void> {
    const { amperes, writes } = planLimit(this.options.profile, limitA)
    const essential = writes.filter(({ afterMs }) => afterMs === 0)
    return this.inTurn(() => this.write({ amperes, writes: essential }, signal))
  }

  private plan(command: LimitCommand): LimitPlan {
    const { profile, time, failsafeA } = this.options
    const now = time.clock.now()
    return planLimit(profile, capped(this.watch, limitInForce(command, failsafeA, now), now))
  }

  /** The write could take back the lower value of somebody else who wrote since the last look. */
  private mayOverrule({ amperes }: LimitPlan): boolean {
    const { written, watch, options } = this
    const isLower = written === undefined || amperes < written.amperes
    return !isLower && watch.takenA !== null && options.profile.limit.readback?.meaning === 'limit'
  }

  private inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.lock.then(work)
    // A plan that failed does not keep the next one from being written; its owner has the reason.
    this.lock = turn.catch(() => {})
    return turn
  }

  private async write({ amperes, writes }: LimitPlan, signal: AbortSignal): Promise<void> {
    const { written, watch } = this
    const { box, time } = this.options
    const isLower = written === undefined || amperes < written.amperes
    // Until all of it is written nobody knows what the box is at.
    this.forget()
    this.isWriting = true
    this.plans += 1
    try {
      const urgency = isLower ? URGENCY.cut : URGENCY.write
      await box.carryOut(writes, urgency, amperes !== written?.amperes, signal)
    } finally {
      this.isWriting = false
    }
    const at = time.clock.now()
    this.written = { amperes, at }
    this.watch = told(watch, amperes, at)
  }
}
