/** Every Italian gateway example gives what its index says. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { gatewayLagS } from '../decoders/chain2/explain.ts'
import { type CompactFrame, readMessage } from '../decoders/chain2/message.ts'
import { partialDate } from '../decoders/chain2/values.ts'
import { chain2gate } from '../decoders/it-chain2gate.ts'
import { sinapsi } from '../decoders/it-sinapsi.ts'
import { encodePoll } from '../decoders/sinapsi/poll.ts'
import { eventLine, type Payload } from '../src/payload.ts'

const FOLDER = fileURLToPath(new URL('../../shared/captures/chain2/', import.meta.url))
const here = existsSync(`${FOLDER}index.json`)
const skip = here ? false : 'skipped: the recordings are not here (chain2/index.json)'

// biome-ignore lint/suspicious/noExplicitAny: the index is other people's data, its shape is asserted below.
type Expected = any

/** Lines of one message. */
function lines(bytes: Uint8Array): readonly Payload[] {
  const decoder = chain2gate.create({})
  return decoder
    .push(bytes, 1000)
    .map(eventLine)
    .filter(line => line !== undefined)
}

const value = (line: Payload, obis: string): unknown =>
  (line['registers'] as { [obis: string]: { value: unknown; time?: string } })[obis]?.value

function check(t: Test, expected: Expected, bytes: Uint8Array): void {
  const [first, second, ...more] = lines(bytes)
  t.equal(more.length, 0, 'at most two lines')
  if (first === undefined) throw new Error('no line')
  t.same([first['offset'], first['length']], [0, bytes.length], 'the whole message')
  const json = JSON.parse(Buffer.from(bytes).toString())
  if (expected.type === 'info') {
    t.equal(first['type'], 'info')
    return
  }
  const frame = readMessage(json) as CompactFrame
  t.equal(`CF${frame.cf}`, expected.type)
  const signal = first['type'] === 'signal' ? first : second
  const reading = first['type'] === 'reading' ? first : ({} as Payload)
  const meter = (reading['meter'] ?? {}) as Payload
  const time = (reading['meter_time'] ?? {}) as Payload
  const bands = (n: number) => value(reading, `1-0:1.9.${n}*101`)
  const maximum = (reading['registers'] as Payload | undefined)?.['1-0:1.6.0*101'] as
    | { value: number; time: string }
    | undefined
  const found: { [key: string]: () => unknown } = {
    type: () => `CF${frame.cf}`,
    meter: () => meter['device_name'],
    periodEnd: () => time['utc'],
    measuredAt: () => time['utc'],
    energyWhByBand: () => [1, 2, 3, 4, 5, 6].map(bands),
    maxQuarterPowerW: () => maximum?.value,
    maxQuarterAtLocal: () => maximum?.time,
    maxInstantPowerW: () => maximum?.value,
    maxInstantAtLocal: () => maximum?.time,
    gatewayClockLagS: () => gatewayLagS(frame),
    contractPowerW: () => signal?.['contracted_power_w'],
    availablePowerW: () => signal?.['available_power_w'],
    gapW: () => signal?.['uncertainty_w'] ?? reading['uncertainty_w'],
    // Never in a line; what the frame itself holds, without its padding.
    pod: () => String(frame.values.get('pod')).trim(),
    startContract: () => partialDate(frame.values.get('startcontract')),
    freezingDay: () => partialDate(frame.values.get('freezingday')),
    importW: () => reading['active_power_import_w'],
    exportW: () => reading['active_power_export_w'],
    quarterAvgW: () => value(reading, '1-0:1.5.0*255'),
    importTotalWh: () => reading['active_energy_import_wh'],
    exportTotalWh: () => reading['active_energy_export_wh'],
    band: () => Number(reading['tariff']),
    eventsCounter: () => frame.values.get('eventscounter'),
    tripInS: () => signal?.['trip_in_s'],
    tripDeadlinePosix: () =>
      (frame.values.get('eventposixtimestamp') as number) + Number(signal?.['trip_in_s']),
    outageDuration: () => value(reading, '0-0:96.7.19*255'),
  }
  let visited = 0
  for (const [name, wanted] of Object.entries(expected)) {
    const read = found[name]
    if (read === undefined) t.fail(`the index expects '${name}', which nothing reads`)
    else t.same(read(), wanted, name)
    visited++
  }
  t.ok(visited > 0)
  const text = JSON.stringify([first, second])
  for (const secret of ['IT001E', '21E4E5KA'])
    t.notMatch(text, new RegExp(secret), 'nobody can be recognised')
  let at = 0
  for (const row of chain2gate.explain!(bytes)) {
    t.equal(row.offset, at, row.meaning)
    at += row.length
  }
  t.equal(at, bytes.length, 'every byte is explained')
}

