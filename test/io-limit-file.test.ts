import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { limitFileOutput } from '../src/io/limit-file.ts'
import { command, VirtualTime } from './io-fakes.ts'

const signal = new AbortController().signal

await t.test('the file holds the command, then the safe value', async t => {
  const dir = t.testdir()
  const path = join(dir, 'limit.json')
  const clock = new VirtualTime()
  const output = limitFileOutput({ id: 'file', path, failsafeA: 0, clock })
  await output.apply(command(13.2), signal)
  t.match(JSON.parse(readFileSync(path, 'utf8')), {
    v: 1,
    charge_point: '1',
    limit_a: 13.2,
    phases: 3,
    code: 'LIMIT_FUSE_L2',
    limited_by: 'main_fuse_l2',
    source: 'EMS',
    grid_critical: false,
    valid_for_s: 30,
    issued_at: '2026-01-05T11:00:01.000Z',
    valid_until: '2026-01-05T11:00:31.000Z',
    monotonic_ms: Number,
    boot_id: String,
    seq: Number,
  })
  await output.apply(command(20, { chargePoint: '2' }), signal)
  t.match(JSON.parse(readFileSync(path, 'utf8')), { limit_a: 13.2 }, 'one charge point a file')
  await output.close()
  t.match(JSON.parse(readFileSync(path, 'utf8')), {
    limit_a: 0,
    code: 'STALE_FAILSAFE',
    seq: command(0).seq + 1,
  })
  t.strictSame(readdirSync(dir), ['limit.json'], 'nothing else is left')
})

await t.test('a safe value other than a pause', async t => {
  const path = join(t.testdir(), 'limit.json')
  const output = limitFileOutput({ id: 'file', path, failsafeA: 6, clock: new VirtualTime() })
  await output.close()
  t.throws(() => readFileSync(path), 'nothing was commanded, nothing is written')
  await output.apply(command(16), signal)
  await output.close()
  t.match(JSON.parse(readFileSync(path, 'utf8')), { limit_a: 6 })
})

await t.test('a reader never sees a part of a file', async t => {
  const path = join(t.testdir(), 'limit.json')
  const output = limitFileOutput({ id: 'file', path, failsafeA: 0, clock: new VirtualTime() })
  await output.apply(command(6), signal)
  let writing = true
  let reads = 0
  const seen = new Set<number>()
  const reading = (async () => {
    while (writing) {
      const content = await readFile(path, 'utf8')
      seen.add(JSON.parse(content).limit_a)
      reads += 1
    }
  })()
  for (let i = 0; i < 200; i += 1)
    await output.apply(command(6 + (i % 10), { text: 'x'.repeat(i * 10) }), signal)
  writing = false
  await reading
  t.ok(reads > 20, `${reads} reads`)
  t.ok(seen.size > 1, 'the reader saw the file change')
})

await t.test('a folder that does not exist', async t => {
  const path = join(t.testdir(), 'none', 'limit.json')
  const output = limitFileOutput({ id: 'file', path, failsafeA: 0, clock: new VirtualTime() })
  await t.rejects(output.apply(command(6), signal), {
    code: 'FILE_UNWRITABLE',
    message: /none\/limit\.json: ENOENT/,
  })
  await t.rejects(output.close(), { code: 'FILE_UNWRITABLE' })
})
