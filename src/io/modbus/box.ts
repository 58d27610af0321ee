/**
 * One box on a bus: what it is asked and told, with the profile's registers. Knows nothing of commands and their times;
 * `modbus-output.ts` does.
 */
import { type ModbusBus, URGENCY, type Urgency } from './bus.ts'
import type { FailSafeChanges, FoundFailSafe } from './fail-safe.ts'
import { fixedWrite, type RegisterWrite } from './limit-plan.ts'
import { ModbusException, type ModbusLink, ModbusSilence } from './link.ts'
import type { ChargerProfile, FixedWrite, ReadRegister, WriteRegister } from './profile.ts'
import {
  alone,
  looked,
  planReads,
  quantityOf,
  type ReadRequest,
  type Words,
  wordsOf,
} from './read-plan.ts'
import { encodeNearest } from './registers.ts'
import { sleep, type Time } from './wait.ts'

/** The box is not what the profile describes, or not set up for it: nothing is written to it. */
export class ProfileMismatch extends Error {
  override readonly name = 'ProfileMismatch'
}

const ILLEGAL_FUNCTION = 1
const ILLEGAL_ADDRESS = 2
const BUSY = 6
const BUSY_WAIT_MS = 500
const BUSY_TRIES = 3

const WRONG_BOX = 'this is not the box that the profile describes'

function isIllegalAddress(error: unknown): error is ModbusException {
  return error instanceof ModbusException && error.code === ILLEGAL_ADDRESS
}

/** Which box, and who is told whether it answers. */
export interface BoxOptions {
  readonly profile: ChargerProfile
  readonly bus: ModbusBus
  readonly unit: number
  readonly time: Time
  onSilence(error: Error): void
  onAnswer(): void
}

export class Box {
  private readonly options: BoxOptions
  private readonly profile: ChargerProfile
  /** What is read at each look; shrinks where the box lacks a register. */
  private requests: readonly ReadRequest[]
  private refusesFc6 = false

  constructor(options: BoxOptions) {
    this.options = options
    this.profile = options.profile
    this.requests = planReads(this.profile, looked(this.profile))
  }

  /** Checks that this is the box, then brings it into the state in which it listens. */
  async prepare(signal: AbortSignal): Promise<void> {
    const { require, init } = this.profile
    for (const { read, min, max, say } of require) {
      const found = await this.value(read, signal)
      if (found === undefined && read.optional) continue
      if (found === undefined || found < min || found > max)
        throw new ProfileMismatch(`${say} (register ${read.address} reads ${found ?? 'nothing'})`)
    }
    for (const one of init) await this.settle(one, signal)
  }

  /** Writes of one plan, in their order. `isNew`: the waits between them count. */
  async carryOut(
    writes: readonly RegisterWrite[],
    urgency: Urgency,
    isNew: boolean,
    signal: AbortSignal,
  ): Promise<void> {
    for (const write of writes) {
      if (isNew && write.afterMs > 0) await sleep(write.afterMs, this.options.time, signal)
      try {
        await this.write(write, urgency, signal)
      } catch (error) {
        if (isIllegalAddress(error)) throw new ProfileMismatch(`${error.message}; ${WRONG_BOX}`)
        throw error
      }
    }
  }

  /** Any request, for a box that is kept alive by any. */
  async touch(signal: AbortSignal): Promise<void> {
    const [first] = this.requests
    if (first !== undefined) await this.optional(first, URGENCY.keepAlive, signal)
  }

  /** Writes a value to the nearest the register can hold. */
  async set(register: WriteRegister, value: number, signal: AbortSignal): Promise<void> {
    const words = encodeNearest(register, value, this.profile.transport.wordOrder)
    const { fc, address } = register
    await this.write({ fc, address, words, afterMs: 0 }, URGENCY.keepAlive, signal)
  }

  /** The box's own fail-safe. */
  async failSafe(signal: AbortSignal): Promise<FoundFailSafe> {
    const { failsafe } = this.profile
    if (failsafe === null) return { timeoutS: null, amperes: null }
    const { timeout, current } = failsafe
    const found = await this.value(timeout.read, signal)
    const isOver = timeout.shows === 'remaining' && found === 0
    const amperes = await this.value(current.read, signal)
    return { timeoutS: isOver ? null : (found ?? null), amperes: amperes ?? null }
  }

