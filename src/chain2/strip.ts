/**
 * Takes off what stands around the protected part: MAC and LLC headers, lengths, checks. The layouts of Chain2 are sold
 * and not public, so the steps come from configuration; each works on what the one before left.
 */
import { CRC_FORMS, type Crc, type CrcForm, crcOf } from '../bytes/crc.ts'
import { hex, parseHex, toHex } from '../bytes/hex.ts'
import { DecodeError, type DecodeErrorCode } from '../errors.ts'
import { type Checker, joined, type Mapping } from './check.ts'
import { type Layer, stronger } from './layer.ts'

/** One step. */
export type Strip = (layer: Layer) => Layer

/** Longest data unit. */
const MAX = 255

/** How the options of one kind of step are read. */
interface Op {
  readonly keys: readonly string[]
  read(checker: Checker, path: string, step: Mapping): Strip
}

const OPS: Readonly<Record<string, Op>> = {
  skip: {
    keys: ['n'],
    read: (checker, path, step) =>
      skip(checker.integer(joined(path, 'n'), required(step['n']), 1, MAX, 1)),
  },
  expect: { keys: ['offset', 'hex'], read: parseExpect },
  lengthField: {
    keys: ['offset', 'size', 'adjust'],
    read: (checker, path, step) =>
      lengthField(
        checker.integer(joined(path, 'offset'), step['offset'], 0, MAX, 0),
        checker.integer(joined(path, 'size'), step['size'], 1, 2, 1),
        checker.integer(joined(path, 'adjust'), step['adjust'], -MAX, MAX, 0),
      ),
  },
  crc: { keys: ['form', 'endian', 'from'], read: parseCrc },
}

/** Reads the steps of a configuration. */
export function parseStrip(checker: Checker, path: string, raw: unknown): readonly Strip[] {
  if (raw === undefined) return []
  return checker
    .list(path, raw, 'steps')
    .flatMap((step, i) => parseStep(checker, `${path}.${i}`, step))
}

function parseStep(checker: Checker, path: string, raw: unknown): readonly Strip[] {
  const given = (raw as { op?: unknown } | null | undefined)?.op
  if (typeof given !== 'string' || !Object.hasOwn(OPS, given)) {
    checker.wrong(joined(path, 'op'), given, Object.keys(OPS).join(' or '))
    return []
  }
  const op = OPS[given]!
  return [op.read(checker, path, checker.mapping(path, raw, ['op', ...op.keys]))]
}

/** A value that has no default: nothing is then as wrong as anything else. */
function required(raw: unknown): unknown {
  return raw ?? null
}

function skip(n: number): Strip {
  return layer => {
    const start = layer.start + n
    if (start > layer.end)
      throw fault('DATA_TRUNCATED', `${n} bytes to be skipped, ${size(layer)} there`)
    layer.trace?.row(layer.start, start, 'skipped')
    return { ...layer, start }
  }
}

function parseExpect(checker: Checker, path: string, step: Mapping): Strip {
  const offset = checker.integer(joined(path, 'offset'), step['offset'], 0, MAX, 0)
  const digits = checker.text(joined(path, 'hex'), step['hex'])
  const bytes = parseHex(digits)
  if (bytes === undefined || bytes.length === 0)
    checker.wrong(joined(path, 'hex'), step['hex'], 'hex digits in pairs')
  return expect(offset, bytes ?? new Uint8Array(0))
}

function expect(offset: number, wanted: Uint8Array): Strip {
  return layer => {
    const at = layer.start + offset
    const end = at + wanted.length
    const isThere = end <= layer.end && wanted.every((byte, i) => layer.bytes[at + i] === byte)
    if (isThere) return layer
    const found = end <= layer.end ? toHex(layer.bytes, at, end) : `only ${size(layer)} bytes`
    throw fault('APDU_UNKNOWN', `expected ${toHex(wanted)} at byte ${offset}, found ${found}`)
  }
}

/** Keeps the bytes behind a length field, as many as it says; `adjust` is added to what it says. */
function lengthField(offset: number, fieldSize: number, adjust: number): Strip {
  return layer => {
    const { bytes, trace } = layer
    const field = layer.start + offset
    const start = field + fieldSize
    if (start > layer.end)
      throw fault('DATA_TRUNCATED', `a length at byte ${offset}, ${size(layer)} bytes there`)
    const told = fieldSize === 1 ? bytes[field]! : (bytes[field]! << 8) | bytes[field + 1]!
    const end = start + told + adjust
    if (end > layer.end || end < start)
      throw fault('DATA_TRUNCATED', `${end - start} bytes announced, ${layer.end - start} there`)
    trace?.row(layer.start, field, 'header')
    trace?.row(field, start, `${told} bytes`)
    trace?.row(end, layer.end, 'behind the announced length')
    return { ...layer, start, end }
  }
}

function parseCrc(checker: Checker, path: string, step: Mapping): Strip {
  const form = parseForm(checker, joined(path, 'form'), step['form'])
  const isLittle = checker.choice(joined(path, 'endian'), step['endian'], ['be', 'le']) === 'le'
  const from = checker.integer(joined(path, 'from'), step['from'], 0, MAX, 0)
  return crc(crcOf(form), form.width / 8, isLittle, from)
}

const NAMES = Object.keys(CRC_FORMS)
const FORM_KEYS = ['width', 'polynomial', 'initial', 'finalXor', 'reflected']
const WIDTHS: readonly number[] = [8, 16, 32]

/** A form by its name, or by its parameters. */
function parseForm(checker: Checker, path: string, raw: unknown): CrcForm {
  const fallback = CRC_FORMS['crc8']!
  if (typeof raw === 'string') {
    const named = CRC_FORMS[raw]
    if (named === undefined) checker.wrong(path, raw, `${NAMES.join(', ')} or a mapping`)
    return named ?? fallback
  }
  const form = checker.mapping(path, raw, FORM_KEYS)
  const width = WIDTHS.find(known => known === form['width'])
  if (width === undefined) {
    checker.wrong(joined(path, 'width'), form['width'], WIDTHS.join(' or '))
    return fallback
  }
  const most = 2 ** width - 1
  const number = (key: string, value: unknown): number =>
    checker.integer(joined(path, key), value, 0, most, 0)
  return {
    width: width as CrcForm['width'],
    polynomial: number('polynomial', required(form['polynomial'])),
    initial: number('initial', form['initial']),
    finalXor: number('finalXor', form['finalXor']),
    reflected: checker.flag(joined(path, 'reflected'), form['reflected']),
  }
}

/** A check at the end over everything before it, from a byte on. */
function crc(compute: Crc, width: number, isLittle: boolean, from: number): Strip {
  return layer => {
    const { bytes } = layer
    const end = layer.end - width
    if (layer.start + from > end)
      throw fault('DATA_TRUNCATED', `a check of ${width} bytes, ${size(layer)} there`)
    let sent = 0
    for (let i = 0; i < width; i++)
      sent = sent * 256 + bytes[isLittle ? layer.end - 1 - i : end + i]!
    const computed = compute(bytes, layer.start + from, end)
    if (sent !== computed)
      throw fault('LINK_BAD_CHECKSUM', `check ${hex(sent)} sent, ${hex(computed)} computed`)
    layer.trace?.row(end, layer.end, 'check, right')
    return { ...layer, end, integrity: stronger(layer.integrity, 'checksum') }
  }
}

function size({ start, end }: Layer): number {
  return end - start
}

function fault(code: DecodeErrorCode, detail: string): DecodeError {
  return new DecodeError(code, 0, detail)
}
