// The control law against the controllers people use today, in the closed loop: every scenario, every controller, the
// same homes. Markdown on standard output. Run after the build.
//   npm run bench:control -- --seeds 1..3 --json control.json --svg evening.svg
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { auto, decoders } from '../dist/decoders/index.js'
import { CONTROLLERS } from '../dist/src/sim/controllers/index.js'
import { loadScenario, shippedScenarios } from '../dist/src/sim/scenario-file.js'
import { simulate } from '../dist/src/sim/simulate.js'
import { eveningPicture } from './evening.mjs'

const { values: options } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1..3' },
    days: { type: 'string', default: '1' },
    scenarios: { type: 'string' },
    controllers: { type: 'string' },
    json: { type: 'string' },
    svg: { type: 'string' },
    'picture-only': { type: 'boolean', default: false },
  },
})

const [first, last = first] = options.seeds.split('..').map(Number)
const seeds = Array.from({ length: last - first + 1 }, (_, k) => first + k)
const days = Number(options.days)
const names = options.scenarios?.split(',') ?? shippedScenarios()
const ids = options.controllers?.split(',') ?? Object.keys(CONTROLLERS)

const mean = values => values.reduce((a, b) => a + b, 0) / values.length
const most = values => Math.max(...values)
const percent = ratio => (100 * ratio).toFixed(1)
const short = number => number.toFixed(number < 10 ? 1 : 0)

/** Groups of scenarios; the first two are those of the letters. */
const GROUPS = [
  ['periodic meters (A to J, M, N, P)', ({ id, meter }) => id.length === 1 && meter.kind !== 'event'],
  ['meters that report changes (K, L)', ({ id, meter }) => id.length === 1 && meter.kind === 'event'],
  ['lifelike homes', ({ id }) => LIFELIKE.includes(id)],
  ['faults and special cars', ({ id }) => id.length > 1 && !LIFELIKE.includes(id)],
]
const LIFELIKE = [
  'lifelike',
  'lifelike-1s',
  'plateaus',
  'short-pulses',
  'ten-seconds',
  'busy-day',
  'three-phase-block',
]

function measure() {
  const results = []
  for (const [k, name] of names.entries()) {
    const scenario = loadScenario(name)
    for (const controller of ids) {
      const metrics = simulate(scenario, {
        controller: CONTROLLERS[controller],
        seeds,
        days,
        decoders: [auto, ...decoders],
      })
      results.push({ scenario: name, controller, seeds, days, ...metrics })
    }
    if (process.stderr.isTTY) process.stderr.write(`\r${k + 1} of ${names.length} scenarios`)
  }
  if (process.stderr.isTTY) process.stderr.write('\n')
  return results
}

function compared(results) {
  for (const [title, belongs] of GROUPS) {
    const group = names.filter(name => belongs(loadScenario(name)))
    if (group.length === 0) continue
    const each = group.length * seeds.length * days
    console.log(`## ${title}: ${each} days\n`)
    console.log('| controller | trips | Dmax | energy % | changes/h | stops/day | s above I_nt p95 / max |')
    console.log('|---|---:|---:|---:|---:|---:|---:|')
    for (const id of ids) {
      const rows = results.filter(row => row.controller === id && group.includes(row.scenario))
      const column = name => rows.map(row => row[name])
      console.log(
        `| ${id} | ${column('trips').reduce((a, b) => a + b, 0)} | ${most(column('d_max')).toFixed(2)} | ` +
          `${percent(mean(column('energy_ratio')))} | ${short(mean(column('changes_per_hour')))} | ` +
          `${short(mean(column('stops_per_day')))} | ${short(mean(column('above_int_s_p95')))} / ${most(column('above_int_s_max'))} |`,
      )
    }
    console.log()
  }
}

function byScenario(results) {
  const [own] = ids
  const others = ids.slice(1).filter(id => id !== 'static')
  console.log(`## Every scenario: ${own}, and the mean of ${others.join(', ')}\n`)
  console.log('| scenario | | trips | Dmax | energy % | changes/h | stops/day |')
  console.log('|---|---|---:|---:|---:|---:|---:|')
  for (const name of names) {
    const rows = results.filter(({ scenario }) => scenario === name)
    const mine = rows.find(({ controller }) => controller === own)
    const theirs = rows.filter(({ controller }) => others.includes(controller))
    const other = column => (theirs.length === 0 ? '' : ` / ${short(mean(theirs.map(row => row[column])))}`)
    const energy = theirs.length === 0 ? '' : ` / ${percent(mean(theirs.map(row => row.energy_ratio)))}`
    console.log(
      `| ${name} | ${loadScenario(name).title} | ${mine.trips}${other('trips')} | ${mine.d_max.toFixed(2)} | ` +
        `${percent(mine.energy_ratio)}${energy} | ${short(mine.changes_per_hour)}${other('changes_per_hour')} | ` +
        `${short(mine.stops_per_day)}${other('stops_per_day')} |`,
    )
  }
  console.log(`\nNode ${process.version}, seeds ${seeds.join(', ')}, ${days} day${days > 1 ? 's' : ''} each.`)
}

if (!options['picture-only']) {
  const results = measure()
  console.log('# Closed-loop simulation\n')
  compared(results)
  byScenario(results)
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`)
}
if (options.svg !== undefined) writeFileSync(options.svg, eveningPicture())
