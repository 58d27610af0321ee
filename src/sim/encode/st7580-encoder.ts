/**
 * What an ST7580 sends to its host (ST UM0932 rev 3): local frames, data indications, status messages.
 *
 *     STX 02 or 03 | LEN | command | data | 16-bit sum of LEN, command and data, low byte first
 */
import { concat, integerBytes } from './bytes.ts'

/** First byte of a frame: sent for the first time, or once more. */
export const STX = { first: 0x02, repeat: 0x03 } as const

/** Commands of data indications. */
export const INDICATION = {
  phy: 0x26,
  dl: 0x52,
  dlSniffed: 0x5a,
  ss: 0x56,
  ssSniffed: 0x5e,
} as const

/** One local frame. Throws RangeError for more than 255 bytes of data. */
export function encodeLocal(
  command: number,
  data: Uint8Array | readonly number[],
  stx: number = STX.first,
): Uint8Array {
  const body = concat([...integerBytes(data.length, 1), command], data)
  const sum = body.reduce((total, byte) => total + byte, 0) & 0xffff
  return concat([stx], body, [sum & 0xff, sum >> 8])
}

/** How a data unit was received. */
export interface SentReception {
  /** 0 B-PSK to 7. */
  readonly modulation: number
  readonly isHigh: boolean
  readonly pga: number
  /** Byte of the signal to noise ratio, dB in two's complement; 0xff = none. */
  readonly snr: number
}

/** Good reception of what Italian meters are thought to use. */
export const GOOD: SentReception = { modulation: 0, isHigh: true, pga: 1, snr: 25 }

/** Data of an indication: reception, delay against the zero crossing, the data unit. */
export function indicationData(
  sdu: Uint8Array,
  { modulation, isHigh, pga, snr }: SentReception = GOOD,
): Uint8Array {
  return concat([modulation | (isHigh ? 8 : 0) | (pga << 4), snr, 0x0d, 0x5c], sdu)
}

/** A status message: configured, layer DL, and what it is doing. */
export function encodeStatus(doing: 'idle' | 'receiving' | 'transmitting' = 'idle'): Uint8Array {
  return Uint8Array.of(0x3f, 0x08 | { idle: 0, receiving: 0x04, transmitting: 0x02 }[doing])
}
