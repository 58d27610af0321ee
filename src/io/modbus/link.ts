/**
 * One Modbus connection over `modbus-serial`: TCP, RTU on a serial port, RTU over TCP. One request at a time; what does
 * not answer, answers with an exception or goes away is told apart, because each is treated differently.
 */
import type { Socket } from 'node:net'
import modbusSerial from 'modbus-serial'
import type { SerialSettings } from '../../decoder.ts'
import { AmpacityError } from '../../errors.ts'
import { serialError } from '../serial-error.ts'
import { openTcp } from '../tcp.ts'
import type { RegisterWrite } from './limit-plan.ts'
import type { Table } from './profile.ts'

/** A connection on which requests are made. Requests reject with the errors below, or with `Error` once it has ended. */
export interface ModbusLink {
  read(unit: number, table: Table, address: number, words: number): Promise<readonly number[]>
  /** Resolves when the box has confirmed it. `fc` is a function code, never `auto`. */
  write(unit: number, fc: 5 | 6 | 16, write: RegisterWrite): Promise<void>
  /** Resolves with the reason when the connection is no more. */
  readonly ended: Promise<Error>
  close(): void
}

/** Makes a connection; rejects with AmpacityError HOST_UNREACHABLE or PORT_…. */
export type OpenLink = (signal: AbortSignal) => Promise<ModbusLink>

const EXCEPTIONS: { readonly [code: number]: string } = {
  1: 'unknown function',
  2: 'no such register',
  3: 'value not allowed',
  4: 'fault in the box',
  5: 'accepted, not done yet',
  6: 'busy',
  8: 'memory fault',
  10: 'gateway: no path',
  11: 'gateway: the box does not answer',
}

/** The box has answered that it will not. */
export class ModbusException extends Error {
  override readonly name = 'ModbusException'
  readonly code: number

  constructor(code: number, what: string) {
    super(`${what}: exception ${code}, ${EXCEPTIONS[code] ?? 'not in the standard'}`)
    this.code = code
  }
}

/** Nothing came back in time, or nothing that is an answer. */
export class ModbusSilence extends Error {
  override readonly name = 'ModbusSilence'
}

/** There is no connection, or it ended before the answer, or the request was taken back. */
export class ModbusGone extends Error {
  override readonly name = 'ModbusGone'
}

const CONNECT_MS = 5000

/** Modbus TCP, or RTU frames over TCP as plain serial-to-network adapters carry them. */
export function tcpLink(
  host: string,
  port: number,
  framing: 'tcp' | 'rtu',
  timeoutMs: number,
): OpenLink {
  return async signal => {
    const socket = await openTcp(host, port, signal, CONNECT_MS)
    const client = new modbusSerial.default()
    client.on('error', () => {})
    try {
      // What the library calls Telnet is plain RTU over TCP; what it calls RTU over TCP has the header of Modbus TCP.
      await (framing === 'tcp' ? client.linkTCP(socket, { port }) : client.linkTelnet(socket, {}))
    } catch (cause) {
      socket.destroy()
      throw new AmpacityError('HOST_UNREACHABLE', `${host}:${port}: closed at once`, { cause })
    }
    return new Link(client, timeoutMs, endOf(socket), () => socket.destroy())
  }
}

/** RTU on a serial port. */
export function serialLink(path: string, settings: SerialSettings, timeoutMs: number): OpenLink {
  return async () => {
    const client = new modbusSerial.default()
    let end: (error: Error) => void = () => {}
    const ended = new Promise<Error>(resolve => {
      end = resolve
    })
    client.on('error', error => end(asError(error)))
    client.on('close', () => end(new Error(`${path}: the port is gone`)))
    try {
      await client.connectRTUBuffered(path, { ...settings })
    } catch (cause) {
      throw await serialError(path, cause)
    }
    const close = () => {
      end(new Error('closed'))
      client.close(() => {})
    }
    return new Link(client, timeoutMs, ended, close)
  }
}

function endOf(socket: Socket): Promise<Error> {
  return new Promise(resolve => {
    socket.once('error', resolve)
    socket.once('close', () => resolve(new Error('the box closed the connection')))
  })
}

type Client = InstanceType<typeof modbusSerial.default>

class Link implements ModbusLink {
  readonly ended: Promise<Error>
  private readonly client: Client
  private readonly shut: () => void
  /** Gives up the request under way. */
  private giveUp: (error: Error) => void = () => {}

  constructor(client: Client, timeoutMs: number, ended: Promise<Error>, shut: () => void) {
    client.setTimeout(timeoutMs)
    this.client = client
    this.shut = shut
    this.ended = ended.then(error => {
      this.giveUp(error)
      return error
    })
  }

  async read(
    unit: number,
    table: Table,
    address: number,
    words: number,
  ): Promise<readonly number[]> {
    const { client } = this
    const what = `${table} register ${address}`
    if (table === 'coil') {
      const { data } = await this.ask(unit, what, () => client.readCoils(address, words))
      return data.slice(0, words).map(Number)
    }
    const { data } = await this.ask(unit, what, () =>
      table === 'input'
        ? client.readInputRegisters(address, words)
        : client.readHoldingRegisters(address, words),
    )
    return data
  }

  async write(unit: number, fc: 5 | 6 | 16, { address, words }: RegisterWrite): Promise<void> {
    const { client } = this
    const what = `register ${address} with function ${fc}`
    const [word = 0] = words
    // The answer repeats the request: one of another request, late on a serial line, shows by that.
    if (fc === 5) {
      const answer = await this.ask(unit, what, () => client.writeCoil(address, word !== 0))
      confirm(answer.address === address && answer.state === (word !== 0), what)
    } else if (fc === 6) {
      const answer = await this.ask(unit, what, () => client.writeRegister(address, word))
      confirm(answer.address === address && answer.value === word, what)
    } else {
      const answer = await this.ask(unit, what, () => client.writeRegisters(address, [...words]))
      confirm(answer.address === address && answer.length === words.length, what)
    }
  }

  close(): void {
    this.shut()
  }

  /** One request: its answer, or why there is none, also when the connection ends meanwhile. */
  private async ask<T>(unit: number, what: string, request: () => Promise<T>): Promise<T> {
    this.client.setID(unit)
    try {
      return await new Promise<T>((resolve, reject) => {
        this.giveUp = reject
        request().then(resolve, reject)
      })
    } catch (error) {
      const { modbusCode, errno } = error as { modbusCode?: number; errno?: unknown }
      if (modbusCode !== undefined) throw new ModbusException(modbusCode, what)
      if (errno === 'ETIMEDOUT') throw new ModbusSilence(`${what}: unit ${unit} does not answer`)
      const { message } = asError(error)
      if (/^(CRC|Data length|Unexpected data) error/.test(message))
        throw new ModbusSilence(`${what}: damaged answer (${message})`)
      throw new ModbusGone(message)
    }
  }
}

function confirm(isRight: boolean, what: string): void {
  if (!isRight) throw new ModbusSilence(`${what}: the answer is that of another request`)
}

/** The library's own errors are objects with a message. */
function asError(error: unknown): Error {
  if (error instanceof Error) return error
  const { message } = error as { message?: unknown }
  return new Error(typeof message === 'string' && message !== '' ? message : 'connection lost')
}
