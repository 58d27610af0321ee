/** Modbus frames as a specification prints them, put together by hand and taken apart again, and a wire tap. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

const hex = (bytes: Iterable<number>): string =>
  [...bytes].map(byte => byte.toString(16).padStart(2, '0').toUpperCase()).join(' ')
const word = (value: number): string => hex([value >> 8, value & 0xff])

/** Write of one register. */
export const fc6 = (address: number, value: number): string => `06 ${word(address)} ${word(value)}`
/** Write of one coil. */
export const fc5 = (address: number, on: boolean): string =>
  `05 ${word(address)} ${on ? 'FF' : '00'} 00`
/** Write of several registers. */
export const fc16 = (address: number, ...words: number[]): string =>
  [`10 ${word(address)} ${word(words.length)} ${hex([2 * words.length])}`, ...words.map(word)].join(
    ' ',
  )

/** CRC-16/MODBUS: polynomial 0x8005 reflected, initial value 0xffff; 0x4b37 over "123456789". */
export function crc16(bytes: Iterable<number>): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

/** A frame on a serial line: unit, PDU, checksum low byte first. */
export function rtuFrame(unit: number, pdu: string): string {
  const body = [unit, ...bytesOf(pdu)]
  const crc = crc16(body)
  return hex([...body, crc & 0xff, crc >> 8])
}

/** A frame over TCP: header (Modbus Messaging on TCP/IP 3.1.3) with the transaction number left out, unit, PDU. */
export function tcpFrame(unit: number, pdu: string): string {
  const body = [unit, ...bytesOf(pdu)]
  return hex([0, 0, 0, body.length, ...body])
}

export function bytesOf(text: string): number[] {
  return text.split(' ').map(byte => Number.parseInt(byte, 16))
}

/** Frames in what a master sent over TCP, each without its transaction number. */
export function tcpFrames(bytes: readonly number[]): string[] {
  const frames: string[] = []
  for (let at = 0; at + 6 <= bytes.length; ) {
    const length = bytes[at + 4]! * 256 + bytes[at + 5]!
    frames.push(hex(bytes.slice(at + 2, at + 6 + length)))
    at += 6 + length
  }
  return frames
}

/** Frames in what a master sent on a serial line; their length follows from the function. */
export function rtuFrames(bytes: readonly number[]): string[] {
  const frames: string[] = []
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = bytes[at + 1] === 16 ? 9 + bytes[at + 6]! : 8
    frames.push(hex(bytes.slice(at, at + length)))
    at += length
  }
  return frames
}

/** A relay that writes down what the master sends. */
export async function tapped(
  port: number,
): Promise<{ port: number; sent: number[]; close(): void }> {
  const sent: number[] = []
  const server = createServer(master => {
    const box = connect(port, '127.0.0.1')
    master.on('data', data => sent.push(...data))
    master.pipe(box).pipe(master)
    for (const socket of [master, box]) socket.on('error', () => {})
    master.on('close', () => box.destroy())
    box.on('close', () => master.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, sent, close: () => server.close() }
}
