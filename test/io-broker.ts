/** A broker on a free port of this machine: mosquitto where it is installed, else aedes in this process. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { connect as connectTcp, createServer, type Server, type Socket } from 'node:net'
import { Aedes } from 'aedes'
import { connect, type IPublishPacket, type MqttClient } from 'mqtt'
import { until } from './io-fakes.ts'

const MOSQUITTO = ['mosquitto', '/usr/sbin/mosquitto'].find(
  path => spawnSync(path, ['-h']).error === undefined,
)

/** The brokers that tests can be run with; mosquitto speaks MQTT 5, aedes only 3.1.1. */
export const BROKERS: readonly ('mosquitto' | 'aedes')[] =
  MOSQUITTO === undefined ? ['aedes'] : ['mosquitto', 'aedes']

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** A broker that can be stopped and started again on the same port; it forgets everything in between. */
export class Broker {
  readonly kind: 'mosquitto' | 'aedes'
  readonly port: number
  private child: ChildProcess | undefined
  private server: Server | undefined
  private aedes: Aedes | undefined
  private readonly sockets = new Set<Socket>()

  constructor(kind: 'mosquitto' | 'aedes', port: number) {
    this.kind = kind
    this.port = port
  }

  get url(): string {
    return `mqtt://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    if (this.kind === 'mosquitto')
      this.child = spawn(MOSQUITTO!, ['-p', String(this.port)], { stdio: 'ignore' })
    else {
      const aedes = await Aedes.createBroker()
      this.aedes = aedes
      this.server = createServer(socket => {
        this.sockets.add(socket)
        aedes.handle(socket)
      }).listen(this.port, '127.0.0.1')
    }
    for (let i = 0; i < 200; i += 1) {
      if (await answers(this.port)) return
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    throw new Error('the broker does not answer')
  }

  async stop(): Promise<void> {
    const { child, server, aedes } = this
    this.child = undefined
    this.server = undefined
    this.aedes = undefined
    if (child !== undefined) {
      const gone = once(child, 'exit')
      child.kill()
      await gone
    }
    if (server !== undefined) {
      for (const socket of this.sockets) socket.destroy()
      this.sockets.clear()
      const closed = once(server, 'close')
      server.close()
      await closed
      await new Promise<void>(resolve => aedes!.close(() => resolve()))
    }
  }
}

async function answers(port: number): Promise<boolean> {
  const socket = connectTcp(port, '127.0.0.1')
  const result = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return result
}

export interface Message {
  readonly topic: string
  readonly text: string
  readonly packet: IPublishPacket
}

/** A subscriber to everything, with memory. */
export class Listener {
  readonly messages: Message[] = []
  private readonly client: MqttClient

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic, payload, packet) => {
      this.messages.push({ topic, text: payload.toString(), packet })
    })
    client.on('error', () => {})
  }

  static async to(broker: Broker): Promise<Listener> {
    const client = connect(broker.url, {
      protocolVersion: broker.kind === 'mosquitto' ? 5 : 4,
      reconnectPeriod: 20,
    })
    const listener = new Listener(client)
    await new Promise(resolve => client.once('connect', resolve))
    await client.subscribeAsync('#', { qos: 1 })
    return listener
  }

  on(topic: string): Message[] {
    return this.messages.filter(message => message.topic === topic)
  }

  saw(topic: string, pattern: string, times = 1): Promise<boolean> {
    return until(() => this.on(topic).filter(m => m.text.includes(pattern)).length >= times)
  }

  get connected(): boolean {
    return this.client.connected
  }

  async end(): Promise<void> {
    await this.client.endAsync(true)
  }
}
