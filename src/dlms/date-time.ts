/**
 * COSEM date-time (Blue Book 4.1.6.1): year u16, month, day, weekday, hour, minute, second, hundredths, deviation i16
 * in minutes to be added to local time to get UTC, status. FF, FFFF and 8000 mean "not specified". The weekday is
 * ignored: Aidon sends 0 for Sunday.
 */

/** Length of a date-time. */
export const DATE_TIME_LENGTH = 12
/** Length of a date, and of the time behind it. */
export const DATE_LENGTH = 5
export const TIME_LENGTH = 4

/** A date-time as sent, as far as it is specified to the second. */
export interface DateTime {
  /** Seconds since 1970-01-01T00:00:00 of the meter's local time. */
  readonly localS: number
  readonly deviationMin: number | null
  readonly status: number | null
}

/** Reads twelve bytes; `undefined` if date or time are not specified or not possible. */
export function readDateTime(bytes: Uint8Array, at: number): DateTime | undefined {
  const localS = readDateAndTime(bytes, at, at + DATE_LENGTH)
  if (localS === undefined) return undefined
  const deviation = ((bytes[at + 9]! << 24) | (bytes[at + 10]! << 16)) >> 16
  const status = bytes[at + 11]!
  return {
    localS,
    deviationMin: deviation === -0x8000 ? null : deviation,
    status: status === 0xff ? null : status,
  }
}

/**
 * Seconds since 1970-01-01T00:00:00 of the local time that a date (year u16, month, day, weekday) and a time (hour,
 * minute, second, hundredths) give together; `undefined` if they are not specified or not possible.
 */
export function readDateAndTime(bytes: Uint8Array, date: number, time: number): number | undefined {
  const year = (bytes[date]! << 8) | bytes[date + 1]!
  const month = bytes[date + 2]!
  const day = bytes[date + 3]!
  const hour = bytes[time]!
  const minute = bytes[time + 1]!
  const second = bytes[time + 2]!
  if (year === 0xffff || month < 1 || month > 12 || day < 1 || day > daysInMonth(year, month))
    return undefined
  if (hour > 23 || minute > 59 || second > 59) return undefined
  return daysSince1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
}

/** Seconds since 1970 as ISO 8601 to the second, without zone. */
export function isoLocal(seconds: number): string {
  const days = Math.floor(seconds / 86_400)
  const [year, month, day] = dateOf(days)
  const s = seconds - days * 86_400
  const date = `${year < 1000 ? String(year).padStart(4, '0') : year}-${TWO[month]}-${TWO[day]}`
  return `${date}T${TWO[Math.floor(s / 3600)]}:${TWO[Math.floor(s / 60) % 60]}:${TWO[s % 60]}`
}

/** Two digits of 0 to 99. */
const TWO: readonly string[] = Array.from({ length: 100 }, (_, n) => String(n).padStart(2, '0'))

/** UTC of Central European civil time; see {@link europeanToUtc}. */
export function centralEuropeanToUtc(localS: number): number | undefined {
  return europeanToUtc(localS, 3600)
}

/**
 * UTC of a European civil time whose standard time is `standardS` ahead of UTC (EU directive 2000/84: summer time from
 * the last Sunday of March to the last of October, both at 01:00 UTC); `undefined` in the hour that does not exist and
 * in the one that comes twice.
 */
export function europeanToUtc(localS: number, standardS: number): number | undefined {
  const asWinter = localS - standardS
  const asSummer = asWinter - 3600
  const winter = !isSummerTime(asWinter)
  const summer = isSummerTime(asSummer)
  if (winter === summer) return undefined
  return winter ? asWinter : asSummer
}

/** Minutes from UTC to Central European civil time, 60 or 120. */
export function centralEuropeanOffsetMin(utcS: number): number {
  return isSummerTime(utcS) ? 120 : 60
}

function isSummerTime(utcS: number): boolean {
  const [year] = dateOf(Math.floor(utcS / 86_400))
  return utcS >= lastSundayAt1(year, 3) && utcS < lastSundayAt1(year, 10)
}

/** 01:00 UTC on the last Sunday of a month of 31 days. */
function lastSundayAt1(year: number, month: number): number {
  const last = daysSince1970(year, month, 31)
  // 1970-01-01 was a Thursday, day 0; Sundays are the days with (day + 4) % 7 === 0.
  return (last - ((last + 4) % 7)) * 86_400 + 3600
}

/** Days of a month from 1 to 12. */
export function daysInMonth(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}

/** Days from 1970-01-01 in the proleptic Gregorian calendar. */
export function daysSince1970(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year
  const era = Math.floor(y / 400)
  const yearOfEra = y - era * 400
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear
  return era * 146_097 + dayOfEra - 719_468
}

/** Year, month and day of a day counted from 1970-01-01. */
export function dateOf(days: number): [number, number, number] {
  const z = days + 719_468
  const era = Math.floor(z / 146_097)
  const dayOfEra = z - era * 146_097
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  )
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100))
  const shifted = Math.floor((5 * dayOfYear + 2) / 153)
  const day = dayOfYear - Math.floor((153 * shifted + 2) / 5) + 1
  const month = shifted + (shifted < 10 ? 3 : -9)
  return [yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day]
}
