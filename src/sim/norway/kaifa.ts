/**
 * Kaifa: positional lists of Norway and of some Swedish meters ("HAN OBIS codes KFM_001"; its units are wrong, the
 * scalers here are those of real meters), and the Swedish list with OBIS codes.
 */
import type { Element, HanProfile, ListNumber, MeterIdentity, Unit, Wiring } from './telegram.ts'

/** Models that do not measure what their list has a place for: OBIS groups sent as 0. */
const NOT_MEASURED: { readonly [model: string]: readonly string[] } = {
  MA304H3E: ['52.7.0'],
  MA304T3: ['51.7.0', '52.7.0'],
}

function text(obis: string, what: 'list' | 'id' | 'model'): Element {
  return { kind: 'text', obis, what, type: 'octet-string' }
}

type NumberRow = readonly [obis: string, scaler: number, unit: Unit, wirings?: readonly Wiring[]]

const THREE: readonly Wiring[] = ['3P3W', '3P4W']

const IDENTITY: readonly Element[] = [
  text('1-0:0.2.129*255', 'list'),
  text('0-0:96.1.0*255', 'id'),
  text('0-0:96.1.7*255', 'model'),
]
const CLOCK: Element = { kind: 'clock', obis: '0-0:1.0.0*255' }

const INSTANTANEOUS: readonly NumberRow[] = [
  ['1.7.0', 0, 'W'],
  ['2.7.0', 0, 'W'],
  ['3.7.0', 0, 'var'],
  ['4.7.0', 0, 'var'],
  ['31.7.0', -3, 'A'],
  ['51.7.0', -3, 'A', THREE],
  ['71.7.0', -3, 'A', THREE],
  ['32.7.0', -1, 'V'],
  ['52.7.0', -1, 'V', THREE],
  ['72.7.0', -1, 'V', THREE],
]

const ENERGIES: readonly NumberRow[] = [
  ['1.8.0', 0, 'Wh'],
  ['2.8.0', 0, 'Wh'],
  ['3.8.0', 0, 'varh'],
  ['4.8.0', 0, 'varh'],
]

type NumberType = 'double-long-unsigned' | 'long64-unsigned'

function numbers(rows: readonly NumberRow[], meter: MeterIdentity, type: NumberType): Element[] {
  return rows
    .filter(([, , , wirings]) => wirings?.includes(meter.wiring) ?? true)
    .map(([groups, scaler, unit]) => ({
      kind: 'number',
      obis: `1-0:${groups}*255`,
      type,
      scaler,
      unit,
      ...(NOT_MEASURED[meter.model]?.includes(groups) ? { zero: true as const } : {}),
    }))
}

function instantaneous(meter: MeterIdentity): readonly Element[] {
  return [...IDENTITY, ...numbers(INSTANTANEOUS, meter, 'double-long-unsigned')]
}

function withEnergy(meter: MeterIdentity, type: NumberType): readonly Element[] {
  return [...instantaneous(meter), CLOCK, ...numbers(ENERGIES, meter, type)]
}

const COMMON = {
  maker: 'kaifa',
  listId: 'KFM_001',
  invokeIdAndPriority: 0x40000000,
  sunday: 7,
  grammar: 'positions',
  serial: { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
  // Trigger to last byte of list 1 was measured as 0.42 s, of which 0.19 s are wire time.
  latencyMs: 230,
  signedCurrents: false,
  reactive: 'net',
} as const

/** Kaifa MA105H2E (1P), MA304H3E (3P3W), MA304H4 (3P4W) in Norway; the clock follows civil time. */
export const kaifa: HanProfile = {
  ...COMMON,
  name: 'kaifa',
  link: { destination: [0], source: [1, 0], control: 0x10 },
  header: 'octet-string',
  elements: (list: ListNumber, meter: MeterIdentity) =>
    ({
      1: numbers(INSTANTANEOUS.slice(0, 1), meter, 'double-long-unsigned'),
      2: instantaneous(meter),
      3: withEnergy(meter, 'double-long-unsigned'),
    })[list],
  schedule: {
    powerMs: 2000,
    listMs: 10_000,
    mainList: 2,
    hourlyAtMs: 10_000,
    hourlyClock: 'sending',
  },
  clock: { rule: 'civil', deviationMin: null, status: 0 },
}

const SWEDISH_LINK = { destination: [0], source: [0, 0], control: 0x10 } as const

/** Swedish Kaifa without OBIS codes: list 3 every 10 s. The CT meter MA304T4 has 64-bit energy registers. */
export const kaifaSe: HanProfile = {
  ...COMMON,
  name: 'kaifa-se',
  link: SWEDISH_LINK,
  header: 'octet-string',
  elements: (list: ListNumber, meter: MeterIdentity) =>
    list === 3
      ? withEnergy(meter, meter.model === 'MA304T4' ? 'long64-unsigned' : 'double-long-unsigned')
      : undefined,
  schedule: { listMs: 10_000, mainList: 3, hourlyClock: 'sending' },
  clock: { rule: 'utc+1', deviationMin: -60, status: 0 },
}

/** Swedish Kaifa with OBIS codes: 36 elements every 15 s, no date-time in the header. */
export const kaifaSeObis: HanProfile = {
  ...kaifaSe,
  name: 'kaifa-se-obis',
  header: 'absent',
  grammar: 'pairs',
  elements: (list: ListNumber, meter: MeterIdentity) =>
    list === 3 ? withEnergy(meter, 'double-long-unsigned') : undefined,
  schedule: { listMs: 15_000, mainList: 3, hourlyClock: 'sending' },
}
