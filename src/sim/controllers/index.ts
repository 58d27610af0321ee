/** Every controller that can be compared, by the id of the command line. */
import { PEERS } from '../peers/index.ts'
import { ampacity } from './ampacity.ts'
import type { ControllerFactory } from './controller.ts'

/** The product's own first. */
export const CONTROLLERS: Readonly<Record<string, ControllerFactory>> = { ampacity, ...PEERS }
