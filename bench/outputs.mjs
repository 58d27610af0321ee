// How fast a decision is at a wallbox, for every Modbus profile, over loopback against a simulated box: until the box has
// confirmed the write, and until its own read-back (a whole look: state, currents, power, limit) shows it. First without
// the silence that real boxes need between requests (what we cost), then with it (what the line costs). Run after the build.
//   node bench/outputs.mjs --rounds 100
import { parseArgs } from 'node:util'
import { systemClock, systemTimers } from '../dist/src/io/clock.js'
import { ModbusBus } from '../dist/src/io/modbus/bus.js'
import { tcpLink } from '../dist/src/io/modbus/link.js'
import { shippedProfiles } from '../dist/src/io/modbus/profile-files.js'
import { modbusOutput } from '../dist/src/io/modbus-output.js'
import { SimulatedBox } from '../dist/src/sim/boxes/modbus-box.js'
import { serveTcp } from '../dist/src/sim/boxes/serve.js'

const { values: options } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, profiles: { type: 'string' } },
})
const rounds = Number(options.rounds)
const chosen = shippedProfiles().filter(
  ({ profile }) => options.profiles?.split(',').includes(profile) ?? true,
)
const signal = new AbortController().signal

const quantile = (sorted, q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
const cell = times => {
  const sorted = [...times].sort((a, b) => a - b)
  return [0.5, 0.99].map(q => quantile(sorted, q).toFixed(1)).join(' / ')
}

/** Limits that take turns; the box confirms each. */
const LOW = 8
const HIGH = 16

function command(limitA) {
  return {
    seq: Date.now(),
    chargePoint: '1',
    limitA,
    phases: 3,
    code: 'LIMIT_FUSE_L1',
    limitedBy: 'main_fuse_l1',
    text: '',
    headroomA: [],
    validForS: 30,
    readingAgeS: 0,
    at: systemClock.now(),
  }
}

/** Milliseconds until the box has confirmed, and until it shows it, for cuts and for raises. */
async function measure(shipped, gapMs, count) {
  const { transport, limit, read } = shipped
  const profile = {
    ...shipped,
    transport: { ...transport, minGapMs: gapMs },
    limit: { ...limit, minWriteIntervalS: 0 },
    read: { ...read, everyS: 0 },
  }
  const box = new SimulatedBox(profile, () => systemClock.now(), { timeoutS: 60 })
  const served = await serveTcp(new Map([[transport.unit, box]]))
  const bus = new ModbusBus({
    name: profile.profile,
    open: tcpLink('127.0.0.1', served.port, 'tcp', 1500),
    time: { clock: systemClock, timers: systemTimers() },
    anewAfterSilence: false,
  })
  const output = modbusOutput({
    id: profile.profile,
    profile,
    bus,
    failsafeA: 6,
    ownFailSafe: { manage: false, timeoutS: 30 },
    clock: systemClock,
  })
  const stop = new AbortController()
  const running = output.run(() => {}, stop.signal)
  await output.apply(command(LOW), signal)
  const times = { cut: { confirmed: [], shown: [] }, raise: { confirmed: [], shown: [] } }
  for (let i = 0; i < 2 * count; i += 1) {
    const limitA = i % 2 === 0 ? HIGH : LOW
    const started = performance.now()
    await output.apply(command(limitA), signal)
    const { confirmed, shown } = times[limitA === LOW ? 'cut' : 'raise']
    confirmed.push(performance.now() - started)
    for (;;) {
      const status = await output.read(signal)
      const told = limit.readback === null ? box.offeredA : status?.offeredA
      if (told !== undefined && told !== null && Math.abs(told - limitA) < 0.05) break
    }
    shown.push(performance.now() - started)
  }
  await output.close()
  stop.abort()
  await running
  await served.close()
  return times
}

console.log('From decision to confirmation and to the box’s own read-back, ms (p50 / p99), over loopback.\n')
console.log('| profile | cut confirmed | read back | raise confirmed | read back | silence | cut confirmed | read back |')
console.log('|---|---|---|---|---|---|---|---|')
for (const profile of chosen) {
  const { minGapMs } = profile.transport
  const bare = await measure(profile, 0, rounds)
  const real = await measure(profile, minGapMs, Math.max(3, Math.round(rounds / 20)))
  const row = [
    ...[bare.cut, bare.raise].flatMap(({ confirmed, shown }) => [cell(confirmed), cell(shown)]),
    `${minGapMs} ms`,
    cell(real.cut.confirmed),
    cell(real.cut.shown),
  ]
  console.log(`| ${profile.profile} | ${row.join(' | ')} |`)
}
