/** The driver of a power-line modem over a real line, with a simulated modem at its other end. */
import { type FileHandle, open } from 'node:fs/promises'
import t, { type Test } from 'tap'
import { chain2 } from '../decoders/it-chain2.ts'
import type { ModemConfig } from '../src/config-source.ts'
import type { DecoderEvent, SerialSettings } from '../src/decoder.ts'
import type { KeyRing } from '../src/dlms/keys.ts'
import { systemClock } from '../src/io/clock.ts'
import { type ModemSourceOptions, modemSource } from '../src/io/modem-driver.ts'
import { NO_LINES, openLines } from '../src/io/modem-lines.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { closeSerialPort, openSerialPort } from '../src/io/serial.ts'
import { fromHex, integerBytes, toHex } from '../src/sim/encode/bytes.ts'
import { encodeTemplate250 } from '../src/sim/encode/compact-encoder.ts'
import { encodeSs } from '../src/sim/encode/ss-encoder.ts'
import { encodeStatus } from '../src/sim/encode/st7580-encoder.ts'
import { type ModemBehaviour, SimulatedModem } from '../src/sim/st7580-modem.ts'
import { until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'

const FAST: SerialSettings = { baudRate: 57_600, dataBits: 8, parity: 'none', stopBits: 1 }
const K1 = '404142434445464748494a4b4c4d4e4f'

/** A simulated modem that reads and writes one end of the line. */
class ModemAtLine {
  readonly modem: SimulatedModem
  /** What the host sent. */
  readonly heard: number[] = []
  private line: FileHandle | undefined
  private stopped = false
  private readonly timer: ReturnType<typeof setInterval>

  constructor(behaviour: ModemBehaviour) {
    this.modem = new SimulatedModem(bytes => void this.write(bytes), behaviour)
    this.timer = setInterval(() => this.modem.wake(performance.now()), 5)
  }

  async open(path: string): Promise<void> {
    const line = await open(path, 'r+')
    this.line = line
    const buffer = Buffer.alloc(512)
    const read = async (): Promise<void> => {
      while (!this.stopped) {
        const { bytesRead } = await line.read(buffer, 0, buffer.length)
        if (bytesRead === 0) return
        const chunk = Uint8Array.from(buffer.subarray(0, bytesRead))
        this.heard.push(...chunk)
        this.modem.receive(chunk, performance.now())
      }
    }
    // The line goes away with the test.
    read().catch(() => {})
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.stopped) await this.line?.write(bytes)
  }

  stop(): void {
    this.stopped = true
    clearInterval(this.timer)
  }
}