t.test('Chain2Gate messages', { skip }, async t => {
  const { items } = JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8'))
  const own = items.filter(({ file }: Expected) => file.startsWith('c2g-'))
  t.equal(own.length, 11)
  for (const { file, expected } of own)
    await t.test(file, async t => check(t, expected, readFileSync(`${FOLDER}${file}`)))
})

t.test('the payload of a message alone, in Python words, and on one line', { skip }, async t => {
  const same = (line: Payload | undefined) => {
    const { offset: _, length: __, meter: ___, ...rest } = line ?? {}
    return rest
  }
  const { items } = JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8'))
  let visited = 0
  for (const { file } of items as { file: string }[]) {
    if (!file.startsWith('c2g-cf')) continue
    visited++
    const bytes = readFileSync(`${FOLDER}${file}`)
    const { Chain2Data: data } = JSON.parse(bytes.toString())
    const [whole] = lines(bytes)
    const forms = {
      'on one line': JSON.stringify({ Chain2Data: data }),
      'without Chain2Data': JSON.stringify(data),
      'payload alone': JSON.stringify(data.Payload),
      'lower case': JSON.stringify({ chain2data: data }).replace(
        /"([A-Z]\w*)":/g,
        (_, key) => `"${key.toLowerCase()}":`,
      ),
      'as Python prints it': JSON.stringify({ Chain2Data: data }).replaceAll('"', "'"),
    }
    for (const [form, text] of Object.entries(forms))
      t.same(same(lines(Buffer.from(text))[0]), same(whole), `${file} ${form}`)
  }
  t.equal(visited, 10)
})

t.test('Sinapsi registers', { skip }, async t => {
  const cases = JSON.parse(readFileSync(`${FOLDER}sinapsi-alfa-registers.constructed.json`, 'utf8'))
  const poll = (registers: { [address: string]: number }) => {
    const block = (address: number, count: number) => ({
      address,
      words: Array.from({ length: count }, (_, i) => registers[address + i] ?? 0),
    })
    return encodePoll([block(2, 18), block(203, 1), block(780, 3), block(921, 5)])
  }
  let visited = 0
  for (const [name, { registers, expected }] of Object.entries(cases) as [string, Expected][]) {
    if (name === 'note') continue
    visited++
    const events = sinapsi.create({}).push(poll(registers), 1000)
    const [first, second] = events.map(event => eventLine(event)!)
    if (expected.rejectPoll) {
      t.equal(events.length, 1)
      t.match(first, { type: 'rejected', code: 'VALUE_IMPLAUSIBLE' }, name)
      continue
    }
    t.equal(first!['active_power_import_w'], expected.importW, `${name}: power`)
    if (expected.importTotalWh !== undefined)
      t.match(first, {
        active_energy_import_wh: expected.importTotalWh,
        active_power_export_w: expected.exportW,
        tariff: String(expected.tariff),
        registers: { '1-0:1.5.0*255': { value: expected.importAvg15W } },
      })
    const warning = expected.tripWarning
    if (warning === null) t.equal(second, undefined, `${name}: no warning`)
    else {
      t.match(second, { type: 'signal', trip_in_s: warning.remainingS })
      t.equal(warning.eventPosix + Number(second!['trip_in_s']), warning.deadlinePosix)
    }
    let at = 0
    for (const row of sinapsi.explain!(poll(registers))) {
      t.equal(row.offset, at)
      at += row.length
    }
    t.equal(at, poll(registers).length)
  }
  t.equal(visited, 3)
})
