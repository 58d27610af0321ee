/**
 * COSEM date-time, 12 bytes (Blue Book 4.1.6.1):
 *
 *     year 2 | month | day | weekday | hour | minute | second | hundredths | deviation 2 | clock status
 *
 * FF (deviation: 8000) stands for "not specified".
 */
import { concat, integerBytes } from './bytes.ts'

/** A meter's clock as it is put into a telegram. */
export interface MeterClock {
  /** What the display would show: ISO 8601 to the second, without zone. */
  readonly local: string
  /** Minutes from local time to UTC as the meter sends them (CET is -60), `null` = not specified. */
  readonly deviationMin: number | null
  /** Clock status octet (bit 7 = summer time, bits 0 to 3 faults), `null` = not specified. */
  readonly status: number | null
  /** Overrides the weekday that follows from the date. */
  readonly weekday?: number
  /** Hundredths of a second; absent = not specified. */
  readonly hundredths?: number
}

/** Clocks show 1 = Monday to 7 = Sunday; some makers say 0 on Sundays. */
export type SundayNumber = 0 | 7

/** The 12 bytes of `clock`. */
export function encodeDateTime(clock: MeterClock, sunday: SundayNumber = 7): Uint8Array {
  const match = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(clock.local)
  if (match === null) throw new RangeError(`not a local time: ${clock.local}`)
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const weekday = clock.weekday ?? (new Date(Date.UTC(year, month - 1, day)).getUTCDay() || sunday)
  return concat(
    integerBytes(year, 2),
    [month, day, weekday, hour, minute, second, clock.hundredths ?? 0xff],
    clock.deviationMin === null ? [0x80, 0x00] : integerBytes(clock.deviationMin, 2, true),
    [clock.status ?? 0xff],
  )
}

const HOUR_MS = 3_600_000

/** Last Sunday of a month at 01:00 UTC, when European summer time starts and ends (Directive 2000/84/EC). */
function changeover(year: number, month: number): number {
  const last = new Date(Date.UTC(year, month + 1, 0, 1))
  return last.getTime() - last.getUTCDay() * 24 * HOUR_MS
}

/** Whether European summer time is in force at `epochMs`. */
export function isSummerTime(epochMs: number): boolean {
  const year = new Date(epochMs).getUTCFullYear()
  return epochMs >= changeover(year, 2) && epochMs < changeover(year, 9)
}

/** What a meter's clock follows: UTC+01:00 all year, or civil time of Central Europe. */
export type ClockRule = 'utc+1' | 'civil'

/** Local time text of `epochMs` under a rule, cut to the second. */
export function localTime(epochMs: number, rule: ClockRule): string {
  const hours = rule === 'civil' && isSummerTime(epochMs) ? 2 : 1
  return new Date(epochMs + hours * HOUR_MS).toISOString().slice(0, 19)
}
