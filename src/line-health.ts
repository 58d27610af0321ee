/**
 * What is wrong with a meter line, in words a person can act on. Pure: statistics in, at most one finding out.
 * Where the statistics fit several causes, the one that explains the others comes first.
 */
import type { DecoderEvent } from './decoder.ts'
import type { DecodeErrorCode } from './errors.ts'
import type { Instant } from './reading.ts'

/** Good and damaged telegrams of one class of length. */
export interface Tally {
  readonly good: number
  readonly bad: number
}

/** What a line did since `since`. */
export interface LineStats {
  readonly since: Instant
  readonly lastByteAt: Instant | undefined
  readonly bytes: number
  readonly readings: number
  readonly lastReadingAt: Instant | undefined
  readonly rejected: { readonly [Code in DecodeErrorCode]?: number }
  /** Telegrams of at most {@link SHORT_BYTES}, and longer ones. */
  readonly short: Tally
  readonly long: Tally
  /** Line feeds, and how many of them follow a carriage return. */
  readonly lineFeeds: number
  readonly afterReturn: number
  /** Starts of ASCII telegrams: `/`, three letters of the maker, a digit. */
  readonly asciiStarts: number
  /** Last characters seen, for what is cut by a chunk border. */
  readonly tail: string
}

/** What was found and what to do. Codes are event codes. */
export interface Finding {
  readonly code:
    | 'no_meter_data'
    | 'no_valid_frames'
    | 'adapter_truncates'
    | 'frames_damaged'
    | 'crlf_bridge'
    | 'p1_profile'
    | 'key_needed'
    | 'key_mismatch'
    | 'meter_unknown'
  readonly detail: string
}

/** What the statistics cannot know. */
export interface LineFacts {
  /** Silence longer than this is reported, ms. */
  readonly silenceMs: number
  /** Line settings tried so far, as people write them. */
  readonly settingsTried: readonly string[]
  /** The decoder reads ASCII telegrams: their start is no finding. */
  readonly expectsAscii: boolean
  /** A gateway hands over whole messages: silence is the meter's, damage there is none. */
  readonly isGateway?: boolean
}

/** The power-only lists of all makers are shorter, the lists with phase values longer. */
const SHORT_BYTES = 128

/** Evidence below which nothing is said of the line: bytes, damaged telegrams, line feeds. */
const MIN_BYTES = 64
const MIN_DAMAGED = 5
const MIN_LINE_FEEDS = 8

/** Nothing seen yet. */
export function newLineStats(now: Instant): LineStats {
  return {
    since: now,
    lastByteAt: undefined,
    bytes: 0,
    readings: 0,
    lastReadingAt: undefined,
    rejected: {},
    short: { good: 0, bad: 0 },
    long: { good: 0, bad: 0 },
    lineFeeds: 0,
    afterReturn: 0,
    asciiStarts: 0,
    tail: '',
  }
}

/** The statistics with bytes that arrived at `at`. */
export function observeBytes(stats: LineStats, chunk: Uint8Array, at: Instant): LineStats {
  let { lineFeeds, afterReturn } = stats
  let characters = stats.tail
  for (const byte of chunk) {
    if (byte === 0x0a) {
      lineFeeds += 1
      if (characters.endsWith('\r')) afterReturn += 1
    }
    characters += String.fromCharCode(byte)
  }
  const starts = characters.match(/\/[A-Za-z]{3}[0-9]/g)?.length ?? 0
  return {
    ...stats,
    lastByteAt: at,
    bytes: stats.bytes + chunk.length,
    lineFeeds,
    afterReturn,
    asciiStarts: stats.asciiStarts + starts,
    // One character less than a start needs, so that none is counted twice.
    tail: characters.slice(-4),
  }
}

/** The statistics with what the decoder made of the bytes. */
export function observeEvent(stats: LineStats, event: DecoderEvent): LineStats {
  if (event.type === 'reading')
    return {
      ...stats,
      readings: stats.readings + 1,
      lastReadingAt: event.reading.receivedAt,
      ...tallied(stats, event.length, 'good'),
    }
  if (event.type === 'info') return { ...stats, ...tallied(stats, event.length, 'good') }
  if (event.type !== 'rejected') return stats
  const { code } = event.error
  const rejected = { ...stats.rejected, [code]: (stats.rejected[code] ?? 0) + 1 }
  if (code === 'LINK_BAD_FORMAT') return { ...stats, rejected }
  const fate = code.startsWith('LINK_') ? 'bad' : 'good'
  return { ...stats, rejected, ...tallied(stats, event.length, fate) }
}

function tallied(stats: LineStats, length: number, fate: keyof Tally): Partial<LineStats> {
  const size = length <= SHORT_BYTES ? 'short' : 'long'
  return { [size]: { ...stats[size], [fate]: stats[size][fate] + 1 } }
}

/** The one thing to tell a person about this line; `undefined` while it works or the evidence is thin. */
export function diagnose(stats: LineStats, facts: LineFacts, now: Instant): Finding | undefined {
  if (facts.isGateway) return meterSilence(stats, facts, now) ?? content(stats, facts)
  return (
    silence(stats, facts, now) ??
    content(stats, facts) ??
    crlfBridge(stats, facts) ??
    truncation(stats) ??
    nothingValid(stats, facts) ??
    damage(stats)
  )
}

