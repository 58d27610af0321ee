// Other people's recordings, read where they are: how many of them each reader understands with every power right.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { auto } from '../dist/decoders/index.js'
import { readingPayload } from '../dist/src/payload.js'
import { bytesOfHex, ROOT } from './common.mjs'
import { PEERS } from './peers.mjs'

/** Folder of recordings beside the project. */
const FOLDER = join(ROOT, '../shared/captures')
const POWER = /^active_power_(import|export)(_l[123])?_w$/
/** Half of the last digit that any of the meters sends. */
const TOLERANCE_W = 5e-5

/** The powers that a reading must have, by name. */
const powersOf = reading =>
  Object.fromEntries(Object.entries(reading).filter(([name, value]) => POWER.test(name) && value !== null))

const keyBytes = hex => (hex === undefined ? undefined : Buffer.from(hex, 'hex'))

/** What each folder's index says of a recording: its transport, its bytes, and the powers of every reading in order. */
const FOLDERS = {
  dlms: ({ items }) =>
    items.map(({ transport, expected, ...rest }) => ({
      ...rest,
      transport,
      // A message whose list nobody can open has its protection alone; other messages say something without powers.
      expected: (expected.messages ?? [])
        .filter(message => Object.keys(message).join() !== 'security')
        .map(({ reading }) => powersOf(reading ?? {})),
    })),
  p1: ({ items }) =>
    items.map(({ transport, expected, ...rest }) => ({
      ...rest,
      transport,
      expected: expected.telegram ? [powersOf(expected.reading)] : [],
    })),
  sml: ({ files }) =>
    files.map(({ file, kind, expected }) => ({
      id: file,
      file,
      origin: kind,
      transport: 'sml',
      expected: (expected.powerW ?? []).map(power => (power === null ? {} : { power_w: power })),
    })),
}

const bytesOf = (folder, { file }) => {
  const content = readFileSync(join(FOLDER, folder, file))
  return file.endsWith('.hex') ? bytesOfHex(content.toString('latin1')) : content
}