  async setFailSafe({ timeoutS, amperes }: FailSafeChanges, signal: AbortSignal): Promise<void> {
    const { timeout, current } = this.profile.failsafe!
    // The current first: with an old high current a new time-out would only make it come sooner.
    if (amperes !== undefined) await this.set(current.write!, amperes, signal)
    if (timeoutS !== undefined) await this.set(timeout.write!, timeoutS, signal)
  }

  /** Everything the profile knows to read. */
  look(signal: AbortSignal): Promise<Words> {
    return this.readAll(this.requests, URGENCY.look, signal)
  }

  /** Only what says which limit is in force; what the box lacks is left out. */
  lookAtLimit(signal: AbortSignal): Promise<Words> {
    const { limit, pause } = this.profile
    const registers = [limit.readback, pause.kind === 'zero' ? undefined : pause.read]
    const known = this.requests.flatMap(({ serves }) => serves)
    const asked = known.filter(register => registers.includes(register)).map(alone)
    return this.readAll(asked, URGENCY.write, signal)
  }

  private async readAll(
    requests: readonly ReadRequest[],
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<Words> {
    const words = new Map<ReadRegister, readonly number[]>()
    for (const request of requests) {
      const answer = await this.optional(request, urgency, signal)
      if (answer !== undefined)
        for (const [register, found] of wordsOf(request, answer)) words.set(register, found)
    }
    return words
  }

  /** A register that the box lacks is asked for once. Several that were asked for together are then asked one by one. */
  private async optional(
    request: ReadRequest,
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<readonly number[] | undefined> {
    try {
      return await this.read(request, urgency, signal)
    } catch (error) {
      if (!isIllegalAddress(error)) throw error
      const { serves } = request
      const instead = serves.length > 1 ? serves.map(alone) : []
      this.requests = this.requests.flatMap(other => (other === request ? instead : [other]))
      return undefined
    }
  }

  private async settle({ write, value }: FixedWrite, signal: AbortSignal): Promise<void> {
    const planned = fixedWrite(this.profile, write, value)
    try {
      const { address, words } = planned
      const block = { table: 'holding', address, words: words.length, serves: [] } as const
      const found = await this.read(block, URGENCY.write, signal)
      // Some of these registers wear out: what is right already is left alone.
      if (found.every((word, i) => word === words[i])) return
    } catch (error) {
      // Not every register that can be written can be read.
      if (!(error instanceof ModbusException)) throw error
    }
    try {
      await this.write(planned, URGENCY.write, signal)
    } catch (error) {
      // Older firmware lacks it.
      if (!isIllegalAddress(error)) throw error
    }
  }

  private async value(
    register: ReadRegister | undefined,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    if (register === undefined) return undefined
    const request = alone(register)
    try {
      const answer = await this.read(request, URGENCY.write, signal)
      return quantityOf(this.profile, wordsOf(request, answer), register)
    } catch (error) {
      if (!isIllegalAddress(error)) throw error
      if (register.optional) return undefined
      throw new ProfileMismatch(`${error.message}; ${WRONG_BOX}`)
    }
  }

  private async read(
    { table, address, words }: ReadRequest,
    urgency: Urgency,
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const { unit } = this.options
    return this.ask(urgency, signal, link => link.read(unit, table, address, words))
  }

  private async write(write: RegisterWrite, urgency: Urgency, signal: AbortSignal): Promise<void> {
    const { unit } = this.options
    const send = (fc: 5 | 6 | 16) => this.ask(urgency, signal, link => link.write(unit, fc, write))
    if (write.fc !== 'auto') return send(write.fc)
    if (this.refusesFc6) return send(16)
    try {
      await send(6)
    } catch (error) {
      if (!(error instanceof ModbusException) || error.code !== ILLEGAL_FUNCTION) throw error
      this.refusesFc6 = true
      await send(16)
    }
  }

  /** Asks when the turn comes, again while the box says it is busy, and tells whether it answers at all. */
  private async ask<T>(
    urgency: Urgency,
    signal: AbortSignal,
    request: (link: ModbusLink) => Promise<T>,
  ): Promise<T> {
    const { bus, time, onAnswer, onSilence } = this.options
    for (let tries = 1; ; tries += 1)
      try {
        const answer = await bus.request(urgency, this.profile.transport.minGapMs, request, signal)
        onAnswer()
        return answer
      } catch (error) {
        if (error instanceof ModbusSilence) onSilence(error)
        if (!(error instanceof ModbusException)) throw error
        onAnswer()
        if (error.code !== BUSY || tries === BUSY_TRIES || signal.aborted) throw error
        await sleep(BUSY_WAIT_MS, time, signal)
      }
  }
}
