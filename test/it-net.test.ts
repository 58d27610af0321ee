import { existsSync, readFileSync } from 'node:fs'
import t from 'tap'
import { estimateL2, safeL2, type ThreeWire } from '../src/it-net.ts'

const round = (x: number | null) => (x === null ? null : Number(x.toFixed(2)))

/** Frames of real meters: sent values, and the current of line 2 worked out by hand. */
const real: [name: string, net: ThreeWire, estimate: number, mirror: number][] = [
  ['Embriq E350', { u12: 235, u23: 232, i1: 31.8, i3: 34.32, p: 9460, q: 49 }, 9.27, 61.21],
  [
    'Kaifa MA304H3E',
    { u12: 236.7, u23: 236.7, i1: 7.087, i3: 4.206, p: 2269, q: -720 },
    6.45,
    11.29,
  ],
  [
    'Kamstrup 6841121',
    { u12: 238, u23: 240, u13: 239, i1: 2.84, i3: 10.21, p: 2690, q: -218 },
    8.42,
    12.97,
  ],
  [
    'Aidon 6525, negative current',
    { u12: 236.7, u23: 233.9, u13: 235.8, i1: -7.4, i3: 6.4, p: 1321, q: 1385 },
    1.71,
    12.61,
  ],
]
for (const [name, net, estimate, mirror] of real) {
  t.test(`${name}: estimate and mirror solution`, async t => {
    const line = estimateL2(net)
    t.equal(round(line.estimate), estimate)
    t.equal(round(line.mirror), mirror)
    t.equal(line.closes, true)
    t.equal(line.method, 'it-triangle')
  })
}

const at230 = { u12: 230, u23: 230 }
const constructed: [name: string, net: ThreeWire, estimate: number, mirror: number | undefined][] =
  [
    ['10 A L1-L2 and 10 A L2-L3', { ...at230, i1: 10, i3: 10, p: 4600, q: 0 }, 17.32, undefined],
    ['16 A L1-L3 alone', { ...at230, i1: 16, i3: 16, p: 3680, q: 0 }, 0, 27.71],
    ['32 A L1-L3 and 10 A L1-L2', { ...at230, i1: 38, i3: 32, p: 9660, q: 0 }, 10, 64.28],
    ['a mixed house', { ...at230, i1: 13.4, i3: 9.37, p: 5014, q: 287 }, 15.88, 22.18],
    [
      'balanced 10 A, power factor 1',
      { ...at230, i1: 10, i3: 10, p: Math.sqrt(3) * 2300, q: 0 },
      10,
      undefined,
    ],
    [
      'balanced 10 A, power factor 0.8',
      { ...at230, i1: 10, i3: 10, p: Math.sqrt(3) * 1840, q: Math.sqrt(3) * 1380 },
      10,
      undefined,
    ],
  ]
for (const [name, net, estimate, mirror] of constructed) {
  t.test(name, async t => {
    const line = estimateL2(net)
    t.ok(Math.abs(line.estimate - estimate) < 0.06, `${line.estimate} is ${estimate}`)
    if (mirror !== undefined)
      t.ok(Math.abs(line.mirror! - mirror) < 0.06, `mirror ${line.mirror} is ${mirror}`)
  })
}

t.test(
  'swapped terminals: estimate and mirror change places, the larger counts where both fit',
  async t => {
    for (const [name, net, estimate, mirror] of real) {
      const line = estimateL2(net, '3-2-1')
      t.equal(round(line.estimate), mirror, name)
      t.equal(round(line.mirror), estimate, name)
      t.ok(!line.mirrorFits || safeL2(line) >= Math.max(estimate, mirror), name)
    }
    const single = estimateL2({ ...at230, i1: 16, i3: 16, p: 3680, q: 0 }, '3-2-1')
    t.equal(round(single.mirror), 0)
    t.equal(single.mirrorFits, true)
    t.ok(Math.abs(safeL2(single) - 28.71) < 0.02, 'the larger one')
  },
)

t.test('what cannot be computed is bounded', async t => {
  const idle = estimateL2({ ...at230, i1: 0, i3: 8, p: 1800, q: 0 })
  t.equal(idle.method, 'it-kirchhoff')
  t.equal(idle.estimate, 8)
  const noQ = estimateL2({ ...at230, i1: 5, i3: 8, p: 1800, q: null })
  t.equal(noQ.method, 'it-bound')
  t.equal(noQ.estimate, 13)
  const tooMuchPower = estimateL2({ ...at230, i1: 5, i3: 8, p: 3100, q: 0 })
  t.equal(tooMuchPower.closes, false)
  t.equal(tooMuchPower.estimate, 13)
  const tooLittle = estimateL2({ ...at230, i1: 20, i3: 2, p: 300, q: 0 })
  t.equal(tooLittle.closes, false)
  t.equal(tooLittle.lower, 18)
  t.equal(estimateL2({ ...at230, i1: 5, i3: 5, p: 0, q: 0 }).method, 'it-bound')
})

