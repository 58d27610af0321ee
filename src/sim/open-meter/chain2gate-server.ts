/** A simulated Chain2Gate on a port of this machine: WebSocket and web server on one port, faults on request. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { chain2GateText, GATEWAY_ID } from './chain2gate-text.ts'
import type { OpenFrame } from './open-meter.ts'

/** A gateway that listens. */
export class Chain2GateServer {
  private readonly server: Server
  private readonly webSockets = new WebSocketServer({ noServer: true })
  private readonly sockets = new Set<Socket>()
  private readonly newest = new Map<string, string>()
  private isHung = false
  private frames = 0

  private constructor() {
    this.server = createServer((request, response) => this.answer(request, response))
    this.server.on('connection', socket => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
      if (this.isHung) socket.destroy()
    })
    this.server.on('upgrade', (request, socket, head) =>
      this.webSockets.handleUpgrade(request, socket, head, client => this.greet(client)),
    )
  }

  /** Listens on a free port unless one is named. */
  static async start(port = 0, host = '127.0.0.1'): Promise<Chain2GateServer> {
    const gateway = new Chain2GateServer()
    gateway.server.listen(port, host)
    await once(gateway.server, 'listening')
    return gateway
  }

  get port(): number {
    return (this.server.address() as { port: number }).port
  }

  /** Connections over which it pushes. */
  get clients(): number {
    return this.webSockets.clients.size
  }

  /** Passes a frame of the meter on; `receivedMs`: epoch ms. */
  push(frame: OpenFrame, receivedMs: number): void {
    const text = chain2GateText(frame, receivedMs)
    this.newest.set(`cf${frame.cf}`, text)
    this.frames++
    this.say(text)
  }

  /** Sends anything to everybody. */
  say(text: string | Uint8Array): void {
    for (const client of this.webSockets.clients) client.send(text)
  }

  /** Stops to read and to answer; connections stay open, new ones are cut. */
  hang(): void {
    this.isHung = true
    for (const socket of this.sockets) socket.pause()
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.sockets) socket.destroy()
  }

  async stop(): Promise<void> {
    const closed = once(this.server, 'close')
    this.server.close()
    this.cut()
    await closed
  }

  private greet(client: WebSocket): void {
    client.on('error', () => {
      // The other side went away; `close` follows.
    })
    client.on('message', data => {
      if (String(data) === '!') client.send(this.info())
    })
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://gateway')
    const type = url.searchParams.get('type')?.toLowerCase() ?? ''
    const body =
      url.pathname === '/info.json'
        ? this.info()
        : url.pathname === '/lastcf.json'
          ? [...this.newest.values()].at(-1)
          : url.pathname === '/getcf.json'
            ? this.newest.get(type)
            : undefined
    response.statusCode = body === undefined ? 404 : 200
    response.setHeader('content-type', 'application/json')
    response.end(body ?? '{}')
  }

  private info(): string {
    return JSON.stringify({
      Chain2Info: {
        Id: GATEWAY_ID,
        Ip: '127.0.0.1',
        ProgId: 'simulated',
        CFcountFromBoot: this.frames,
      },
    })
  }
}
