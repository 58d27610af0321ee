/**
 * Values as Chain2 gateways write them. Numbers are integers without scaler, W and Wh. What the meter does not know is
 * `Non Disponibile`, all bits set, or a date of wildcards; it becomes `null`, never 65535 W.
 */
import { daysSince1970 } from '../../src/dlms/date-time.ts'
import { DecodeError } from '../../src/errors.ts'

/** All bits of 16 and of 32: not available, as the gateways pass it on. */
const SENTINELS: ReadonlySet<number> = new Set([0xffff, 0xffffffff])

const NOT_AVAILABLE = /^non\s+disponibile$/i

/**
 * A quantity that is never negative; `null` = not available.
 *
 * @throws DecodeError DATA_BAD_VALUE
 */
export function amount(name: string, value: unknown): number | null {
  const found = number(value)
  if (found === undefined || (found ?? 0) < 0)
    throw new DecodeError('DATA_BAD_VALUE', 0, `${name}: expected a number, found ${shown(value)}`)
  return found === null || SENTINELS.has(found) ? null : found
}

/** A time stamp in Unix seconds; `null` where it is missing, not available or before 2000. */
export function posix(value: unknown): number | null {
  const found = number(value)
  if (found === null || found === undefined || SENTINELS.has(found)) return null
  return Number.isInteger(found) && found >= 946_684_800 ? found : null
}

/** A whole number from 0 on; `undefined` for anything else. */
export function count(value: unknown): number | undefined {
  const found = number(value)
  return typeof found === 'number' && Number.isInteger(found) && found >= 0 ? found : undefined
}

/** A number, also where it was written as text; `null` = not available, `undefined` = none. */
function number(value: unknown): number | null | undefined {
  if (value === null) return null
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined
  if (typeof value !== 'string') return undefined
  const text = value.trim()
  if (NOT_AVAILABLE.test(text)) return null
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
}

/** A text without the blanks it is padded with; `null` = not available. */
export function text(value: unknown): string | null {
  if (typeof value !== 'string') return null
  const trimmed = value.trim()
  return trimmed === '' || NOT_AVAILABLE.test(trimmed) ? null : trimmed
}

/** A date as far as it is set: wildcards stand for every day, month or year. */
export interface PartialDate {
  readonly day?: number
  readonly month?: number
  readonly year?: number
  /** Seconds since midnight. */
  readonly timeS?: number
}

const DATE = /^(\d{2,3})\/(\d{2,3})\/(\d{4,5})(?: (\d{2,3}):(\d{2,3}):(\d{2,3}))?(?: \[\d{1,3}\])?$/

/**
 * `16/01/2022 12:00:00 [7]`, `01/255/65535 [255]` (local time, the weekday in brackets, 1 = Monday). As in a COSEM date
 * 255 and 65535 are wildcards (Blue Book 4.1.6.1); a date of nothing else is not set: `null`, as for anything that is
 * no date.
 */
export function partialDate(value: unknown): PartialDate | null {
  if (typeof value !== 'string') return null
  const parts = DATE.exec(value.trim())?.slice(1).map(Number)
  if (parts === undefined) return null
  // Groups that are not there are no numbers, and in no range.
  const [day = 0, month = 0, year = 0xffff, hours = 0, minutes = 0, seconds = 0] = parts
  const date: PartialDate = {
    ...(day >= 1 && day <= 31 ? { day } : {}),
    ...(month >= 1 && month <= 12 ? { month } : {}),
    ...(year < 0xffff ? { year } : {}),
    ...(hours <= 23 && minutes <= 59 && seconds <= 59
      ? { timeS: (hours * 60 + minutes) * 60 + seconds }
      : {}),
  }
  return date.day === undefined && date.month === undefined && date.year === undefined ? null : date
}

/** Local ISO time of a date without wildcards; `undefined` otherwise. */
export function localIso(date: PartialDate | null): string | undefined {
  if (date === null) return undefined
  const { day, month, year, timeS } = date
  if (day === undefined || month === undefined || year === undefined || timeS === undefined)
    return undefined
  const two = (n: number): string => String(n).padStart(2, '0')
  const time = [Math.floor(timeS / 3600), Math.floor(timeS / 60) % 60, timeS % 60].map(two)
  return `${year}-${two(month)}-${two(day)}T${time.join(':')}`
}

/** `2026/01/01 00:04:07`, UTC without saying so: when the gateway received a frame, Unix seconds. */
export function gatewayTimeS(value: unknown): number | null {
  const parts = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)$/.exec(String(value))
  if (parts === null) return null
  const [year, month, day, hours, minutes, seconds] = parts.slice(1).map(Number)
  return daysSince1970(year!, month!, day!) * 86_400 + (hours! * 60 + minutes!) * 60 + seconds!
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 40)
}
