/** What may stand under `outputs` in the configuration file: one shape for each type. */
import { z } from 'zod'
import type { OutputConfig } from './output-config.ts'
import { amperes, id, mapping, numberFrom, oneOf, seconds, text, yesOrNo } from './schema-parts.ts'

const optional = z.exactOptional

const BAUD = 'a whole number of bits a second from 300 to 921600'
const FORMAT = 'line settings such as 8E1, 8N1 or 8N2'

const file = mapping({
  id,
  type: z.literal('file'),
  path: text('the path of a file'),
  chargePoint: optional(id),
})

const modbus = mapping({
  id,
  type: z.literal('modbus'),
  profile: text('the id of a profile (`ampacity chargers`), or the path of a profile file'),
  host: optional(text('the address of the wallbox')),
  port: optional(numberFrom('a port', 1, 65_535)),
  serial: optional(text('the name of a serial port, best one under /dev/serial/by-id')),
  baud: optional(z.int({ error: BAUD }).min(300, { error: BAUD }).max(921_600, { error: BAUD })),
  format: optional(z.string({ error: FORMAT }).regex(/^[78][NEO][12]$/, { error: FORMAT })),
  framing: optional(oneOf('tcp', 'rtu')),
  unit: optional(numberFrom('a unit id', 0, 255)),
  connector: optional(numberFrom('a connector', 1, 48)),
  chargePoint: optional(id),
  failsafeA: optional(amperes(0, 80)),
  stop: optional(oneOf('failsafe', 'pause', 'leave')),
  failsafe: optional(mapping({ manage: optional(yesOrNo), timeoutS: optional(seconds(2, 3600)) })),
  allowStored: optional(yesOrNo),
}).superRefine(({ host, serial, port, framing, baud, format }, context) => {
  const wrong = (path: string[], message: string) =>
    context.addIssue({ code: 'custom', path, message })
  if ((host === undefined) === (serial === undefined)) wrong([], 'one of host and serial')
  for (const [key, value] of Object.entries({ port, framing }))
    if (value !== undefined && host === undefined) wrong([key], 'it with host only')
  for (const [key, value] of Object.entries({ baud, format }))
    if (value !== undefined && serial === undefined) wrong([key], 'it with serial only')
})

/** One output. */
export const OUTPUT_SCHEMA: z.ZodType<OutputConfig> = z.discriminatedUnion('type', [file, modbus], {
  error: 'one of file, modbus',
})
