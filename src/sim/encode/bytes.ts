/** Small helpers for building byte strings. */

/** A new array holding the parts one after the other. */
export function concat(...parts: readonly (Uint8Array | readonly number[])[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}

/**
 * `value` as `size` bytes, big-endian, two's complement if negative. Throws `RangeError` when it is no integer or does
 * not fit: a simulated counterpart must never send something else than it was told.
 */
export function integerBytes(value: number | bigint, size: number, signed = false): Uint8Array {
  const exact = BigInt(value)
  const bits = BigInt(size * 8)
  const [low, high] = signed
    ? [-(1n << (bits - 1n)), (1n << (bits - 1n)) - 1n]
    : [0n, (1n << bits) - 1n]
  if (exact < low || exact > high)
    throw new RangeError(
      `${exact} does not fit into ${size} ${signed ? 'signed' : 'unsigned'} bytes`,
    )
  return Uint8Array.from({ length: size }, (_, i) =>
    Number((exact >> BigInt(8 * (size - 1 - i))) & 0xffn),
  )
}

/** ASCII bytes of `text`, filled up with NUL to `length` if that is longer. */
export function asciiBytes(text: string, length = 0): Uint8Array {
  const out = new Uint8Array(Math.max(length, text.length))
  out.set(Buffer.from(text, 'latin1'))
  return out
}

/** Lower-case hex digits without blanks. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

/** Bytes of hex digits; blanks are skipped. Throws `RangeError` for anything else. */
export function fromHex(text: string): Uint8Array {
  const digits = text.replaceAll(/\s/g, '')
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new RangeError('not hex digits in pairs')
  return new Uint8Array(Buffer.from(digits, 'hex'))
}
