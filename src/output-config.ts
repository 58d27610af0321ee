/** What a configuration says of its outputs, one shape for each type. */

import type { StopAction } from './io/box-current.ts'

/** A file that another process reads. */
export interface FileOutputConfig {
  readonly id: string
  readonly type: 'file'
  readonly path: string
  readonly chargePoint?: string
}

/** A wallbox on Modbus. One of `host` and `serial`. */
export interface ModbusOutputConfig {
  readonly id: string
  readonly type: 'modbus'
  /** Id of a shipped profile, or the path of a profile file, seen from the configuration's folder. */
  readonly profile: string
  readonly host?: string
  readonly port?: number
  readonly serial?: string
  readonly baud?: number
  /** Line settings such as 8E1. */
  readonly format?: string
  /** How requests are framed on a network connection: `rtu` for plain serial-to-network adapters. */
  readonly framing?: 'tcp' | 'rtu'
  readonly unit?: number
  /** 1 = the first of a controller that has several. */
  readonly connector?: number
  readonly chargePoint?: string
  /** Safe current of this output, A: instead of `control.failsafeA`. */
  readonly failsafeA?: number
  /** What is left behind on an orderly stop; the safe current where absent. */
  readonly stop?: StopAction
  readonly failsafe?: {
    /** The box's own fail-safe is set to the configuration's, where that differs; else it is only compared. */
    readonly manage?: boolean
    /** Time-out to set, s; the validity of a command where absent. */
    readonly timeoutS?: number
  }
  /** The limit may be written to a register that wears out, where the box has no other. */
  readonly allowStored?: boolean
}

/** One output. */
export type OutputConfig = FileOutputConfig | ModbusOutputConfig
