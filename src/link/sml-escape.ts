/** The escape of the SML transport protocol: four octets 1B in a row. In the messages they are sent twice. */

/** The octet of an escape, four times. */
export const ESCAPE = 0x1b
/** The octet that stands four times behind an escape where a frame starts. */
export const START = 0x01
/** Octets of an escape, and of what it escapes. */
export const ESCAPE_LENGTH = 4

/** Index of the first four octets 1B in a row in `bytes[from..end)`, -1 if there are none. */
export function findEscape(bytes: Uint8Array, from: number, end: number): number {
  // Of any four in a row one stands at every fourth place, so the others need not be looked at.
  for (let i = from + ESCAPE_LENGTH - 1; i < end; i += ESCAPE_LENGTH) {
    if (bytes[i] !== ESCAPE) continue
    let first = i
    while (first > from && bytes[first - 1] === ESCAPE) first--
    const behind = first + ESCAPE_LENGTH
    while (i + 1 < end && i + 1 < behind && bytes[i + 1] === ESCAPE) i++
    if (i + 1 === behind) return first
  }
  return -1
}

/** True if the `count` octets at `at` are all `octet`. */
export function isRepeated(octet: number, bytes: Uint8Array, at: number, count: number): boolean {
  for (let i = at; i < at + count; i++) if (bytes[i] !== octet) return false
  return true
}

/**
 * Copies `bytes[start..end)` of a frame to `plain`, every doubled escape once; returns how many octets that are.
 * `places`, if given, receives the index in `bytes` of each octet of `plain`.
 */
export function undouble(
  bytes: Uint8Array,
  start: number,
  end: number,
  plain: Uint8Array,
  places?: Uint32Array,
): number {
  let size = 0
  for (let from = start; from < end; ) {
    const found = findEscape(bytes, from, end)
    const to = found < 0 ? end : found + ESCAPE_LENGTH
    for (let i = from; i < to; i++) {
      if (places !== undefined) places[size] = i
      plain[size++] = bytes[i]!
    }
    from = found < 0 ? end : to + ESCAPE_LENGTH
  }
  return size
}
