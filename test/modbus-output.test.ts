/** The engine of Modbus wallboxes: urgency, signs of life, fail-safe, second masters, exceptions. In virtual time. */
import fc from 'fast-check'
import t from 'tap'
import type { ChargerProfile } from '../src/io/modbus/profile.ts'
import { isStored } from '../src/io/modbus/profile-check.ts'
import { loadProfile, shippedProfiles } from '../src/io/modbus/profile-files.ts'
import type { SeenWrite } from '../src/sim/boxes/modbus-box.ts'
import { connected } from './modbus-fakes.ts'

const profileOf = (id: string) => loadProfile(id, '.')
const to = (writes: readonly SeenWrite[], address: number) =>
  writes.filter(write => write.address === address)
const values = (writes: readonly SeenWrite[], address: number) =>
  to(writes, address).map(({ words }) => words[0])

await t.test('a lower limit does not wait for a look', async t => {
  const keba = await profileOf('keba-p30')
  const { run, tell, box, time } = await connected(keba)
  await run(20, 16)
  // A look takes eight requests here, 200 ms apart: somewhere in one of them.
  for (const into of [20, 230, 450, 700, 950]) {
    await time.advance(into)
    const at = time.now()
    const before = box.writes.length
    tell(box.offeredA === 10 ? 8 : 10)
    await time.advance(1400)
    const [first] = to(box.writes.slice(before), 5004)
    t.ok(first!.at - at <= 2 * 5 + 200, `written after ${first!.at - at} ms`)
    await run(1)
    tell(16)
    await run(2)
  }
})

await t.test('the silence a box needs is kept', async t => {
  for (const id of ['keba-p30', 'evse-wb-din', 'heidelberg-ec']) {
    const profile = await profileOf(id)
    const { run, line } = await connected(profile)
    await run(20, 16)
    t.ok(line.gaps.length > 20)
    t.ok(Math.min(...line.gaps) >= profile.transport.minGapMs, id)
  }
})

await t.test('of many commands the newest is carried out', async t => {
  const { run, tell, box, time } = await connected(await profileOf('keba-p30'))
  await run(5, 6)
  const before = box.writes.length
  for (const limitA of [7, 8, 9, 10, 11]) tell(limitA)
  await time.advance(3000)
  t.strictSame(values(box.writes.slice(before), 5004), [7000, 11_000])
})

await t.test('signs of life, as often as the box needs them', async t => {
  const vestel = await connected(await profileOf('vestel-evc04'), { behaviour: { timeoutS: 20 } })
  await vestel.run(60, 16)
  const alive = to(vestel.box.writes, 6000)
  t.ok(alive.length >= 11 && alive.length <= 14, `${alive.length} in a minute, every 5 s`)
  t.ok(alive.every(({ fc: code, words }) => code === 6 && words[0] === 1))

  const keba = await connected(await profileOf('keba-p30'), { behaviour: { timeoutS: 60 } })
  await keba.run(60, 16)
  t.strictSame([...new Set(values(keba.box.writes, 5018))], [60], 'the time-out in force, again')
  t.ok(to(keba.box.writes, 5018).length >= 3)

  const off = await connected(await profileOf('keba-p30'), { behaviour: { timeoutS: 0 } })
  await off.run(60, 16)
  t.equal(to(off.box.writes, 5018).length, 0)
  t.match(off.events.find(({ code }) => code === 'dead_man_off')?.detail, /time-out is off.*manage/)
})

await t.test(
  'after an outage without decisions the first thing written is the safe current',
  async t => {
    const { run, box, line, tell, time } = await connected(await profileOf('go-e'))
    await run(20, 16)
    line.isClosed = true
    line.drop()
    await run(60)
    const before = box.writes.length
    line.isClosed = false
    await run(35)
    t.equal(values(box.writes.slice(before), 299)[0], 6)
    tell(12)
    await time.advance(1000)
    t.equal(box.offeredA, 12)
  },
)

await t.test('after an outage with decisions the first thing written is the newest', async t => {
  const { run, box, line } = await connected(await profileOf('go-e'))
  await run(20, 16)
  line.isClosed = true
  line.drop()
  await run(20, 9)
  const before = box.writes.length
  line.isClosed = false
  await run(20, 9)
  t.equal(values(box.writes.slice(before), 299)[0], 9)
})

