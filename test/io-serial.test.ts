import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { SerialSettings } from '../src/decoder.ts'
import { AmpacityError } from '../src/errors.ts'
import { systemClock } from '../src/io/clock.ts'
import { LineSearch } from '../src/io/line-search.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { closeSerialPort, openSerialPort, serialSource } from '../src/io/serial.ts'
import { serialError } from '../src/io/serial-error.ts'
import { until } from './io-fakes.ts'
import { Pty, SKIP_PTY } from './io-pty.ts'

const EVEN: SerialSettings = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 }
const NONE: SerialSettings = { ...EVEN, parity: 'none' }
const FAST: SerialSettings = { ...NONE, baudRate: 115_200 }

await t.test('the search', async t => {
  await t.test('changes after 12 s of bytes without a good frame, in a circle', async t => {
    const search = new LineSearch([EVEN, NONE, FAST], 0)
    t.equal(search.wake(59_999), undefined, 'silence is no reason')
    const seen = []
    for (let s = 60; s < 160; s += 1) {
      search.bytes(s * 1000)
      if (search.wake(s * 1000 + 1) === 'change') {
        seen.push([s, search.current])
        search.opened(s * 1000 + 1)
      }
    }
    t.match(seen.slice(0, 4), [
      [72, NONE],
      [85, FAST],
      [98, EVEN],
      [111, NONE],
    ])
  })

  await t.test('wants to be woken 12 s after the first byte, between two telegrams', async t => {
    const search = new LineSearch([EVEN, NONE], 0)
    t.equal(search.wakeAt, 60_000)
    search.bytes(10_000)
    search.bytes(11_300)
    t.equal(search.wakeAt, 22_000)
    t.equal(search.wake(22_000), 'change')
  })

  await t.test('is settled by two good frames and stays so through silence', async t => {
    const search = new LineSearch([EVEN, NONE], 0)
    search.bytes(10_000)
    t.equal(search.frame(), false, 'one is not enough')
    search.bytes(25_000)
    t.equal(search.wake(26_000), undefined, 'but it gives the second its time')
    t.equal(search.frame(), true)
    t.equal(search.frame(), false, 'told once')
    search.bytes(900_000)
    t.equal(search.wake(900_500), undefined, 'a byte after a quarter of an hour')
    t.equal(search.current, EVEN)
  })

  await t.test('begins again when bytes come for a minute without a good frame', async t => {
    const search = new LineSearch([EVEN, NONE], 0)
    search.bytes(0)
    search.frame()
    search.frame()
    for (let s = 1; s <= 60; s += 1) {
      search.bytes(s * 1000)
      t.equal(search.wake(s * 1000), undefined)
    }
    search.bytes(61_000)
    t.equal(search.wake(61_000), 'change')
    t.equal(search.current, NONE)
  })

  await t.test('with one entry nothing is changed, silence is told once a spell', async t => {
    const search = new LineSearch([EVEN], 0)
    for (let s = 1; s <= 100; s += 1) search.bytes(s * 1000)
    t.equal(search.wake(100_000), undefined)
    t.equal(search.wake(160_000), 'silence')
    t.equal(search.wake(300_000), undefined)
    t.equal(search.wakeAt, undefined)
    search.bytes(300_000)
    t.equal(search.wake(360_000), 'silence')
  })

  t.throws(() => new LineSearch([], 0), RangeError)
})

await t.test('errors say what was found', async t => {
  const dir = t.testdir({ file: 'x' })
  const cases: [path: string, cause: string, code: string, message: RegExp][] = [
    [join(dir, 'none'), 'No such file or directory', 'PORT_MISSING', /none: there is no such port/],
    [join(dir, 'file'), 'custom baud rate', 'PORT_UNUSABLE', /file: this is a plain file/],
    [dir, 'x', 'PORT_UNUSABLE', /this is a folder/],
    ['/dev/null', 'Inappropriate ioctl for device', 'PORT_UNUSABLE', /null: Inappropriate ioctl/],
    [
      '/dev/null',
      'Error Resource temporarily unavailable Cannot lock port',
      'PORT_BUSY',
      /another program/,
    ],
    ['/dev/null', 'Error: Permission denied, cannot open', 'PORT_DENIED', /Permission denied/],
    ['/dev/null', 'No such device or address', 'PORT_MISSING', /No such device/],
  ]
  for (const [path, cause, code, message] of cases) {
    const error = await serialError(path, new Error(cause))
    t.ok(error instanceof AmpacityError)
    t.match(error, { code, message }, `${code} from ${cause}`)
  }
})

