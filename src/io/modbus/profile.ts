/**
 * A wallbox on Modbus as data: where its registers are, what they mean, and what it does when nobody speaks to it any
 * more. A box is supported by a file of this form; nothing else knows makers.
 *
 * Addresses are those on the wire: zero-based, without the 3xxxx and 4xxxx of vendor manuals. Quantities are amperes per
 * phase, seconds, watts and degrees Celsius after the scale.
 */
import type { PilotState } from '../../control/model.ts'

/** Tables of the Modbus data model that boxes use. */
export type Table = 'holding' | 'input' | 'coil'

/** How a value stands in 16-bit registers. `ascii` is text, two characters a register. */
export type RegisterType =
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'uint64'
  | 'float32'
  | 'float64'
  | 'ascii'
  | 'coil'

/** A value in registers: value = raw × scale. */
export interface Register {
  readonly address: number
  readonly type: RegisterType
  readonly scale: number
  /** Registers it takes; only text needs it said. */
  readonly words: number
}

/** A register that is read. */
export interface ReadRegister extends Register {
  readonly table: Table
  /** Bits that count; all where absent. */
  readonly mask?: number
  /** Some firmware lacks it: an answer "illegal address" only disables this value. */
  readonly optional: boolean
}

/** A register that is written. `auto`: 6, and 16 once a box has refused 6 as an unknown function. */
export interface WriteRegister extends Register {
  readonly fc: 5 | 6 | 16 | 'auto'
}

/** A register with the value it gets, as it stands on the wire. */
export interface FixedWrite {
  readonly write: WriteRegister
  readonly value: number
}

/** Line settings in the form `8E1`. */
export interface SerialLine {
  readonly baud: number
  readonly format: string
}

export interface Transport {
  readonly kinds: readonly ('tcp' | 'rtu' | 'rtu-over-tcp')[]
  readonly port: number
  /** Unit id the box answers to by default. */
  readonly unit: number
  readonly serial?: SerialLine
  /** Least silence between an answer and the next request, ms. */
  readonly minGapMs: number
  readonly timeoutMs: number
  /** Largest read the box answers, registers. */
  readonly maxReadWords: number
  /** The box serves one master only. */
  readonly singleMaster: boolean
  /** Order of the registers of a value of more than 16 bits; `big` = most significant first. */
  readonly wordOrder: 'big' | 'little'
  /** Distance from one connector's registers to the next one's, where one controller has several. */
  readonly connectorStep: number
}

export interface LimitRegisters {
  readonly write: WriteRegister
  /** Further addresses that get the same value, one request each. */
  readonly also: readonly number[]
  /** Least current that is not a pause, A. */
  readonly min: number
  readonly max: number
  /** Commands are rounded down to this, A. */
  readonly step: number
  /**
   * Where the register keeps its value. `flash` wears out: it is not written unless the user allows it, and then never
   * unchanged. `unknown` is treated with care: raises wait for {@link minWriteIntervalS}.
   */
  readonly storage: 'volatile' | 'flash' | 'unknown'
  /** Least time between two writes that do not lower the limit, s. */
  readonly minWriteIntervalS: number
  /** `offered`: what the control pilot says, after the box's own limits; `limit`: the register written, read again. */
  readonly readback: (ReadRegister & { readonly meaning: 'offered' | 'limit' }) | null
}

/** How charging is paused. */
export type Pause =
  /** The limit register takes 0, by this function where it is another than that of a limit. */
  | { readonly kind: 'zero'; readonly fc?: 6 | 16 }
  /** A register or coil of its own. */
  | {
      readonly kind: 'mode' | 'coil'
      readonly write: WriteRegister
      readonly on: number
      readonly off: number
      /** The limit register gets this as well, A, so that who releases the box starts low. */
      readonly alsoLimitA?: number
      /** The box wants this long before the next command, s. */
      readonly settleS: number
      readonly read?: ReadRegister
    }

