/** What a profile can do, as the descriptor of an output. */
import type { Capability } from '../capability.ts'
import type { ChargerProfile } from './profile.ts'

/** `deadManTimeoutS` is that of the box as delivered; `null` where it is set at the box, or where there is none. */
export function capabilityOf({
  limit,
  pause,
  phases,
  deadMan,
  failsafe,
  read,
}: ChargerProfile): Capability {
  return {
    minA: limit.min,
    maxA: limit.max,
    stepA: limit.step,
    pause: pause.kind,
    phases: phases === null ? 'no' : phases.when,
    readback: limit.readback !== null,
    evMeter:
      read.currents !== undefined ? 'per-phase' : read.power !== undefined ? 'power' : 'none',
    deadMan,
    deadManTimeoutS: failsafe?.timeout.defaultS || null,
    persistsToFlash: limit.storage === 'flash',
  }
}
