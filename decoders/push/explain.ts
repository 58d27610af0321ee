/** Every byte of a telegram with its meaning, for `decode --format explain`. */
import { hex } from '../../src/bytes/hex.ts'
import { Reader } from '../../src/bytes/reader.ts'
import type { Explanation } from '../../src/decoder.ts'
import { readNotificationHeader } from '../../src/dlms/apdu.ts'
import { AxdrTape, TAG, TAG_NAMES } from '../../src/dlms/axdr.ts'
import { isoLocal, readDateTime } from '../../src/dlms/date-time.ts'
import { UNITS } from '../../src/dlms/scale.ts'
import { DecodeError } from '../../src/errors.ts'
import { FLAG, frameFault } from '../../src/link/hdlc-check.ts'
import { startsWithLlc } from '../../src/link/llc.ts'
import { CATALOGUE, formatObis, obisKey } from '../../src/obis.ts'

/** Explains one telegram: an HDLC frame with its flags and fill, or an LLC PDU. Damaged bytes are explained as far as they can be. */
export function explainPush(telegram: Uint8Array): readonly Explanation[] {
  const rows: Explanation[] = []
  const add = (depth: number, offset: number, end: number, meaning: string): void => {
    if (end > offset) rows.push({ depth, offset, length: end - offset, meaning })
  }
  let at = 0
  while (telegram[at] === FLAG && telegram[at + 1] === FLAG) at++
  add(0, 0, at, 'fill')
  if (telegram[at] !== FLAG) {
    explainInformation(telegram, at, telegram.length, add)
    return rows
  }
  add(0, at, at + 1, 'flag')
  const frame = at
  const format = ((telegram[at + 1] ?? 0) << 8) | (telegram[at + 2] ?? 0)
  const closing = frame + 1 + (format & 0x7ff)
  if (format >> 12 !== 0xa || closing >= telegram.length) {
    add(0, at + 1, telegram.length, 'no complete HDLC frame of type 3')
    return rows
  }
  const segmented = format & 0x800 ? ', more segments follow' : ''
  add(
    1,
    at + 1,
    at + 3,
    `HDLC format type 3, ${format & 0x7ff} bytes between the flags${segmented}`,
  )
  at += 3
  for (const name of ['destination', 'source']) {
    let end = at
    while (end < closing && (telegram[end]! & 1) === 0) end++
    add(1, at, end + 1, `${name} address`)
    at = end + 1
  }
  add(1, at, at + 1, 'control')
  add(1, at + 1, at + 3, 'header checksum (HCS)')
  explainInformation(telegram, at + 3, closing - 2, add)
  const fault = frameFault(telegram, frame, closing)
  add(
    1,
    closing - 2,
    closing,
    fault === undefined ? 'frame checksum (FCS), right' : `(FCS) ${fault}`,
  )
  add(0, closing, closing + 1, 'flag')
  add(0, closing + 1, telegram.length, 'fill')
  return rows
}

type Add = (depth: number, offset: number, end: number, meaning: string) => void

function explainInformation(bytes: Uint8Array, start: number, end: number, add: Add): void {
  const reader = new Reader(bytes, start, end)
  if (startsWithLlc(bytes, start, end)) {
    add(1, start, start + 3, 'LLC header')
    reader.offset = start + 3
  }
  const apdu = reader.offset
  try {
    const time = readNotificationHeader(reader)
    add(1, apdu, apdu + 1, 'data-notification')
    add(1, apdu + 1, apdu + 5, 'long invoke id and priority')
    if (time < 0) add(1, apdu + 5, reader.offset, 'date-time: none')
    else {
      add(1, apdu + 5, time, 'date-time follows')
      add(1, time, reader.offset, `date-time ${clockText(bytes, time)}`)
    }
    const tape = new AxdrTape()
    const body = reader.offset
    tape.scan(reader)
    explainTape(tape, add)
    add(1, reader.offset, end, 'padding')
    if (body === reader.offset) add(1, body, end, 'empty body')
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    add(1, reader.offset, end, error.message)
  }
}

function explainTape(tape: AxdrTape, add: Add): void {
  let quantity = ''
  for (let i = 0; i < tape.count; i++) {
    const tag = tape.tag[i]!
    const depth = tape.depth[i]! + 2
    const [at, start, end] = [tape.base + tape.at[i]!, tape.from(i), tape.to(i)]
    const type = TAG_NAMES[tag]!
    if (tag === TAG.array || tag === TAG.structure) {
      add(depth, at, start, `${type} of ${tape.items[i]}`)
      continue
    }
    if (tape.isLogicalName(i) && tape.bytes[end - 1] === 0xff) {
      const title = CATALOGUE.get(obisKey(tape.bytes, start))?.title
      quantity = `${formatObis(tape.bytes, start)}${title === undefined ? '' : ` ${title}`}`
      add(depth, at, end, quantity)
      continue
    }
    add(depth, at, end, `${type} ${valueText(tape, i)}`)
  }
}

function valueText(tape: AxdrTape, i: number): string {
  const [start, end] = [tape.from(i), tape.to(i)]
  if (tape.tag[i] === TAG.enum) {
    const unit = UNITS[tape.value[i]!]
    return unit === undefined ? String(tape.value[i]) : `${tape.value[i]} (unit ${unit || 'none'})`
  }
  if (tape.isNumber(i)) return String(tape.exact(i))
  if (tape.isDateTime(i)) return clockText(tape.bytes, start)
  if (tape.isString(i) && tape.isPrintable(i)) return `"${tape.text(i)}"`
  return end > start ? hex(tape.bytes[start]!) + (end - start > 1 ? '…' : '') : ''
}

function clockText(bytes: Uint8Array, at: number): string {
  const time = readDateTime(bytes, at)
  if (time === undefined) return 'not specified'
  const deviation = time.deviationMin === null ? 'not specified' : `${time.deviationMin} min`
  return `${isoLocal(time.localS)}, deviation ${deviation}`
}
