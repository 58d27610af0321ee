/** Numbers in registers, and limits as writes: published patterns, and what must hold for every box and every limit. */
import fc from 'fast-check'
import t from 'tap'
import { planLimit } from '../src/io/modbus/limit-plan.ts'
import type { ChargerProfile, RegisterType } from '../src/io/modbus/profile.ts'
import { isStored } from '../src/io/modbus/profile-check.ts'
import { shippedProfiles } from '../src/io/modbus/profile-files.ts'
import { decodeRaw, decodeValue, encodeAtMost, encodeNearest } from '../src/io/modbus/registers.ts'

const register = (type: RegisterType, scale = 1, words = 1) => ({ address: 0, type, scale, words })

await t.test('patterns', async t => {
  const patterns: readonly [RegisterType, number, number, number[]][] = [
    ['uint16', 1, 16, [0x0010]],
    ['uint16', 0.001, 16, [0x3e80]],
    ['int16', 0.1, -5.5, [0xffc9]],
    ['uint32', 0.001, 16, [0x0000, 0x3e80]],
    ['int32', 1, -2, [0xffff, 0xfffe]],
    ['float32', 1, 13.5, [0x4158, 0x0000]],
    ['float32', 1, -1, [0xbf80, 0x0000]],
    ['float64', 1, 1, [0x3ff0, 0, 0, 0]],
    ['uint64', 1, 65_536, [0, 0, 1, 0]],
  ]
  for (const [type, scale, value, words] of patterns) {
    t.strictSame(encodeNearest(register(type, scale), value, 'big'), words, `${type} ${value}`)
    t.strictSame(encodeNearest(register(type, scale), value, 'little'), [...words].reverse())
    t.equal(decodeValue(register(type, scale), words, 'big'), value)
    t.equal(decodeValue(register(type, scale), [...words].reverse(), 'little'), value)
  }
})

await t.test('limits are rounded down, everything else to the nearest', async t => {
  t.strictSame(encodeAtMost(register('uint16'), 13.99, 'big'), [13])
  t.strictSame(encodeNearest(register('uint16'), 13.99, 'big'), [14])
  t.strictSame(encodeAtMost(register('uint16', 0.1), 13.29, 'big'), [132])
  t.strictSame(encodeAtMost(register('uint16', 0.001), 13.2, 'big'), [13_200], 'no noise')
  t.strictSame(encodeAtMost(register('uint16', 0.001), 99, 'big'), [0xffff], 'never wrapped')
})

await t.test('what a box says instead of a number', async t => {
  t.equal(decodeValue(register('float32'), [0x7fc0, 0], 'big'), undefined, 'NaN')
  t.equal(decodeValue(register('uint32'), [0xffff, 0xffff], 'big', [0xffff_ffff]), undefined)
  t.equal(decodeValue(register('uint32'), [0xffff, 0xffff], 'big'), 0xffff_ffff)
  t.equal(decodeRaw({ type: 'ascii' }, [0x4232, 0x2000], 'big'), 'B2 ')
  t.equal(decodeRaw({ type: 'ascii' }, [0x0043], 'big'), 'C', 'a letter in the second byte')
  t.equal(decodeRaw({ type: 'uint32', mask: 0x7f00 }, [0, 0x8400], 'big'), 0x0400)
  t.equal(decodeRaw({ type: 'uint32', mask: 0x8000_0000 }, [0x8000, 0], 'big'), 0x8000_0000)
  t.equal(decodeValue(register('uint16', 0.1), [2307], 'big'), 230.7, 'no floating-point noise')
})

/** What stands in the registers of a limit, A, read by other means than the code under test. */
function amperesIn({ limit, transport }: ChargerProfile, words: readonly number[]): number {
  const big = transport.wordOrder === 'big' ? words : [...words].reverse()
  if (limit.write.type === 'float32')
    return Buffer.from(big.flatMap(word => [word >> 8, word & 0xff])).readFloatBE(0)
  return big.reduce((sum, word) => sum * 65_536 + word, 0) * limit.write.scale
}

await t.test(
  'no box is ever told more than the limit, or a current that does not exist',
  async t => {
    const profiles = shippedProfiles()
    t.equal(profiles.length, 21)
    for (const profile of profiles) {
      const { limit, pause } = profile
      const addresses = [limit.write.address, ...limit.also]
      fc.assert(
        fc.property(
          fc.oneof(
            fc.double({ min: 0, max: 90, noNaN: true }),
            fc.integer({ min: 0, max: 900 }).map(n => n / 10),
          ),
          limitA => {
            const { amperes, writes } = planLimit(profile, limitA)
            if (amperes > limitA + 1e-9 || amperes > limit.max) return false
            if (amperes !== 0 && amperes < limit.min) return false
            if (amperes === 0 && limitA >= limit.min) return false
            const told = writes.filter(({ address }) => addresses.includes(address))
            const isRight = told.every(({ words }) => {
              const a = amperesIn(profile, words)
              if (a > 0 && a < limit.min - 1e-6) return false
              // Beside a pause of its own the register may hold the least current.
              return a <= (amperes === 0 && pause.kind !== 'zero' ? limit.min : limitA) + 1e-9
            })
            return (
              isRight &&
              writes.every(({ fc: code, address }) => code === 5 || !isStored(profile, address))
            )
          },
        ),
        { numRuns: 500 },
      )
    }
  },
)

await t.test('the most is used that the step allows', async t => {
  for (const profile of shippedProfiles()) {
    const { step, max } = profile.limit
    const tenths = Array.from({ length: 10 * max - 59 }, (_, i) => 60 + i)
    const wasted = tenths.map(n => n / 10 - planLimit(profile, n / 10).amperes)
    t.ok(Math.max(...wasted) < step - 1e-9, `${profile.profile}: ${Math.max(...wasted)} A`)
  }
})

await t.test('a float is never rounded up', async () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 80, noNaN: true }), value => {
      const words = encodeAtMost(register('float32'), value, 'big')
      const found = Buffer.from(words.flatMap(word => [word >> 8, word & 0xff])).readFloatBE(0)
      return found <= value && value - found < 1e-5
    }),
    { numRuns: 2000 },
  )
})
