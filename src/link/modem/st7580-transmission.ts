/**
 * What a recording of the host's line shows where somebody else's host lets the modem transmit: requests and their
 * confirms (ST UM0932 rev 3). Read only; nothing here writes them.
 */
import { MODULATIONS } from './st7580.ts'

/** A data request. */
export interface DataRequest {
  /** A frequency follows, three bytes. */
  readonly customFrequency: boolean
  /** It replaces the one configured. */
  readonly frequencyOverwrite: boolean
  readonly channel: 'high' | 'low'
  /** A gain follows, one byte. */
  readonly gainSelector: boolean
  readonly modulation: string
  readonly zeroCrossSync: boolean
  /** First byte behind options, frequency and gain; in SS mode that of the header's length. */
  readonly payloadAt: number
}

/** Reads the options of a data request. */
export function readDataRequest(data: Uint8Array): DataRequest {
  const options = data[0]!
  const customFrequency = (options & 0x01) !== 0
  const gainSelector = (options & 0x08) !== 0
  return {
    customFrequency,
    frequencyOverwrite: (options & 0x02) !== 0,
    channel: options & 0x04 ? 'high' : 'low',
    gainSelector,
    modulation: MODULATIONS[(options >> 4) & 7]!,
    zeroCrossSync: (options & 0x80) !== 0,
    payloadAt: 1 + (customFrequency ? 3 : 0) + (gainSelector ? 1 : 0),
  }
}

/** A data confirm: the extremes of the transmission. */
export interface DataConfirm {
  readonly maxGain: number
  readonly maxTemperatureBand: number
  readonly minGain: number
  readonly minTemperatureBand: number
  /** As sent; 0 = none. */
  readonly overcurrent: number
}

/** Reads a data confirm of five bytes; `undefined` for a shorter one. */
export function readDataConfirm(data: Uint8Array): DataConfirm | undefined {
  if (data.length < 5) return undefined
  const [most, least, overcurrent] = data as unknown as [number, number, number]
  return {
    maxGain: most >> 2,
    maxTemperatureBand: most & 3,
    minGain: least >> 2,
    minTemperatureBand: least & 3,
    overcurrent,
  }
}
