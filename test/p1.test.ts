/** The P1 decoder, layer by layer. */
import t from 'tap'
import { p1 } from '../decoders/p1.ts'
import { contract, feed, fixtureBytes, fixtures } from './decoder-contract.ts'

const all = fixtures('p1')

t.test('contract', async t => {
  t.ok(all.length >= 50, `${all.length} fixtures were visited`)
  await contract(t, p1, 'p1', all)
})

t.test('Norwegian frames are none', async t => {
  const norway = fixtures('norway').filter(({ type }) => type === 'frame')
  t.ok(norway.length > 30)
  for (const fixture of norway)
    t.ok(
      feed(p1.create({}), fixtureBytes('norway', fixture)).every(e => e.type === 'rejected'),
      fixture.id,
    )
})
