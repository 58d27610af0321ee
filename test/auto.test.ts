/** One decoder for whatever arrives: it says of every transport what the decoder made for it says. */
import t from 'tap'
import { auto, decoders } from '../decoders/index.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { feed, fixtureBytes, fixtures } from './decoder-contract.ts'

const FOLDERS = { dlms: 'dlms-push', p1: 'p1', sml: 'sml' } as const

const values = (events: readonly DecoderEvent[]) =>
  events.flatMap(e => (e.type === 'reading' ? [[e.offset, e.length, e.reading.values]] : []))

for (const [folder, id] of Object.entries(FOLDERS))
  t.test(folder, async t => {
    const own = decoders.find(d => d.id === id)!
    let visited = 0
    for (const fixture of fixtures(folder).filter(f => f.type === 'frame')) {
      const options = auto.parseOptions(fixture.options)
      if (!options.ok) continue
      const parsed = own.parseOptions(fixture.options)
      if (!parsed.ok) throw new Error(fixture.id)
      const bytes = fixtureBytes(folder, fixture)
      const expected = values(feed(own.create(parsed.value), bytes))
      t.equal(expected.length, 1)
      for (const size of [bytes.length, 7])
        t.same(values(feed(auto.create(options.value), bytes, size)), expected, fixture.id)
      visited++
    }
    t.ok(visited >= 8, `${visited} telegrams`)
  })

t.test('a line that changes its language is understood again', async t => {
  const bytes = (folder: string, start: string) =>
    fixtureBytes(folder, fixtures(folder).find(f => f.type === 'frame' && f.id.startsWith(start))!)
  const norway = bytes('norway', 'aidon-6534-list2')
  const sml = fixtureBytes('sml', fixtures('sml').find(f => f.type === 'frame')!)
  const decoder = auto.create({})
  const seen: string[] = []
  const push = (chunk: Uint8Array, at: number) => {
    for (const event of [...decoder.push(chunk, at), ...decoder.wake(at + 500)])
      if (event.type === 'reading') seen.push(event.reading.decoder)
  }
  push(norway, 0)
  for (let i = 1; i < 300; i++) push(sml, i * 1000)
  t.equal(seen[0], 'no-aidon')
  t.ok(seen.includes('sml'), 'after some tens of kilobytes')
  t.ok(decoder.heldBytes < 32_768)
})
