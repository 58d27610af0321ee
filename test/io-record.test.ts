import t from 'tap'
import { Backoff, pause } from '../src/io/backoff.ts'
import { parseRecording } from '../src/io/capture-file.ts'
import { systemClock, systemTimers } from '../src/io/clock.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { recordBursts } from '../src/io/record.ts'
import { replaySource } from '../src/io/replay-source.ts'
import { PushSource, until } from './io-fakes.ts'

await t.test('bytes become bursts, each with the instant of its last byte', async t => {
  const source = new PushSource()
  const lines: string[] = []
  const stop = new AbortController()
  const recording = recordBursts(
    {
      source,
      clock: { ...systemClock, now: () => 5000 },
      write: line => lines.push(line),
      report: () => {},
      silenceMs: 20,
    },
    stop.signal,
  )
  source.push(Uint8Array.of(0x7e, 0xa0), 5100)
  source.push(Uint8Array.of(0x27), 5110)
  t.ok(await until(() => lines.length === 1))
  source.push(Uint8Array.of(0x7e), 7000.4)
  stop.abort()
  t.strictSame(await recording, { bytes: 4, bursts: 2 })
  t.strictSame(
    lines,
    ['{"at_ms":110,"hex":"7ea027"}\n', '{"at_ms":2000,"hex":"7e"}\n'],
    'what was held is written at the end',
  )
})

await t.test('a recording that cannot be written ends with the reason', async t => {
  const source = new PushSource()
  const write = () => {
    throw new Error('no space left')
  }
  const recording = recordBursts(
    { source, clock: systemClock, write, report: () => {}, silenceMs: 5 },
    new AbortController().signal,
  )
  source.push(Uint8Array.of(1), 0)
  await t.rejects(recording, /no space left/)
})

await t.test('a source that breaks down ends the recording with its fault', async t => {
  const source = new PushSource()
  const stop = new AbortController()
  const recording = recordBursts(
    { source, clock: systemClock, write: () => {}, report: () => {} },
    stop.signal,
  )
  source.breakDown(new Error('broken'))
  await t.rejects(recording, /broken/)
})

await t.test('a recording is played at its pace times a factor, and ends', async t => {
  const { chunks } = parseRecording(
    Buffer.from(
      '{"capture":1}\n{"at_ms":0,"hex":"01"}\n{"at_ms":500,"hex":"02"}\n{"at_ms":500,"hex":"03"}\n',
    ),
  )
  const source = replaySource({ id: 'r', chunks, speed: 10, clock: systemClock })
  const got: [number, number][] = []
  const events: SourceEvent[] = []
  const start = systemClock.now()
  await source.run(
    (chunk, at) => got.push([chunk[0]!, at - start]),
    e => events.push(e),
    new AbortController().signal,
  )
  t.strictSame(
    got.map(([byte]) => byte),
    [1, 2, 3],
  )
  t.ok(got[1]![1] >= 49 && got[1]![1] < 450, `second chunk after ${got[1]![1]} ms`)
  t.match(events, [{ code: 'source_ended' }])
})

await t.test('playing stops at once when told to', async t => {
  const chunks = [{ atMs: 600_000, bytes: Uint8Array.of(1) }]
  const stop = new AbortController()
  const run = replaySource({ id: 'r', chunks, clock: systemClock }).run(
    () => t.fail('played'),
    () => {},
    stop.signal,
  )
  stop.abort()
  await run
})

await t.test('delays double from one second to thirty, half of each by chance', async t => {
  const least = new Backoff(undefined, () => 0)
  const most = new Backoff(undefined, () => 1)
  t.strictSame(
    Array.from({ length: 7 }, () => least.next()),
    [1000, 2000, 4000, 8000, 15_000, 15_000, 15_000],
  )
  t.strictSame(
    Array.from({ length: 7 }, () => most.next()),
    [2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000],
  )
  most.reset()
  t.equal(most.next(), 2000)
})

await t.test('a pause that is aborted ends without error, also when aborted before', async () => {
  await pause(60_000, AbortSignal.abort())
  const stop = new AbortController()
  const waiting = pause(60_000, stop.signal)
  stop.abort()
  await waiting
})

await t.test('timers run on the clock and can be called off', async t => {
  const ran: string[] = []
  const timers = systemTimers()
  timers.schedule(systemClock.now() - 5, () => ran.push('past'))
  timers.schedule(systemClock.now() + 10, () => ran.push('soon'))
  timers.schedule(systemClock.now() + 5, () => ran.push('never'))()
  t.ok(await until(() => ran.length === 2))
  t.strictSame(ran, ['past', 'soon'])
  t.ok(Math.abs(systemClock.wall() - Date.now()) < 1000)
})