t.test('the value held against the fuse', async t => {
  const at = (net: ThreeWire) => round(safeL2(estimateL2(net)))
  t.equal(at({ ...at230, i1: 10, i3: 10, p: 4600, q: 0 }), 18.32, 'one ampere more')
  t.equal(at({ ...at230, i1: 16, i3: 16, p: 3680, q: 0 }), 1, 'the mirror does not fit')
  t.equal(at({ ...at230, i1: 5, i3: 8, p: 3100, q: 0 }), 13, 'the bound as it is')
  t.equal(at({ ...at230, i1: 0, i3: 8, p: 1800, q: 0 }), 8, 'exact as it is')
})

/** Random single-phase and three-phase loads, added as phasors. */
t.test('random loads: never more than half an ampere low', async t => {
  let seed = 7
  const random = () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return seed / 2 ** 32
  }
  const unit = (deg: number) => [Math.cos((deg * Math.PI) / 180), Math.sin((deg * Math.PI) / 180)]
  let low = 0
  let closed = 0
  for (let n = 0; n < 5000; n++) {
    // U12 at 30, U23 at -90, U31 at 150 degrees.
    const lines = [
      [0, 0],
      [0, 0],
      [0, 0],
    ]
    let p = 0
    let q = 0
    for (const [from, to, angle] of [
      [0, 1, 30],
      [1, 2, -90],
      [2, 0, 150],
    ] as const) {
      const amperes = random() * 25
      const lag = Math.acos(0.75 + 0.25 * random()) * (180 / Math.PI)
      const [x, y] = unit(angle - lag)
      for (const [line, sign] of [
        [from, 1],
        [to, -1],
      ] as const) {
        lines[line]![0]! += sign * amperes * x!
        lines[line]![1]! += sign * amperes * y!
      }
      p += 230 * amperes * Math.cos((lag * Math.PI) / 180)
      q += 230 * amperes * Math.sin((lag * Math.PI) / 180)
    }
    const [i1, i2, i3] = lines.map(([x, y]) => Math.hypot(x!, y!))
    const line = estimateL2({ ...at230, i1: i1!, i3: i3!, p, q })
    if (line.closes) closed++
    if (safeL2(line) < i2! + 0.5 - 1e-9 && safeL2(line) < line.upper) low++
  }
  t.equal(closed, 5000)
  t.equal(low, 0)
})

const index = new URL('../../shared/captures/norway/index.json', import.meta.url)
t.test(
  'captures with a worked estimate',
  existsSync(index) ? {} : { skip: 'the captures are not on this machine' },
  async t => {
    const fields: { id: string; f: Record<string, number>; estimate: number }[] = []
    const visit = (id: string, node: unknown): void => {
      if (typeof node !== 'object' || node === null) return
      const { derived, fields: f } = node as Record<string, Record<string, number>>
      if (derived?.['current_L2_A_estimate'] !== undefined && f !== undefined)
        fields.push({ id, f, estimate: derived['current_L2_A_estimate'] })
      for (const child of Object.values(node)) visit(id, child)
    }
    for (const capture of JSON.parse(readFileSync(index, 'utf8')).captures)
      visit(capture.id, capture)
    t.ok(fields.length >= 10, `${fields.length} frames`)
    for (const { id, f, estimate } of fields) {
      const u13 = f['voltage_L2_V']
      const line = estimateL2({
        u12: f['voltage_L1_V']!,
        u23: f['voltage_L3_V']!,
        ...(u13 === undefined || u13 === 0 ? {} : { u13 }),
        i1: f['current_L1_A']!,
        i3: f['current_L3_A']!,
        p: f['active_power_import_W']! - (f['active_power_export_W'] ?? 0),
        q: f['reactive_power_import_var']! - (f['reactive_power_export_var'] ?? 0),
      })
      t.ok(Math.abs(line.estimate - estimate) <= 0.011, `${id}: ${line.estimate} is ${estimate}`)
      t.equal(line.method, 'it-triangle', id)
    }
  },
)
