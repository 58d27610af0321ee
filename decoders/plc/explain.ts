/** Every byte of a modem's line with its meaning, down to the fields of what was enciphered. */
import { findCompactData } from '../../src/chain2/compact-data.ts'
import type { ReadField } from '../../src/chain2/compact-frame.ts'
import type { Layer, Trace } from '../../src/chain2/layer.ts'
import { Pipeline } from '../../src/chain2/pipeline.ts'
import type { Explanation } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import type { Sdu } from '../../src/link/modem/dialect.ts'
import { readFrame } from './decoder.ts'
import { type PlcOptions, parsePlcOptions } from './options.ts'
import { isSeveral, shownValue } from './registers.ts'

type Row = { -readonly [K in keyof Explanation]: Explanation[K] }

/** Explains the bytes of one or several frames; without options, as the defaults say. */
export function explainPlc(telegram: Uint8Array, given?: PlcOptions): readonly Explanation[] {
  const options = given ?? defaults()
  const dialect = options.dialect.create()
  const events = [...dialect.push(telegram, 0), ...dialect.wake(Number.POSITIVE_INFINITY)]
  return events.flatMap(event => {
    if (event.type === 'send') return []
    const rows = new Rows(0, 0)
    const range = options.dialect.explain(telegram, event, (start, end, meaning) =>
      rows.row(start, end, meaning),
    )
    if (event.type === 'sdu') {
      const inside =
        range === undefined
          ? rows.sealed(
              event.offset,
              event.offset + event.length,
              'a data unit, written down',
              event.sdu.bytes,
            )
          : rows.deeper(range[0])
      explainUnit(event.sdu, options, inside)
    }
    return rows.sorted(event.offset, event.offset + event.length)
  })
}

function defaults(): PlcOptions {
  const parsed = parsePlcOptions(undefined)
  if (!parsed.ok) throw new Error('the default options are wrong')
  return parsed.value
}

/** A data unit as far as it can be opened; where it cannot, why. */
function explainUnit(sdu: Sdu, options: PlcOptions, rows: Rows): void {
  let layer: Layer | undefined
  try {
    layer = new Pipeline(options).open(sdu, rows)
    const { bytes, trace } = layer
    const compact = findCompactData(options.apdu, layer)
    for (const [start, end] of compact.rows) {
      const { entry, fields } = readFrame(options.dictionary, bytes, start, end)
      for (const found of fields)
        trace?.row(found.start, found.end, fieldText(found, entry.name), found.field.personal)
      const behind = fields.at(-1)?.end ?? start
      trace?.row(behind, end, 'spare bytes')
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    const at = layer?.trace ?? rows
    const [start, end] = layer === undefined ? [0, sdu.bytes.length] : [layer.start, layer.end]
    ;(at as Rows).rest(start, end, error.message)
  }
}

function fieldText(found: ReadField, frame: string): string {
  const { field } = found
  const value = shownValue(found)
  const shown = isSeveral(value) ? value.join(', ') : (value ?? 'not available')
  const unit = field.unit === '' || value === null ? '' : ` ${field.unit}`
  const target = field.map === undefined ? '' : ` (${field.map})`
  return field.type === 'skip'
    ? `${frame} ${field.name}: skipped`
    : `${frame} ${field.name}: ${shown}${unit}${target}`
}

/** Rows of one range of bytes, in any order. */
class Rows implements Trace {
  private readonly found: Row[]
  /** Offset of the positions that rows are given with. */
  private readonly base: number
  private readonly depth: number

  constructor(base: number, depth: number, found: Row[] = []) {
    this.base = base
    this.depth = depth
    this.found = found
  }

  row(start: number, end: number, meaning: string, isPersonal = false): void {
    const row = this.add(start, end, meaning)
    if (isPersonal && row !== undefined) row.isPersonal = true
  }

  sealed(start: number, end: number, meaning: string, bytes: Uint8Array): Rows {
    const rows: Row[] = []
    const row = this.add(start, end, meaning)
    if (row !== undefined) row.contents = { bytes, rows }
    return new Rows(0, 0, rows)
  }

  /** Rows of what begins at a position, one level deeper. */
  deeper(start: number): Rows {
    return new Rows(this.base + start, this.depth + 1, this.found)
  }

  /** A row for what no row covers yet of a range. */
  rest(start: number, end: number, meaning: string): void {
    let at = start
    for (const { offset, length } of this.inOrder()) {
      const from = offset - this.base
      if (from + length <= at || from >= end) continue
      if (from > at) this.add(at, from, meaning)
      at = from + length
    }
    this.add(at, end, meaning)
  }

  /** Rows in the order of the bytes, which they cover from `start` to `end`. */
  sorted(start: number, end: number): readonly Explanation[] {
    this.rest(start, end, 'not explained')
    return this.inOrder()
  }

  private inOrder(): Row[] {
    return [...this.found].sort((a, b) => a.offset - b.offset)
  }

  private add(start: number, end: number, meaning: string): Row | undefined {
    if (end <= start) return undefined
    const row: Row = {
      offset: this.base + start,
      length: end - start,
      depth: this.depth,
      meaning,
    }
    this.found.push(row)
    return row
  }
}
