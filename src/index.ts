/** What `import … from 'ampacity'` offers: the parts a wallbox maker puts together. */
export { auto, decoders } from '../decoders/index.ts'
export { type Config, loadConfig, parseConfig } from './config.ts'
export type {
  ChargerStatus,
  ControlEvent,
  DecisionCode,
  LimitCommand,
  PilotState,
} from './control/model.ts'
export {
  type ControlConfig,
  type ControlParameters,
  controlParameters,
} from './control/parameters.ts'
export { type ControlState, initialState, type Step, step } from './control/step.ts'
export { type Agent, type AgentOptions, type AgentStatus, createAgent } from './daemon.ts'
export type {
  Decoder,
  DecoderDefinition,
  DecoderEvent,
  SerialSettings,
  Span,
} from './decoder.ts'
export { AmpacityError, DecodeError } from './errors.ts'
export { systemClock } from './io/clock.ts'
export { limitFileOutput } from './io/limit-file.ts'
export { createLog } from './io/log.ts'
export { mqttOutput } from './io/mqtt.ts'
export type { Clock, Log, Output, Source } from './io/ports.ts'
export { serialSource } from './io/serial.ts'
export { tcpSource } from './io/tcp.ts'
export { eventLine } from './payload.ts'
export type { Reading, Values } from './reading.ts'
