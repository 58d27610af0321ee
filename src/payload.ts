/**
 * The JSON objects of the program's interface: lines of `decode` and `replay`, MQTT payloads, `limit.json`.
 * One function an object, so that the same thing is spelled the same everywhere. Keys are lower snake case and end in
 * the unit; times are ISO 8601 in UTC with Z unless the name says `local`.
 */
import type { LimitCommand } from './control/model.ts'
import type { DecoderEvent } from './decoder.ts'
import type {
  AvailablePower,
  Derived,
  FieldName,
  MeterTime,
  Note,
  Reading,
  Register,
} from './reading.ts'

/** A JSON object with its keys in the order in which they are printed. */
export type Payload = { [key: string]: unknown }

const SNAKE = new Map<string, string>()

/** `activePowerImportL1W` gives `active_power_import_l1_w`. */
export function snakeCase(name: string): string {
  let snake = SNAKE.get(name)
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, letter => `_${letter.toLowerCase()}`)
    SNAKE.set(name, snake)
  }
  return snake
}

/** A line of `decode`: reading, signal, info or rejected; `undefined` for what is not printed (bytes to be sent back). */
export function eventLine(event: DecoderEvent): Payload | undefined {
  switch (event.type) {
    case 'reading':
      return {
        type: 'reading',
        offset: event.offset,
        length: event.length,
        ...readingPayload(event.reading, event.notes),
        registers: registersPayload(event.reading.registers),
      }
    case 'signal':
      return {
        type: 'signal',
        ...('offset' in event ? { offset: event.offset, length: event.length } : {}),
        ...signalPayload(event.signal),
      }
    case 'info':
      return { type: 'info', offset: event.offset, length: event.length, detail: event.detail }
    case 'rejected':
      return {
        type: 'rejected',
        code: event.error.code,
        offset: event.offset,
        length: event.length,
        detail: event.error.detail,
      }
    case 'send':
    case 'counter':
      return undefined
  }
}

/** The reading without position and registers: what MQTT subscribers get. */
export function readingPayload(reading: Reading, notes: readonly Note[] = []): Payload {
  const out: Payload = { decoder: reading.decoder, integrity: reading.integrity }
  if (reading.profile !== undefined) out['profile'] = reading.profile
  if (reading.meter !== undefined) {
    const meter: Payload = {}
    for (const [key, value] of Object.entries(reading.meter)) meter[snakeCase(key)] = value
    out['meter'] = meter
  }
  if (reading.meterTime !== undefined) out['meter_time'] = meterTimePayload(reading.meterTime)
  for (const [name, value] of Object.entries(reading.values)) out[snakeCase(name)] = value
  if (reading.tariff !== undefined) out['tariff'] = reading.tariff
  if (reading.breaker !== undefined) out['breaker'] = reading.breaker
  if (reading.derived !== undefined) out['derived'] = derivedPayload(reading.derived)
  if (notes.length > 0) out['notes'] = notes
  return out
}

function meterTimePayload(time: MeterTime): Payload {
  if ('seconds' in time) return { seconds: time.seconds }
  const { local, deviationMin, utc, status, dst } = time
  const out: Payload = { local, deviation_min: deviationMin, utc, status }
  if (dst !== undefined) out['dst'] = dst
  return out
}

function derivedPayload(derived: NonNullable<Reading['derived']>): Payload {
  const out: Payload = {}
  for (const [name, entry] of Object.entries(derived) as [FieldName, Derived][]) {
    const key = snakeCase(name)
    const unit = key.slice(key.lastIndexOf('_') + 1)
    out[key] = {
      value: entry.value,
      method: entry.method,
      ...(entry.uncertainty === undefined ? {} : { [`uncertainty_${unit}`]: entry.uncertainty }),
    }
  }
  return out
}

/** Registers by full OBIS code; where a code repeats, the first counts. */
export function registersPayload(registers: readonly Register[]): Payload {
  const out: Payload = {}
  for (const { obis, ...register } of registers) out[obis] ??= register
  return out
}

/** What limits rather than measures. */
export function signalPayload(signal: AvailablePower): Payload {
  const out: Payload = { kind: 'available_power', available_power_w: signal.availablePowerW }
  if (signal.contractedPowerW !== undefined) out['contracted_power_w'] = signal.contractedPowerW
  if (signal.validFrom !== undefined) out['valid_from'] = signal.validFrom
  if (signal.validUntil !== undefined) out['valid_until'] = signal.validUntil
  if (signal.tripInS !== undefined) out['trip_in_s'] = signal.tripInS
  if (signal.uncertaintyW !== undefined) out['uncertainty_w'] = signal.uncertaintyW
  out['source'] = signal.source
  return out
}

/** The decision without its time: `replay` adds `at_ms`, MQTT adds `t`, `seq` and `valid_until`. */
export function decisionPayload(command: LimitCommand): Payload {
  return {
    charge_point: command.chargePoint,
    limit_a: command.limitA,
    phases: command.phases,
    limited_by: command.limitedBy,
    code: command.code,
    text: command.text,
    headroom_a: command.headroomA,
    valid_for_s: command.validForS,
    reading_age_s: command.readingAgeS,
  }
}

/** The object actuators act on. `t` is epoch ms. */
export function limitPayload(command: LimitCommand, t: number): Payload {
  return {
    charge_point: command.chargePoint,
    limit_a: command.limitA,
    phases: command.phases,
    valid_for_s: command.validForS,
    seq: command.seq,
    code: command.code,
    limited_by: command.limitedBy,
    t,
  }
}

/** Limits set by the grid or its operator, as against those of the installation. */
const GRID_LIMITS: ReadonlySet<string> = new Set([
  'contracted_power',
  'available_power',
  'flex_window',
  'section_14a',
])

/** Content of `limit.json`. `monotonicMs` is the host's uptime clock, so that a reader can judge the age by itself. */
export function limitFilePayload(
  command: LimitCommand,
  wallMs: number,
  host: { readonly bootId: string; readonly monotonicMs: number },
): Payload {
  const { t: _, ...limit } = limitPayload(command, wallMs)
  const byGrid = GRID_LIMITS.has(command.limitedBy)
  return {
    v: 1,
    ...limit,
    source: byGrid ? 'SO' : 'EMS',
    grid_critical: byGrid,
    issued_at: isoTime(wallMs),
    valid_until: isoTime(wallMs + command.validForS * 1000),
    boot_id: host.bootId,
    monotonic_ms: host.monotonicMs,
  }
}

/** Epoch ms as ISO 8601 in UTC. */
export function isoTime(wallMs: number): string {
  return new Date(wallMs).toISOString()
}
