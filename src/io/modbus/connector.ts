/** The profile of one connector of a controller that has several. */
import type { ChargerProfile } from './profile.ts'

/** All registers moved to those of connector `connector` (1 = the first). */
export function atConnector(profile: ChargerProfile, connector: number): ChargerProfile {
  const shift = (connector - 1) * profile.transport.connectorStep
  if (shift === 0) return profile
  const { limit, stored } = profile
  const moved = withAddresses(profile, address => address + shift)
  return {
    ...moved,
    limit: { ...moved.limit, also: limit.also.map(address => address + shift) },
    stored: stored.map(([first, last]) => [first + shift, last + shift]),
  }
}

/** A copy in which every `address` is another. */
function withAddresses<T>(value: T, move: (address: number) => number): T {
  if (Array.isArray(value)) return value.map(item => withAddresses(item, move)) as T
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, item]) => [
    key,
    key === 'address' ? move(item as number) : withAddresses(item, move),
  ])
  return Object.fromEntries(entries) as T
}
