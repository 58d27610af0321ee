/** A simulated box at the end of a line made of virtual time, and an output with its driver on it. */
import type { ChargerStatus } from '../src/control/model.ts'
import { AmpacityError } from '../src/errors.ts'
import type { StopAction } from '../src/io/box-current.ts'
import { ModbusBus } from '../src/io/modbus/bus.ts'
import {
  ModbusException,
  ModbusGone,
  type ModbusLink,
  ModbusSilence,
  type OpenLink,
} from '../src/io/modbus/link.ts'
import type { ChargerProfile, Table } from '../src/io/modbus/profile.ts'
import { modbusOutput } from '../src/io/modbus-output.ts'
import { OutputDriver } from '../src/io/output-driver.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import type { BoxBehaviour } from '../src/sim/boxes/behaviour.ts'
import { Refusal, SimulatedBox } from '../src/sim/boxes/modbus-box.ts'
import { command, VirtualTime } from './io-fakes.ts'

const ANSWER_MS = 5
const TIMEOUT_MS = 1500

/** The way to a box, with what can go wrong on it. */
export class FakeLine {
  /** Requests get no answer. */
  isCut = false
  /** Connections are refused. */
  isClosed = false
  /** Longest and shortest silence between an answer and the next request, ms. */
  readonly gaps: number[] = []
  private readonly box: SimulatedBox
  private readonly unit: number
  private readonly time: VirtualTime
  private end: (error: Error) => void = () => {}
  private answeredAt: number | undefined
  private isBusy = false

  constructor(box: SimulatedBox, unit: number, time: VirtualTime) {
    this.box = box
    this.unit = unit
    this.time = time
  }

  readonly open: OpenLink = async () => {
    await this.wait(ANSWER_MS)
    if (this.isClosed || this.isCut)
      throw new AmpacityError('HOST_UNREACHABLE', 'box:502: connection refused')
    const ended = new Promise<Error>(resolve => {
      this.end = resolve
    })
    const link: ModbusLink = {
      ended,
      read: (unit, table, address, count) =>
        this.ask(unit, `${table} register ${address}`, ended, () =>
          this.box.read(codeOf(table), address, count),
        ),
      write: (unit, fc, { address, words }) =>
        this.ask(unit, `register ${address} with function ${fc}`, ended, () =>
          this.box.write(fc, address, words),
        ),
      close: () => this.end(new Error('closed')),
    }
    return link
  }

  /** The connection ends, as when the box restarts or our process dies. */
  drop(): void {
    this.end(new Error('the box closed the connection'))
  }

  private async ask<T>(
    unit: number,
    what: string,
    ended: Promise<Error>,
    request: () => T,
  ): Promise<T> {
    if (this.isBusy) throw new Error('two requests at once')
    this.isBusy = true
    if (this.answeredAt !== undefined) this.gaps.push(this.time.now() - this.answeredAt)
    try {
      const gone = await Promise.race([this.wait(ANSWER_MS), ended])
      if (gone !== undefined) throw new ModbusGone(gone.message)
      if (this.isCut || unit !== this.unit) {
        await this.wait(TIMEOUT_MS - ANSWER_MS)
        throw new ModbusSilence(`${what}: unit ${unit} does not answer`)
      }
      return request()
    } catch (error) {
      if (error instanceof Refusal) throw new ModbusException(error.modbusErrorCode, what)
      throw error
    } finally {
      this.isBusy = false
      this.answeredAt = this.time.now()
    }
  }

  private wait(ms: number): Promise<undefined> {
    return new Promise(resolve => {
      this.time.schedule(this.time.now() + ms, () => resolve(undefined))
    })
  }
}

function codeOf(table: Table): 1 | 3 | 4 {
  return table === 'coil' ? 1 : table === 'holding' ? 3 : 4
}

/** What a test may say of the output. */
export interface SetUp {
  readonly behaviour?: Partial<BoxBehaviour>
  readonly failsafeA?: number
  readonly manage?: boolean
  readonly timeoutS?: number
  readonly unit?: number
  readonly stop?: StopAction
}

/** A box, an output on it and its driver, all in virtual time. */
export async function connected(profile: ChargerProfile, options: SetUp = {}) {
  const time = new VirtualTime()
  const box = new SimulatedBox(profile, () => time.now(), options.behaviour)
  const { unit } = profile.transport
  const line = new FakeLine(box, unit, time)
  const bus = new ModbusBus({
    name: 'tcp://box:502',
    open: line.open,
    time: { clock: time, timers: time },
    anewAfterSilence: !profile.transport.kinds.includes('tcp'),
    backoff: { minMs: 1000, maxMs: 8000 },
  })
  const output = modbusOutput({
    id: 'box',
    profile,
    bus,
    failsafeA: options.failsafeA ?? 6,
    ...(options.stop !== undefined && { stop: options.stop }),
    ...(options.unit !== undefined && { unit: options.unit }),
    ownFailSafe: { manage: options.manage ?? false, timeoutS: options.timeoutS ?? 30 },
    clock: time,
    timers: time,
    backoff: { minMs: 1000, maxMs: 8000 },
  })
  const events: SourceEvent[] = []
  const statuses: ChargerStatus[] = []
  const faults: unknown[] = []
  const report = (event: SourceEvent) => events.push(event)
  const driver = new OutputDriver(output, {
    clock: time,
    timers: time,
    onStatus: status => statuses.push(status),
    report,
    onFault: error => faults.push(error),
  })
  const stop = new AbortController()
  const running = output.run!(report, stop.signal).catch((error: unknown) => faults.push(error))

  /** Walks on; the core ticks each second and says the same again every ten, unless it is dead. */
  const run = async (seconds: number, limitA?: number) => {
    for (let s = 0; s < seconds; s += 1) {
      if (limitA !== undefined && s % 10 === 0) tell(limitA)
      await time.advance(1000)
      driver.tick(time.now())
      await time.advance(0)
    }
  }
  const tell = (limitA: number) => driver.submit(command(limitA, { at: time.now() }))
  /** Our process is gone: nothing is sent any more, the socket ends. */
  const kill = async () => {
    line.isCut = true
    line.drop()
    stop.abort()
    await time.advance(0)
  }
  const codes = () => events.map(({ code }) => code)
  return {
    time,
    box,
    line,
    bus,
    output,
    driver,
    events,
    codes,
    statuses,
    faults,
    run,
    tell,
    kill,
    stop,
    running,
  }
}