await t.test("the box's own fail-safe is compared, and set only when that is wanted", async t => {
  const keba = await profileOf('keba-p30')
  const behaviour = { failsafeA: 16, timeoutS: 300 }
  const compared = await connected(keba, { behaviour })
  await compared.run(20, 16)
  const told = compared.events.filter(({ code }) => code === 'failsafe_mismatch')
  t.match(
    told.map(({ detail }) => detail),
    [/waits 300 s.*wanted are 30 s/, /falls back to 16 A.*says 6 A/],
  )
  t.strictSame(values(compared.box.writes, 5016), [], 'nothing set')

  const managed = await connected(keba, { behaviour, manage: true, timeoutS: 60 })
  await managed.run(20, 16)
  t.strictSame(values(managed.box.writes, 5016), [6000])
  t.equal(values(managed.box.writes, 5018)[0], 60)
  t.match(managed.codes(), ['failsafe_set', 'output_connected'])
  managed.line.drop()
  await managed.run(20, 16)
  t.strictSame(values(managed.box.writes, 5016), [6000], 'what is right is left alone')
  t.strictSame(values(managed.box.writes, 5020), [], 'and never stored')
  await managed.kill()
  await managed.time.advance(60_000)
  t.equal(managed.box.offeredA, 6)

  const pausing = await connected(keba, { behaviour, manage: true, failsafeA: 0 })
  await pausing.run(5, 16)
  t.strictSame(values(pausing.box.writes, 5016), [0])
})

await t.test('what is left behind on an orderly stop', async t => {
  const goE = await profileOf('go-e')
  for (const [stop, leftA] of [
    ['failsafe', 8],
    ['pause', 0],
    ['leave', 16],
  ] as const) {
    const { run, box, driver, time } = await connected(goE, { failsafeA: 8, stop })
    await run(10, 16)
    const closed = driver.close()
    await time.advance(1500)
    await closed
    t.equal(box.offeredA, leftA, stop)
  }
})

await t.test('a box is prepared once, not at each connection', async t => {
  const { run, box, line } = await connected(await profileOf('heidelberg-ec'))
  await run(5, 16)
  t.strictSame(values(box.writes, 258), [4])
  line.drop()
  await run(10, 16)
  t.strictSame(values(box.writes, 258), [4], 'it holds the value already')
  box.restart()
  line.drop()
  await run(10, 16)
  t.strictSame(values(box.writes, 258), [4, 4], 'it has lost it')
})

await t.test('a lower value of another master is kept, and tried again ever later', async t => {
  const { run, box, events } = await connected(await profileOf('heidelberg-ec'))
  await run(20, 16)
  for (const keptS of [60, 120]) {
    const before = box.writes.length
    box.setByOther(9)
    await run(keptS - 5, 16)
    const most = Math.max(...values(box.writes.slice(before), 261).map(value => value!))
    t.ok(most <= 90, `never above 9 A for ${keptS} s: ${most / 10} A`)
    t.equal(box.offeredA, 9)
    await run(25, 16)
    t.equal(box.offeredA, 16)
  }
  const told = events.filter(({ code }) => code === 'contention')
  t.equal(told.length, 2)
  t.match(told[0]!.detail, /from 16 A to 9 A without having been told/)
})

await t.test('our own lower value goes below that of another master', async t => {
  const { run, box } = await connected(await profileOf('heidelberg-ec'))
  await run(20, 16)
  box.setByOther(9)
  await run(5)
  await run(10, 7)
  t.equal(box.offeredA, 7)
})

await t.test('a higher value of another master is taken back at once', async t => {
  for (const id of ['heidelberg-ec', 'keba-p30', 'alfen-ng9xx', 'go-e']) {
    const { run, box, events } = await connected(await profileOf(id))
    await run(20, 8)
    box.setByOther(16)
    await run(4)
    t.equal(box.offeredA, 8, id)
    t.match(events.at(-1), { code: 'contention', detail: /from 8 A to 16 A/ }, id)
  }
})

await t.test('a command that is not taken over is told after ten seconds, once', async t => {
  const { run, box, events, statuses, tell } = await connected(await profileOf('keba-p40'))
  await run(20, 16)
  box.behaviour = { ...box.behaviour, ignores: true }
  tell(8)
  await run(9)
  t.notOk(events.some(({ code }) => code === 'limit_not_applied'))
  t.equal(statuses.at(-1)?.offeredA, 16, 'the core hears it at once')
  await run(5)
  t.match(events.at(-1), {
    level: 'error',
    code: 'limit_not_applied',
    detail: /16 A is in force, told was 8 A/,
  })
  await run(10, 8)
  t.equal(events.filter(({ code }) => code === 'limit_not_applied').length, 1)
  await run(50, 8)
  t.equal(box.offeredA, 6, 'left to its own fail-safe in the end')
})

