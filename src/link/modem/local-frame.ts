/**
 * The frames between a power-line modem and its host. ST7580 (ST UM0932) and Meters and More modems share them:
 *
 * | offset | size | field                                                           |
 * |--------|------|-----------------------------------------------------------------|
 * | 0      | 1    | STX: 02 first transmission, 03 repeat                           |
 * | 1      | 1    | LEN: bytes of data; Meters and More: one less                   |
 * | 2      | 1    | command                                                         |
 * | 3      | n    | data                                                            |
 * | 3 + n  | 2    | check over LEN, command and data, low byte first                |
 *
 * Outside a frame: 06 ACK, 15 NAK, 3F the first byte of a status message.
 */
import type { Sdu } from './dialect.ts'

/** First bytes. */
export const FIRST = { stx: 0x02, repeat: 0x03, ack: 0x06, nak: 0x15, status: 0x3f } as const

/** STX, LEN, command. */
export const HEADER = 3
/** The check. */
export const TRAILER = 2

/**
 * Who sends a command: `request` the host, to the modem itself; `transmission` the host, to put something on the power
 * line; `answer` and `indication` the modem.
 */
export type Role = 'request' | 'transmission' | 'answer' | 'indication'

/** A command and how many bytes of data it can have. */
export interface CommandRow {
  readonly name: string
  readonly role: Role
  readonly least: number
  readonly most: number
}

/** Commands by code from rows of code, name, role, least and most bytes of data. */
export function commandTable(
  rows: readonly (readonly [code: number, name: string, Role, least: number, most: number])[],
): Readonly<Record<number, CommandRow>> {
  return Object.fromEntries(
    rows.map(([code, name, role, least, most]) => [code, { name, role, least, most }]),
  )
}

/** What differs between the modems that use these frames. */
export interface LocalFrameForm {
  readonly commands: Readonly<Record<number, CommandRow>>
  /** Data bytes beyond what LEN says. */
  readonly beyondLength: 0 | 1
  /** Check over `bytes[start..end)`, 16 bits. */
  check(bytes: Uint8Array, start: number, end: number): number
  /** Bytes of a status message behind its 3F; the first of them is the status. */
  readonly statusBytes: number
  /** Bits of the status during which the modem takes no request. */
  readonly busyMask: number
  /** The data unit of an indication, `undefined` for other commands. */
  sdu(command: number, data: Uint8Array): Sdu | undefined
}

/** True for what a modem sends and its host has to answer. */
export function isFromModem({ role }: CommandRow): boolean {
  return role === 'answer' || role === 'indication'
}

/** The 16-bit sum of bytes: the check of ST7580 frames. */
export function sum16(bytes: Uint8Array, start: number, end: number): number {
  let sum = 0
  for (let i = start; i < end; i++) sum += bytes[i]!
  return sum & 0xffff
}

/** A frame of a form. Throws RangeError where the data do not suit the command. */
export function encodeLocalFrame(
  form: LocalFrameForm,
  command: number,
  data: Uint8Array,
  first: number = FIRST.stx,
): Uint8Array {
  const row = form.commands[command]
  if (row === undefined) throw new RangeError(`there is no command ${command}`)
  if (data.length < row.least || data.length > row.most)
    throw new RangeError(`${row.name} takes ${row.least} to ${row.most} bytes, has ${data.length}`)
  const frame = new Uint8Array(HEADER + data.length + TRAILER)
  frame[0] = first
  frame[1] = data.length - form.beyondLength
  frame[2] = command
  frame.set(data, HEADER)
  const end = HEADER + data.length
  const check = form.check(frame, 1, end)
  frame[end] = check & 0xff
  frame[end + 1] = check >> 8
  return frame
}

/** The same for the host: only what stays between host and modem. */
export function encodeRequest(form: LocalFrameForm, command: number, data: Uint8Array): Uint8Array {
  const row = form.commands[command]
  if (row?.role !== 'request')
    throw new RangeError(`${row?.name ?? command} is no request to the modem itself`)
  return encodeLocalFrame(form, command, data)
}
