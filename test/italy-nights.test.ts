/** Nights of ARERA 541/2020 in the closed loop; `bench/italy.mjs` runs a year of them. */
import t from 'tap'
import { chain2gate } from '../decoders/it-chain2gate.ts'
import { type NightsOptions, runNights } from '../src/sim/open-meter/nights.ts'

const run = (from: string, nights: number, more: Partial<NightsOptions> = {}) =>
  runNights({
    from: Date.parse(`${from}T00:00:00Z`),
    nights,
    seed: 1,
    hasNights: true,
    maxA: 32,
    loss: 0,
    aheadS: 20,
    decoder: () => chain2gate.create({}),
    ...more,
  })

t.test(
  'a working night charges twice what the contract alone allows, and nothing opens',
  async t => {
    const pilot = run('2026-01-14', 2)
    const plain = run('2026-01-14', 2, { hasNights: false })
    t.equal(pilot.trips + plain.trips, 0)
    const ratio = pilot.energyWh / plain.energyWh
    // (6050 - 400) / (3300 - 400) for eight of ten hours.
    t.ok(ratio > 1.6 && ratio < 2.1, `${ratio}`)
    t.ok(pilot.changesPerHour < 12)
  },
)

for (const [what, from, nights, aheadS] of [
  ['clocks go forward, meter 30 s ahead', '2026-03-28', 1, 30],
  ['clocks go back, meter 30 s behind', '2026-10-24', 1, -30],
  ['New Year', '2025-12-31', 1, 0],
  ['Easter Monday', '2026-04-05', 2, 20],
] as const)
  t.test(`${what}: nothing opens`, async t => {
    const { trips, energyWh } = run(from, nights, { aheadS })
    t.equal(trips, 0)
    t.ok(energyWh > nights * 25_000, `${energyWh} Wh`)
  })

t.test('a tenth of the frames lost: nothing opens', async t => {
  t.equal(run('2026-02-10', 2, { loss: 0.1 }).trips, 0)
})
