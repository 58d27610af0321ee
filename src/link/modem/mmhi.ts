/**
 * The host interface of the Meters and More standard as Microchip documents it (MPLAB Harmony Smart Energy, Meters And
 * More host interface 1.4.1): the frames of the ST7580 with LEN one less than the payload and a longer status message.
 * The documents call the check a byte checksum, the published code calls a CRC-16 routine: both can be chosen.
 */
import { CRC_FORMS, crcOf } from '../../bytes/crc.ts'
import { hex } from '../../bytes/hex.ts'
import type { Sdu } from './dialect.ts'
import type { LocalMeaning } from './local-explain.ts'
import { type CommandRow, commandTable, type LocalFrameForm, sum16 } from './local-frame.ts'

/** How frames are checked. */
export const MMHI_CHECKS = ['sum16', 'crc16'] as const
export type MmhiCheck = (typeof MMHI_CHECKS)[number]

/** Commands by code; every frame has at least one byte of payload. */
const COMMANDS: Readonly<Record<number, CommandRow>> = commandTable([
  [0x3c, 'BIO_ResetRequest', 'request', 1, 1],
  [0x3d, 'BIO_ResetConfirm', 'answer', 1, 1],
  [0x3e, 'BIO_ResetIndication', 'indication', 1, 256],
  [0x08, 'MIB_WriteRequest', 'request', 2, 256],
  [0x09, 'MIB_WriteConfirm', 'answer', 1, 1],
  [0x0b, 'MIB_WriteError', 'answer', 1, 1],
  [0x0a, 'MIB_WriteIndication', 'indication', 1, 256],
  [0x0c, 'MIB_ReadRequest', 'request', 1, 1],
  [0x0d, 'MIB_ReadConfirm', 'answer', 1, 256],
  [0x0f, 'MIB_ReadError', 'answer', 1, 1],
  [0x2c, 'PingRequest', 'request', 1, 256],
  [0x2d, 'PingConfirm', 'answer', 1, 256],
  [0x24, 'Slave_DataRequest', 'transmission', 2, 256],
  [0x25, 'Slave_DataConfirm', 'answer', 1, 256],
  [0x27, 'Slave_DataError', 'answer', 1, 1],
  [0x26, 'Slave_DataIndication', 'indication', 2, 256],
  [0x28, 'Master_DataRequest', 'transmission', 2, 256],
  [0x29, 'Master_DataConfirm', 'answer', 1, 256],
  [0x2b, 'Master_DataError', 'answer', 1, 1],
  [0x2a, 'Master_DataIndication', 'indication', 2, 256],
  [0x48, 'PHY_DataRequest', 'transmission', 1, 256],
  [0x49, 'PHY_DataConfirm', 'answer', 1, 256],
  [0x4b, 'PHY_DataError', 'answer', 1, 1],
  [0x4a, 'PHY_DataIndication', 'indication', 1, 256],
  [0x36, 'HI_Error', 'answer', 1, 1],
])

/** Data indications: layer, what the modem has made sure of, and the bytes before the unit (protocol, request id). */
const DATA: Readonly<
  Record<number, Pick<Sdu, 'layer' | 'integrity'> & { readonly header: number }>
> = {
  38: { layer: 'LLC', integrity: 'checksum', header: 2 },
  42: { layer: 'LLC', integrity: 'checksum', header: 2 },
  74: { layer: 'PHY', integrity: 'none', header: 0 },
}

const CHECKS: Readonly<Record<MmhiCheck, LocalFrameForm['check']>> = {
  sum16,
  crc16: crcOf(CRC_FORMS['crc16-xmodem']!),
}

/** Frames of the Meters and More host interface. */
export function mmhiFrames(check: MmhiCheck): LocalFrameForm {
  return {
    commands: COMMANDS,
    beyondLength: 1,
    check: CHECKS[check],
    statusBytes: 3,
    // Transmitting, receiving, PLC busy.
    busyMask: 0x0e,
    sdu: (command, data) => {
      const kind = DATA[command]
      if (kind === undefined) return undefined
      const { layer, integrity, header } = kind
      return { bytes: data.slice(header), layer, integrity, damaged: false }
    },
  }
}

/** Meanings for {@link explainLocal}. */
export function mmhiMeaning(form: LocalFrameForm): LocalMeaning {
  return {
    form,
    status: (bytes, at) => {
      const set = bytes[at]! & 1 ? 'configured' : 'not configured'
      const atDefault = bytes[at + 1]! | (bytes[at + 2]! << 8)
      return `${set}, objects at their default: ${hex(atDefault)}`
    },
    data: (command, _, start, end, row) => {
      const kind = DATA[command]
      if (kind === undefined) {
        row(start, end, 'data')
        return undefined
      }
      if (kind.header > 0) {
        row(start, start + 1, 'protocol: destination access point')
        row(start + 1, start + 2, 'request id')
      }
      return [start + kind.header, end]
    },
  }
}
