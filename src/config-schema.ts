/**
 * What may stand in the configuration file. Each value carries, as its error text, what would be right, so that every
 * message can say what was found and what was expected.
 */
import { z } from 'zod'
import type { Config } from './config.ts'
import { NEVER_TRIP } from './control/parameters.ts'
import { LOG_LEVELS } from './io/log.ts'
import { OUTPUT_SCHEMA } from './output-schema.ts'
import {
  amperes,
  id,
  mapping,
  numberFrom,
  oneOf,
  phases,
  seconds,
  text,
  yesOrNo,
} from './schema-parts.ts'

const optional = z.exactOptional

const celsius = numberFrom('a number of degrees Celsius', 0, 120)

const path = text('the path of a file')

const FUSE = 'a number of amperes from 6 to 125, or a list with one for each line'
const fuse = amperes(6, 125)

const ZONE = 'a time zone such as Europe/Oslo'
const timezone = z.string({ error: ZONE }).refine(isTimeZone, { error: ZONE })

const TCP = 'host:port, or tcp://host:port'
const tcp = z.string({ error: TCP }).regex(/^(tcp:\/\/)?(\[[^\]]+\]|[^:/\s]+):\d{1,5}$/, {
  error: TCP,
})

const LISTEN = 'tcp://host:port or udp://host:port, with an address of this machine'
const listen = z
  .string({ error: LISTEN })
  .regex(/^(tcp|udp):\/\/(\[[^\]]+\]|[^:/\s]+):\d{1,5}$/, { error: LISTEN })

const GATEWAY = 'a host, or host:port'
const gateway = z.string({ error: GATEWAY }).refine(isHost, { error: GATEWAY })

const WEB = 'http://host/path or https://host/path, without user and password'
const web = z.string({ error: WEB }).refine(isWebUrl, { error: WEB })

const TOPIC = 'a topic, with wildcards if need be'
const DAY = 'a list of days such as "10-04"'

const BROKER = 'mqtt://host:port or mqtts://host:port; user and password are files (usernameFile)'
const broker = z.string({ error: BROKER }).refine(isBrokerUrl, { error: BROKER })

