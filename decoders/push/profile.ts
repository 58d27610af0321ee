/**
 * A meter, or a grid company's way of setting it up, as data: by what its lists are known and what they leave out. The
 * files in `decoders/profiles/` are of this form, and so are those that a vendor adds without touching code.
 */

/** How far a profile was tried: on telegrams of real meters, on made ones, or on none. */
export type ProfileStatus = 'captures' | 'constructed' | 'none'

/**
 * `pairs`: code, value and maybe scaler with unit, nested or not; `object-list`: descriptors of the objects first,
 * then their values; `positions`: values alone; `descriptors`: descriptors without tags before each value; `oms`: the
 * records of EN 13757-3.
 */
export type LayoutName = 'pairs' | 'object-list' | 'positions' | 'descriptors' | 'oms'

/** Transports as they stand in profiles. */
export type Transport = 'hdlc' | 'mbus' | 'wrapper' | 'none'

/** What must hold for a list to be of this profile. Everything that is given must; texts are beginnings. */
export interface ProfileMatch {
  /** Of the system title, hex digits: the FLAG letters first. Only protected telegrams have one. */
  readonly title?: string
  readonly listId?: string
  /** Logical device name; `null` = the list must not have one. */
  readonly deviceName?: string | null
  readonly meterId?: string
  /** C.D.E codes of the first entries, in order. */
  readonly codes?: readonly string[]
  /** Of object lists: logical name of the push setup that the first descriptor names, `0-8:25.9.0`. */
  readonly pushSetup?: string
  /** A data type that occurs among the values. */
  readonly contains?: string
}

/** Scaler, or scaler and unit where the code does not tell the unit. */
export type ProfileScale = number | readonly [scaler: number, unit: string]

/** One place of a positional list. Without a code it is passed over. */
export interface ProfileItem {
  /** DLMS name of the type, several separated by `|`; `array(long-unsigned)` for one value in an array. */
  readonly type: string
  /** Bytes of a string, where only this many will do. */
  readonly length?: number
  /** `1-0:32.7.0`; the group F is 255. */
  readonly obis?: string
}

/** A positional list, known by the types of its items. */
export interface ProfileList {
  readonly name: string
  readonly items: readonly ProfileItem[]
}

/** What a profile doubts where the list carries no scalers; what fails withholds the currents. */
export type Guard = 'voltage' | 'apparent-power' | 'phase-sum'

/** A profile that {@link parseProfile} accepted. */
export interface Profile {
  /** Lower-case words with hyphens: maker or meter, then country or grid company. */
  readonly id: string
  readonly title: string
  /** ISO 3166, two letters. */
  readonly country: string
  /** Lower-case word for readings; absent: the FLAG letters that the meter sends. */
  readonly maker?: string
  readonly status: ProfileStatus
  /** What is known only by inference, and where it comes from. */
  readonly about?: string
  /** One of several ways to be recognised; absent: only by configuration. */
  readonly match?: ProfileMatch | readonly ProfileMatch[]
  /** Profile that recognises these lists as its own unless their numbers prove them to have this one's scale. */
  readonly variantOf?: string
  readonly transport: Transport
  readonly serial: readonly string[]
  readonly security: {
    /** Telegrams come protected; a few operators open the port. */
    readonly encrypted: boolean
    /** `required`: a tag that cannot be checked for want of a key is refused. */
    readonly authentication: 'required' | 'optional'
    /** `none`: every telegram has the same counter, so that a replay cannot be told. */
    readonly counter: 'increasing' | 'none'
  }
  readonly layout: LayoutName
  /** Of `positions`. */
  readonly lists?: readonly ProfileList[]
  /** By patterns of C.D.E, the first that fits: `31|51|71.7.0`, `*.8.*`. What the list says itself wins. */
  readonly scale?: Readonly<Record<string, ProfileScale>>
  /** Powers of ten among which the numbers decide, the usual one first. */
  readonly autoScale?: {
    readonly voltage?: readonly number[]
    readonly current?: readonly number[]
  }
  /** Zone of the clock where the meter's own deviation is missing or wrong. */
  readonly zone?: string
  /** Seconds between lists with instantaneous values. */
  readonly intervalS: number
  readonly guards?: readonly Guard[]
  /** Nobody published whether energies are in Wh or in tens of them: readings that carry energies say so. */
  readonly energyScale?: 'uncertain'
}
