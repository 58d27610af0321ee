// A year of nights in the pilot of ARERA 541/2020, in steps of a second: no disconnection, and the energy against a
// wallbox that knows the contract alone. Markdown on standard output. Run after the build.
//   node bench/italy.mjs --nights 365 --seed 1
import { parseArgs } from 'node:util'
import { chain2gate } from '../dist/decoders/it-chain2gate.js'
import { runNights } from '../dist/src/sim/open-meter/nights.js'

const { values: options } = parseArgs({
  options: {
    nights: { type: 'string', default: '365' },
    seed: { type: 'string', default: '1' },
    from: { type: 'string', default: '2026-01-01' },
    amperes: { type: 'string', default: '16,32' },
    loss: { type: 'string', default: '0,0.1' },
  },
})
const nights = Number(options.nights)
const list = text => text.split(',').map(Number)

const run = (maxA, loss, hasNights) =>
  runNights({
    from: Date.parse(`${options.from}T00:00:00Z`),
    nights,
    seed: Number(options.seed),
    hasNights,
    maxA,
    loss,
    aheadS: 20,
    decoder: () => chain2gate.create({}),
    progress: night => {
      if (process.stderr.isTTY) process.stderr.write(`\r${maxA} A, ${100 * loss} % lost: ${night} of ${nights}`)
    },
  })

console.log(`# ${nights} nights of the 541/2020 pilot, 22:00 to 08:00, 3 kW contract\n`)
console.log('| vehicle | frames lost | trips | kWh a night | contract alone | ratio | house alone | changes/h | D max |')
console.log('|---:|---:|---:|---:|---:|---:|---:|---:|---:|')
for (const maxA of list(options.amperes))
  for (const loss of list(options.loss)) {
    const [pilot, plain] = [run(maxA, loss, true), run(maxA, loss, false)]
    const kWh = ({ energyWh }) => (energyWh / nights / 1000).toFixed(2)
    console.log(
      `| ${maxA} A | ${100 * loss} % | ${pilot.trips} | ${kWh(pilot)} | ${kWh(plain)} | ` +
        `${(pilot.energyWh / plain.energyWh).toFixed(2)} | ${pilot.houseTrips} / ${plain.houseTrips} | ${pilot.changesPerHour.toFixed(1)} | ${pilot.damage.toFixed(2)} |`,
    )
  }
if (process.stderr.isTTY) process.stderr.write('\n')
