/**
 * A simulated ST7580 at the other end of the host's line: resets, answers requests for its objects, hands over data
 * units, repeats what is not acknowledged. What it was told and what it sent can be looked at. It is told the time.
 */
import { concat } from './encode/bytes.ts'
import {
  encodeLocal,
  encodeStatus,
  INDICATION,
  indicationData,
  STX,
} from './encode/st7580-encoder.ts'

/** How the modem behaves. */
export interface ModemBehaviour {
  /** Takes requests only after T_REQ went low and its status message was sent. */
  readonly needsRequestLine?: boolean
  /** Objects that cannot be written. */
  readonly readOnly?: readonly number[]
  /** Never answers, as one without supply. */
  readonly dead?: boolean
}

/** T_ACK of the host, ms. */
const ACK_MS = 40
const ACK = 0x06
const NAK = 0x15
/** Everything lost: what a reset says before the first configuration. */
const NOTHING_CONFIGURED = 0x3c
const ERROR_WRONG_VALUE = 0x03

export class SimulatedModem {
  /** Objects by index; factory values. */
  readonly objects: Map<number, Uint8Array> = new Map([
    [0x00, Uint8Array.of(0x11)],
    [0x01, new Uint8Array(14)],
    [0x06, new Uint8Array(10)],
    [0x07, new Uint8Array(8)],
    [0x08, new Uint8Array(10)],
    [0x09, Uint8Array.of(0xc8, 0x28, 0x0a)],
    [0x0a, Uint8Array.of(0x00, 0x42, 0x00, 0x97)],
  ])
  /** Commands of the frames that the host sent, in order. */
  readonly requests: number[] = []
  acknowledged = 0
  refused = 0
  repeated = 0
  busy: 'idle' | 'receiving' = 'idle'
  private readonly behaviour: ModemBehaviour
  private readonly send: (bytes: Uint8Array) => void
  private received: number[] = []
  private mayRequest: boolean
  /** Frames that wait for an ACK, the first of them sent. */
  private outbox: { command: number; data: Uint8Array }[] = []
  private sentAt: number | undefined
  private isRepeat = false

  constructor(send: (bytes: Uint8Array) => void, behaviour: ModemBehaviour = {}) {
    this.send = send
    this.behaviour = behaviour
    this.mayRequest = behaviour.needsRequestLine !== true
  }

  /** When {@link wake} is wanted. */
  get wakeAt(): number | undefined {
    return this.sentAt === undefined ? undefined : this.sentAt + ACK_MS
  }

  /** RESETN or the supply: `low` holds the modem, letting go starts it. */
  reset(low: boolean, now: number): void {
    this.outbox = []
    this.sentAt = undefined
    this.received = []
    if (!low) this.say(0x3e, [NOTHING_CONFIGURED], now)
  }

  /** T_REQ: a modem that is asked says how it is. */
  requestLine(low: boolean): void {
    if (!low || this.behaviour.dead) return
    this.send(encodeStatus(this.busy))
    this.mayRequest = this.busy === 'idle'
  }

  /** Hands a data unit over, and counts it. */
  indicate(sdu: Uint8Array, now: number, command: number = INDICATION.dl): void {
    this.count(0x06)
    this.count(0x07)
    this.say(command, indicationData(sdu), now)
  }

  /** A beginning was heard, and nothing came of it. */
  hear(): void {
    this.count(0x06)
  }

  /** Bytes from the host. */
  receive(chunk: Uint8Array, now: number): void {
    for (const byte of chunk) this.byte(byte, now)
  }

  wake(now: number): void {
    if (this.wakeAt !== undefined && now >= this.wakeAt) this.again(now)
  }

  /** Sends the frame a second time, or gives it up. */
  private again(now: number): void {
    if (this.isRepeat) this.shift(now)
    else {
      this.isRepeat = true
      this.repeated++
      this.transmit(now)
    }
  }

  private byte(byte: number, now: number): void {
    if (this.received.length === 0 && byte === ACK && this.sentAt !== undefined) {
      this.acknowledged++
      this.shift(now)
    } else if (this.received.length === 0 && byte === NAK && this.sentAt !== undefined) {
      this.refused++
      this.again(now)
    } else if (this.received.length > 0 || byte === STX.first) {
      this.received.push(byte)
      this.frame(now)
    }
  }

  private frame(now: number): void {
    const { received } = this
    const length = 5 + (received[1] ?? 255)
    if (received.length < length) return
    this.received = []
    if (this.behaviour.dead || !this.mayRequest) return
    this.mayRequest = this.behaviour.needsRequestLine !== true
    const [command, data] = [received[2]!, received.slice(3, -2)]
    const isRight = encodeLocal(command, data).every((byte, i) => byte === received[i])
    this.send(Uint8Array.of(isRight ? ACK : NAK))
    if (isRight) this.answer(command, data, now)
  }

  private answer(command: number, data: readonly number[], now: number): void {
    this.requests.push(command)
    const [index = -1, ...content] = data
    if (command === 0x3c) {
      this.say(0x3d, [0], now)
      this.say(0x3e, [NOTHING_CONFIGURED | 2], now)
    } else if (command === 0x08) {
      const isRefused = this.behaviour.readOnly?.includes(index) ?? false
      if (!isRefused) this.objects.set(index, Uint8Array.from(content))
      this.say(isRefused ? 0x0b : 0x09, isRefused ? [ERROR_WRONG_VALUE] : [], now)
    } else if (command === 0x0c) {
      const object = this.objects.get(index)
      this.say(object === undefined ? 0x0f : 0x0d, object ?? [ERROR_WRONG_VALUE], now)
    } else this.say(0x36, [command], now)
  }

  private say(command: number, data: Uint8Array | readonly number[], now: number): void {
    if (this.behaviour.dead) return
    this.outbox.push({ command, data: concat(data) })
    if (this.outbox.length === 1) this.transmit(now)
  }

  private transmit(now: number): void {
    const { command, data } = this.outbox[0]!
    this.sentAt = now
    this.send(encodeLocal(command, data, this.isRepeat ? STX.repeat : STX.first))
  }

  /** The frame was taken, or given up; the next one is sent. */
  private shift(now: number): void {
    this.outbox.shift()
    this.isRepeat = false
    this.sentAt = undefined
    if (this.outbox.length > 0) this.transmit(now)
  }

  /** The first counter of an object rises. */
  private count(object: number): void {
    const counters = this.objects.get(object)!
    const value = ((counters[0]! << 8) | counters[1]!) + 1
    counters.set([(value >> 8) & 0xff, value & 0xff])
  }
}
