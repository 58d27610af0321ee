/**
 * Takes out the CR bytes that a text-minded device on the way put before every LF, where a user asked for it.
 * What comes out counts only with a correct frame checksum.
 */
import { frameFault } from './hdlc-check.ts'

/** A frame without the inserted bytes, and how many received bytes it stands for. */
export interface RepairedFrame {
  readonly frame: Uint8Array
  readonly consumed: number
}

/**
 * Looks for a frame of `length` bytes between flags at `bytes[opening]` once every 0D before 0A is dropped.
 * `'wait'` while too few bytes are there to tell; `undefined` if it is none.
 */
export function findFrameWithCrlf(
  bytes: Uint8Array,
  opening: number,
  end: number,
  length: number,
): RepairedFrame | 'wait' | undefined {
  const frame = new Uint8Array(length + 2)
  let filled = 0
  for (let i = opening; i < end; i++) {
    if (bytes[i] === 0x0d) {
      if (i + 1 === end) return 'wait'
      if (bytes[i + 1] === 0x0a) continue
    }
    frame[filled++] = bytes[i]!
    if (filled === frame.length)
      return frameFault(frame, 0, length + 1) === undefined
        ? { frame, consumed: i + 1 - opening }
        : undefined
  }
  return 'wait'
}
