/**
 * Aidon: Norwegian lists 1 to 3 (HAN Interface Description 1.1 A, 3.3), the Swedish list (RJ12 HAN interface 1.6 P),
 * and the Embriq module in Landis+Gyr E350 meters, which speaks the same grammar with its own scalers.
 */
import type { DateTimeEncoding } from '../encode/data-notification.ts'
import type { Element, HanProfile, ListNumber, MeterIdentity, Unit, Wiring } from './telegram.ts'

const SERIAL = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 } as const

/** Columns of the makers' tables: element, lists that have it, wirings that have it (absent = all). */
type Row = readonly [element: Element, lists: readonly ListNumber[], wirings?: readonly Wiring[]]

const THREE: readonly Wiring[] = ['3P3W', '3P4W']

function text(obis: string, what: 'list' | 'id' | 'model', pad?: number): Element {
  return { kind: 'text', obis, what, type: 'visible-string', ...(pad === undefined ? {} : { pad }) }
}

function power(group: string, unit: Unit): Element {
  return { kind: 'number', obis: `1-0:${group}*255`, type: 'double-long-unsigned', scaler: 0, unit }
}

function current(group: string, scaler = -1): Element {
  return { kind: 'number', obis: `1-0:${group}*255`, type: 'long', scaler, unit: 'A' }
}

function voltage(group: string): Element {
  return { kind: 'number', obis: `1-0:${group}*255`, type: 'long-unsigned', scaler: -1, unit: 'V' }
}

function energy(group: string, unit: Unit, scaler: number): Element {
  return { kind: 'number', obis: `1-0:${group}*255`, type: 'double-long-unsigned', scaler, unit }
}

const zero = (element: Element): Element =>
  element.kind === 'number' ? { ...element, zero: true } : element

const CLOCK: Element = { kind: 'clock', obis: '0-0:1.0.0*255' }
const POWERS: readonly Element[] = [
  power('1.7.0', 'W'),
  power('2.7.0', 'W'),
  power('3.7.0', 'var'),
  power('4.7.0', 'var'),
]

function energies(scaler: number): readonly Element[] {
  return [
    energy('1.8.0', 'Wh', scaler),
    energy('2.8.0', 'Wh', scaler),
    energy('3.8.0', 'varh', scaler),
    energy('4.8.0', 'varh', scaler),
  ]
}

const HOURLY: readonly Row[] = [CLOCK, ...energies(1)].map(element => [element, [3]])

/** Three-wire meters have no 51.7.0; 32, 52, 72.7.0 are then U12, U13, U23. */
const NORWEGIAN: readonly Row[] = [
  [text('1-1:0.2.129*255', 'list'), [2, 3]],
  [text('0-0:96.1.0*255', 'id'), [2, 3]],
  [text('0-0:96.1.7*255', 'model'), [2, 3]],
  [POWERS[0]!, [1, 2, 3]],
  [POWERS[1]!, [2, 3]],
  [POWERS[2]!, [2, 3]],
  [POWERS[3]!, [2, 3]],
  [current('31.7.0'), [2, 3]],
  [current('51.7.0'), [2, 3], ['3P4W']],
  [current('71.7.0'), [2, 3], THREE],
  [voltage('32.7.0'), [2, 3]],
  [voltage('52.7.0'), [2, 3], THREE],
  [voltage('72.7.0'), [2, 3], THREE],
  ...HOURLY,
]

/** Padded identifiers, currents in hundredths; on three wires I2 and U13 are sent as 0. */
const EMBRIQ: readonly Row[] = [
  [text('1-1:0.2.129*255', 'list'), [2, 3]],
  [text('0-0:96.1.0*255', 'id', 16), [2, 3]],
  [text('0-0:96.1.7*255', 'model', 4), [2, 3]],
  ...NORWEGIAN.slice(3, 7),
  [current('31.7.0', -2), [2, 3]],
  [current('51.7.0', -2), [2, 3], ['3P4W']],
  [zero(current('51.7.0', -2)), [2, 3], ['3P3W']],
  [current('71.7.0', -2), [2, 3], THREE],
  [voltage('32.7.0'), [2, 3]],
  [voltage('52.7.0'), [2, 3], ['3P4W']],
  [zero(voltage('52.7.0')), [2, 3], ['3P3W']],
  [voltage('72.7.0'), [2, 3], THREE],
  ...HOURLY,
]

const PER_PHASE: readonly (readonly [offset: number, wirings?: readonly Wiring[]])[] = [
  [20],
  [40, THREE],
  [60, THREE],
]

/** One list with everything and no identifiers, energies in Wh. */
const SWEDISH: readonly Row[] = [
  [CLOCK, [3]],
  ...POWERS.map((element): Row => [element, [3]]),
  [current('31.7.0'), [3]],
  [current('51.7.0'), [3], THREE],
  [current('71.7.0'), [3], THREE],
  [voltage('32.7.0'), [3]],
  [voltage('52.7.0'), [3], THREE],
  [voltage('72.7.0'), [3], THREE],
  ...PER_PHASE.flatMap(([offset, wirings]): Row[] =>
    ([1, 2, 3, 4] as const).map(quantity => [
      power(`${offset + quantity}.7.0`, quantity < 3 ? 'W' : 'var'),
      [3],
      ...(wirings === undefined ? ([] as const) : ([wirings] as const)),
    ]),
  ),
  ...energies(0).map((element): Row => [element, [3]]),
]

function pick(rows: readonly Row[]) {
  return (list: ListNumber, meter: MeterIdentity): readonly Element[] | undefined => {
    const elements = rows
      .filter(
        ([, lists, wirings]) => lists.includes(list) && (wirings?.includes(meter.wiring) ?? true),
      )
      .map(([element]) => element)
    return elements.length > 0 ? elements : undefined
  }
}

const COMMON = {
  link: { destination: [32], source: [4, 65], control: 0x13 },
  invokeIdAndPriority: 0x40000000,
  header: 'absent' as DateTimeEncoding,
  sunday: 0,
  grammar: 'scaled-array',
  serial: SERIAL,
  // Not known; taken from Kaifa.
  latencyMs: 230,
  signedCurrents: true,
  reactive: 'net',
} as const

const NORWEGIAN_SCHEDULE = {
  powerMs: 2500,
  listMs: 10_000,
  mainList: 2,
  hourlyAtMs: 10_000,
  hourlyClock: 'hour',
} as const

/** Aidon 6515 (1P), 6525 (3P3W), 6534 (3P4W) and relatives in Norway. The deviation is sent as 0 and is wrong. */
export const aidon: HanProfile = {
  ...COMMON,
  name: 'aidon',
  maker: 'aidon',
  listId: 'AIDON_V0001',
  elements: pick(NORWEGIAN),
  schedule: NORWEGIAN_SCHEDULE,
  clock: { rule: 'utc+1', deviationMin: 0, status: 0 },
}

/** Landis+Gyr E350 with Embriq module. Its list 3 has never been seen; it follows Aidon here. */
export const embriq: HanProfile = {
  ...aidon,
  name: 'embriq',
  maker: 'embriq',
  listId: 'EMBRIQ_V1_1',
  elements: pick(EMBRIQ),
}

/** Swedish Aidon meters: everything every 10 s. */
export const aidonSe: HanProfile = {
  ...COMMON,
  name: 'aidon-se',
  maker: 'aidon',
  listId: 'AIDON_H0001',
  elements: pick(SWEDISH),
  schedule: { listMs: 10_000, mainList: 3, hourlyClock: 'sending' },
  clock: { rule: 'utc+1', deviationMin: null, status: null },
}
