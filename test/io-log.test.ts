import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { EventLog, maskId } from '../src/event-log.ts'
import { createLog } from '../src/io/log.ts'
import { memoryLog, VirtualTime } from './io-fakes.ts'

await t.test('lines are JSON, written at once, below the level nothing', async t => {
  const path = join(t.testdir(), 'log')
  const fd = openSync(path, 'w')
  const log = createLog('info', fd)
  log.debug({ code: 'x' }, 'not this')
  log.info({ code: 'meter_online', meter_id: '6970631401753985' }, 'first telegram')
  log.warn({ code: 'meter_changed', meter: { id: '6970631401753985', maker: 'kaifa' } }, 'another')
  const lines = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
  closeSync(fd)
  t.equal(lines.length, 2)
  t.match(lines[0], {
    level: 'info',
    time: Number,
    code: 'meter_online',
    meter_id: '…3985',
    msg: 'first telegram',
  })
  t.match(lines[1], { meter: { id: '…3985', maker: 'kaifa' } })
})

await t.test('the same is told once a minute, with how often it happened', async t => {
  const log = memoryLog()
  const clock = new VirtualTime()
  const told: unknown[] = []
  const events = new EventLog(log, clock, event => told.push(event))
  const bad = {
    level: 'warn',
    code: 'frame_crc_error',
    detail: 'LINK_BAD_CHECKSUM at byte 3',
  } as const
  for (let s = 0; s <= 60; s += 10) events.report(bad, s * 1000, 'meter')
  t.match(log.lines, [{ level: 'warn', code: 'frame_crc_error', source: 'meter' }, { count: 6 }])
  t.match(told, [{ at: clock.wall(), code: 'frame_crc_error' }, { count: 6 }])
  events.report(bad, 61_000, 'other')
  t.equal(log.lines.length, 3, 'another source is another thing')
  const changed = { level: 'info', code: 'limit_changed', detail: '6 A' } as const
  for (let i = 0; i < 3; i += 1) events.report(changed, 62_000)
  t.equal(log.lines.length, 6, 'every change of the limit is told')
})

await t.test('a meter id is masked but for its end', async t => {
  t.equal(maskId('6970631401753985'), '…3985')
  t.equal(maskId('3985'), '3985')
})
