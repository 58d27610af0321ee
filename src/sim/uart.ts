/** A serial line bit by bit: what a receiver with other settings than the sender makes of it. */
import type { SerialSettings } from '../decoder.ts'

/** Bits one byte takes on the line, start bit included. */
export function bitsPerByte(serial: SerialSettings): number {
  return 1 + serial.dataBits + (serial.parity === 'none' ? 0 : 1) + serial.stopBits
}

/** Time one byte takes on the line, ms. */
export function byteTimeMs(serial: SerialSettings): number {
  return (bitsPerByte(serial) * 1000) / serial.baudRate
}

/**
 * Levels of the line, 1 = idle, one per bit time. `idleBits` says how long the line rests after the byte of that
 * index.
 */
export function lineBits(
  bytes: Uint8Array,
  serial: SerialSettings,
  idleBits: (index: number) => number = () => 0,
): readonly number[] {
  const bits: number[] = [1]
  for (const [index, byte] of bytes.entries()) {
    const data = Array.from({ length: serial.dataBits }, (_, i) => (byte >> i) & 1)
    const ones = data.reduce((sum, bit) => sum + bit, 0)
    bits.push(0, ...data)
    if (serial.parity !== 'none') bits.push(serial.parity === 'even' ? ones & 1 : 1 - (ones & 1))
    for (let i = serial.stopBits + idleBits(index); i > 0; i--) bits.push(1)
  }
  return [...bits, 1, 1]
}

/**
 * Bytes that a receiver with the settings `serial` hands over under Linux with IGNPAR and without INPCK: parity is not
 * looked at, bytes whose stop bit is missing are dropped, and the level found there starts the next byte.
 */
export function receiveBits(bits: readonly number[], serial: SerialSettings): Uint8Array {
  const received: number[] = []
  const stop = serial.dataBits + (serial.parity === 'none' ? 1 : 2)
  for (let at = 0; at + stop < bits.length; ) {
    if (bits[at] === 1) {
      at++
      continue
    }
    let byte = 0
    for (let i = 0; i < serial.dataBits; i++) byte |= bits[at + 1 + i]! << i
    const framed = bits[at + stop] === 1
    if (framed) received.push(byte)
    at += framed ? stop + 1 : stop
  }
  return Uint8Array.from(received)
}
