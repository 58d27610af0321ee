/**
 * What every box does when its master dies, its cable is pulled, it restarts, refuses or lags: virtual time, the whole
 * way from the driver to the simulated box's pilot.
 */
import t from 'tap'
import { shippedProfiles } from '../src/io/modbus/profile-files.ts'
import { connected } from './modbus-fakes.ts'

const PROFILES = shippedProfiles()
const TIMEOUT_S = 30
const SAFE_A = 6

t.equal(PROFILES.length, 21)

for (const profile of PROFILES) {
  const isDevice = profile.deadMan === 'device'
  /** After this, in seconds, a box that nobody speaks to is at its safe current. */
  const fallsS = isDevice ? TIMEOUT_S : Number.POSITIVE_INFINITY

  await t.test(profile.profile, async t => {
    await t.test('killed: the box ends at its own safe current, or is named before', async t => {
      const { run, box, kill, codes, faults, time } = await connected(profile)
      await run(20, 16)
      t.equal(box.offeredA, 16)
      t.equal(codes().includes('dead_man_none'), !isDevice, 'said at the start')
      await kill()
      await time.advance(1000)
      t.equal(box.offeredA, 16, 'not yet')
      await time.advance(fallsS === Number.POSITIVE_INFINITY ? 3_600_000 : fallsS * 1000)
      if (isDevice) t.equal(box.offeredA, SAFE_A)
      else t.equal(box.offeredA, 16, 'for ever: what `ampacity output-safe` is for')
      t.strictSame(faults, [])
    })

    await t.test('alive for five time-outs: it never falls back', async t => {
      const { run, box, events } = await connected(profile)
      let falls = 0
      box.onFall = () => {
        falls += 1
      }
      await run(5 * TIMEOUT_S, 16)
      t.equal(falls, 0)
      t.equal(box.offeredA, 16)
      const told = events.filter(({ level }) => level !== 'info').map(({ code }) => code)
      t.strictSame(told, isDevice ? [] : ['dead_man_none'])
    })

    await t.test('cable pulled: told, and obeyed again when it is back', async t => {
      const { run, box, line, codes, faults } = await connected(profile)
      await run(20, 16)
      line.isCut = true
      await run(Math.min(fallsS, 60) + 1, 8)
      if (isDevice) t.ok(box.offeredA <= SAFE_A, `at ${box.offeredA} A`)
      t.ok(codes().includes('output_lost'))
      t.ok(codes().includes('output_unreachable'))
      line.isCut = false
      line.drop()
      await run(35, 8)
      t.equal(box.offeredA, 8)
      t.equal(codes().at(-1), 'output_recovered')
      t.strictSame(faults, [])
    })

    await t.test('restarted to its defaults: told within seconds', async t => {
      const { run, box, line, codes } = await connected(profile)
      await run(20, 8)
      t.equal(box.offeredA, 8)
      box.restart()
      line.drop()
      t.equal(box.offeredA, 16)
      await run(5, 8)
      t.equal(box.offeredA, 8)
      if (profile.transport.kinds.includes('tcp'))
        t.match(codes().slice(-2), ['output_lost', 'output_connected'])
    })

    await t.test('refusing: told, and left to its own fail-safe', async t => {
      const { run, box, codes, tell, faults } = await connected(profile)
      await run(20, 16)
      box.behaviour = { ...box.behaviour, refuses: 4 }
      tell(8)
      await run(fallsS === Number.POSITIVE_INFINITY ? 30 : fallsS + 15)
      t.ok(codes().includes('output_unreachable'))
      if (isDevice) t.ok(box.offeredA <= SAFE_A, `at ${box.offeredA} A`)
      box.behaviour = { ...box.behaviour, refuses: undefined }
      await run(70, 8)
      t.equal(box.offeredA, 8, 'obeyed when it takes commands again')
      t.strictSame(faults, [])
    })

    await t.test('lagging ten seconds: it follows, and falls back, that much later', async t => {
      const { run, box, kill, time, tell } = await connected(profile, {
        behaviour: { lagMs: 10_000 },
      })
      await run(30, 16)
      tell(8)
      await run(9)
      t.equal(box.offeredA, 16)
      await run(3)
      t.equal(box.offeredA, 8)
      await run(20, 16)
      t.equal(box.offeredA, 16)
      await kill()
      await time.advance(Math.min(fallsS, 60) * 1000 + 10_000)
      if (isDevice) t.equal(box.offeredA, SAFE_A)
    })

    await t.test('decisions stop while the agent lives: the safe current, once', async t => {
      const { run, box, codes, time, tell } = await connected(profile)
      await run(20, 16)
      tell(16)
      await run(29)
      t.equal(box.offeredA, 16)
      await run(3)
      t.equal(box.offeredA, SAFE_A)
      t.equal(codes().filter(code => code === 'command_expired').length, 1)
      await run(40)
      t.ok(box.offeredA <= SAFE_A)
      tell(10)
      await time.advance(3000)
      // A raise waits where the register may wear out.
      await run(profile.limit.minWriteIntervalS + 3)
      t.equal(box.offeredA, 10)
    })

    await t.test('a pause outlives the validity of its decision', async t => {
      const { run, box, tell } = await connected(profile)
      await run(20, 16)
      tell(0)
      await run(40)
      // The box's own fail-safe may be higher than a pause; ours is not.
      const own = profile.keepalive.kind === 'any' || profile.keepalive.kind === 'token'
      t.ok(box.offeredA === 0 || (own && box.fallen), `at ${box.offeredA} A`)
    })

    await t.test('stopped in order: the safe current is left behind', async t => {
      const { run, box, driver, time, running, codes } = await connected(profile)
      await run(20, 16)
      const closed = driver.close()
      await time.advance(1500)
      await closed
      t.equal(box.offeredA, SAFE_A)
      await time.advance(500)
      await running
      t.notOk(codes().includes('output_lost'))
    })
  })
}
