/** Which requests it takes to look at a box, and what their answers mean. Pure. */
import type { ChargerProfile, ReadBlock, ReadRegister } from './profile.ts'
import { decodeRaw, decodeValue } from './registers.ts'

/** One request that reads, and the registers it serves. */
export interface ReadRequest extends ReadBlock {
  readonly serves: readonly ReadRegister[]
}

/** Registers as they were read. */
export type Words = ReadonlyMap<ReadRegister, readonly number[]>

/** Every register that a look at the box takes in. */
export function looked({ limit, pause, read }: ChargerProfile): readonly ReadRegister[] {
  const { state, plug, currents = [], power, temperature, max } = read
  const paused = pause.kind === 'zero' ? undefined : pause.read
  return [limit.readback, paused, state, plug, ...currents, power, temperature, max].flatMap(r =>
    r ? [r] : [],
  )
}

/**
 * The requests for these registers: the profile's blocks first, then neighbours together as far as the box allows, in
 * the order of their addresses.
 */
export function planReads(
  { read, transport }: ChargerProfile,
  registers: readonly ReadRegister[],
): readonly ReadRequest[] {
  const blocks = read.blocks.map(block => ({
    ...block,
    serves: registers.filter(register => isWithin(register, block)),
  }))
  const rest = registers
    .filter(register => !blocks.some(block => block.serves.includes(register)))
    .toSorted((a, b) => a.table.localeCompare(b.table) || a.address - b.address)
  const single: ReadRequest[] = []
  for (const register of rest) {
    const last = single.at(-1)
    const joined = last && join(last, register, transport.maxReadWords)
    if (joined !== undefined) single.pop()
    single.push(joined ?? alone(register))
  }
  return [...blocks.filter(({ serves }) => serves.length > 0), ...single]
}

/** The request for one register. */
export function alone(register: ReadRegister): ReadRequest {
  const { table, address, words } = register
  return { table, address, words, serves: [register] }
}

/** The words of each register in an answer. */
export function wordsOf(request: ReadRequest, answer: readonly number[]): Words {
  return new Map(
    request.serves.map(register => {
      const start = register.address - request.address
      return [register, answer.slice(start, start + register.words)]
    }),
  )
}

/** A value from what was read; `undefined` = not read, or not available. */
export function quantityOf(
  { transport, read }: ChargerProfile,
  words: Words,
  register: ReadRegister | null | undefined,
): number | undefined {
  const found = register ? words.get(register) : undefined
  return found && decodeValue(register!, found, transport.wordOrder, read.notAvailable)
}

/** A raw value or text from what was read. */
export function rawOf(
  { transport, read }: ChargerProfile,
  words: Words,
  register: ReadRegister | undefined,
): number | string | undefined {
  const found = register && words.get(register)
  return found && decodeRaw(register, found, transport.wordOrder, read.notAvailable)
}

function isWithin({ table, address, words }: ReadRegister, block: ReadBlock): boolean {
  return (
    table === block.table &&
    address >= block.address &&
    address + words <= block.address + block.words
  )
}

/** Both in one request, where the second begins right behind the first, or is the same. */
function join(request: ReadRequest, register: ReadRegister, most: number): ReadRequest | undefined {
  const { table, address, words, serves } = request
  const isSame = table === register.table && isWithin(register, request)
  const isNext = table === register.table && register.address === address + words
  const total = isSame ? words : words + register.words
  if (!(isSame || isNext) || total > most) return undefined
  return { table, address, words: total, serves: [...serves, register] }
}
