/**
 * A simulated wallbox that is described by a profile: the same registers, seen from the other side, and a watchdog that
 * runs out on the clock it is given. Its watchdog, pilot and vehicle are plain arithmetic on instants, so an hour of
 * silence takes no time.
 */
import type { ChargerProfile, Register, Table } from '../../io/modbus/profile.ts'
import { readsOf } from '../../io/modbus/profile-check.ts'
import { decodeValue, encodeNearest, encodeRaw } from '../../io/modbus/registers.ts'
import type { Instant } from '../../reading.ts'
import { type BoxBehaviour, OBEDIENT } from './behaviour.ts'

/** One write as it arrived. */
export interface SeenWrite {
  readonly at: Instant
  readonly fc: number
  readonly address: number
  readonly words: readonly number[]
}

/** An answer that refuses; the number is the exception code. */
export class Refusal extends Error {
  readonly modbusErrorCode: number

  constructor(code: number) {
    super(`exception ${code}`)
    this.modbusErrorCode = code
  }
}

interface Change {
  readonly at: Instant
  readonly amperes: number
}

const VOLTS = 230

export class SimulatedBox {
  readonly profile: ChargerProfile
  behaviour: BoxBehaviour
  /** Told when it falls back to its fail-safe current. */
  onFall: () => void = () => {}
  /** Every write since it was switched on the first time. */
  readonly writes: SeenWrite[] = []
  private readonly now: () => Instant
  private readonly memory = new Map<string, number>()
  private limitA = 0
  private isPaused = false
  private timeoutS = 0
  private failsafeA = 0
  private fedAt: Instant = 0
  private hasFallen = false
  private pilot: Change[] = []

  constructor(profile: ChargerProfile, now: () => Instant, behaviour: Partial<BoxBehaviour> = {}) {
    this.profile = profile
    this.now = now
    this.behaviour = { ...OBEDIENT, ...behaviour }
    this.restart()
  }

  /** Switched on: every register is back to what it is then. */
  restart(): void {
    const { behaviour, profile } = this
    const now = this.now()
    this.memory.clear()
    for (const { read, min } of profile.require)
      if (read.address !== profile.limit.write.address)
        this.store(read.table, read.address, this.raw(read, min))
    this.limitA = Math.min(profile.limit.max, behaviour.defaultA)
    this.isPaused = false
    this.timeoutS = behaviour.timeoutS
    this.failsafeA = behaviour.failsafeA
    this.fedAt = now
    this.hasFallen = false
    this.pilot = [{ at: now, amperes: this.commandedA }]
  }

  /** What the control pilot offers, A. */
  get offeredA(): number {
    const now = this.now()
    this.runOut(now)
    return this.pilot.findLast(({ at }) => at <= now)?.amperes ?? 0
  }

  /** It is at its fail-safe current because nobody kept it alive. */
  get fallen(): boolean {
    this.runOut(this.now())
    return this.hasFallen
  }

  /** What the vehicle draws on each phase, A. */
  get drawnA(): number {
    return Math.min(this.offeredA, this.behaviour.wantsA ?? 0)
  }

  /** Another program, a person or the box itself sets the limit; 0 = pause. */
  setByOther(amperes: number): void {
    this.isPaused = amperes === 0 && this.profile.pause.kind !== 'zero'
    if (!this.isPaused) this.limitA = amperes
    this.settle(this.now())
  }

  /** Registers of a request. @throws Refusal */
  read(fc: 1 | 3 | 4, address: number, count: number): number[] {
    this.admit(fc)
    const table: Table = fc === 1 ? 'coil' : fc === 3 ? 'holding' : 'input'
    const { maxReadWords } = this.profile.transport
    const addresses = Array.from({ length: count }, (_, i) => address + i)
    const words = this.contents()
    const missing = addresses.some(
      a => !words.has(key(table, a)) || this.behaviour.missing.includes(a),
    )
    if (missing || count > maxReadWords) throw new Refusal(2)
    if (this.profile.keepalive.kind === 'any') this.feed()
    return addresses.map(a => this.swapped(words.get(key(table, a))!))
  }

  /** Takes a write. @throws Refusal */
  write(fc: 5 | 6 | 16, address: number, sent: readonly number[]): void {
    this.admit(fc)
    const words = sent.map(word => this.swapped(word))
    this.writes.push({ at: this.now(), fc, address, words: sent })
    if (this.behaviour.missing.includes(address)) throw new Refusal(2)
    const isCommand = this.isCommand(address)
    if (isCommand && this.behaviour.refuses !== undefined) throw new Refusal(this.behaviour.refuses)
    const { keepalive } = this.profile
    if (keepalive.kind === 'any') this.feed()
    if (isCommand && this.behaviour.ignores) return
    for (const [i, word] of words.entries())
      this.store(fc === 5 ? 'coil' : 'holding', address + i, word)
    this.understand(address, words)
    this.settle(this.now())
  }

  private get commandedA(): number {
    if (this.hasFallen) return this.failsafeA
    const { min, max } = this.profile.limit
    const amperes = Math.min(this.limitA, max)
    return this.isPaused || amperes < min ? 0 : amperes
  }

  /** What a command means; a box that wants to be put under control first does nothing before that. */
  private understand(address: number, words: readonly number[]): void {
    const { limit, pause, failsafe, keepalive, before, transport } = this.profile
    const value = (register: Register) => decodeValue(register, words, transport.wordOrder) ?? 0
    const isControlled = before.every(
      ({ write, value: raw }) => this.memory.get(key('holding', write.address)) === raw,
    )
    if (isControlled && address === limit.write.address) {
      this.limitA = this.rounded(value(limit.write))
      this.hasFallen = false
      if (keepalive.kind === 'rewrite') this.feed()
    }
    if (pause.kind !== 'zero' && address === pause.write.address)
      this.isPaused = words[0] === pause.on
    const { timeout, current } = failsafe ?? {}
    if (timeout?.write?.address === address) this.timeoutS = value(timeout.write)
    if (current?.write?.address === address) this.failsafeA = value(current.write)
    if (keepalive.kind === 'token' && address === keepalive.write.address)
      if (keepalive.value === 'timeout' || words[0] === keepalive.value) this.feed()
  }