/** A running source over a line, with all that came out of it. */
async function running(t: Test, settings: SerialSettings[] = [EVEN], plugged = true) {
  const pty = new Pty(t.testdir())
  if (plugged) await pty.plug()
  const events: SourceEvent[] = []
  const received: number[] = []
  const source = serialSource({
    id: 'serial',
    path: pty.agentEnd,
    settings,
    clock: systemClock,
    search: { trialMs: 60, lostMs: 200, silenceMs: 150 },
    backoff: { minMs: 20, maxMs: 40 },
  })
  const stop = new AbortController()
  const ended = source.run(
    chunk => received.push(...chunk),
    event => events.push(event),
    stop.signal,
  )
  t.teardown(async () => {
    stop.abort()
    await ended
    await pty.unplug()
  })
  const saw = (code: string, times = 1) =>
    until(() => events.filter(event => event.code === code).length >= times)
  return { pty, source, events, received, stop, ended, saw }
}

async function write(pty: Pty, ...pieces: number[][]): Promise<void> {
  const line: FileHandle = await open(pty.meterEnd, 'r+')
  for (const piece of pieces) {
    await line.write(Uint8Array.from(piece))
    await new Promise(resolve => setTimeout(resolve, 5))
  }
  await line.close()
}

await t.test('a line', { skip: SKIP_PTY }, async t => {
  await t.test('bytes arrive as they are, in pieces, control characters included', async t => {
    const { pty, received, saw } = await running(t)
    t.ok(await saw('port_opened'))
    const pieces = [
      [0x7e, 0xa0, 0x11],
      [0x13, 0x0a, 0x0d],
      [0x03, 0xff, 0x00, 0x7e],
    ]
    await write(pty, ...pieces)
    t.ok(await until(() => received.length === 10))
    t.strictSame(received, pieces.flat())
  })

  await t.test('unplugged and plugged in again', async t => {
    const { pty, events, received, saw } = await running(t)
    await saw('port_opened')
    await pty.unplug()
    t.ok(await saw('port_lost'))
    t.ok(await saw('port_unavailable'))
    t.match(
      events.find(e => e.code === 'port_unavailable'),
      { level: 'error', detail: /PORT_MISSING/ },
    )
    await new Promise(resolve => setTimeout(resolve, 100))
    t.equal(events.filter(e => e.code === 'port_unavailable').length, 1, 'told once')
    await pty.plug()
    t.ok(await saw('port_opened', 2))
    await write(pty, [1, 2, 3])
    t.ok(await until(() => received.length === 3))
  })

  await t.test('a port that appears later', async t => {
    const { pty, saw } = await running(t, [EVEN], false)
    t.ok(await saw('port_unavailable'))
    await pty.plug()
    t.ok(await saw('port_opened'))
  })

  await t.test(
    'settings are changed while only noise arrives, kept after two good frames',
    async t => {
      const { pty, source, events, saw } = await running(t, [EVEN, NONE])
      await saw('port_opened')
      await write(pty, [0x7e, 0xff])
      t.ok(await saw('line_settings_changed'))
      t.ok(await saw('port_opened', 2))
      t.match(
        events.find(e => e.code === 'line_settings_changed'),
        { settings: NONE },
      )
      source.frameAccepted?.()
      source.frameAccepted?.()
      t.match(events.at(-1), { code: 'line_settings_found', settings: NONE, detail: /2400 8N1/ })
      await write(pty, [0x7e])
      await new Promise(resolve => setTimeout(resolve, 120))
      t.equal(events.filter(e => e.code === 'line_settings_changed').length, 1, 'kept')
    },
  )

  await t.test('silence is told', async t => {
    const { events, saw } = await running(t)
    t.ok(await saw('no_meter_data'))
    t.match(
      events.find(e => e.code === 'no_meter_data'),
      {
        level: 'warn',
        detail: /port closed or unplugged/,
      },
    )
  })

  await t.test('a second program is told that the port is taken', async t => {
    const { pty, saw } = await running(t)
    await saw('port_opened')
    await t.rejects(openSerialPort(pty.agentEnd, EVEN), { code: 'PORT_BUSY' })
  })

  await t.test('stopping closes the port and leaves nothing behind', async t => {
    const { pty, stop, ended, saw } = await running(t)
    await saw('port_opened')
    stop.abort()
    await ended
    const port = await openSerialPort(pty.agentEnd, NONE)
    t.ok(port.isOpen, 'the port can be opened by another')
    await closeSerialPort(port)
    await closeSerialPort(port)
    t.notOk(port.isOpen)
  })

  await t.test('bytes are sent to the meter, and dropped while there is no line', async t => {
    const { pty, source, saw, stop, ended } = await running(t)
    await saw('port_opened')
    const line = await open(pty.meterEnd, 'r+')
    source.send?.(Uint8Array.of(6, 7))
    const { buffer, bytesRead } = await line.read(Buffer.alloc(8), 0, 8)
    await line.close()
    t.strictSame([...buffer.subarray(0, bytesRead)], [6, 7])
    stop.abort()
    await ended
    source.send?.(Uint8Array.of(6))
  })
})
