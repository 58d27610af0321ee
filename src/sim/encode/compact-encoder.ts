/** A compact frame of the invented template 250: id u8, time u32, power u32, available power u32, countdown u16. */
import { concat, integerBytes } from './bytes.ts'

/** Numbers that go into the frame. */
export interface Overload {
  /** Seconds since 1970. */
  readonly posix: number
  readonly powerW: number
  readonly availableW: number
  readonly countdownS: number
}

/** The compact buffer. */
export function encodeTemplate250({ posix, powerW, availableW, countdownS }: Overload): Uint8Array {
  return concat(
    [250],
    integerBytes(posix, 4),
    integerBytes(powerW, 4),
    integerBytes(availableW, 4),
    integerBytes(countdownS, 2),
  )
}

/** Its type description as the head of a compact-array, and the buffer as its only row. */
export function encodeCompactArray(buffer: Uint8Array): Uint8Array {
  return concat([0x13, 0x02, 5, 0x11, 6, 6, 6, 0x12], integerBytes(buffer.length, 1), buffer)
}
