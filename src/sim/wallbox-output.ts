/** The simulated wallbox as an output. */
import type { ChargerStatus, LimitCommand } from '../control/model.ts'
import type { Clock, Output } from '../io/ports.ts'
import type { Household } from './household.ts'
import type { SimulatedTime } from './sim-time.ts'

/** Which wallbox, and on which clocks. */
export interface WallboxOutputOptions {
  readonly id: string
  readonly household: Household
  readonly time: SimulatedTime
  readonly clock: Clock
}

const tenth = (value: number): number => Math.round(value * 10) / 10

/** An output that is always reachable and answers with what the wallbox measures. */
export function wallboxOutput(options: WallboxOutputOptions): Output {
  const { id, household, time, clock } = options
  const { chargePoint, safeA } = household.wallboxModel

  const status = (): ChargerStatus => {
    const { state, offeredA, currentA, powerW } = household.chargePoint(time.now())
    const [l1, l2, l3] = currentA
    return {
      chargePoint,
      at: clock.now(),
      state,
      offeredA: tenth(offeredA),
      currentA: [tenth(l1), tenth(l2), tenth(l3)],
      powerW: Math.round(powerW),
    }
  }

  return {
    id,
    async apply(command: LimitCommand, signal: AbortSignal): Promise<ChargerStatus | undefined> {
      if (signal.aborted || command.chargePoint !== chargePoint) return undefined
      // Validity is promised in real time; the simulated world may run faster.
      household.command(command.limitA, command.validForS * 1000 * time.speed, time.now())
      return status()
    },
    async read(): Promise<ChargerStatus> {
      return status()
    },
    async close(): Promise<void> {
      household.command(safeA, Infinity, time.now())
    },
  }
}
