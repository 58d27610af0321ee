// One evening as a picture: what the house draws, what the car adds, and the fuse above both.
import { CONTROLLERS } from '../dist/src/sim/controllers/index.js'
import { scenarioFrom } from '../dist/src/sim/scenario-file.js'
import { simulate } from '../dist/src/sim/simulate.js'

const WIDTH = 960
const HEIGHT = 420
const LEFT = 56
const RIGHT = 20
const TOP = 64
const BOTTOM = 48
const START_H = 16
const HOURS = 6
const FUSE_A = 20
const TOP_A = 30
const BUCKET_S = 20

const COLOURS = { house: '#8fa8c8', car: '#5aa870', fuse: '#c0392b', limit: '#1f2d3d' }

const x = second => LEFT + ((WIDTH - LEFT - RIGHT) * second) / (HOURS * 3600)
const y = amperes => TOP + ((HEIGHT - TOP - BOTTOM) * (TOP_A - amperes)) / TOP_A
const n = value => Number(value.toFixed(1))

/** Every second of the evening on the line with the most traffic. */
function evening(seed) {
  const rows = []
  const hour = String(START_H).padStart(2, '0')
  simulate(
    scenarioFrom({ extends: 'lifelike', start: `${hour}:00`, hours: HOURS, supply: { rating_a: [FUSE_A, FUSE_A, FUSE_A] } }),
    { controller: CONTROLLERS.ampacity, seeds: [seed], days: 1, trace: row => rows.push(row) },
  )
  const traffic = line => rows.reduce((sum, row) => sum + Math.max(0, row.baseA[line] - 4), 0)
  const line = [0, 1, 2].reduce((a, b) => (traffic(b) > traffic(a) ? b : a))
  return { line, rows }
}

/** Largest and last values of each stretch, so that no peak is lost. */
function buckets(rows, line) {
  const result = []
  for (let s = 0; s < rows.length; s += BUCKET_S) {
    const part = rows.slice(s, s + BUCKET_S)
    const peak = part.reduce((a, b) => (b.baseA[line] + b.carA[line] > a.baseA[line] + a.carA[line] ? b : a))
    result.push({ s, house: peak.baseA[line], car: peak.carA[line], limit: part.at(-1).limitA })
  }
  return result
}

const area = (points, from, to) =>
  `M${points.map(p => `${n(x(p.s))},${n(y(Math.min(TOP_A, to(p))))}`).join('L')}L${[...points]
    .reverse()
    .map(p => `${n(x(p.s))},${n(y(Math.min(TOP_A, from(p))))}`)
    .join('L')}Z`

/** Self-contained SVG; `seed` chooses the home. */
export function eveningPicture(seed = 27) {
  const { line, rows } = evening(seed)
  const points = buckets(rows, line)
  const stairs = points
    .map((p, k) => `${k === 0 ? 'M' : 'H'}${n(x(p.s))}${k === 0 ? `,${n(y(p.limit))}` : `V${n(y(p.limit))}`}`)
    .join('')
  const grid = Array.from({ length: TOP_A / 5 + 1 }, (_, k) => 5 * k)
  const hours = Array.from({ length: HOURS + 1 }, (_, k) => k)
  const legend = [
    [COLOURS.house, 'house', 'area'],
    [COLOURS.car, 'car', 'area'],
    [COLOURS.fuse, `fuse ${FUSE_A} A`, 'dash'],
    [COLOURS.limit, 'limit commanded to the wallbox', 'line'],
    ['none', 'white up to the fuse: headroom', 'area'],
  ]
  let at = LEFT
  const key = legend.map(([colour, text, kind]) => {
    const mark =
      kind === 'area'
        ? `<rect x="${at}" y="38" width="14" height="10" fill="${colour === 'none' ? '#fff' : colour}" stroke="#999" stroke-width=".5"/>`
        : `<path d="M${at},43h14" stroke="${colour}" stroke-width="2"${kind === 'dash' ? ' stroke-dasharray="5 3"' : ''}/>`
    const label = `<text x="${at + 20}" y="47">${text}</text>`
    at += 44 + text.length * 6.6
    return mark + label
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" font-family="system-ui, sans-serif" font-size="12" fill="#333">
<title>One simulated evening: current of line ${line + 1}</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>
<text x="${LEFT}" y="22" font-size="15" font-weight="600">One simulated evening on line L${line + 1}: the car takes what the house leaves</text>
${key.join('\n')}
<g stroke="#e4e4e4">${grid.map(a => `<path d="M${LEFT},${n(y(a))}H${WIDTH - RIGHT}"/>`).join('')}${hours
    .map(h => `<path d="M${n(x(h * 3600))},${TOP}V${HEIGHT - BOTTOM}"/>`)
    .join('')}</g>
<path d="${area(points, () => 0, p => Math.max(0, p.house))}" fill="${COLOURS.house}"/>
<path d="${area(points, p => Math.max(0, p.house), p => Math.max(0, p.house) + p.car)}" fill="${COLOURS.car}"/>
<path d="M${LEFT},${n(y(FUSE_A))}H${WIDTH - RIGHT}" stroke="${COLOURS.fuse}" stroke-width="2" stroke-dasharray="7 4"/>
<path d="${stairs}" fill="none" stroke="${COLOURS.limit}" stroke-width="1.4"/>
<path d="M${LEFT},${TOP}V${HEIGHT - BOTTOM}H${WIDTH - RIGHT}" fill="none" stroke="#666"/>
<g text-anchor="end">${grid.map(a => `<text x="${LEFT - 8}" y="${n(y(a) + 4)}">${a}</text>`).join('')}</g>
<g text-anchor="middle">${hours.map(h => `<text x="${n(x(h * 3600))}" y="${HEIGHT - BOTTOM + 18}">${START_H + h}:00</text>`).join('')}
<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}">time of day</text>
<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)">current, A</text></g>
</svg>
`
}
