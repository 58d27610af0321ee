/** Frames of every transport as far as an explanation needs them: where their parts stand and what they are. */
import { crc16x25 } from '../../../src/bytes/crc16.ts'
import { hex } from '../../../src/bytes/hex.ts'
import { FLAG, frameFault } from '../../../src/link/hdlc-check.ts'
import type { Rows } from './rows.ts'

/** One frame. What it carries stands between the rows of {@link head} and {@link tail}. */
export interface Frame {
  readonly informationStart: number
  readonly informationEnd: number
  readonly end: number
  /** It carries only a part of what is sent. */
  readonly isPart: boolean
  readonly isLast: boolean
  /** It begins what is sent; false where its contents tell. */
  readonly isFirst: boolean
  /** It carries M-Bus records instead of an APDU. */
  readonly isOms?: boolean
  head(rows: Rows): void
  tail(rows: Rows): void
}

/** The frame that begins at `bytes[at]`, `undefined` if none does. */
export function frameAt(bytes: Uint8Array, at: number): Frame | undefined {
  return hdlcFrame(bytes, at) ?? mbusFrame(bytes, at) ?? wrapperMessage(bytes, at)
}

/** An opening flag that another frame had before belongs to that one: the telegram then begins with the format. */
function hdlcFrame(bytes: Uint8Array, at: number): Frame | undefined {
  const opening = bytes[at] === FLAG ? at : at - 1
  if (opening !== at && at !== 0) return undefined
  const format = ((bytes[opening + 1] ?? 0) << 8) | (bytes[opening + 2] ?? 0)
  const closing = opening + 1 + (format & 0x7ff)
  if (format >> 12 !== 0xa || closing >= bytes.length) return undefined
  const ends: number[] = []
  let next = opening + 3
  for (let field = 0; field < 2; field++) {
    while (next < closing && (bytes[next]! & 1) === 0) next++
    ends.push(++next)
  }
  const hcs = next + 1
  if (hcs + 2 > closing - 2) return undefined
  const isHeader = crc16x25(bytes, opening + 1, hcs) === (bytes[hcs]! | (bytes[hcs + 1]! << 8))
  const fault = frameFault(bytes, opening, closing)
  if (!isHeader && fault !== undefined) return undefined
  return {
    informationStart: hcs + 2,
    informationEnd: closing - 2,
    end: closing + 1,
    isPart: (format & 0x800) !== 0,
    isLast: (format & 0x800) === 0,
    isFirst: false,
    head: rows => {
      const segmented = format & 0x800 ? ', more segments follow' : ''
      const length = `${format & 0x7ff} bytes between the flags`
      if (opening === at) rows.add(0, at, at + 1, 'flag')
      rows.add(1, opening + 1, opening + 3, `HDLC format type 3, ${length}${segmented}`)
      rows.add(1, opening + 3, ends[0]!, 'destination address')
      rows.add(1, ends[0]!, ends[1]!, 'source address')
      rows.add(1, next, hcs, 'control')
      rows.add(1, hcs, hcs + 2, 'header checksum (HCS)')
    },
    tail: rows => {
      const said = fault === undefined ? 'frame checksum (FCS), right' : `(FCS) ${fault}`
      rows.add(1, closing - 2, closing, said)
      rows.add(0, closing, closing + 1, 'flag')
    },
  }
}

const MBUS_TRAILER = 2

function mbusFrame(bytes: Uint8Array, at: number): Frame | undefined {
  if (bytes[at] !== 0x68 || bytes[at + 3] !== 0x68 || bytes[at + 1] !== bytes[at + 2])
    return undefined
  // Sagemcom sends the length modulo 256.
  const length = [bytes[at + 1]!, bytes[at + 1]! + 256].find(l => isMbus(bytes, at, l))
  if (length === undefined) return undefined
  const end = at + 4 + length
  const ci = bytes[at + 6]!
  const isDlms = (ci & 0xe0) === 0
  const informationStart = isDlms ? at + 9 : at + 6
  return {
    informationStart,
    informationEnd: end,
    end: end + MBUS_TRAILER,
    isPart: isDlms && ci !== 0x10,
    isLast: (ci & 0x10) !== 0,
    isFirst: (ci & 0x0f) === 0,
    isOms: ci === 0x5b,
    head: rows => {
      rows.add(0, at, at + 4, `M-Bus long frame, ${length} bytes from C to the data`)
      rows.add(1, at + 4, at + 5, 'control (C)')
      rows.add(1, at + 5, at + 6, 'address (A)')
      if (!isDlms) return
      const last = ci & 0x10 ? ', the last' : ''
      rows.add(1, at + 6, at + 7, `control information (CI): segment ${ci & 0x0f}${last}`)
      rows.add(1, at + 7, at + 8, 'source (STSAP)')
      rows.add(1, at + 8, at + 9, 'destination (DTSAP)')
    },
    tail: rows => {
      rows.add(1, end, end + 1, 'checksum, right')
      rows.add(0, end + 1, end + 2, 'stop')
    },
  }
}

function isMbus(bytes: Uint8Array, at: number, length: number): boolean {
  const end = at + 4 + length
  if (length < 6 || bytes[end + 1] !== 0x16) return false
  let sum = 0
  for (let i = at + 4; i < end; i++) sum += bytes[i]!
  return (sum & 0xff) === bytes[end]
}

/** Nothing but its length tells a wrapper: it is believed where a telegram begins with it and ends with it. */
function wrapperMessage(bytes: Uint8Array, at: number): Frame | undefined {
  const length = ((bytes[at + 6] ?? 0) << 8) | (bytes[at + 7] ?? 0)
  if (at !== 0 || bytes[0] !== 0 || bytes[1] !== 1 || length + 8 !== bytes.length) return undefined
  return {
    informationStart: 8,
    informationEnd: bytes.length,
    end: bytes.length,
    isPart: false,
    isLast: true,
    isFirst: true,
    head: rows => {
      rows.add(0, 0, 2, 'DLMS wrapper, version 1')
      rows.add(1, 2, 4, `source port ${hex((bytes[2]! << 8) | bytes[3]!)}`)
      rows.add(1, 4, 6, `destination port ${hex((bytes[4]! << 8) | bytes[5]!)}`)
      rows.add(1, 6, 8, `${length} bytes follow`)
    },
    tail: () => {},
  }
}