const BASE = 'a topic without wildcards and without a slash at its ends, such as ampacity/home'
const base = z.string({ error: BASE }).regex(/^[^/#+\s][^#+\s]*(?<!\/)$/, { error: BASE })

const BAUD = 'a whole number of bits a second from 300 to 921600'
const baud = z.int({ error: BAUD }).min(300, { error: BAUD }).max(921_600, { error: BAUD })

const OPTIONS = 'a mapping with the options of the decoder'

/** The whole file. Everything is optional; what a section needs is checked by `crossCheck`. */
export const CONFIG_SCHEMA: z.ZodType<Config> = mapping({
  device: optional(mapping({ id: optional(id), stateDir: optional(text('a folder')) })),
  installation: optional(
    mapping({
      phases: optional(phases),
      grid: optional(oneOf('TN', 'IT', 'auto')),
      mainFuseA: optional(z.union([fuse, z.array(fuse).min(1).max(3)], { error: FUSE })),
      device: optional(oneOf(...(Object.keys(NEVER_TRIP) as [keyof typeof NEVER_TRIP]))),
      voltageV: optional(numberFrom('a number of volts', 100, 260)),
      production: optional(yesOrNo),
      contractedPowerW: optional(numberFrom('a number of watts', 500, 200_000)),
      unbalanceA: optional(amperes(5, 63)),
      phaseOrder: optional(oneOf('1-2-3', '3-2-1')),
      limiter: optional(oneOf('ignore', 'meter', 'italy')),
      night541: optional(yesOrNo),
      extraHolidays: optional(
        z.array(z.string().regex(/^(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/), { error: DAY }),
      ),
      timezone: optional(timezone),
    }),
  ),
  meter: optional(
    mapping({
      decoder: optional(text('the id of a decoder, or auto')),
      source: optional(
        mapping({
          serial: optional(text('the name of a serial port, best one under /dev/serial/by-id')),
          tcp: optional(tcp),
          listen: optional(listen),
          modem: optional(
            mapping({
              port: text('the name of a serial port, best one under /dev/serial/by-id'),
              carrierHz: optional(numberFrom('a number of hertz', 20_000, 250_000)),
              layer: optional(oneOf('PHY', 'DL', 'SS')),
              check: optional(oneOf('crc8', 'crc16-be', 'crc32-le', 'crc32-be')),
              checkCoversLength: optional(yesOrNo),
              sniffer: optional(yesOrNo),
              requestLine: optional(oneOf('rts', 'none')),
              resetLine: optional(oneOf('dtr', 'none')),
            }),
          ),
          chain2gate: optional(gateway),
          sinapsi: optional(gateway),
          mqtt: optional(
            mapping({
              url: broker,
              topic: text(TOPIC),
              clientId: optional(text('a name')),
              usernameFile: optional(path),
              passwordFile: optional(path),
              caFile: optional(path),
              certFile: optional(path),
              keyFile: optional(path),
            }),
          ),
          http: optional(mapping({ url: web, everyS: optional(seconds(1, 3600)) })),
          file: optional(path),
          stdin: optional(z.literal(true, { error: 'true' })),
          baud: optional(baud),
          format: optional(oneOf('8E1', '8N1', '8O1', '7E1', 'auto')),
          everyS: optional(seconds(2, 60)),
          chargingEveryS: optional(seconds(2, 60)),
        }),
      ),
      latencyS: optional(seconds(0, 120)),
      cadenceS: optional(seconds(0.5, 3600)),
      powerCadenceS: optional(seconds(0.5, 3600)),
      resolutionA: optional(amperes(0.001, 1)),
      truncates: optional(yesOrNo),
      reportsChanges: optional(yesOrNo),
      profiles: optional(z.array(path, { error: 'a list of files' })),
      options: optional(z.record(z.string(), z.unknown(), { error: OPTIONS })),
    }),
  ),
  chargePoint: optional(
    mapping({
      id: optional(id),
      phases: optional(phases),
      lines: optional(
        z.array(z.union([z.literal(1), z.literal(2), z.literal(3)]), {
          error: 'a list of lines, each 1, 2 or 3',
        }),
      ),
      minA: optional(amperes(6, 32)),
      maxA: optional(amperes(6, 80)),
      stepA: optional(amperes(0.1, 1)),
      metered: optional(yesOrNo),
      derateFromC: optional(celsius),
      derateToC: optional(celsius),
      pauseAboveC: optional(celsius),
      resumeBelowC: optional(celsius),
    }),
  ),
  control: optional(
    mapping({
      marginA: optional(amperes(0, 10)),
      computedLineA: optional(amperes(0, 10)),
      minIntervalS: optional(seconds(1, 60)),
      t0S: optional(seconds(1, 600)),
      tMaxS: optional(seconds(1, 3600)),
      kDecayS: optional(seconds(1, 3600)),
      dbUpA: optional(amperes(0, 10)),
      failMemS: optional(seconds(0, 7200)),
      deadBandA: optional(amperes(0, 5)),
      pulseS: optional(seconds(0, 120)),
      peakTargetW: optional(numberFrom('a number of watts', 0, 200_000)),
      peakWindowS: optional(seconds(300, 3600)),
      probeS: optional(seconds(0, 3600)),
      hiddenW: optional(numberFrom('a number of watts', 0, 20_000)),
      limiterFactor: optional(numberFrom('a number', 1, 2)),
      limiterBandS: optional(seconds(0, 86_400)),
      strictGap: optional(yesOrNo),
      stepReserve: optional(
        z.union([z.boolean(), z.literal('auto')], { error: 'true, false or auto' }),
      ),
      rideMaxS: optional(seconds(0, 600)),
      resume0S: optional(seconds(10, 3600)),
      resumeMaxS: optional(seconds(10, 7200)),
      resumeMarginA: optional(amperes(0, 10)),
      failsafeA: optional(amperes(0, 80)),
      validForS: optional(seconds(5, 600)),
      resendS: optional(seconds(1, 300)),
      responseS: optional(seconds(0, 60)),
      settleS: optional(seconds(0, 60)),
    }),
  ),
  keys: optional(mapping({ file: optional(path), credential: optional(text('a name')) })),
  outputs: optional(z.array(OUTPUT_SCHEMA, { error: 'a list of outputs, each with id and type' })),
  mqtt: optional(
    mapping({
      url: broker,
      base: optional(base),
      clientId: optional(text('a name')),
      usernameFile: optional(path),
      passwordFile: optional(path),
      caFile: optional(path),
      certFile: optional(path),
      keyFile: optional(path),
    }),
  ),
  log: optional(mapping({ level: optional(oneOf(...LOG_LEVELS)) })),
})

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) !== undefined
  } catch {
    // The only way to ask is to try.
    return false
  }
}

function isHost(text: string): boolean {
  const found = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?$/.exec(text)
  return found !== null && Number(found[2] ?? 0) <= 65_535
}

function isWebUrl(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isWeb = parsed?.protocol === 'http:' || parsed?.protocol === 'https:'
  return isWeb && parsed.username === '' && parsed.password === ''
}

function isBrokerUrl(url: string): boolean {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const isMqtt = parsed?.protocol === 'mqtt:' || parsed?.protocol === 'mqtts:'
  return isMqtt && parsed.hostname !== '' && parsed.username === '' && parsed.password === ''
}
