/** Replay protection survives a restart, costs few writes, and never stands in the way of decoding. */
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openCounters } from '../src/io/counter-file.ts'
import type { SourceEvent } from '../src/io/ports.ts'
import { until } from './io-fakes.ts'

const stored = (dir: string) => JSON.parse(readFileSync(join(dir, 'counters.json'), 'utf8'))

t.test(
  'written at once, then at most once a minute or every thousand steps, and at the end',
  async t => {
    const dir = t.testdir()
    const events: SourceEvent[] = []
    const counters = await openCounters(dir, event => events.push(event))
    t.same(counters.initial, {})
    counters.remember({ id: 'a', value: 1 }, 0)
    t.ok(await until(() => existsSync(join(dir, 'counters.json'))))
    counters.remember({ id: 'a', value: 2 }, 59_000)
    t.same(stored(dir).counters, { a: 1 })
    counters.remember({ id: 'b', value: 7 }, 60_000)
    t.ok(await until(() => stored(dir).counters.b === 7))
    for (let n = 0; n < 1000; n++) counters.remember({ id: 'a', value: 3 + n }, 61_000)
    t.ok(await until(() => stored(dir).counters.a === 1002))
    counters.remember({ id: 'a', value: 2000 }, 62_000)
    await counters.close()
    t.same((await openCounters(dir, event => events.push(event))).initial, { a: 2000, b: 7 })
    t.same(events, [])
  },
)

for (const [name, content] of [
  ['cut off', '{"v":1,"counters":{"a"'],
  ['another version', '{"v":2,"counters":{"a":1}}'],
  ['a counter that is none', '{"v":1,"counters":{"a":-1}}'],
] as const)
  t.test(`a file that is ${name} is told and starts anew`, async t => {
    const dir = t.testdir({ 'counters.json': content })
    const events: SourceEvent[] = []
    const counters = await openCounters(dir, event => events.push(event))
    t.same(counters.initial, {})
    t.same(
      events.map(e => e.code),
      ['state_corrupt'],
    )
  })

t.test('a folder that cannot be written is told; nothing is thrown', async t => {
  const dir = join(t.testdir(), 'not-there')
  const events: SourceEvent[] = []
  const counters = await openCounters(dir, event => events.push(event))
  counters.remember({ id: 'a', value: 1 }, 0)
  await counters.close()
  t.same(
    events.map(e => e.code),
    ['state_unwritable'],
  )
  mkdirSync(dir)
  counters.remember({ id: 'a', value: 2 }, 61_000)
  await counters.close()
  t.same(stored(dir).counters, { a: 2 })
})
