/** The wall clock as data: from ticks, for schedules and budgets only, never for a timer. */
import type { Instant } from '../reading.ts'
import type { ControlState } from './state.ts'

/** 2024-01-01T00:00:00Z; clocks before it were never set. */
const FIRST_CREDIBLE_MS = 1_704_067_200_000
/** Without a tick for this long the clock counts as unknown. */
const KNOWN_FOR_MS = 60_000
/** Differences that no schedule notices. */
const SLEW_MS = 20
const DAY_MS = 86_400_000

/** Epoch ms now; `null` while the clock is not known to be right. */
export function wallNow({ wall }: Pick<ControlState, 'wall'>, now: Instant): number | null {
  return wall === null || now - wall.at > KNOWN_FOR_MS ? null : wall.ms + (now - wall.at)
}

/** Takes a tick's clock; while it goes as it went the same object stays, so that most ticks change nothing. */
export function withWall(
  wall: ControlState['wall'],
  ms: number | undefined,
  now: Instant,
): ControlState['wall'] {
  if (ms === undefined || !(ms >= FIRST_CREDIBLE_MS)) return null
  const isSame =
    wall !== null &&
    now - wall.at < KNOWN_FOR_MS / 2 &&
    Math.abs(wall.ms + (now - wall.at) - ms) <= SLEW_MS
  return isSame ? wall : { at: now, ms }
}

/** Epoch ms of an ISO 8601 time in UTC (`…Z`) or with an offset; `null` for anything else. */
export function epochMs(iso: string): number | null {
  const parts =
    /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|([+-])(\d\d):?(\d\d))$/.exec(
      iso,
    )
  if (parts === null) return null
  const [year, month, day, hours, minutes, seconds] = parts.slice(1, 7).map(n => Number(n ?? 0))
  const offset = Number(parts[8] ?? 0) * 60 + Number(parts[9] ?? 0)
  const east = parts[7] === '-' ? -offset : offset
  const inDay = ((hours! * 60 + minutes! - east) * 60 + seconds!) * 1000
  return daysFrom1970(year!, month!, day!) * DAY_MS + inDay
}

/** Gregorian calendar; the year begins in March, so that the leap day comes last. */
function daysFrom1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const ofEra = y - era * 400
  const ofYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  return (
    era * 146_097 + ofEra * 365 + Math.floor(ofEra / 4) - Math.floor(ofEra / 100) + ofYear - 719_468
  )
}
