/** Simulated boxes on real lines: Modbus TCP, and RTU on a serial port. */
import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import modbusSerial from 'modbus-serial'
import type { SerialSettings } from '../../decoder.ts'
import type { SimulatedBox } from './modbus-box.ts'

/** A box that can be reached. */
export interface ServedBox {
  readonly port: number
  /** Cuts every connection; new ones are taken. */
  cut(): void
  close(): Promise<void>
}

/** Which boxes answer at which unit ids; any other unit id gets silence. */
export type Units = ReadonlyMap<number, SimulatedBox>

/** Serves boxes over Modbus TCP on loopback; port 0 = any. */
export async function serveTcp(units: Units, port = 0): Promise<ServedBox> {
  const { ServerTCP } = modbusSerial
  // The library takes 0 for its default port and listens in the constructor.
  const server = new ServerTCP(vectorOf(units), { host: '127.0.0.1', port: port || (await free()) })
  await once(server, 'initialized')
  server.on('socketError', () => {})
  const { _server } = server as unknown as { _server: Server }
  const cut = () => {
    for (const socket of server.socks.keys()) socket.destroy()
  }
  for (const box of units.values())
    box.onFall = () => {
      if (box.behaviour.closesOnFall) cut()
    }
  return {
    port: (_server.address() as AddressInfo).port,
    cut,
    close: () => new Promise(resolve => server.close(() => resolve())),
  }
}

/** Serves boxes over RTU on a serial port. `onBytes` sees what arrives, as it arrives. */
export async function serveRtu(
  units: Units,
  path: string,
  settings: SerialSettings,
  onBytes: (bytes: Uint8Array) => void = () => {},
): Promise<{ close(): Promise<void> }> {
  type Open = new (...args: unknown[]) => InstanceType<typeof modbusSerial.ServerSerial>
  // Its types leave out the third argument, which has the line settings.
  const ServerSerial = modbusSerial.ServerSerial as unknown as Open
  const server = new ServerSerial(vectorOf(units), { ...settings, path, interval: 4 }, settings)
  const { _serverPath } = server as unknown as { _serverPath: Socket }
  _serverPath.on('data', onBytes)
  _serverPath.on('error', () => {})
  await once(server, 'initialized')
  return { close: () => new Promise(resolve => server.close(() => resolve())) }
}

/** Calls of the library to requests of a box. */
function vectorOf(units: Units) {
  const ask = <T>(unit: number, request: (box: SimulatedBox) => T): Promise<T> => {
    const box = units.get(unit)
    // Nobody of that name on the line: no answer, ever.
    if (box === undefined) return new Promise(() => {})
    return new Promise(resolve => resolve(request(box)))
  }
  return {
    getCoil: (at: number, unit: number) => ask(unit, box => box.read(1, at, 1)[0] === 1),
    getInputRegister: (at: number, unit: number) => ask(unit, box => box.read(4, at, 1)[0]!),
    getHoldingRegister: (at: number, unit: number) => ask(unit, box => box.read(3, at, 1)[0]!),
    getMultipleInputRegisters: (at: number, count: number, unit: number) =>
      each(
        count,
        ask(unit, box => box.read(4, at, count)),
      ),
    getMultipleHoldingRegisters: (at: number, count: number, unit: number) =>
      each(
        count,
        ask(unit, box => box.read(3, at, count)),
      ),
    setCoil: (at: number, value: boolean, unit: number) =>
      ask(unit, box => box.write(5, at, [Number(value)])),
    setRegister: (at: number, value: number, unit: number) =>
      ask(unit, box => box.write(6, at, [value])),
    setRegisterArray: (at: number, values: number[], unit: number) =>
      ask(unit, box => box.write(16, at, values)),
  }
}

/** The library takes a list of values, each of which may be a promise. */
function each(count: number, values: Promise<number[]>): number[] {
  return Array.from({ length: count }, (_, i) =>
    values.then(found => found[i]!),
  ) as unknown as number[]
}

async function free(): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
