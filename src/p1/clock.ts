/**
 * Time stamps of P1 lines, local time of the meter:
 *
 * | form                | meters                                                         |
 * |---------------------|----------------------------------------------------------------|
 * | `YYMMDDhhmmssS`, `W` | all others; S = summer time, W = winter time. Sweden: normal time all year, with W |
 * | `YYYYMMDD hh:mm:ss`  | NES                                                            |
 * | `hhmmss` in 0.9.1, `YYMMDD` in 0.9.2 | Slovenian Iskra                                |
 *
 * Year 00 is a clock that was never set, 63 an M-Bus meter that never answered.
 */
import { centralEuropeanToUtc, daysInMonth, daysSince1970, isoLocal } from '../dlms/date-time.ts'

/** A time stamp that can be. */
export interface Stamp {
  /** ISO 8601 to the second, without zone. */
  readonly local: string
  /** Summer time by the meter's sign; `null` = no sign. */
  readonly dst: boolean | null
}

const SUMMER = 0x53
const WINTER = 0x57
const BLANK = 0x20
const COLON = 0x3a
const DATE_AND_TIME = 12

/** The time stamp that fills `bytes[start..end)`, `undefined` if they are none or no possible time. */
export function readStamp(bytes: Uint8Array, start: number, end: number): Stamp | undefined {
  const length = end - start
  if (length === DATE_AND_TIME + 1) {
    const sign = bytes[end - 1]!
    if (sign !== SUMMER && sign !== WINTER) return undefined
    const local = localOf(bytes, start, start + 6)
    return local === undefined ? undefined : { local, dst: sign === SUMMER }
  }
  if (length !== 17 || bytes[start + 8] !== BLANK) return undefined
  if (bytes[start + 11] !== COLON || bytes[start + 14] !== COLON) return undefined
  if (two(bytes, start) !== 20) return undefined
  const local = isoOf(
    bytes,
    start + 2,
    two(bytes, start + 9),
    two(bytes, start + 12),
    two(bytes, start + 15),
  )
  return local === undefined ? undefined : { local, dst: null }
}

/** Local ISO time of `YYMMDD` at `date` and `hhmmss` at `time`; `undefined` if it is no possible time. */
export function localOf(bytes: Uint8Array, date: number, time: number): string | undefined {
  return isoOf(bytes, date, two(bytes, time), two(bytes, time + 2), two(bytes, time + 4))
}

function isoOf(
  bytes: Uint8Array,
  date: number,
  hour: number,
  minute: number,
  second: number,
): string | undefined {
  const year = two(bytes, date)
  const month = two(bytes, date + 2)
  const day = two(bytes, date + 4)
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1)) return undefined
  if (day > daysInMonth(2000 + year, month)) return undefined
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return undefined
  return `20${TWO[year]}-${TWO[month]}-${TWO[day]}T${TWO[hour]}:${TWO[minute]}:${TWO[second]}`
}

/** Two digits of 0 to 99. */
const TWO: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))

/** Number of the two digits at `at`, NaN if they are none. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - 0x30
  const ones = bytes[at + 1]! - 0x30
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN
}

/** Zone of a clock: civil time of Central or Eastern Europe, or UTC+01:00 all year. */
export type ClockZone = 'CET' | 'EET' | 'UTC+1'

/** Hours that the zones are ahead of UTC in winter. */
const AHEAD: Readonly<Record<ClockZone, number>> = { CET: 1, EET: 2, 'UTC+1': 1 }

/**
 * UTC of a local time, ISO 8601 with Z; `null` in an hour that does not exist or comes twice, where no sign tells which
 * one it is.
 */
export function utcOf({ local, dst }: Stamp, zone: ClockZone): string | null {
  const [date, time] = [0, 11].map(at =>
    local
      .slice(at, at + 10)
      .split(/[-:]/)
      .map(Number),
  ) as [[number, number, number], [number, number, number]]
  const localS = daysSince1970(...date) * 86_400 + time[0] * 3600 + time[1] * 60 + time[2]
  const winterS = localS - AHEAD[zone] * 3600
  if (zone === 'UTC+1' || dst === false) return `${isoLocal(winterS)}Z`
  if (dst === true) return `${isoLocal(winterS - 3600)}Z`
  // Summer time begins and ends everywhere in Europe at the same instant.
  const utcS = centralEuropeanToUtc(winterS + 3600)
  return utcS === undefined ? null : `${isoLocal(utcS)}Z`
}