await t.test('a box that rounds is not a box that disobeys', async t => {
  const { run, box, events } = await connected(await profileOf('heidelberg-ec'), {
    behaviour: { rounding: 'down' },
  })
  await run(60, 13.7)
  t.equal(box.offeredA, 13)
  t.strictSame(
    events.map(({ code }) => code),
    ['output_connected'],
  )
  const up = await connected(await profileOf('heidelberg-ec'), {
    behaviour: { rounding: 'nearest' },
  })
  await up.run(15, 13.7)
  t.ok(up.codes().includes('limit_not_applied'), 'rounding up is')
})

await t.test('swapped bytes are seen before anything is written', async t => {
  const { run, box, events } = await connected(await profileOf('go-e'), {
    behaviour: { swapsBytes: true },
  })
  await run(20, 16)
  t.equal(box.writes.length, 0)
  t.match(
    events.find(({ code }) => code === 'profile_mismatch'),
    {
      level: 'error',
      detail: /firmware 60\.3 swaps bytes.*reads 4096/,
    },
  )
  t.ok(events.some(({ code }) => code === 'output_unreachable'))
})

await t.test('the wrong firmware is seen before anything is written', async t => {
  const { run, box, codes } = await connected(await profileOf('phoenix-ev-eth'), {
    // Tenths of an ampere: 160 in the register.
    behaviour: { defaultA: 160 },
  })
  box.setByOther(160)
  await run(5, 16)
  t.equal(box.writes.length, 0)
  t.ok(codes().includes('profile_mismatch'))
})

await t.test('a wrong unit id is silence, and silence is told', async t => {
  const { run, box, events } = await connected(await profileOf('heidelberg-ec'), { unit: 9 })
  await run(30, 16)
  t.equal(box.writes.length, 0)
  t.match(events.find(({ code }) => code === 'output_lost')?.detail, /unit 9 does not answer/)
  t.ok(events.some(({ code }) => code === 'output_unreachable'))
})

await t.test(
  'exceptions: busy is asked again, a missing register once, a missing limit is the wrong box',
  async t => {
    const keba = await profileOf('keba-p30')
    const busy = await connected(keba)
    await busy.run(10, 16)
    busy.box.behaviour = { ...busy.box.behaviour, busy: 2 }
    const at = busy.time.now()
    busy.tell(8)
    await busy.time.advance(2000)
    const told = to(busy.box.writes, 5004).find(write => write.at >= at && write.words[0] === 8000)
    t.ok(told !== undefined && told.at - at >= 500, `after ${told!.at - at} ms`)
    t.notOk(busy.codes().includes('output_unreachable'))

    const lacking = await connected(await profileOf('heidelberg-ec'), {
      behaviour: { missing: [14, 100, 258, 262] },
    })
    await lacking.run(20, 16)
    t.equal(lacking.box.offeredA, 16)
    t.strictSame(lacking.codes(), ['output_connected'])
    t.match(lacking.statuses.at(-1), { state: 'C', currentA: [16, 16, 16], powerW: null })

    const wrong = await connected(keba, { behaviour: { missing: [5004] } })
    await wrong.run(10, 16)
    t.match(
      wrong.events.find(({ code }) => code === 'profile_mismatch')?.detail,
      /5004.*no such register.*not the box/,
    )

    const auto: ChargerProfile = {
      ...keba,
      limit: { ...keba.limit, write: { ...keba.limit.write, fc: 'auto' } },
      pause: { kind: 'zero' },
    }
    const old = await connected(auto, { behaviour: { unknownFunctions: [6] } })
    await old.run(10, 16)
    t.equal(old.box.offeredA, 16)
    t.strictSame([...new Set(to(old.box.writes, 5004).map(({ fc: code }) => code))], [16])
  },
)