/** The driver with a decoder that answers through it, as the agent wires them. */
async function running(
  t: Test,
  behaviour: ModemBehaviour = {},
  more: Partial<ModemSourceOptions> = {},
) {
  const pty = new Pty(t.testdir())
  await pty.plug()
  const modem = new ModemAtLine(behaviour)
  await modem.open(pty.meterEnd)
  const parsed = chain2.parseOptions({
    security: 'st-ss',
    keys: [{ k1: K1 }],
    dictionary: 'template-250',
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = chain2.create(parsed.value)
  const found: DecoderEvent[] = []
  const events: SourceEvent[] = []
  const source = modemSource({
    id: 'modem',
    path: pty.agentEnd,
    settings: [FAST],
    requestLine: 'rts',
    resetLine: 'dtr',
    session: {
      modem: { layer: 'DL', sniffer: false, check: 'crc16-be', checkCoversLength: false },
      phy: { highHz: 132_500, lowHz: 100_000, dual: false, pskPreamble: 2 },
      ssKey: fromHex(K1),
      timings: { bootMs: 500, answerMs: 500 },
    },
    clock: systemClock,
    backoff: { minMs: 20, maxMs: 40 },
    ...more,
  })
  const stop = new AbortController()
  const ended = source.run(
    (chunk, at) => {
      for (const event of decoder.push(chunk, at))
        if (event.type === 'send') source.send?.(event.bytes)
        else found.push(event)
    },
    event => events.push(event),
    stop.signal,
  )
  t.teardown(async () => {
    stop.abort()
    await ended
    modem.stop()
    await pty.unplug()
  })
  const saw = (code: string, times = 1) =>
    until(() => events.filter(event => event.code === code).length >= times)
  const powers = () =>
    found.flatMap(e => (e.type === 'reading' ? [e.reading.values.activePowerImportW] : []))
  return { pty, modem, source, found, events, stop, ended, saw, powers }
}

const unit = (powerW: number, key = K1): Uint8Array =>
  encodeSs({
    key: fromHex(key),
    header: fromHex('c2010007'),
    payload: encodeTemplate250({ posix: 1_767_226_172, powerW, availableW: 3300, countdownS: 118 }),
    iv: integerBytes(powerW, 12),
    firstCounter: 0,
  })

await t.test('a line', { skip: SKIP_PTY }, async t => {
  await t.test('starts, listens, and its data units become readings', async t => {
    const { modem, events, saw, powers, found, source } = await running(t)
    t.ok(await saw('modem_listening'))
    t.match(
      events.map(({ code }) => code),
      ['port_opened', 'modem_lines_missing', 'modem_listening'],
      'a pty has no modem lines',
    )
    t.same(modem.modem.requests.slice(0, 4), [0x3c, 0x08, 0x08, 0x08])
    const send = (powerW: number) => modem.modem.indicate(unit(powerW), performance.now())
    send(4420)
    send(3900)
    t.ok(await until(() => powers().length === 2))
    t.same(powers(), [4420, 3900])
    t.ok(await until(() => modem.modem.acknowledged >= 10), 'every frame was acknowledged')
    t.equal(modem.modem.repeated, 0, 'in time')
    await modem.write(encodeStatus('receiving'))
    await modem.write(fromHex('a75c00'))
    modem.modem.indicate(unit(1, '808182838485868788898a8b8c8d8e8f'), performance.now())
    send(2610)
    t.ok(await until(() => powers().length === 3))
    t.equal(found.filter(e => e.type === 'info' && /foreign/.test(e.detail)).length, 1)
    const trips = found.flatMap(e => (e.type === 'signal' ? [e.signal.tripInS] : []))
    t.same(trips, [118, 118, undefined], 'the calm one counts nothing down')
    t.equal(source.txEnabled, false)
  })

  await t.test('a frame that nobody acknowledged comes again, and is no news', async t => {
    const { modem, saw, powers, source } = await running(t)
    await saw('modem_listening')
    const send = source.send!.bind(source)
    let dropped = 0
    source.send = bytes => {
      if (dropped++ > 0) send(bytes)
    }
    modem.modem.indicate(unit(4420), performance.now())
    t.ok(await until(() => modem.modem.repeated === 1))
    modem.modem.indicate(unit(3900), performance.now())
    t.ok(await until(() => powers().length === 2))
    t.same(powers(), [4420, 3900])
  })

  await t.test('nothing a decoder sends makes the modem transmit', async t => {
    const { modem, saw, source } = await running(t)
    await saw('modem_listening')
    await until(() => modem.modem.wakeAt === undefined)
    modem.heard.length = 0
    source.send?.(fromHex('02025004ab0101'))
    source.send?.(fromHex('0606'))
    source.send?.(fromHex('02'))
    source.send?.(fromHex('06'))
    t.ok(await until(() => modem.heard.length > 0))
    await new Promise(resolve => setTimeout(resolve, 30))
    t.equal(toHex(Uint8Array.from(modem.heard)), '06')
    t.notOk(modem.modem.requests.some(command => [0x24, 0x50, 0x54].includes(command)))
  })

  await t.test('a dead modem: the other speeds are tried, and it is told', async t => {
    const slow = { ...FAST, baudRate: 38_400 }
    const { events, saw } = await running(
      t,
      { dead: true },
      {
        settings: [FAST, slow],
        session: {
          modem: { layer: 'DL', sniffer: false, check: 'crc8', checkCoversLength: false },
          phy: { highHz: 132_500, lowHz: 100_000, dual: false, pskPreamble: 2 },
          timings: { ackMs: 10, againMs: 5 },
        },
      },
    )
    t.ok(await saw('port_opened', 3))
    t.same(
      events.flatMap(({ settings }) => settings?.baudRate ?? []).slice(0, 3),
      [57_600, 38_400, 57_600],
    )
    t.match(
      events.find(({ code }) => code === 'modem_silent')?.detail,
      /no ACK after three attempts/,
    )
  })

  await t.test('pulled out and plugged in again', async t => {
    const { pty, modem, events, saw, powers } = await running(t)
    await saw('modem_listening')
    await pty.unplug()
    t.ok(await saw('port_lost'))
    t.ok(await saw('port_unavailable'))
    await pty.plug()
    await modem.open(pty.meterEnd)
    t.ok(await saw('modem_listening', 2))
    modem.modem.indicate(unit(4420), performance.now())
    t.ok(await until(() => powers().length === 1))
    for (const { detail } of events) t.notMatch(detail, /4041|4a4b/, 'no key in any event')
  })

  await t.test('stopping closes the port', async t => {
    const { pty, source, saw, stop, ended } = await running(t)
    await saw('modem_listening')
    stop.abort()
    await ended
    const port = await openSerialPort(pty.agentEnd, FAST)
    await closeSerialPort(port)
    source.send?.(fromHex('06'))
  })
})

/** A port that only has modem lines. */
class Lines {
  isOpen = true
  broken = false
  readonly said: string[] = []

  set({ rts, dtr }: { rts: boolean; dtr: boolean }, done: (error: Error | null) => void): void {
    this.said.push(`rts ${rts} dtr ${dtr}`)
    done(this.broken ? new Error('Inappropriate ioctl for device') : null)
  }

  drain(done: () => void): void {
    this.said.push('drain')
    done()
  }
}

await t.test('lines: both are named in every call, and wait for what was written', async t => {
  const port = new Lines()
  const lines = await openLines(port as never, true, true)
  t.match(lines, { request: true, reset: true })
  await lines.set({ type: 'reset-line', active: true })
  await lines.set({ type: 'request-line', active: true })
  await lines.set({ type: 'reset-line', active: false })
  t.same(port.said, [
    'rts false dtr false',
    'drain',
    'rts false dtr true',
    'drain',
    'rts true dtr true',
    'drain',
    'rts true dtr false',
  ])
  port.isOpen = false
  await lines.set({ type: 'request-line', active: false })
  t.equal(port.said.at(-1), 'drain', 'a port that is gone is left alone')
  const half = await openLines(new Lines() as never, true, false)
  t.match(half, { request: true, reset: false })
  await half.set({ type: 'reset-line', active: true })
  t.equal(await openLines(port as never, false, false), NO_LINES)
  await NO_LINES.set({ type: 'reset-line', active: true })
  const broken = new Lines()
  broken.broken = true
  t.match(await openLines(broken as never, true, true), { request: false, missing: /ioctl/ })
})

await t.test('a modem in the configuration', async t => {
  const { sourceOfConfig, decoderOfSource } = await import('../src/commands/sources.ts')
  const from = (modem: ModemConfig, keys?: KeyRing) =>
    sourceOfConfig({ modem }, chain2, systemClock, keys)
  t.equal(decoderOfSource({ modem: { port: '/dev/modem' } }), 'it-chain2')
  t.match(await from({ port: '/dev/modem' }), { id: 'modem', txEnabled: false })
  const own: ModemConfig = { port: '/dev/modem', layer: 'SS' }
  await t.rejects(from(own), { code: 'KEYS_INVALID' })
  const key = { systemTitle: '*', encryptionKey: fromHex(K1), authenticationKey: null }
  t.ok(await from(own, { keys: [key] }))
})
