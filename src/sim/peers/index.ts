/** The controllers that people use today, restated from their sources. Apart from the product: nothing of it is here. */
import type { ControllerFactory } from '../controllers/controller.ts'
import { evcc } from './evcc.ts'
import { fixed } from './fixed.ts'
import { haBalancer } from './ha-balancer.ts'
import { openevse } from './openevse.ts'
import { openwb } from './openwb.ts'
import { smartevse } from './smartevse.ts'
import { warp } from './warp.ts'

/** By the id of the command line. */
export const PEERS: Readonly<Record<string, ControllerFactory>> = {
  static: fixed,
  'evcc-30': evcc(30),
  'evcc-10': evcc(10),
  smartevse,
  openevse,
  'ha-optimised': haBalancer('optimised'),
  'ha-conservative': haBalancer('conservative'),
  warp,
  openwb,
}
