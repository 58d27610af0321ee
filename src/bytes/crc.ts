/**
 * Cyclic redundancy checks by their parameters, for links whose polynomial is known only to whoever configures them.
 * Reflected forms take the lowest bit of each byte first.
 */

/** What tells one check from another. */
export interface CrcForm {
  readonly width: 8 | 16 | 32
  /** Without its highest term, highest power first: 0x1021 for x^16 + x^12 + x^5 + 1, reflected or not. */
  readonly polynomial: number
  readonly initial: number
  readonly finalXor: number
  readonly reflected: boolean
}

/** Computes a check over `bytes[start..end)`. */
export type Crc = (bytes: Uint8Array, start: number, end: number) => number

/** Forms that have a name; behind each its value over ASCII "123456789". */
export const CRC_FORMS: Readonly<Record<string, CrcForm>> = {
  /** f4 */
  crc8: { width: 8, polynomial: 0x07, initial: 0, finalXor: 0, reflected: false },
  /** 29b1 */
  'crc16-ccitt': form16(0x1021, 0xffff, 0, false),
  /** 31c3 */
  'crc16-xmodem': form16(0x1021, 0, 0, false),
  /** 906e */
  'crc16-x25': form16(0x1021, 0xffff, 0xffff, true),
  /** cbf43926 */
  crc32: {
    width: 32,
    polynomial: 0x04c1_1db7,
    initial: 0xffff_ffff,
    finalXor: 0xffff_ffff,
    reflected: true,
  },
}

function form16(
  polynomial: number,
  initial: number,
  finalXor: number,
  reflected: boolean,
): CrcForm {
  return { width: 16, polynomial, initial, finalXor, reflected }
}

/** The function for a form, with its table made once. */
export function crcOf(form: CrcForm): Crc {
  return form.reflected ? reflectedCrc(form) : plainCrc(form)
}

function reflectedCrc({ width, polynomial, initial, finalXor }: CrcForm): Crc {
  const mirrored = mirror(polynomial, width)
  const first = mirror(initial, width)
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ mirrored : crc >>> 1
    return crc
  })
  return (bytes, start, end) => {
    let crc = first
    for (let i = start; i < end; i++) crc = (crc >>> 8) ^ table[(crc ^ bytes[i]!) & 0xff]!
    return (crc ^ finalXor) >>> 0
  }
}

function plainCrc({ width, polynomial, initial, finalXor }: CrcForm): Crc {
  // The register stands at the upper end of 32 bits, so that one loop serves every width.
  const shift = 32 - width
  const aligned = polynomial << shift
  const table = Uint32Array.from({ length: 256 }, (_, byte) => {
    let crc = byte << 24
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000_0000 ? (crc << 1) ^ aligned : crc << 1
    return crc
  })
  return (bytes, start, end) => {
    let crc = initial << shift
    for (let i = start; i < end; i++) crc = (crc << 8) ^ table[(crc >>> 24) ^ bytes[i]!]!
    return ((crc >>> shift) ^ finalXor) >>> 0
  }
}

function mirror(value: number, width: number): number {
  let mirrored = 0
  for (let bit = 0; bit < width; bit++) if ((value >>> bit) & 1) mirrored |= 1 << (width - 1 - bit)
  return mirrored >>> 0
}
