/** A simulated Sinapsi Alfa on a port of this machine: Modbus TCP, one client at a time. */
import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import type modbus from 'modbus-serial'
import { AlfaRegisters } from './alfa-registers.ts'

/** A gateway that listens. */
export class AlfaServer {
  readonly registers: AlfaRegisters = new AlfaRegisters()
  /** Reads so far: first register of each. */
  readonly reads: number[] = []
  private readonly server: modbus.ServerTCP
  private readonly listening: Server

  private constructor(server: modbus.ServerTCP) {
    this.server = server
    this.listening = (server as unknown as { _server: Server })._server
  }

  /** Listens on a free port of loopback unless one is named. `has`: registers that are there. */
  static async start(
    has: (address: number) => boolean = () => true,
    port?: number,
  ): Promise<AlfaServer> {
    const { ServerTCP } = await import('modbus-serial')
    let alfa: AlfaServer | undefined
    const read = (address: number): number => {
      if (!has(address)) throw Object.assign(new Error('no such register'), { modbusErrorCode: 2 })
      return alfa!.registers.read(address)
    }
    const server = new ServerTCP(
      {
        getHoldingRegister: (address: number) => {
          alfa!.reads.push(address)
          return read(address)
        },
        getMultipleHoldingRegisters: (address: number, length: number) => {
          alfa!.reads.push(address)
          return Array.from({ length }, (_, i) => read(address + i))
        },
      },
      { host: '127.0.0.1', port: port ?? (await freePort()), unitID: 1 },
    )
    alfa = new AlfaServer(server)
    if (!alfa.listening.listening) await once(server, 'initialized')
    return alfa
  }

  get port(): number {
    return (this.listening.address() as { port: number }).port
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.server.socks.keys() as IterableIterator<Socket>) socket.destroy()
  }

  async stop(): Promise<void> {
    this.cut()
    await new Promise<void>(resolve => this.server.close(() => resolve()))
  }
}

/** The library takes port 0 for the usual one. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
