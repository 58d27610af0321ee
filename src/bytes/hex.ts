/** Hex text of bytes, for messages and registers. */

const DIGITS = '0123456789abcdef'

/** Lower-case hex digits of `bytes[start..end)`, no separators. */
export function toHex(bytes: Uint8Array, start = 0, end: number = bytes.length): string {
  let text = ''
  for (let i = start; i < end; i++) text += DIGITS[bytes[i]! >>> 4]! + DIGITS[bytes[i]! & 15]!
  return text
}

/** `0x` and at least two hex digits: how numbers stand in messages. */
export function hex(value: number): string {
  const digits = value.toString(16)
  return `0x${digits.length % 2 === 1 ? '0' : ''}${digits}`
}

/** Bytes of hex digits in pairs, either case, separated by blanks, `:` or `-` or not at all; `undefined` for anything else. */
export function parseHex(text: string): Uint8Array | undefined {
  const digits = text.replace(/[\s:-]/g, '')
  if (digits.length % 2 === 1 || /[^0-9a-f]/i.test(digits)) return undefined
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) =>
    Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16),
  )
}
