/** From a limit in amperes to the writes that carry it out, in their order. Pure. */
import { boxAmperes } from '../box-current.ts'
import type { ChargerProfile, WriteRegister } from './profile.ts'
import { encodeAtMost, encodeRaw } from './registers.ts'

/** One request that writes. */
export interface RegisterWrite {
  readonly fc: WriteRegister['fc']
  readonly address: number
  readonly words: readonly number[]
  /** The box wants this long after the write before it, ms. */
  readonly afterMs: number
}

/** What a limit becomes at a box. */
export interface LimitPlan {
  /** What the box then is at, A; 0 = paused. Never above the limit. */
  readonly amperes: number
  readonly writes: readonly RegisterWrite[]
}

/** The plan for a limit, A per phase. A limit below the box's minimum is a pause. */
export function planLimit(profile: ChargerProfile, limitA: number): LimitPlan {
  const { limit } = profile
  const range = { minA: limit.min, maxA: limit.max, stepA: limit.step }
  const amperes = boxAmperes(Math.max(0, limitA), range)
  const before = profile.before.map(({ write, value }) => fixedWrite(profile, write, value))
  const writes = amperes === 0 ? pauseWrites(profile) : chargeWrites(profile, amperes)
  return { amperes, writes: [...before, ...writes] }
}

/** A write of a value as it stands on the wire. */
export function fixedWrite(
  { transport }: ChargerProfile,
  register: WriteRegister,
  raw: number,
  afterMs = 0,
): RegisterWrite {
  const words = encodeRaw(register, raw, transport.wordOrder)
  return { fc: register.fc, address: register.address, words, afterMs }
}

/** The pause itself goes first: it protects. What the limit register then holds only matters later. */
function pauseWrites(profile: ChargerProfile): readonly RegisterWrite[] {
  const { pause, limit } = profile
  if (pause.kind === 'zero')
    return limitWrites(profile, { ...limit.write, fc: pause.fc ?? limit.write.fc }, 0)
  const writes = [fixedWrite(profile, pause.write, pause.on)]
  if (pause.alsoLimitA === undefined) return writes
  const [first, ...rest] = limitWrites(profile, limit.write, pause.alsoLimitA)
  return [...writes, { ...first!, afterMs: pause.settleS * 1000 }, ...rest]
}

/** The limit goes first: the box must not be released with an old one. */
function chargeWrites(profile: ChargerProfile, amperes: number): readonly RegisterWrite[] {
  const { pause, limit } = profile
  const writes = limitWrites(profile, limit.write, amperes)
  return pause.kind === 'zero' ? writes : [...writes, fixedWrite(profile, pause.write, pause.off)]
}

function limitWrites(
  { limit, transport }: ChargerProfile,
  register: WriteRegister,
  amperes: number,
): readonly RegisterWrite[] {
  const words = encodeAtMost(register, amperes, transport.wordOrder)
  return [register.address, ...limit.also].map(address => ({
    fc: register.fc,
    address,
    words,
    afterMs: 0,
  }))
}
