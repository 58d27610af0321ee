/** Small helpers for the tests of the control core: readings, reports, and a core that is fed event by event. */
import type { ChargerStatus, ControlEvent, LimitCommand } from '../src/control/model.ts'
import {
  type ControlConfig,
  type ControlParameters,
  controlParameters,
} from '../src/control/parameters.ts'
import { type ControlState, initialState, type Step, step } from '../src/control/step.ts'
import type { Integrity, Reading, Values } from '../src/reading.ts'

/** A reading as a decoder would give it. */
export function reading(
  receivedAt: number,
  values: Values,
  more: { readonly integrity?: Integrity; readonly grid?: 'TN' | 'IT' } = {},
): Reading {
  return {
    decoder: 'test',
    receivedAt,
    integrity: more.integrity ?? 'checksum',
    ...(more.grid === undefined ? {} : { meter: { grid: more.grid } }),
    values,
    registers: [],
  }
}

/** Currents of three lines, A. */
export function currents(a: number, b: number, c: number): Values {
  return { currentL1A: a, currentL2A: b, currentL3A: c }
}

/** A report of the charge point. */
export function report(
  at: number,
  ownA: number | readonly [number, number, number] | null,
  more: Partial<ChargerStatus> = {},
): ChargerStatus {
  const currentA = typeof ownA === 'number' ? ([ownA, ownA, ownA] as const) : ownA
  return { chargePoint: '1', at, state: 'C', offeredA: null, currentA, powerW: null, ...more }
}

/** The core with its state, fed one event at a time; seconds in, amperes out. */
export class Core {
  readonly parameters: ControlParameters
  state: ControlState
  last: Step | undefined
  readonly commands: LimitCommand[] = []

  constructor(config: ControlConfig, startS = 0) {
    this.parameters = controlParameters(config)
    this.state = initialState(this.parameters, startS * 1000)
  }

  feed(event: ControlEvent, atS: number): Step {
    this.last = step(this.parameters, this.state, event, Math.round(atS * 1000))
    this.state = this.last.state
    this.commands.push(...this.last.commands)
    return this.last
  }

  read(
    atS: number,
    values: Values,
    mayRaise = true,
    more: Parameters<typeof reading>[2] = {},
  ): Step {
    return this.feed(
      { type: 'reading', reading: reading(Math.round(atS * 1000), values, more), mayRaise },
      atS,
    )
  }

  charger(
    atS: number,
    ownA: Parameters<typeof report>[1],
    more: Partial<ChargerStatus> = {},
  ): Step {
    return this.feed({ type: 'charger', charger: report(Math.round(atS * 1000), ownA, more) }, atS)
  }

  tick(atS: number): Step {
    return this.feed({ type: 'tick', wallMs: undefined }, atS)
  }

  get cmd(): number {
    return this.state.cmdMa / 1000
  }
}
