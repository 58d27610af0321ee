/**
 * Polls of a Sinapsi Alfa as messages: what was read from its holding registers (Modbus function 03), block after block.
 *
 * | bytes       | content                                   |
 * |-------------|-------------------------------------------|
 * | 2           | address of the first register, from 0     |
 * | 2           | number of registers, 1 to 125             |
 * | 2 for each  | the registers, high byte first            |
 *
 * Values of 32 bits take two registers, the high word first.
 */
import { Reader } from '../../src/bytes/reader.ts'
import { DecodeError } from '../../src/errors.ts'

/** Registers by address. */
export type Registers = ReadonlyMap<number, number>

/** Most registers of one read (Modbus application protocol 6.3). */
const MOST_REGISTERS = 125
/** More than every block there is. */
const MOST_BLOCKS = 64

/** One block of a poll. */
export interface Block {
  readonly address: number
  readonly words: readonly number[]
}

/** The bytes of a poll. */
export function encodePoll(blocks: readonly Block[]): Uint8Array {
  const words = blocks.flatMap(({ address, words }) => [address, words.length, ...words])
  const bytes = new Uint8Array(2 * words.length)
  words.forEach((word, i) => {
    bytes[2 * i] = word >>> 8
    bytes[2 * i + 1] = word & 0xff
  })
  return bytes
}

/**
 * The registers of a poll; of an address that comes twice the later value.
 *
 * @throws DecodeError DATA_TRUNCATED, DATA_BAD_VALUE
 */
export function readPoll(bytes: Uint8Array): Registers {
  const reader = new Reader(bytes)
  const registers = new Map<number, number>()
  for (let blocks = 0; reader.remaining > 0; blocks++) {
    const address = reader.u16()
    const count = reader.u16()
    if (count < 1 || count > MOST_REGISTERS || address + count > 0x1_0000 || blocks === MOST_BLOCKS)
      throw new DecodeError(
        'DATA_BAD_VALUE',
        reader.offset - 2,
        `block ${blocks + 1} of ${count} registers from ${address}`,
      )
    for (let i = 0; i < count; i++) registers.set(address + i, reader.u16())
  }
  return registers
}
