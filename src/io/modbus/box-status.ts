/** What was read from a box, in the words of the control core. Pure. */
import type { ChargerStatus, PilotState } from '../../control/model.ts'
import type { Instant } from '../../reading.ts'
import type { ChargerProfile } from './profile.ts'
import { quantityOf, rawOf, type Words } from './read-plan.ts'

/** The status of a charge point from what was read. `inForceA` is what {@link inForce} found. */
export function chargerStatus(
  profile: ChargerProfile,
  words: Words,
  chargePoint: string,
  inForceA: number | null,
  at: Instant,
): ChargerStatus {
  const { read } = profile
  const value = (register: Parameters<typeof quantityOf>[2]) => quantityOf(profile, words, register)
  const [l1, l2, l3] = read.currents?.map(value) ?? []
  const isMeasured = l1 !== undefined && l2 !== undefined && l3 !== undefined
  const temperature = value(read.temperature)
  const max = value(read.max)
  return {
    chargePoint,
    at,
    state: pilotState(profile, words),
    offeredA: inForceA,
    // A phase that is not available is not an idle phase: without one of them nothing is known.
    currentA: isMeasured ? [l1, l2, l3] : null,
    powerW: value(read.power) ?? null,
    ...(temperature !== undefined && { temperatureC: temperature }),
    ...(max !== undefined && max > 0 && { maxA: max }),
  }
}

/** Letter of IEC 61851-1; `null` = not known. */
export function pilotState(profile: ChargerProfile, words: Words): PilotState | null {
  const { state, plug } = profile.read
  const plugged = rawOf(profile, words, plug)
  if (plug !== undefined && typeof plugged === 'number' && !plug.connected.includes(plugged))
    return 'A'
  const raw = rawOf(profile, words, state)
  if (state === undefined || raw === undefined) return null
  const key = typeof raw === 'number' ? String(raw) : raw.trim().slice(0, 1)
  return state.map[key] ?? null
}

/**
 * The limit that is in force by the box's own account, A; 0 = paused, `null` = it does not tell. `toldA` is what it was
 * told last.
 */
export function inForce(
  profile: ChargerProfile,
  words: Words,
  toldA: number | null,
): number | null {
  const { limit, pause } = profile
  const limitA = quantityOf(profile, words, limit.readback) ?? null
  if (pause.kind === 'zero') return limitA
  const paused = rawOf(profile, words, pause.read)
  if (paused === pause.on) return 0
  if (paused !== undefined || toldA !== 0) return limitA
  // The pause cannot be read: only a vehicle that charges shows that there is none.
  return pilotState(profile, words) === 'C' ? limitA : null
}