export interface PhaseSwitch {
  readonly write: WriteRegister
  readonly one: number
  readonly three: number
  readonly when: 'idle-only' | 'live'
}

/** What keeps the last command alive. `fraction` is of the box's time-out, `everyS` counts where that is not known. */
export type KeepAlive =
  | { readonly kind: 'none' }
  /** Any request. */
  | { readonly kind: 'any'; readonly fraction: number; readonly everyS: number }
  /** Writing the limit again. */
  | { readonly kind: 'rewrite'; readonly fraction: number; readonly everyS: number }
  /** Writing a word of its own; `timeout` = the time-out in force, again. */
  | {
      readonly kind: 'token'
      readonly write: WriteRegister
      readonly value: number | 'timeout'
      readonly fraction: number
      readonly everyS: number
    }

/** What the box falls back to, and when. Seconds and amperes. */
export interface FailSafe {
  readonly timeout: {
    readonly write?: WriteRegister
    readonly read?: ReadRegister
    /** `remaining`: the register counts down; right after a command it shows the whole. */
    readonly shows: 'timeout' | 'remaining'
    readonly least: number
    readonly most: number
    /** As delivered, where known; `null` = set at the box. */
    readonly defaultS: number | null
  }
  readonly current: {
    readonly write?: WriteRegister
    readonly read?: ReadRegister
    readonly least: number
    readonly most: number
    readonly zeroAllowed: boolean
    /** As delivered, where known; `null` = set at the box. */
    readonly defaultA: number | null
  }
}

/** A condition without which nothing is written: the wrong box, the wrong setting, the wrong byte order. */
export interface Requirement {
  readonly read: ReadRegister
  readonly min: number
  readonly max: number
  /** What to do, in a sentence. */
  readonly say: string
}

export interface ReadBlock {
  readonly table: Table
  readonly address: number
  readonly words: number
}

export interface Readings {
  /** Least time between two looks, s. */
  readonly everyS: number
  /** Registers that are read in one request although nothing is known of those in between. */
  readonly blocks: readonly ReadBlock[]
  /** Raw value, or the first letter of a text, to the letter of IEC 61851-1; what is not listed is not known. */
  readonly state?: ReadRegister & { readonly map: { readonly [raw: string]: PilotState } }
  /** Without one of these values no vehicle is there, whatever the state says. */
  readonly plug?: ReadRegister & { readonly connected: readonly number[] }
  readonly currents?: readonly [ReadRegister, ReadRegister, ReadRegister]
  readonly power?: ReadRegister
  readonly temperature?: ReadRegister
  /** What the box can offer at most. */
  readonly max?: ReadRegister
  /** Raw values that stand for "not available". */
  readonly notAvailable: readonly number[]
}

/** One kind of box. */
export interface ChargerProfile {
  readonly schema: 1
  /** Id, and name of the file. */
  readonly profile: string
  readonly title: string
  readonly transport: Transport
  readonly limit: LimitRegisters
  readonly pause: Pause
  /** `null` = the number of phases cannot be changed over Modbus, or nobody knows how. */
  readonly phases: PhaseSwitch | null
  /** `device`: the box falls to its safe current by itself; `none`: the last value stays for ever. */
  readonly deadMan: 'device' | 'none'
  readonly keepalive: KeepAlive
  readonly failsafe: FailSafe | null
  readonly require: readonly Requirement[]
  /** Written once after each connection, unless the register holds the value already. */
  readonly init: readonly FixedWrite[]
  /** Written before every command. */
  readonly before: readonly FixedWrite[]
  readonly read: Readings
  /** First and last of ranges of holding registers that wear out; never written while regulating. */
  readonly stored: readonly (readonly [number, number])[]
  readonly notes: readonly string[]
  /** Where the facts come from. */
  readonly evidence: readonly string[]
  /** Who has seen it work: nobody, somebody on a bench, somebody at home. */
  readonly verified: 'none' | 'bench' | 'field'
}
