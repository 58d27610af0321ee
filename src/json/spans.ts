/**
 * Where JSON values begin and end in bytes that may hold several, by brackets and quotes alone. What follows a value
 * (blanks, line ends) belongs to it, so that spans cover the input without gaps.
 */

/** Index of the first byte and of the one behind the last; `isWhole`: the value in it has ended. */
export type ByteSpan = readonly [start: number, end: number, isWhole: boolean]

const QUOTE = 0x22
const BACKSLASH = 0x5c
const OPEN = [0x7b, 0x5b]
const CLOSE = [0x7d, 0x5d]

/** True for blanks and line ends. */
function isBlank(byte: number): boolean {
  return byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)
}

/**
 * Spans of the values in `bytes`. Bytes that begin no object or list run on to the end of their line; an object that
 * is never closed, to the end. Fill at the start belongs to the first span.
 */
export function jsonSpans(bytes: Uint8Array): readonly ByteSpan[] {
  const spans: ByteSpan[] = []
  let at = 0
  let from = 0
  while (at < bytes.length) {
    while (at < bytes.length && isBlank(bytes[at]!)) at++
    if (at === bytes.length) break
    const found = OPEN.includes(bytes[at]!) ? endOfValue(bytes, at) : endOfLine(bytes, at)
    const isWhole = found >= 0
    at = isWhole ? found : bytes.length
    while (at < bytes.length && isBlank(bytes[at]!)) at++
    spans.push([from, at, isWhole])
    from = at
  }
  return spans
}

/** Index behind the value, or line, that begins at `start`; -1 while it goes on. */
function endOfValue(bytes: Uint8Array, start: number): number {
  let depth = 0
  let isText = false
  for (let i = start; i < bytes.length; i++) {
    const byte = bytes[i]!
    if (isText) {
      if (byte === BACKSLASH) i++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === OPEN[0] || byte === OPEN[1]) depth++
    else if ((byte === CLOSE[0] || byte === CLOSE[1]) && --depth === 0) return i + 1
  }
  return -1
}

function endOfLine(bytes: Uint8Array, start: number): number {
  return bytes.indexOf(0x0a, start)
}
