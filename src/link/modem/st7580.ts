/**
 * The host interface of the ST7580 power-line modem (ST UM0932 rev 3, data sheet DocID022644): commands, data
 * indications, status, errors. The objects of its management information base are in `st7580-mib.ts`.
 */
import type { Reception, Sdu } from './dialect.ts'
import { type CommandRow, commandTable, type LocalFrameForm, sum16 } from './local-frame.ts'

/** Command codes. Requests of a function end in binary 00, its confirm 01, indication 10, error 11. */
export const COMMAND = {
  resetRequest: 0x3c,
  resetConfirm: 0x3d,
  resetIndication: 0x3e,
  resetError: 0x3f,
  mibWriteRequest: 0x08,
  mibWriteConfirm: 0x09,
  mibWriteError: 0x0b,
  mibReadRequest: 0x0c,
  mibReadConfirm: 0x0d,
  mibReadError: 0x0f,
  syntaxError: 0x36,
} as const

/** Bytes before the payload of a data indication: configuration, signal to noise ratio, zero-cross delay. */
export const INDICATION_HEADER = 4

/** Modulations by number. */
export const MODULATIONS: readonly string[] = [
  'B-PSK',
  'Q-PSK',
  '8-PSK',
  'B-FSK',
  'B-PSK coded',
  'Q-PSK coded',
  'reserved',
  'B-PSK coded with peak noise avoidance',
]

/** The modem has no signal to noise ratio for frequency shift keying. */
const NO_SNR = 0xff

/** Commands by code. */
export const COMMANDS: Readonly<Record<number, CommandRow>> = commandTable([
  [0x3c, 'BIO_ResetRequest', 'request', 0, 0],
  [0x3d, 'BIO_ResetConfirm', 'answer', 0, 1],
  [0x3e, 'BIO_ResetIndication', 'indication', 1, 1],
  [0x3f, 'BIO_ResetError', 'answer', 1, 1],
  [0x08, 'MIB_WriteRequest', 'request', 2, 17],
  [0x09, 'MIB_WriteConfirm', 'answer', 0, 1],
  [0x0b, 'MIB_WriteError', 'answer', 1, 1],
  [0x0c, 'MIB_ReadRequest', 'request', 1, 1],
  [0x0d, 'MIB_ReadConfirm', 'answer', 1, 16],
  [0x0f, 'MIB_ReadError', 'answer', 1, 1],
  [0x10, 'MIB_EraseRequest', 'request', 1, 1],
  [0x11, 'MIB_EraseConfirm', 'answer', 0, 1],
  [0x13, 'MIB_EraseError', 'answer', 1, 1],
  [0x2c, 'PingRequest', 'request', 0, 255],
  [0x2d, 'PingConfirm', 'answer', 0, 255],
  [0x24, 'PHY_DataRequest', 'transmission', 1, 255],
  [0x25, 'PHY_DataConfirm', 'answer', 0, 5],
  [0x26, 'PHY_DataIndication', 'indication', 4, 255],
  [0x27, 'PHY_DataError', 'answer', 1, 1],
  [0x50, 'DL_DataRequest', 'transmission', 1, 255],
  [0x51, 'DL_DataConfirm', 'answer', 0, 5],
  [0x52, 'DL_DataIndication', 'indication', 4, 255],
  [0x53, 'DL_DataError', 'answer', 1, 1],
  [0x5a, 'DL_SnifferIndication', 'indication', 4, 255],
  [0x54, 'SS_DataRequest', 'transmission', 2, 255],
  [0x55, 'SS_DataConfirm', 'answer', 0, 5],
  [0x56, 'SS_DataIndication', 'indication', 4, 255],
  [0x57, 'SS_DataError', 'answer', 1, 1],
  [0x5e, 'SS_SnifferIndication', 'indication', 4, 255],
  [0x36, 'SyntaxError', 'answer', 1, 1],
])

/**
 * What each data indication stands for. A sniffed DL frame (5A) failed its check; a sniffed SS frame (5E) is handed
 * over whole, still protected. In SS mode (56) the modem has checked the digest and deciphered with its own key.
 */
const DATA: Readonly<Record<number, Pick<Sdu, 'layer' | 'integrity' | 'damaged'>>> = {
  38: { layer: 'PHY', integrity: 'none', damaged: false },
  82: { layer: 'DL', integrity: 'checksum', damaged: false },
  90: { layer: 'DL', integrity: 'none', damaged: true },
  86: { layer: 'SS', integrity: 'authenticated', damaged: false },
  94: { layer: 'SS', integrity: 'none', damaged: false },
}

/** The data byte of an error frame. */
export const ERRORS: Readonly<Record<number, string>> = {
  2: 'wrong length',
  3: 'wrong value',
  4: 'busy',
  11: 'too hot',
  255: 'general error',
}

/** A status message. */
export interface St7580Status {
  /** Never configured, or the configuration is wrong. */
  readonly configError: boolean
  readonly transmitting: boolean
  readonly receiving: boolean
  readonly layer: 'PHY' | 'DL' | 'SS' | 'not configured'
  /** At the last transmission. */
  readonly overcurrent: boolean
  /** 0 below 70 °C, 1 to 100, 2 to 125, 3 above. */
  readonly temperatureBand: number
}

const LAYERS = ['PHY', 'DL', 'SS', 'not configured'] as const

/** Reads the status byte. */
export function readStatus(status: number): St7580Status {
  return {
    configError: (status & 0x01) !== 0,
    transmitting: (status & 0x02) !== 0,
    receiving: (status & 0x04) !== 0,
    layer: LAYERS[(status >> 3) & 3]!,
    overcurrent: (status & 0x20) !== 0,
    temperatureBand: status >> 6,
  }
}

/** Reads the four bytes before the payload of a data indication. */
export function readReception(data: Uint8Array): Reception {
  const configuration = data[0]!
  return {
    modulation: MODULATIONS[configuration & 7]!,
    channel: configuration & 8 ? 'high' : 'low',
    pga: configuration >> 4,
    snrDb: data[1] === NO_SNR ? null : (data[1]! << 24) >> 24,
    zeroCross: data.slice(2, INDICATION_HEADER),
  }
}

/** Frames of the ST7580. Transmitting and receiving are its busy bits, as in the maker's own driver. */
export const ST7580_FRAMES: LocalFrameForm = {
  commands: COMMANDS,
  beyondLength: 0,
  check: sum16,
  statusBytes: 1,
  busyMask: 0x06,
  sdu: (command, data) => {
    const kind = DATA[command]
    if (kind === undefined) return undefined
    return { bytes: data.slice(INDICATION_HEADER), ...kind, reception: readReception(data) }
  },
}
