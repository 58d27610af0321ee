/**
 * Objects of the ST7580 management information base (ST UM0932 rev 3, tables 6 to 16), as the host writes and reads
 * them. All multi-byte values are big-endian.
 */

/** Indices of the objects. */
export const MIB = {
  /** 1 byte. */
  modem: 0x00,
  /** 14 bytes. */
  phy: 0x01,
  /** 16 bytes: one key for encryption and digest. */
  ssKey: 0x02,
  lastIndication: 0x04,
  lastConfirm: 0x05,
  /** 10 bytes of counters. */
  phyCounters: 0x06,
  /** 8 bytes of counters. */
  dlCounters: 0x07,
  /** 10 bytes of counters. */
  ssCounters: 0x08,
  /** T_SR, T_ACK, T_IC in ms. */
  timeouts: 0x09,
  /** 4 bytes. */
  firmware: 0x0a,
} as const

/** Names for messages and explanations. */
export const MIB_NAMES: Readonly<Record<number, string>> = {
  0: 'modem configuration',
  1: 'PHY configuration',
  2: 'SS key',
  4: 'last data indication',
  5: 'last transmission confirm',
  6: 'PHY counters',
  7: 'DL counters',
  8: 'SS counters',
  9: 'host interface timeouts',
  10: 'firmware version',
}

/** Layers that can hand data over. */
export const LAYERS = ['PHY', 'DL', 'SS'] as const
/** Checks of the data link layer; their polynomials are not published. */
export const DL_CHECKS = ['crc8', 'crc16-be', 'crc32-le', 'crc32-be'] as const

/** Content of the modem configuration. */
export interface ModemConfiguration {
  readonly layer: (typeof LAYERS)[number]
  /** Hands over frames whose check or digest failed as well. */
  readonly sniffer: boolean
  readonly check: (typeof DL_CHECKS)[number]
  readonly checkCoversLength: boolean
}

/** Byte of the modem configuration: layer, sniffer, check, whether the check covers the length. */
export function modemConfiguration(configuration: ModemConfiguration): number {
  const { layer, sniffer, check, checkCoversLength } = configuration
  return (
    LAYERS.indexOf(layer) |
    (sniffer ? 0x04 : 0) |
    (DL_CHECKS.indexOf(check) << 3) |
    (checkCoversLength ? 0x40 : 0)
  )
}

/** What the byte of the modem configuration says; `undefined` for layer 3, which does not exist. */
export function readModemConfiguration(byte: number): ModemConfiguration | undefined {
  const layer = LAYERS[byte & 3]
  if (layer === undefined) return undefined
  return {
    layer,
    sniffer: (byte & 0x04) !== 0,
    check: DL_CHECKS[(byte >> 3) & 3]!,
    checkCoversLength: (byte & 0x40) !== 0,
  }
}

/** Options of the PHY configuration that a receiver has to choose. */
export interface PhyConfiguration {
  /** The only channel heard unless `dual`, Hz. */
  readonly highHz: number
  /** Second channel, Hz; at most 38 461 Hz from the first. */
  readonly lowHz: number
  readonly dual: boolean
  /** 0 to 3: 16, 24, 32 or 40 bits. */
  readonly pskPreamble: number
}

/**
 * The 14 bytes of the PHY configuration. Gain, current control and the options of frequency shift keying keep the
 * factory values: they matter to a transmitter, or to a modulation that is not asked for.
 */
export function phyConfiguration(configuration: PhyConfiguration): Uint8Array {
  const { highHz, lowHz, dual, pskPreamble } = configuration
  const channels = 0x0e | (dual ? 1 : 0)
  return Uint8Array.of(
    ...u24(highHz),
    ...u24(lowHz),
    channels,
    0x15,
    0x00,
    0x00,
    pskPreamble,
    0x35,
    0x9b,
    0x58,
  )
}

function u24(value: number): readonly [number, number, number] {
  return [value >> 16, (value >> 8) & 0xff, value & 0xff]
}

/** What a reset indication says of the modem. */
export interface ResetReport {
  /** 0 pin or power, 1 watchdog, 2 command. */
  readonly cause: number
  /** The modem could not configure itself again. */
  readonly autoReconfigError: boolean
  readonly modemConfigError: boolean
  readonly phyConfigError: boolean
  /** Wrong, or never written. */
  readonly ssKeyError: boolean
}

/** Reads the data byte of a reset indication. */
export function readReset(byte: number): ResetReport {
  return {
    cause: byte & 3,
    autoReconfigError: (byte & 0x04) !== 0,
    modemConfigError: (byte & 0x08) !== 0,
    phyConfigError: (byte & 0x10) !== 0,
    ssKeyError: (byte & 0x20) !== 0,
  }
}

/** Counters of an object, two bytes each. */
export function readCounters(data: Uint8Array): readonly number[] {
  return Array.from({ length: data.length >> 1 }, (_, i) => (data[2 * i]! << 8) | data[2 * i + 1]!)
}