await t.test('a stored register is spared: never unchanged, raises wait, cuts do not', async t => {
  const keba = await profileOf('keba-p40')
  const stored: ChargerProfile = {
    ...keba,
    limit: { ...keba.limit, storage: 'flash', minWriteIntervalS: 60 },
  }
  const { run, box, tell, time } = await connected(stored)
  await run(50, 10)
  t.strictSame(values(box.writes, 5004), [10_000])
  await run(30, 16)
  t.strictSame(values(box.writes, 5004), [10_000, 16_000], 'after the minute')
  const [first, second] = to(box.writes, 5004)
  t.ok(second!.at - first!.at < 61_000, 'and no later')
  const at = time.now()
  tell(7)
  await time.advance(1000)
  const last = to(box.writes, 5004).at(-1)!
  t.strictSame([last.words[0], last.at - at < 500], [7000, true], 'at once')
})

await t.test('a look tells what the box measures', async t => {
  const { run, statuses, box, time } = await connected(await profileOf('keba-p30'))
  await run(10, 13)
  t.match(statuses.at(-1), {
    chargePoint: '1',
    state: 'C',
    offeredA: 13,
    currentA: [13, 13, 13],
    powerW: 8970,
    maxA: 32,
  })
  t.ok(time.now() - statuses.at(-1)!.at < 5000)
  box.behaviour = { ...box.behaviour, wantsA: undefined }
  await run(5, 13)
  t.match(statuses.at(-1), { state: 'A', currentA: [0, 0, 0] })
})

await t.test('no look keeps a box alive whose decisions are over', async t => {
  const { run, box } = await connected(await profileOf('heidelberg-ec'), {
    behaviour: { timeoutS: 15 },
  })
  await run(20, 16)
  await run(28)
  const { reads } = countReads(box)
  await run(9)
  t.equal(reads(), 0)
})

function countReads(box: { read: (fc: 1 | 3 | 4, address: number, count: number) => number[] }) {
  const original = box.read.bind(box)
  let count = 0
  box.read = (...args) => {
    count += 1
    return original(...args)
  }
  return { reads: () => count }
}

await t.test(
  'whatever comes: never above the decision, never a current that does not exist, never a stored register',
  async () => {
    const profiles = shippedProfiles()
    const step = fc.record({
      limitA: fc.constantFrom(0, 5.9, 6, 6.4, 10, 13.27, 16, 20, 32),
      seconds: fc.integer({ min: 1, max: 12 }),
      what: fc.constantFrom('nothing', 'nothing', 'drop', 'cut', 'restart', 'other', 'busy'),
      other: fc.constantFrom(0, 6, 9, 16),
    })
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...profiles),
        fc.array(step, { minLength: 2, maxLength: 8 }),
        async (profile, steps) => {
          const { box, line, tell, run, time, faults, driver } = await connected(profile)
          const decisions: { at: number; limitA: number }[] = []
          for (const { limitA, seconds, what, other } of steps) {
            if (what === 'drop' || what === 'cut') line.drop()
            line.isCut = what === 'cut'
            if (what === 'restart') box.restart()
            if (what === 'other') box.setByOther(other)
            if (what === 'busy') box.behaviour = { ...box.behaviour, busy: 1 }
            decisions.push({ at: time.now(), limitA })
            tell(limitA)
            await run(seconds)
          }
          line.isCut = false
          line.drop()
          const last = decisions.at(-1)!.limitA
          for (let i = 0; i < 4; i += 1) await run(10, last)
          if (faults.length > 0) throw faults[0]
          for (const { at, fc: code, address, words } of box.writes) {
            if (code !== 5 && isStored(profile, address)) return false
            if (address !== profile.limit.write.address) continue
            // A command may be on its way for as long as its requests take.
            const valid = decisions.filter(
              (_, i) => (decisions[i + 1]?.at ?? Number.POSITIVE_INFINITY) > at - 2500,
            )
            const most = Math.max(...valid.filter(decision => decision.at <= at).map(d => d.limitA))
            const toldA = amperesIn(profile, words)
            const floor = profile.pause.kind === 'zero' ? 0 : profile.limit.min
            if (toldA > Math.max(most, floor) + 1e-9) return false
            if (toldA > 0 && toldA < profile.limit.min - 1e-6) return false
          }
          return true
        },
      ),
      { numRuns: 60 },
    )
  },
)

/** What stands in the registers of a limit, A, read by other means than the code under test. */
function amperesIn({ limit, transport }: ChargerProfile, words: readonly number[]): number {
  const big = transport.wordOrder === 'big' ? words : [...words].reverse()
  if (limit.write.type === 'float32')
    return Buffer.from(big.flatMap(word => [word >> 8, word & 0xff])).readFloatBE(0)
  return big.reduce((sum, word) => sum * 65_536 + word, 0) * limit.write.scale
}
