/**
 * What the compact frames of a medium look like: template id to fields. The official layouts cannot be shipped, so the
 * dictionary is data that whoever holds them writes; a frame whose layout is not known is only named.
 */
import type { TypeName } from './field-types.ts'
import type { TargetName } from './targets.ts'

/** How many values stand in the buffer: one, as many as its count says, or a fixed number. */
export type Count = 'one' | 'u8' | 'u16' | number

/**
 * How the length of a string is written: A-XDR, one or two bytes, a tag before an A-XDR length, or, as a number, not at
 * all.
 */
export type Length = 'axdr' | 'u8' | 'u16' | 'tagged' | number

/** One field of a frame. */
export interface Field {
  readonly name: string
  readonly type: TypeName
  readonly littleEndian: boolean
  /** Power of ten. */
  readonly scaler: number
  readonly unit: string
  /** Bytes of a value that means "not available". */
  readonly na: readonly Uint8Array[]
  /** Texts that mean the same. */
  readonly naTexts: readonly string[]
  /** The only value allowed, as its bytes. */
  readonly constant: Uint8Array | undefined
  readonly count: Count
  readonly length: Length
  /** The frame may end before it. */
  readonly optional: boolean
  readonly map: TargetName | undefined
  /** Register of its own, `1-0:1.7.0*255`. */
  readonly obis: string | undefined
  /** Says who somebody is or where: never shown. */
  readonly personal: boolean
}

/** One frame. */
export interface FrameEntry {
  readonly templateId: number
  readonly name: string
  /** The only total length that this entry is for; `undefined` = any that has no entry of its own. */
  readonly length: number | undefined
  readonly minLength: number
  /** Bytes behind the last field are spare. */
  readonly allowTrailing: boolean
  /** `undefined`: only the names of its fields are known. */
  readonly fields: readonly Field[] | undefined
}

/** Frames of a medium. */
export interface Dictionary {
  readonly name: string
  readonly version: string
  readonly status: 'unverified' | 'vendor-verified'
  /** Entries by template id; those for one length first. */
  readonly frames: ReadonlyMap<number, readonly FrameEntry[]>
}

/** The entry for a frame of so many bytes that begins with this template id. */
export function entryOf(
  { frames }: Dictionary,
  templateId: number,
  length: number,
): FrameEntry | undefined {
  return frames
    .get(templateId)
    ?.find(entry => entry.length === undefined || entry.length === length)
}
