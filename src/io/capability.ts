/** What an output can do with a command, and what becomes of the last one when nobody repeats it. */

/**
 * Who notices that the agent has died.
 *
 * | class    | meaning                                                                             |
 * |----------|-------------------------------------------------------------------------------------|
 * | `device` | the set-point expires where it is carried out, which falls to its own safe current  |
 * | `feed`   | the box computes its own limit from the house's load and stops when that feed stops |
 * | `none`   | the last value stays for ever                                                       |
 */
export type DeadMan = 'device' | 'feed' | 'none'

/** The descriptor of one output. Amperes are per phase. */
export interface Capability {
  /** Least current that is not a pause, A. */
  readonly minA: number
  readonly maxA: number
  /** Commands are rounded down to this, A. */
  readonly stepA: number
  /** How charging is paused: by the value 0, by a switch of its own, by a mode, or not at all. */
  readonly pause: 'zero' | 'coil' | 'mode' | 'none'
  /** When the number of phases may be changed. */
  readonly phases: 'no' | 'idle-only' | 'live'
  /** The box tells what it applies. */
  readonly readback: boolean
  readonly evMeter: 'none' | 'power' | 'per-phase'
  readonly deadMan: DeadMan
  /** The box is at or below its safe current this long after the last command, s; `null` = never. */
  readonly deadManTimeoutS: number | null
  /** Commands wear out memory of the box: an unchanged one is not repeated. */
  readonly persistsToFlash: boolean
}

/** One sentence on what happens when the agent dies, with what to do where nothing does. */
export function deadManSentence({ deadMan, deadManTimeoutS }: Capability): string {
  switch (deadMan) {
    case 'device':
      return `its command expires: ${deadManTimeoutS} s after the last one it is at its safe current`
    case 'feed':
      return `it stops charging ${deadManTimeoutS} s after the last reading it was fed`
    case 'none':
      return (
        'its last command stays for ever: let `ampacity output-safe` run when the agent ends (ExecStopPost), ' +
        'and set the hard limit in the box to what the house carries without load management'
      )
  }
}
