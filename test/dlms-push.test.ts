/** The decoder of pushed DLMS lists holds what every decoder holds, over the invented meters of `fixtures/dlms`. */
import t from 'tap'
import { dlmsPush } from '../decoders/dlms-push.ts'
import { contract, fixtures } from './decoder-contract.ts'

const all = fixtures('dlms')

t.test('contract', async t => {
  t.ok(all.length >= 49, 'the fixtures were visited')
  await contract(t, dlmsPush, 'dlms', all)
})
