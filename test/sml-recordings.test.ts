/** Every recording of German meters gives exactly what its index says. */
import t, { type Test } from 'tap'
import { readTime } from '../decoders/sml/meter.ts'
import type { SmlOptions } from '../decoders/sml/options.ts'
import { isExporting, isModern } from '../decoders/sml/status.ts'
import { sml } from '../decoders/sml.ts'
import type { DecoderEvent } from '../src/decoder.ts'
import { UNITS } from '../src/dlms/scale.ts'
import { type SmlFrame, SmlTransport } from '../src/link/sml-transport.ts'
import { readingPayload, snakeCase } from '../src/payload.ts'
import { random } from '../src/sim/random.ts'
import { SmlList } from '../src/sml/get-list.ts'
import { checkOf, readEnvelope, TAG } from '../src/sml/message.ts'
import { SmlTape, TYPE } from '../src/sml/tape.ts'
import { type Recording, recordingBytes, recordings } from './captures.ts'

const found = recordings('sml')

type ReadingEvent = Extract<DecoderEvent, { type: 'reading' }>
const readingsOf = (events: readonly DecoderEvent[]): ReadingEvent[] =>
  events.filter(e => e.type === 'reading')

/** Events of bytes fed in pieces whose sizes `size` names, the end of the input included. */
function decode(
  bytes: Uint8Array,
  size: () => number = () => bytes.length,
  options: SmlOptions = {},
): DecoderEvent[] {
  const decoder = sml.create(options)
  const events: DecoderEvent[] = []
  for (let i = 0, step = size(); i < bytes.length; i += step, step = size())
    events.push(...decoder.push(bytes.subarray(i, i + step), 0))
  return [...events, ...decoder.wake(Number.POSITIVE_INFINITY)]
}

/** Frames of a recording, how many had a wrong checksum, and whether it ends inside one. */
function deframe(bytes: Uint8Array): { frames: SmlFrame[]; damaged: number; isOpen: boolean } {
  const frames: SmlFrame[] = []
  let damaged = 0
  const transport = new SmlTransport({
    frame: frame =>
      frames.push({ ...frame, bytes: frame.bytes.slice(frame.start, frame.end), start: 0 }),
    salvages: () => {
      damaged++
      return false
    },
    rejected: () => {},
  })
  transport.push(bytes, 0)
  return { frames, damaged, isOpen: transport.heldBytes > 0 }
}

/** Octets as the index has them, in hex, in the spelling of registers. */
function spelled(hexDigits: string): string {
  const bytes = Buffer.from(hexDigits, 'hex')
  return bytes.every(byte => byte >= 0x20 && byte <= 0x7e) ? bytes.toString('latin1') : hexDigits
}

// biome-ignore lint/suspicious/noExplicitAny: the index is other people's data, its shape is asserted by the tests.
type Expected = any

function checkRegisters(t: Test, { reading }: ReadingEvent, entries: Expected[]): void {
  t.equal(reading.registers.length, entries.length, 'number of registers')
  for (const [i, entry] of entries.entries()) {
    const register = reading.registers[i]!
    t.equal(register.obis, entry.obis)
    const { value, type } = entry
    t.equal(
      register.value,
      type === 'null' ? null : type === 'octet' ? spelled(value) : Number(value),
      entry.obis,
    )
    t.equal(register.unit, entry.unit === '0' ? '' : (entry.unit ?? ''), `${entry.obis} unit`)
    t.equal(register.status, entry.status, `${entry.obis} status`)
  }
}

/** The layers below: types, widths, raw numbers, scalers, times, and which checksum the message carries. */
function checkList(t: Test, frame: SmlFrame, expected: Expected): void {
  const tape = new SmlTape()
  const list = new SmlList()
  for (let at = frame.start; at < frame.end; ) {
    at = tape.scan(frame.bytes, at, frame.end, frame.start)
    const tag = readEnvelope(tape)
    if (tape.number(tag) !== TAG.getListResponse) continue
    t.equal(checkOf(tape), expected.messageCrc, 'message checksum')
    list.read(tape, tag + 1)
    t.equal(list.count, expected.entries.length)
    for (const [i, entry] of expected.entries.entries()) {
      const value = list.value[i]!
      if (tape.isNumber(value)) {
        const letter = tape.type[value] === TYPE.integer ? 'i' : 'u'
        t.equal(`${letter}${8 * tape.size(value)}`, entry.type, `${entry.obis} type`)
        t.equal(tape.number(value), entry.raw, `${entry.obis} raw`)
        t.equal(tape.big(value), BigInt(entry.raw), `${entry.obis} exactly`)
      } else t.equal(tape.isAbsent(value) ? 'null' : 'octet', entry.type)
      t.equal(list.scaler[i], entry.scaler ?? 0)
      t.equal(list.unit[i], entry.unitCode ?? -1)
      const time = readTime(tape, tape.next[list.status[i]!]!)
      t.same(time, entry.valTime === undefined ? undefined : { seconds: entry.valTime.v })
    }
    return
  }
  t.fail('no list')
}

