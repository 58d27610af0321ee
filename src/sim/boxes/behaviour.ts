/** How a simulated box behaves beside what its profile says: what it falls back to, and what is wrong with it. */

export interface BoxBehaviour {
  /** Its time-out when it is switched on, s; 0 = off. */
  readonly timeoutS: number
  /** What it falls back to, A; 0 = pause. */
  readonly failsafeA: number
  /** Its limit when it is switched on, A. */
  readonly defaultA: number
  /** From a command to the pilot, ms. */
  readonly lagMs: number
  /** What becomes of fractions of an ampere. */
  readonly rounding: 'none' | 'down' | 'nearest'
  /** Takes commands and does nothing. */
  readonly ignores: boolean
  /** Exception with which it refuses commands. */
  readonly refuses: number | undefined
  /** So many of the next requests are answered with "busy". */
  readonly busy: number
  /** Function codes it does not know. */
  readonly unknownFunctions: readonly number[]
  /** Addresses it does not have. */
  readonly missing: readonly number[]
  /** Firmware that exchanges the bytes of each register. */
  readonly swapsBytes: boolean
  /** Closes its connections when it falls back. */
  readonly closesOnFall: boolean
  /** What the vehicle would draw, A; `undefined` = no vehicle. */
  readonly wantsA: number | undefined
}

export const OBEDIENT: BoxBehaviour = {
  timeoutS: 30,
  failsafeA: 6,
  defaultA: 16,
  lagMs: 0,
  rounding: 'none',
  ignores: false,
  refuses: undefined,
  busy: 0,
  unknownFunctions: [],
  missing: [],
  swapsBytes: false,
  closesOnFall: false,
  wantsA: 32,
}
