/** What the fields of a telegram say, by the targets that the dictionary gives them. */
import type { ReadField } from '../../src/chain2/compact-frame.ts'
import type { TargetName } from '../../src/chain2/targets.ts'
import {
  centralEuropeanOffsetMin,
  centralEuropeanToUtc,
  isoLocal,
  readDateTime,
} from '../../src/dlms/date-time.ts'
import type { CivilTime } from '../../src/reading.ts'

/** Fields by target; where rows repeat, the last row counts. */
export class Facts {
  readonly bytes: Uint8Array
  private readonly fields = new Map<TargetName, ReadField>()

  /** `bytes` holds the fields. */
  constructor(bytes: Uint8Array, fields: readonly ReadField[]) {
    this.bytes = bytes
    for (const found of fields) {
      const { map } = found.field
      if (map !== undefined) this.fields.set(map, found)
    }
  }

  has(target: TargetName): boolean {
    return this.fields.has(target)
  }

  /** The field with this target. */
  field(target: TargetName): ReadField | undefined {
    return this.fields.get(target)
  }

  /** A number; `null` = not available, `undefined` = not told. */
  number(target: TargetName): number | null | undefined {
    const value = this.fields.get(target)?.value
    return typeof value === 'number' || value === null ? value : undefined
  }

  /** A point in time, Unix seconds; `undefined` where the field is missing or not set. */
  posix(target: TargetName): number | undefined {
    const found = this.fields.get(target)
    if (found === undefined) return undefined
    if (typeof found.value === 'number') return found.value
    const clock = readDateTime(this.bytes, found.at)
    if (clock === undefined) return undefined
    return clock.deviationMin === null
      ? centralEuropeanToUtc(clock.localS)
      : clock.localS + clock.deviationMin * 60
  }

  /** The meter's clock: when it was measured, else when it was sent, else the date-time of the notification. */
  time(headerTime: number): CivilTime | undefined {
    for (const target of ['measuredAt', 'sentAt'] as const) {
      const found = this.fields.get(target)
      if (found === undefined || found.value === null) continue
      return typeof found.value === 'number'
        ? ofPosix(found.value)
        : ofDateTime(this.bytes, found.at)
    }
    return headerTime < 0 ? undefined : ofDateTime(this.bytes, headerTime)
  }
}

/** UTC as the clock of an Italian meter would show it. */
function ofPosix(utcS: number): CivilTime {
  const offsetMin = centralEuropeanOffsetMin(utcS)
  return {
    local: isoLocal(utcS + offsetMin * 60),
    deviationMin: -offsetMin,
    utc: `${isoLocal(utcS)}Z`,
    status: null,
  }
}

function ofDateTime(bytes: Uint8Array, at: number): CivilTime | undefined {
  const clock = readDateTime(bytes, at)
  if (clock === undefined) return undefined
  const { localS, deviationMin, status } = clock
  const utcS = deviationMin === null ? centralEuropeanToUtc(localS) : localS + deviationMin * 60
  return {
    local: isoLocal(localS),
    deviationMin,
    utc: utcS === undefined ? null : `${isoLocal(utcS)}Z`,
    status,
  }
}
