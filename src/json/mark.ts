/**
 * Messages that were kept by somebody and handed out on request: retained by a broker, or the last frame a gateway
 * remembers. Their age is not known. Sources put one byte before such a message, which no text begins with, so that a
 * recording keeps it too.
 */

/** SOH, start of heading. */
const MARK = 0x01

/** The message with the mark. Copies. */
export function marked(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 1)
  bytes[0] = MARK
  bytes.set(message, 1)
  return bytes
}

/** Whether a message carries the mark. */
export function isMarked(message: Uint8Array): boolean {
  return message[0] === MARK
}

/** The message without the mark. A view. */
export function unmarked(message: Uint8Array): Uint8Array {
  return isMarked(message) ? message.subarray(1) : message
}