function silence(stats: LineStats, facts: LineFacts, now: Instant): Finding | undefined {
  const quietMs = now - (stats.lastByteAt ?? stats.since)
  if (quietMs < facts.silenceMs) return undefined
  return {
    code: 'no_meter_data',
    detail: `no bytes for ${Math.round(quietMs / 1000)} s: port closed or unplugged. Check plug and adapter; if both are right, ask the grid company to open the port (it closes when the customer moves); a meter that went mute for good needs a restart`,
  }
}

/** A gateway that has nothing from its meter. */
function meterSilence(stats: LineStats, facts: LineFacts, now: Instant): Finding | undefined {
  const quietMs = now - (stats.lastReadingAt ?? stats.since)
  if (quietMs < facts.silenceMs) return undefined
  const found =
    stats.lastByteAt === undefined || now - stats.lastByteAt >= facts.silenceMs
      ? 'nothing comes from the gateway'
      : 'the gateway sends, but nothing new of the meter'
  return {
    code: 'no_meter_data',
    detail: `${found} for ${Math.round(quietMs / 1000)} s. Check that the meter is associated with it (the provider enrols it, which takes days), and try another socket: the power line may be too noisy`,
  }
}

/** Good frames whose content is the difficulty, or another protocol on the line. */
function content(stats: LineStats, facts: LineFacts): Finding | undefined {
  const count = (code: DecodeErrorCode) => stats.rejected[code] ?? 0
  const keyNeeded = count('CIPHER_KEY_NEEDED')
  if (keyNeeded > stats.readings)
    return {
      code: 'key_needed',
      detail: `${keyNeeded} telegrams arrived whole but encrypted, ${stats.readings} could be read: ask the grid company for the keys and name their file (keys.file), or for an open port`,
    }
  const wrongKey = count('CIPHER_AUTH_FAILED')
  if (wrongKey > 1 && wrongKey > stats.readings)
    return {
      code: 'key_mismatch',
      detail: `${wrongKey} telegrams did not fit the configured key, ${stats.readings} did: check that the key belongs to this meter`,
    }
  const unknown = count('LIST_UNKNOWN') + count('APDU_UNKNOWN')
  if (unknown > 1 && unknown > stats.readings)
    return {
      code: 'meter_unknown',
      detail: `${unknown} telegrams arrived whole but in a form no decoder knows, ${stats.readings} could be read: record a minute with \`ampacity capture\` and report the meter with the recording`,
    }
  if (!facts.expectsAscii && stats.readings === 0 && stats.asciiStarts > 1)
    return {
      code: 'p1_profile',
      detail: `${stats.asciiStarts} ASCII telegrams (they start with '/') and no binary one: the meter was switched to the P1 profile: use the decoder p1 or auto`,
    }
  return undefined
}

/** A device in between that writes each 0a as 0d 0a damages every frame that holds one. */
function crlfBridge(stats: LineStats, facts: LineFacts): Finding | undefined {
  const bad = stats.short.bad + stats.long.bad + (stats.rejected.LINK_BAD_FORMAT ?? 0)
  if (facts.expectsAscii || stats.asciiStarts > 0 || bad < 2) return undefined
  if (stats.lineFeeds < MIN_LINE_FEEDS || stats.afterReturn < stats.lineFeeds) return undefined
  return {
    code: 'crlf_bridge',
    detail: `all ${stats.lineFeeds} bytes 0a follow a 0d, and ${bad} telegrams were damaged: a device between meter and agent translates line ends. Switch it to raw or binary mode`,
  }
}

function truncation({ short, long }: LineStats): Finding | undefined {
  if (long.bad < MIN_DAMAGED || long.good * 10 > long.bad || short.good < MIN_DAMAGED)
    return undefined
  return {
    code: 'adapter_truncates',
    detail: `${short.good} telegrams of up to ${SHORT_BYTES} bytes arrived whole, ${long.bad} of ${long.bad + long.good} longer ones damaged: the adapter loses the end of long frames, so there are no phase currents. Use an adapter that feeds its receiver itself (known to work: PL2303 with FC722, Mikroe M-Bus Slave Click, packom M-Bus hat)`,
  }
}

function nothingValid(stats: LineStats, facts: LineFacts): Finding | undefined {
  const valid = stats.short.good + stats.long.good
  if (valid > 0 || stats.bytes < MIN_BYTES) return undefined
  const incomplete = stats.rejected.LINK_INCOMPLETE ?? 0
  if (incomplete >= MIN_DAMAGED && incomplete * 2 > stats.long.bad + stats.short.bad)
    return {
      code: 'adapter_truncates',
      detail: `${incomplete} telegrams began well and ended early, none arrived whole: the adapter loses the end of long frames. Use an adapter that feeds its receiver itself`,
    }
  const tried = facts.settingsTried.length > 0 ? ` at ${facts.settingsTried.join(', ')}` : ''
  return {
    code: 'no_valid_frames',
    detail: `${stats.bytes} bytes and not one valid telegram${tried}: wrong baud rate or parity, or this is not a meter port. Check the settings (Aidon and Kaifa 2400 8E1, Kamstrup 2400 8N1) and that the port is the meter's`,
  }
}

function damage({ short, long }: LineStats): Finding | undefined {
  const bad = short.bad + long.bad
  const all = bad + short.good + long.good
  if (bad < MIN_DAMAGED || bad * 5 <= all) return undefined
  return {
    code: 'frames_damaged',
    detail: `${bad} of ${all} telegrams arrived damaged: check plug, cable and the adapter's supply`,
  }
}
