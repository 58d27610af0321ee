/** The log: JSON lines on standard error, written before the call returns, so that nothing is lost with the process. */
import { destination, pino } from 'pino'
import type { Log } from './ports.ts'

/** Levels, least first. */
export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const

/** From which level on lines are written. */
export type LogLevel = (typeof LOG_LEVELS)[number]

/** Fields that hold a meter's id. */
const METER_ID_FIELDS = ['meter_id', 'meterId', 'meter.id', '*.meter_id', '*.meter.id']

/** A log on a file descriptor, standard error by default. Meter ids keep their last four characters. */
export function createLog(level: LogLevel = 'info', fd = 2): Log {
  return pino(
    {
      level,
      base: null,
      formatters: { level: label => ({ level: label }) },
      redact: { paths: METER_ID_FIELDS, censor: mask },
    },
    destination({ dest: fd, sync: true }),
  )
}

function mask(value: unknown): string {
  return `…${String(value).slice(-4)}`
}