const MISSING = { value: undefined }

/** Fields that hold what the index calls normalised; a value of null there means that the field is absent. */
function checkFields(t: Test, event: ReadingEvent, { normalised: n, entries }: Expected): void {
  const json = readingPayload(event.reading, event.notes)
  const derived = (json['derived'] ?? {}) as { [name: string]: { value: number; method: string } }
  const sent = (code: string): boolean =>
    entries.some((e: Expected) => e.obis === `1-0:${code}*255`)
  const expected: { [name: string]: number } = {}
  for (const [direction, c] of [
    ['import', 1],
    ['export', 2],
  ] as const) {
    const name = `active_energy_${direction}_wh`
    const value = n[direction === 'import' ? 'energyImportWh' : 'energyExportWh']
    if (sent(`${c}.8.0`)) expected[name] = value
    else t.equal((derived[name] ?? MISSING).value, value ?? undefined, `derived ${name}`)
    for (const tariff of [1, 2]) {
      const entry = entries.find((e: Expected) => e.obis === `1-0:${c}.8.${tariff}*255`)
      if (entry !== undefined)
        expected[`active_energy_${direction}_t${tariff}_wh`] = Number(entry.value)
    }
  }
  const signed = (name: string, watts: number | null | undefined): void => {
    if (watts === null || watts === undefined) return
    expected[`active_power_import_${name}w`] = Math.max(watts, 0)
    expected[`active_power_export_${name}w`] = Math.max(-watts, 0)
  }
  signed('', n.powerW)
  for (const phase of [1, 2, 3]) {
    signed(`l${phase}_`, n[`powerL${phase}W`])
    for (const name of [`voltageL${phase}V`, `currentL${phase}A`])
      if (n[name] !== undefined) expected[snakeCase(name)] = n[name]
  }
  if (n.frequencyHz !== undefined) expected['frequency_hz'] = n.frequencyHz
  const { decoder, integrity, meter, meter_time, notes, derived: _, ...fields } = json
  t.same(fields, expected, 'fields, and no others')
  t.same([decoder, integrity], ['sml', 'checksum'])

  const quirks: string[] = n.quirks ?? []
  t.same(
    notes ?? [],
    [
      ...(n.coarse ? ['meter_locked'] : []),
      ...(quirks.includes('absolute-power-15.7.0') ? ['absolute_power'] : []),
      ...(quirks.includes('power-sign-vs-status') ? ['power_sign_corrected'] : []),
    ],
    'notes',
  )
  const status = ['1.8.0', '2.8.0', '1.8.1', '2.8.1']
    .map(code => entries.find((e: Expected) => e.obis === `1-0:${code}*255`)?.status)
    .find(word => word !== undefined)
  t.equal(isModern(status) ? 'bsz' : 'edl', n.statusLayout, 'layout of the status word')
  t.equal(isExporting(status), n.statusExport, 'direction in the status word')
}

function checkHead(t: Test, { reading }: ReadingEvent, expected: Expected): void {
  t.equal(reading.meter?.id, expected.serverId, 'server id')
  t.equal(reading.meter?.list, expected.listName ?? undefined, 'list name')
  const letters = expected.entries.find((e: Expected) => /:(96.50.1|199.130.3)\*/.test(e.obis))
  // Without an entry of its own the maker stands in the server id.
  const maker = letters === undefined ? 'TST' : spelled(letters.value)
  t.equal(reading.meter?.maker, maker.length === 3 ? maker : maker.toLowerCase(), 'maker')
  const time = expected.actSensorTime
  if (time === null) t.equal(reading.meterTime, undefined)
  else if (time.kind === 'secIndex') t.same(reading.meterTime, { seconds: time.v })
  else
    t.same(reading.meterTime, {
      local: '2023-07-14T10:05:04',
      deviationMin: -180,
      utc: '2023-07-14T07:05:04Z',
      status: null,
    })
}

