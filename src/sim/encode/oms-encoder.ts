/**
 * Telegrams of the AMIS TD-351x: CI 5B, address, access number, status, configuration of mode 5, and records in
 * AES-128-CBC. The M-Bus frame around them is that of the M-Bus encoder.
 */
import { createCipheriv } from 'node:crypto'
import { concat } from './bytes.ts'

/** Who sends, and under which key. */
export interface OmsSender {
  /** Four bytes as sent, low byte first. */
  readonly identification: Uint8Array
  /** Three letters. */
  readonly manufacturer: string
  readonly version: number
  readonly medium: number
  readonly accessNumber: number
  /** 16 bytes. */
  readonly key: Uint8Array
}

/** What the meter sends each second; energies in Wh and varh, powers in W and var. */
export interface AmisValues {
  /** ISO 8601 to the second, without zone. */
  readonly local: string
  readonly importWh: number
  readonly exportWh: number
  readonly importVarh: number
  readonly exportVarh: number
  readonly importW: number
  readonly exportW: number
  readonly importVar: number
  readonly exportVar: number
  /** 1.128.0, signed. */
  readonly balanceWh: number
}

const BLOCK = 16
const FILL = 0x2f

/** DIF and VIF of the clock. */
const CLOCK = [0x06, 0x6d]
/** DIF and VIF of each value, in the order of the meter. */
const RECORDS: readonly [field: Exclude<keyof AmisValues, 'local'>, head: readonly number[]][] = [
  ['importWh', [0x04, 0x03]],
  ['exportWh', [0x04, 0x83, 0x3c]],
  ['importVarh', [0x84, 0x10, 0xfb, 0x82, 0x73]],
  ['exportVarh', [0x84, 0x10, 0xfb, 0x82, 0xf3, 0x3c]],
  ['importW', [0x04, 0x2b]],
  ['exportW', [0x04, 0xab, 0x3c]],
  ['importVar', [0x04, 0xfb, 0x14]],
  ['exportVar', [0x04, 0xfb, 0x94, 0x3c]],
  ['balanceWh', [0x04, 0x83, 0xff, 0x04]],
]

/** The records of one telegram in clear, without fill. */
export function encodeAmisRecords(values: AmisValues): Uint8Array {
  return concat(
    CLOCK,
    cp48(values.local),
    ...RECORDS.map(([field, head]) => concat(head, littleEndian(values[field]))),
  )
}

/** User data from the CI on: `records` with fill before and behind them, enciphered. */
export function encodeOms(records: Uint8Array, sender: OmsSender): Uint8Array {
  const { identification, version, medium, accessNumber, key } = sender
  const filled = concat([FILL, FILL], records)
  const blocks = Math.ceil(filled.length / BLOCK)
  const plaintext = new Uint8Array(blocks * BLOCK).fill(FILL)
  plaintext.set(filled)
  const manufacturer = [...sender.manufacturer].reduce(
    (word, letter) => (word << 5) | (letter.charCodeAt(0) - 0x40),
    0,
  )
  const maker = [manufacturer & 0xff, manufacturer >> 8]
  const iv = concat(maker, identification, [version, medium], new Array(8).fill(accessNumber))
  const cipher = createCipheriv('aes-128-cbc', key, iv).setAutoPadding(false)
  return concat(
    [0x5b],
    identification,
    maker,
    [version, medium, accessNumber, 0x00, blocks << 4, 0x05],
    cipher.update(plaintext),
    cipher.final(),
  )
}

function littleEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value | 0, true)
  return bytes
}

/** CP48; the week is left out. */
function cp48(local: string): Uint8Array {
  const match = /^20(\d\d)-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)$/.exec(local)
  if (match === null) throw new RangeError(`not a local time of this century: ${local}`)
  const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  return Uint8Array.of(
    second,
    minute,
    hour,
    day | ((year & 0x07) << 5),
    month | ((year & 0x78) << 1),
    0,
  )
}