  private isCommand(address: number): boolean {
    const { limit, pause } = this.profile
    return (
      address === limit.write.address || (pause.kind !== 'zero' && address === pause.write.address)
    )
  }

  private feed(): void {
    this.runOut(this.now())
    this.fedAt = this.now()
  }

  /** The watchdog, up to an instant. */
  private runOut(now: Instant): void {
    const end = this.fedAt + this.timeoutS * 1000
    if (this.hasFallen || this.profile.deadMan === 'none' || this.timeoutS === 0 || now < end)
      return
    this.hasFallen = true
    this.settle(end)
    this.onFall()
  }

  /** The pilot follows the command after the lag. */
  private settle(at: Instant): void {
    const amperes = this.commandedA
    if (this.pilot.at(-1)?.amperes === amperes) return
    this.pilot.push({ at: at + this.behaviour.lagMs, amperes })
    this.pilot = this.pilot.slice(-10)
  }

  private rounded(amperes: number): number {
    const { rounding } = this.behaviour
    if (rounding === 'none') return amperes
    return rounding === 'down' ? Math.floor(amperes) : Math.round(amperes)
  }

  private admit(fc: number): void {
    const { behaviour } = this
    this.runOut(this.now())
    if (behaviour.busy > 0) {
      this.behaviour = { ...behaviour, busy: behaviour.busy - 1 }
      throw new Refusal(6)
    }
    if (behaviour.unknownFunctions.includes(fc)) throw new Refusal(1)
  }

  /** Every register it has, with what it holds now. */
  private contents(): ReadonlyMap<string, number> {
    const { profile } = this
    const words = new Map<string, number>()
    const put = (table: Table, register: Register, found: readonly number[]) => {
      for (const [i, word] of found.entries()) words.set(key(table, register.address + i), word)
    }
    for (const { table, address, words: count } of profile.read.blocks)
      for (let i = 0; i < count; i += 1) words.set(key(table, address + i), 0)
    for (const { write } of [...profile.init, ...profile.before])
      words.set(key('holding', write.address), 0)
    for (const [, read] of readsOf(profile)) put(read.table, read, this.raw(read, 0))
    for (const [at, word] of this.memory) words.set(at, word)
    for (const [read, found] of this.meanings()) put(read.table, read, found)
    return words
  }

  /** Registers that are not what was written to them but what the box measures and decides. */
  private meanings(): (readonly [Register & { readonly table: Table }, readonly number[]])[] {
    const { limit, pause, failsafe, read, transport } = this.profile
    const { wantsA } = this.behaviour
    const { drawnA, offeredA } = this
    const found: (readonly [Register & { readonly table: Table }, readonly number[]])[] = []
    const put = (register: (Register & { table: Table }) | null | undefined, value: number) => {
      if (register) found.push([register, encodeNearest(register, value, transport.wordOrder)])
    }
    put({ ...limit.write, table: 'holding' }, this.limitRegisterA)
    put(limit.readback, limit.readback?.meaning === 'limit' ? this.limitRegisterA : offeredA)
    if (pause.kind !== 'zero' && pause.read)
      found.push([pause.read, [this.isPaused ? pause.on : pause.off]])
    const isRemaining = failsafe?.timeout.shows === 'remaining'
    const left = Math.max(0, this.timeoutS - (this.now() - this.fedAt) / 1000)
    put(failsafe?.timeout.read, isRemaining ? left : this.timeoutS)
    put(failsafe?.current.read, this.failsafeA)
    for (const register of read.currents ?? []) put(register, drawnA)
    put(read.power, 3 * VOLTS * drawnA)
    put(read.temperature, 31)
    put(read.max, limit.max)
    const letter = wantsA === undefined ? 'A' : drawnA > 0 ? 'C' : 'B'
    if (read.plug)
      found.push([read.plug, this.raw(read.plug, letter === 'A' ? 0 : read.plug.connected[0]!)])
    if (read.state) found.push([read.state, this.stateWords(read.state, letter)])
    return found
  }

  /** Boxes that fall back show it in the register that is written. */
  private get limitRegisterA(): number {
    return this.hasFallen ? this.failsafeA : this.limitA
  }

  private stateWords(
    state: NonNullable<ChargerProfile['read']['state']>,
    letter: string,
  ): readonly number[] {
    const raw = Object.entries(state.map).find(([, found]) => found === letter)?.[0] ?? '0'
    if (state.type !== 'ascii') return this.raw(state, Number(raw))
    // Padded with zeros: a single letter stands in the second byte of its register.
    const [first, ...rest] = Array.from({ length: state.words }, () => 0)
    return [first! + raw.charCodeAt(0), ...rest]
  }

  private raw(register: Register, value: number): readonly number[] {
    if (register.type === 'ascii') return Array.from({ length: register.words }, () => 0)
    return encodeRaw(register, value, this.profile.transport.wordOrder)
  }

  private store(table: Table, address: number, found: number | readonly number[]): void {
    const words = typeof found === 'number' ? [found] : found
    for (const [i, word] of words.entries()) this.memory.set(key(table, address + i), word)
  }

  private swapped(word: number): number {
    return this.behaviour.swapsBytes ? ((word & 0xff) << 8) | (word >> 8) : word
  }
}

function key(table: Table, address: number): string {
  return `${table} ${address}`
}