const signedPower = ({ reading: { values } }: ReadingEvent): number | null =>
  typeof values.activePowerImportW === 'number' && typeof values.activePowerExportW === 'number'
    ? values.activePowerImportW - values.activePowerExportW
    : null

function checkRecording(t: Test, recording: Recording): void {
  const { expected } = recording
  const bytes = recordingBytes('sml', recording)
  const events = decode(bytes)
  const readings = readingsOf(events)
  t.equal(readings.length, expected.telegrams, 'telegrams')
  const { frames, damaged, isOpen } = deframe(bytes)
  t.equal(damaged, expected.transportCrcErrors, 'frames with a wrong checksum')
  t.equal(isOpen, expected.trailingPartial, 'ends inside a frame')
  const isFill = (from: number, to: number): boolean =>
    bytes.subarray(from, to).every(byte => byte === 0)
  let at = 0
  for (const event of events) {
    if (!('offset' in event)) continue
    t.ok(event.offset >= at && isFill(at, event.offset), 'spans cover all but fill, in order')
    at = event.offset + event.length
  }
  t.ok(at <= bytes.length && isFill(at, bytes.length), 'to the end')
  if (expected.telegrams === 0) return
  const first = readings[0]!
  t.equal(first.offset, expected.firstTelegramOffset, 'offset of the first telegram')
  checkHead(t, first, expected)
  checkRegisters(t, first, expected.entries)
  checkList(t, frames.find(frame => frame.offset === first.offset)!, expected)
  checkFields(t, first, expected)
  t.same(readings.map(signedPower), expected.powerW, 'power of each telegram')
  const last = readings.at(-1)!.reading
  t.equal(
    last.values.activeEnergyImportWh ?? last.derived?.activeEnergyImportWh?.value ?? null,
    expected.energyImportWhLast,
    'energy of the last telegram',
  )
}

if (typeof found === 'string') t.test('recordings', { skip: found }, async () => {})
else {
  t.equal(found.length, 35, 'all recordings are listed')
  for (const recording of found)
    t.test(recording.file, async t => {
      checkRecording(t, recording)
      const bytes = recordingBytes('sml', recording)
      const whole = JSON.stringify(decode(bytes))
      for (const size of [1, 7, 64])
        t.equal(JSON.stringify(decode(bytes, () => size)), whole, `in ${size}s`)
      const next = random(bytes.length)
      for (let round = 0; round < 20; round++) {
        const most = 1 + Math.floor(next() * 600)
        const cut = JSON.stringify(decode(bytes, () => 1 + Math.floor(next() * most)))
        if (cut !== whole) t.fail(`cut at random, round ${round}`)
      }
    })

  t.test('no flipped bit and no truncation of a telegram gives a reading', async t => {
    let tried = 0
    for (const recording of found.filter(({ expected }) => expected.telegrams > 0)) {
      const bytes = recordingBytes('sml', recording)
      const { offset, length } = readingsOf(decode(bytes))[0]!
      const telegram = bytes.slice(offset, offset + length)
      t.equal(readingsOf(decode(telegram)).length, 1, 'the telegram alone is good')
      for (let bit = 0; bit < 8 * length; bit++) {
        telegram[bit >> 3]! ^= 1 << (bit & 7)
        if (readingsOf(decode(telegram)).length > 0) t.fail(`${recording.file}: bit ${bit}`)
        telegram[bit >> 3]! ^= 1 << (bit & 7)
        tried++
      }
      for (let size = 0; size < length; size++, tried++)
        if (readingsOf(decode(telegram.subarray(0, size))).length > 0)
          t.fail(`${recording.file}: ${size} bytes`)
    }
    t.ok(tried > 80_000, `${tried} damaged telegrams`)
  })

  t.test(
    'a frame with a wrong checksum serves where that is allowed and its list is right',
    async t => {
      const of = (file: string): Uint8Array =>
        recordingBytes('sml', found.find(c => c.file === file) as Recording)
      const options = { acceptFrameCrcError: true }
      const bad = of('synthetic_bad_transport_crc.hex')
      t.equal(readingsOf(decode(bad, () => 64, options)).length, 2)
      const list = of('synthetic_bad_message_crc.hex')
      t.equal(readingsOf(decode(list, () => 64, options)).length, 0, 'never with a wrong list')
    },
  )

  t.test('every unit of the recordings has a spelling', async t => {
    for (const { expected } of found)
      for (const { unitCode, unit } of expected.entries ?? [])
        if (unitCode) t.equal(UNITS[unitCode], unit)
  })
}
