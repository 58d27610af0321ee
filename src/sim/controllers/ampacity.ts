/** The product's own control core behind the interface of the closed loop. */
import type { ControlEvent } from '../../control/model.ts'
import { controlParameters } from '../../control/parameters.ts'
import { type ControlState, initialState, step } from '../../control/step.ts'
import type { Instant } from '../../reading.ts'
import { ScaleTrust } from '../../scale-trust.ts'
import type { Controller, ControllerFactory } from './controller.ts'

/** The core as the agent runs it: every reading, report and second is an event. */
export const ampacity: ControllerFactory = ({ config }): Controller => {
  const parameters = controlParameters(config)
  const trust = new ScaleTrust()
  let state: ControlState | undefined
  let limitA = 0
  let code = 'INIT'
  let limitedBy = 'stale'

  const feed = (event: ControlEvent, now: Instant): void => {
    const result = step(parameters, state ?? initialState(parameters, now, 0), event, now)
    state = result.state
    for (const command of result.commands) limitA = command.limitA
    code = result.explanation.code
    limitedBy = result.explanation.limitedBy
  }
  return {
    reading(reading, now, notes = []) {
      feed({ type: 'reading', reading, mayRaise: trust.mayRaise(reading, notes) }, now)
    },
    charger(charger, now) {
      feed({ type: 'charger', charger }, now)
    },
    limit(limit, now) {
      feed({ type: 'limit', limit }, now)
    },
    signal(signal, now) {
      feed({ type: 'signal', signal }, now)
    },
    tick(now, wallMs) {
      feed({ type: 'tick', wallMs }, now)
      return limitA
    },
    get code() {
      return code
    },
    get limitedBy() {
      return limitedBy
    },
  }
}
