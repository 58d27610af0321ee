/** What decoded lines look like for people: a table, or every byte explained. */
import { toHex } from '../bytes/hex.ts'
import type { DecoderDefinition, Explanation } from '../decoder.ts'
import type { Payload } from '../payload.ts'

const COLUMNS: readonly [title: string, width: number, keys: readonly string[], unit: string][] = [
  ['import', 9, ['active_power_import_w'], ' W'],
  ['export', 9, ['active_power_export_w'], ' W'],
  ['L1', 9, ['current_l1_a'], ' A'],
  ['L2', 9, ['current_l2_a'], ' A'],
  ['L3', 9, ['current_l3_a'], ' A'],
  ['U1', 8, ['voltage_l1_v', 'voltage_l1_l2_v'], ' V'],
  ['U2', 8, ['voltage_l2_v', 'voltage_l1_l3_v'], ' V'],
  ['U3', 8, ['voltage_l3_v', 'voltage_l2_l3_v'], ' V'],
  ['energy', 14, ['active_energy_import_wh'], ' Wh'],
]

/** Heading of {@link tableRow}. */
export const TABLE_HEAD: string = [
  'offset'.padStart(8),
  'decoder'.padEnd(12),
  ...COLUMNS.map(([title, width]) => title.padStart(width)),
].join(' ')

/** One line as a row of a table. */
export function tableRow(line: Payload): string {
  const offset = String(line['offset'] ?? '').padStart(8)
  if (line['type'] !== 'reading')
    return `${offset} ${String(line['code'] ?? line['kind'] ?? line['type'])}: ${line['detail'] ?? line['text'] ?? signalText(line)}`
  const derived = (line['derived'] ?? {}) as { [key: string]: { value: number } }
  const cells = COLUMNS.map(([, width, keys, unit]) => {
    const key = keys.find(k => line[k] !== undefined && line[k] !== null)
    if (key !== undefined) return `${line[key]}${unit}`.padStart(width)
    const computed = derived[keys[0]!]
    return (computed === undefined ? '' : `~${computed.value}${unit}`).padStart(width)
  })
  return [offset, String(line['decoder']).padEnd(12), ...cells].join(' ')
}

/** What a signal grants, and for how long. */
function signalText(line: Payload): string {
  const trip = line['trip_in_s']
  const parts = [
    ...(line['available_power_w'] === null ? [] : [`${line['available_power_w']} W available`]),
    ...(line['contracted_power_w'] === undefined
      ? []
      : [`${line['contracted_power_w']} W contracted`]),
    ...(trip === undefined ? [] : [`the meter disconnects ${trip} s after the event`]),
  ]
  return parts.join(', ')
}

const BYTES_IN_ROW = 14

/** A telegram byte by byte: offset in the input, bytes, meaning. `options` are those it was decoded with. */
export function explained(
  line: Payload,
  input: Uint8Array,
  definition: DecoderDefinition,
  options?: unknown,
): readonly string[] {
  const offset = line['offset']
  if (typeof offset !== 'number') return [JSON.stringify(line)]
  const end = offset + (line['length'] as number)
  const telegram = input.subarray(offset, end)
  const heads: { readonly [type: string]: string } = {
    rejected: `rejected ${line['code']}: ${line['detail']}`,
    signal: `signal by ${line['source']}: ${signalText(line)}`,
    info: String(line['detail']),
  }
  const head = heads[String(line['type'])] ?? `reading by ${line['decoder']}`
  const rows = definition.explain?.(telegram, options) ?? []
  return [
    `# bytes ${offset} to ${end - 1}: ${head}`,
    ...rows.flatMap(row => explainedRow(row, telegram, offset, '', 0)),
    '',
  ]
}

/** A row and those of its contents, whose offsets count from their own beginning and carry a `+`. */
function explainedRow(
  { offset, length, depth, meaning, contents, isPersonal }: Explanation,
  bytes: Uint8Array,
  base: number,
  mark: string,
  nesting: number,
): readonly string[] {
  const shown = Math.min(length, BYTES_IN_ROW)
  const digits = isPersonal
    ? '(not shown)'
    : toHex(bytes, offset, offset + shown) + (shown < length ? '…' : '')
  const at = `${mark}${base + offset}`.padStart(6)
  const indent = '  '.repeat(depth + nesting)
  return [
    `${at}  ${digits.padEnd(2 * BYTES_IN_ROW + 1)}  ${indent}${meaning}`,
    ...(contents?.rows ?? []).flatMap(row =>
      explainedRow(row, contents!.bytes, 0, '+', nesting + depth + 1),
    ),
  ]
}
