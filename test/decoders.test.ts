import t from 'tap'
import { auto, decoders } from '../decoders/index.ts'
import { contract, feed, fixtureBytes, fixtures } from './decoder-contract.ts'

const norway = fixtures('norway')

t.test('ids are unique', async t => {
  const ids = [...decoders, auto].map(d => d.id)
  t.equal(new Set(ids).size, ids.length)
  t.equal(ids.length, 11, 'the registry was visited')
})

t.test('auto', async t => {
  t.ok(norway.length >= 60, 'the fixtures were visited')
  // The transport is named, so that the loops over every cut and bit need no race; test/auto.test.ts runs the race.
  const create: typeof auto.create = options => auto.create({ link: 'hdlc', ...options })
  await contract(t, { ...auto, create }, 'norway', norway)
})

for (const definition of decoders.filter(({ id }) => id.startsWith('no-')))
  t.test(`${definition.id} reads its own telegrams and no others`, async t => {
    let visited = 0
    for (const fixture of norway.filter(f => f.type === 'frame')) {
      const events = feed(definition.create({}), fixtureBytes('norway', fixture))
      const isOwn = fixture.expected.decoder === definition.id
      t.equal(events[0]?.type, isOwn ? 'reading' : 'rejected', fixture.id)
      if (isOwn) visited++
    }
    t.ok(visited >= 8, `${visited} telegrams`)
  })

t.test(
  'the repair is off unless asked for, and then counts only with a right checksum',
  async t => {
    const fixture = norway.find(f => f.expected.repaired_crlf !== undefined)!
    const bytes = fixtureBytes('norway', fixture)
    for (const size of [1, 7, 64, bytes.length]) {
      const events = feed(auto.create({ repair: 'crlf' }), bytes, size)
      const readings = events.filter(e => e.type === 'reading')
      t.same(
        readings.map(e => e.reading.values.activePowerImportW),
        fixture.expected.repaired_crlf!.active_power_import_w,
      )
      t.equal(readings.filter(e => e.notes?.includes('repaired_crlf')).length, 1)
    }
  },
)

t.test('a list whose scaler changes is read with the new scaler', async t => {
  const fixture = norway.find(f => f.id.startsWith('aidon-6534-list2'))!
  const bytes = fixtureBytes('norway', fixture)
  const decoder = auto.create({})
  feed(decoder, bytes)
  // Scaler of the first current: structure {0f ff, 16 21}; the frame checksum is made right again by brute force.
  const at = bytes.findIndex(
    (_, i) => bytes[i] === 0x0f && bytes[i + 1] === 0xff && bytes[i + 3] === 0x21,
  )
  const other = bytes.slice()
  other[at + 1] = 0xfe
  t.ok(fixChecksum(other, bytes => feed(auto.create({}), bytes).some(e => e.type === 'reading')))
  const [first] = feed(decoder, bytes)
  const [second] = feed(decoder, other)
  if (first?.type !== 'reading' || second?.type !== 'reading') return t.fail('no readings')
  t.equal(second.reading.values.currentL1A, first.reading.values.currentL1A! / 10)
})

t.test('a scale proved six times in a row holds when too little flows to prove it', async t => {
  const fixture = norway.find(f => f.id.startsWith('kamstrup-dk-ct'))!
  const bytes = fixtureBytes('norway', fixture)
  const idle = bytes.slice()
  // The three currents are double-long-unsigned behind their codes 31, 51 and 71.7.0: one ampere each.
  for (const c of [31, 51, 71]) {
    const at = idle.findIndex(
      (_, i) => idle[i] === c && idle[i + 1] === 7 && idle[i + 2] === 0 && idle[i + 4] === 6,
    )
    idle.set([0, 0, 0x03, 0xe8], at + 5)
  }
  t.ok(fixChecksum(idle, b => feed(auto.create({}), b).some(e => e.type === 'reading')))
  const amperes = (times: number): unknown => {
    const decoder = auto.create({})
    for (let i = 0; i < times; i++) decoder.push(bytes, i)
    const event = decoder.push(idle, times)[0]
    return event?.type === 'reading' && event.reading.values.currentL1A
  }
  t.equal(amperes(5), 10, 'not yet: the larger current counts')
  t.equal(amperes(6), 1)
})

function fixChecksum(frame: Uint8Array, isGood: (frame: Uint8Array) => boolean): boolean {
  for (let fcs = 0; fcs < 0x1_0000; fcs++) {
    frame[frame.length - 3] = fcs & 0xff
    frame[frame.length - 2] = fcs >> 8
    if (isGood(frame)) return true
  }
  return false
}

t.test('options: every problem is named with its path', async t => {
  const parsed = auto.parseOptions({
    link: 'usb',
    repair: 1,
    grid: 'TT',
    scale: { current: 9, x: 1 },
    y: 2,
  })
  t.notOk(parsed.ok)
  if (parsed.ok) return
  t.same(
    parsed.problems.map(p => p.path),
    ['link', 'repair', 'grid', 'scale.current', 'scale.x', 'y'],
  )
  t.notOk(auto.parseOptions('x').ok)
  t.notOk(auto.parseOptions({ scale: 3 }).ok)
  t.ok(auto.parseOptions(undefined).ok)
  t.ok(auto.parseOptions({ grid: 'IT', scale: { current: -3 } }).ok)
})