function ownReadings({ transport, keys }, bytes) {
  const ring = keys && {
    keys: [
      { system_title: keys.system_title ?? '*', encryption_key: keys.ek, authentication_key: keys.ak ?? null },
    ],
    broadcast_key: keys.ebk ?? null,
    dedicated_key: keys.dedicated ?? null,
  }
  const parsed = auto.parseOptions({
    ...(ring === undefined ? {} : { keys: ring }),
    ...(transport === 'apdu' ? { link: 'none' } : {}),
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  const decoder = auto.create(parsed.value)
  const events = [...decoder.push(bytes, 0), ...decoder.wake(Number.POSITIVE_INFINITY)]
  return {
    readings: events
      .filter(({ type }) => type === 'reading')
      .map(({ reading }) => ownPowers(readingPayload(reading), transport)),
    errors: events.filter(({ type }) => type === 'rejected').map(({ error }) => error.code),
  }
}

/** The powers of the index: SML has one with a sign. */
function ownPowers(payload, transport) {
  if (transport !== 'sml') return payload
  const { active_power_import_w: imported, active_power_export_w: exported } = payload
  return { power_w: imported === undefined ? undefined : imported - exported }
}

function peerReadings(peer, { transport, keys }, bytes) {
  const result = { readings: [], errors: [] }
  const sink = {
    reading: reading => result.readings.push(peer.powersOf(reading)),
    error: message => result.errors.push(message),
  }
  const protection = { encryptionKey: keyBytes(keys?.ek), authenticationKey: keyBytes(keys?.ak) }
  const reader = peer.create(sink, transport, protection)
  try {
    reader.push(bytes)
  } catch (error) {
    result.errors.push(error.message)
  }
  reader.close()
  return result
}

const isNear = (a, b) => Math.abs(a - b) <= TOLERANCE_W

/** Of one reading against what was expected: `right`, `missing` where a power is left out, `wrong`. */
function compare(expected, reading) {
  const names = Object.keys(expected)
  if (names.some(name => typeof reading[name] === 'number' && !isNear(reading[name], expected[name]))) return 'wrong'
  return names.every(name => typeof reading[name] === 'number') ? 'right' : 'missing'
}

/** Of a whole recording. Readings may be left out but never added, changed or put into another order. */
function verdict(expected, { readings, errors }) {
  if (readings.length === 0) return errors.length > 0 ? 'error' : 'nothing'
  let isComplete = readings.length === expected.length
  let at = 0
  for (const reading of readings) {
    let found = 'wrong'
    while (at < expected.length && found === 'wrong') found = compare(expected[at++], reading)
    if (found === 'wrong') return 'wrong'
    isComplete &&= found === 'right'
  }
  return isComplete ? 'right' : 'missing'
}

/** Why it is not right: the error, or what was given beside what was expected. */
function faultOf(word, expected, { readings, errors }) {
  if (word === 'nothing') return word
  if (word === 'error') return `error: ${errors[0].replace(/\s+/g, ' ').slice(0, 70)}`
  if (readings.length !== expected.length) return `${word}: ${readings.length} readings for ${expected.length}`
  const at = readings.findIndex((reading, i) => compare(expected[i], reading) !== 'right')
  const [name, value] = Object.entries(expected[at]).find(([key, power]) => !isNear(readings[at][key] ?? Number.NaN, power))
  return `${word}: ${name} ${readings[at][name]} for ${value}`
}

const VERDICTS = ['right', 'missing', 'wrong', 'error', 'nothing']

function row(name, label, captures, readingsOf) {
  const counts = Object.fromEntries(VERDICTS.map(word => [word, 0]))
  const faults = []
  let invented = 0
  for (const capture of captures) {
    const result = readingsOf(capture)
    if (capture.expected.length === 0) {
      if (result.readings.length === 0) continue
      invented++
      faults.push(`${capture.id} (given although damaged or locked)`)
    } else {
      const word = verdict(capture.expected, result)
      counts[word]++
      if (word !== 'right') faults.push(`${capture.id} (${faultOf(word, capture.expected, result)})`)
    }
  }
  const damaged = captures.filter(({ expected }) => expected.length === 0).length
  const cells = VERDICTS.map(word => counts[word])
  console.log(`| ${name} | ${label} | ${captures.length - damaged} | ${cells.join(' | ')} | ${invented} of ${damaged} |`)
  return faults.length === 0 ? [] : [`- ${name}, ${label}: ${faults.join(', ')}`]
}

/** Origins of telegrams that no meter sent. */
const MADE = ['constructed', 'synthetic']

/** Recordings of a folder that must give powers or nothing, by transport; those that no meter sent stand apart. */
function byTransport(folder) {
  const groups = new Map()
  const index = JSON.parse(readFileSync(join(FOLDER, folder, 'index.json'), 'utf8'))
  for (const capture of FOLDERS[folder](index)) {
    const { expected, transport, origin } = capture
    // Lists without any power show nothing of powers.
    if (expected.length > 0 && expected.every(reading => Object.keys(reading).length === 0)) continue
    const label = MADE.includes(origin) ? `${transport}, made for tests` : transport
    groups.set(label, [...(groups.get(label) ?? []), { ...capture, bytes: bytesOf(folder, capture) }])
  }
  return groups
}

/** Prints the table, or that there are no recordings. */
export function judgeRecordings() {
  console.log('\n## Recordings: powers understood\n')
  if (!existsSync(FOLDER)) {
    console.log('skipped: the recordings are not here')
    return
  }
  console.log(
    'Right: every reading with every power. Missing: some left out. Wrong: another power, or a reading too many.\n',
  )
  console.log('| reader | transport | recordings | right | missing | wrong | error | nothing | given what is damaged or locked |')
  console.log('|---|---|---:|---:|---:|---:|---:|---:|---:|')
  const faults = []
  for (const folder of Object.keys(FOLDERS)) {
    for (const [label, captures] of byTransport(folder)) {
      const { transport } = captures[0]
      faults.push(...row('ampacity', label, captures, capture => ownReadings(capture, capture.bytes)))
      for (const peer of PEERS.filter(({ transports }) => transports.includes(transport))) {
        if (peer.isInstalled)
          faults.push(...row(peer.name, label, captures, capture => peerReadings(peer, capture, capture.bytes)))
        else console.log(`| ${peer.name} | ${label} | not installed |||||||`)
      }
    }
  }
  console.log(`\n${faults.join('\n')}`)
}
