// One run, two tables: how long a telegram of every transport takes, and how many recordings are read rightly.
// Ratios within the run mean something; single times depend on the machine. Nothing here fails a build.
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { auto, decoders } from '../dist/decoders/index.js'
import { number } from '../dist/src/sim/dlms/items.js'
import { bare } from '../dist/src/sim/dlms/telegram.js'
import { encodeGeneralGlo } from '../dist/src/sim/encode/general-glo.js'
import { encodeP1, quantity } from '../dist/src/sim/encode/p1-encoder.js'
import { encodeSmlTelegram } from '../dist/src/sim/encode/sml-telegram.js'
import { DLMS_SAMPLES } from '../dist/src/sim/fixtures/dlms-meters.js'
import { protection } from '../dist/src/sim/fixtures/dlms-values.js'
import { telegramOf } from '../dist/src/sim/fixtures/dlms.js'
import { LUXEMBOURG } from '../dist/src/sim/fixtures/p1-elsewhere.js'
import { LUXEMBOURG_AK, PROTECTION } from '../dist/src/sim/fixtures/p1-streams.js'
import { NETHERLANDS } from '../dist/src/sim/fixtures/p1-west.js'
import { SML_SAMPLES } from '../dist/src/sim/fixtures/sml-meters.js'
import { fixtureOptions, microseconds } from './common.mjs'
import { PEERS } from './peers.mjs'
import { judgeRecordings } from './recordings.mjs'

const COUNTS = { warmUp: 4000, rounds: 20, calls: 300 }
const SERIES = COUNTS.warmUp + COUNTS.rounds * COUNTS.calls
const FIRST_COUNTER = 5000
/** Watts by which telegrams of a series differ. */
const SPREAD_W = 97

const byId = (samples, id) => samples.find(sample => sample.id === id)

/** Telegrams of a pushed list: the power differs from one to the next, and the counter of a protected one rises. */
function dlms(name, id, isProtected = true) {
  const sample = byId(DLMS_SAMPLES, id)
  const { security } = sample
  const title = sample.keys?.keys[0].system_title
  const seal = security !== undefined && isProtected ? n => protection(title, FIRST_COUNTER + n, security) : undefined
  const clear = n => ({
    ...sample,
    items: sample.items.map(item =>
      item.obis.endsWith(':1.7.0')
        ? number(item.data.tag, item.obis, item.value + (n % SPREAD_W), item.scaler, item.unit)
        : item,
    ),
    protect: apdu => apdu,
  })
  const protect = n => (seal === undefined ? apdu => apdu : apdu => encodeGeneralGlo(apdu, seal(n)))
  return {
    name,
    folder: 'dlms',
    id,
    decoder: 'dlms-push',
    transport: sample.link,
    seal,
    content: n => telegramOf({ ...clear(n), transport: bare }),
    telegram: n => telegramOf({ ...clear(n), protect: protect(n) }),
  }
}

/** Telegrams of a P1 port, protected where `protection` says how. */
function p1(name, id, meter, protectedBy) {
  const seal = protectedBy && (n => ({ ...protectedBy, invocationCounter: FIRST_COUNTER + n }))
  const lines = meter.rows.map(([code, value]) => [code, value])
  const power = lines.findIndex(([code]) => code === '1-0:1.7.0')
  const text = n =>
    encodeP1({
      ...meter.telegram,
      lines: lines.with(power, ['1-0:1.7.0', quantity(4000 + (n % SPREAD_W), 'kW', 2, 3)]),
    })
  return {
    name,
    folder: 'p1',
    id,
    decoder: 'p1',
    transport: protectedBy ? 'p1-encrypted' : 'p1',
    seal,
    content: text,
    telegram: seal === undefined ? text : n => encodeGeneralGlo(text(n), seal(n)),
  }
}

const SML_POWER = /:1[56]\.7\.0\*/

/** SML telegrams whose power and transaction change. */
function sml(name, id) {
  const { telegram } = byId(SML_SAMPLES, id)
  return {
    name,
    folder: 'sml',
    id,
    decoder: 'sml',
    transport: 'sml',
    telegram: n =>
      encodeSmlTelegram({
        ...telegram,
        transaction: telegram.transaction + 3 * n,
        values: telegram.values.map(entry =>
          SML_POWER.test(entry.obis)
            ? { ...entry, value: { ...entry.value, value: entry.value.value + (n % SPREAD_W) } }
            : entry,
        ),
      }),
  }
}

