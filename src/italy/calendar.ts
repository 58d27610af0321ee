/**
 * When Italian meters let more through: hours of band F3 (ARERA 541/2020/R/eel, annex A, prolonged to 30 June 2027 by
 * 22/2025/R/eel). From Monday to Saturday 23:00 to 07:00, on Sundays and national holidays the whole day, local time.
 * Edges are therefore always 07:00 or 23:00, hours that neither change of clocks touches.
 */
import {
  centralEuropeanOffsetMin,
  centralEuropeanToUtc,
  dateOf,
  daysSince1970,
} from '../dlms/date-time.ts'
import { EASTER_MONDAY, HOLIDAYS } from './holidays.ts'

const DAY_S = 86_400
const BEGINS_S = 23 * 3600
const ENDS_S = 7 * 3600
/** A holiday, a Sunday and two holidays may follow each other; longer windows do not exist. */
const LONGEST_DAYS = 9

/** Whether an instant, epoch ms, lies in the hours of band F3. `extra`: further holidays as `MM-DD`. */
export function isNight(epochMs: number, extra: readonly string[] = []): boolean {
  const utcS = Math.floor(epochMs / 1000)
  const localS = utcS + 60 * centralEuropeanOffsetMin(utcS)
  const day = Math.floor(localS / DAY_S)
  const ofDay = localS - day * DAY_S
  return ofDay < ENDS_S || ofDay >= BEGINS_S || isRestDay(day, extra)
}

/** The next instant after `epochMs` at which {@link isNight} changes, epoch ms. */
export function nextEdge(epochMs: number, extra: readonly string[] = []): number {
  const utcS = Math.floor(epochMs / 1000)
  const now = isNight(epochMs, extra)
  const first = Math.floor((utcS + 60 * centralEuropeanOffsetMin(utcS)) / DAY_S)
  for (let day = first; day < first + LONGEST_DAYS; day++)
    for (const ofDay of [ENDS_S, BEGINS_S]) {
      const edgeMs = centralEuropeanToUtc(day * DAY_S + ofDay)! * 1000
      if (edgeMs > epochMs && isNight(edgeMs, extra) !== now) return edgeMs
    }
  return epochMs + LONGEST_DAYS * DAY_S * 1000
}

/** Sunday or holiday; `day` counts from 1970-01-01, a Thursday. */
function isRestDay(day: number, extra: readonly string[]): boolean {
  if ((day + 4) % 7 === 0) return true
  const [year, month, date] = dateOf(day)
  const name = `${month < 10 ? '0' : ''}${month}-${date < 10 ? '0' : ''}${date}`
  return HOLIDAYS.includes(name) || extra.includes(name) || day === easter(year) + EASTER_MONDAY
}

/** Easter Sunday of the Gregorian calendar (Meeus), counted in days from 1970-01-01. */
function easter(year: number): number {
  const a = year % 19
  const b = Math.floor(year / 100)
  const c = year % 100
  const d = Math.floor(b / 4)
  const e = b % 4
  const f = Math.floor((b + 8) / 25)
  const g = Math.floor((b - f + 1) / 3)
  const h = (19 * a + b - d - g + 15) % 30
  const i = Math.floor(c / 4)
  const k = c % 4
  const l = (32 + 2 * e + 2 * i - h - k) % 7
  const m = Math.floor((a + 11 * h + 22 * l) / 451)
  const month = Math.floor((h + l - 7 * m + 114) / 31)
  const day = ((h + l - 7 * m + 114) % 31) + 1
  return daysSince1970(year, month, day)
}