const TRANSPORTS = [
  dlms('Kamstrup, Denmark, HDLC, SC 30', 'kamstrup-dk-3ph'),
  dlms('the same in clear', 'kamstrup-dk-3ph', false),
  dlms('L+G E450, Switzerland, object list in blocks', 'lg-e450-ch'),
  dlms('Kaifa, Austria, M-Bus, SC 20', 'kaifa-netznoe'),
  dlms('TCP wrapper, SC 10', 'wrapper-authenticated'),
  p1('DSMR 5', 'nl-dsmr50', byId(NETHERLANDS, 'nl-dsmr50')),
  p1('Luxembourg P1, SC 30', 'lu-smarty-encrypted', LUXEMBOURG, {
    ...PROTECTION,
    authenticationKey: LUXEMBOURG_AK,
  }),
  sml('SML, modern', 'modern-import'),
  sml('SML, old with tariffs', 'edl-import'),
  sml('SML, every phase', 'phases'),
]

/** Time of a decoder over a series of which it must read every telegram, µs. */
function ownTime(definition, options, series) {
  const parsed = definition.parseOptions(options)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = definition.create(parsed.value)
  let next = 0
  let readings = 0
  const time = microseconds(() => {
    for (const { type } of decoder.push(series[next++], 0)) if (type === 'reading') readings++
  }, COUNTS)
  if (readings !== series.length) throw new Error(`${definition.id} read ${readings} of ${series.length} telegrams`)
  return { time, isRead: true }
}

/** Time of the cipher alone over `content`: a decipher made, the bytes put through it, the tag checked. */
function cipherTime({ securityControl = 0x30, encryptionKey, authenticationKey, systemTitle }, content) {
  const isTagged = (securityControl & 0x10) !== 0
  const isEncrypted = (securityControl & 0x20) !== 0
  const nonce = Buffer.concat([systemTitle, Buffer.alloc(4)])
  const aad = Buffer.concat([Buffer.from([securityControl]), authenticationKey, isEncrypted ? Buffer.alloc(0) : content])
  const start = create => {
    const cipher = create('aes-128-gcm', encryptionKey, nonce, { authTagLength: 12 })
    return isTagged ? cipher.setAAD(aad) : cipher
  }
  const cipher = start(createCipheriv)
  const bytes = isEncrypted ? cipher.update(content) : undefined
  cipher.final()
  const tag = cipher.getAuthTag()
  return microseconds(() => {
    const decipher = start(createDecipheriv)
    if (isTagged) decipher.setAuthTag(tag)
    if (bytes !== undefined) decipher.update(bytes)
    if (isTagged) decipher.final()
  }, COUNTS)
}

function peerTime(peer, { transport, seal }, series) {
  if (!peer.isInstalled) return { said: 'not installed' }
  if (!peer.transports.includes(transport)) return { said: '–' }
  let readings = 0
  const sink = { reading: () => readings++, error() {} }
  const reader = peer.create(sink, transport, seal?.(0))
  let next = 0
  const time = microseconds(() => reader.push(series[next++]), peer.counts)
  reader.close()
  return { time, isRead: readings === next }
}

/** Results of all in turn, twice: whoever comes first pays for code that is still being compiled. */
function inTurns(runs) {
  const first = runs.map(run => run())
  return runs.map((run, i) => ({ ...first[i], time: Math.min(first[i].time, run().time) }))
}

const shown = ({ said, time, isRead }, own) => {
  if (said !== undefined) return said
  return isRead ? `${time.toFixed(1)} (× ${(time / own).toFixed(1)})` : `not read (${time.toFixed(1)})`
}

function timing() {
  console.log('## Decoding, µs a telegram\n')
  console.log('Every telegram is another one: its power changes, and the counter of a protected one rises.')
  console.log('Dedicated is told link and keys, auto the keys alone; × is against dedicated; – is a transport it is not for.\n')
  console.log(`| telegram | bytes | dedicated | auto | cipher alone | ${PEERS.map(({ name }) => name).join(' | ')} |`)
  console.log(`|---|---:|---:|---:|---:|${PEERS.map(() => '---:|').join('')}`)
  for (const transport of TRANSPORTS) {
    const { name, folder, id, decoder, seal, telegram } = transport
    const series = Array.from({ length: SERIES }, (_, n) => Buffer.from(telegram(n)))
    const options = fixtureOptions(folder, id)
    const { link: _, ...untold } = options
    const [own, raced, ...others] = inTurns([
      () => ownTime(byId(decoders, decoder), options, series),
      () => ownTime(auto, untold, series),
      ...PEERS.map(peer => () => peerTime(peer, transport, series)),
    ])
    const cipher =
      seal === undefined ? '' : cipherTime(seal(0), transport.content(0)).toFixed(1)
    const cells = [own.time.toFixed(1), raced.time.toFixed(1), cipher, ...others.map(other => shown(other, own.time))]
    console.log(`| ${name} | ${series[0].length} | ${cells.join(' | ')} |`)
  }
}

timing()
judgeRecordings()
process.exit()
