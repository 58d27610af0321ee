/**
 * Kamstrup Omnipower: 10 s and hourly lists (HAN-NVE interface description 3.1, 2.8) and the Danish order of CT meters
 * with 65 elements. Scalers are not in the telegram; they belong to the meter's configuration.
 */
import type { Element, HanProfile, ListNumber, MeterIdentity, Unit } from './telegram.ts'

type NumberType = 'double-long-unsigned' | 'long-unsigned'

function text(obis: string, what: 'list' | 'id' | 'model'): Element {
  return { kind: 'text', obis, what, type: 'visible-string' }
}

function number(groups: string, scaler: number, unit: Unit, type: NumberType): Element {
  return { kind: 'number', obis: `1-1:${groups}*255`, type, scaler, unit }
}

const u32 = (groups: string, scaler: number, unit: Unit): Element =>
  number(groups, scaler, unit, 'double-long-unsigned')
const u16 = (groups: string, scaler: number, unit: Unit): Element =>
  number(groups, scaler, unit, 'long-unsigned')

const LIST_ID = text('', 'list')
const CLOCK: Element = { kind: 'clock', obis: '0-1:1.0.0*255' }
const NULL: Element = { kind: 'null' }

const POWERS: readonly Element[] = [
  u32('1.7.0', 0, 'W'),
  u32('2.7.0', 0, 'W'),
  u32('3.7.0', 0, 'var'),
  u32('4.7.0', 0, 'var'),
]

function energies(scaler: number): readonly Element[] {
  return [
    u32('1.8.0', scaler, 'Wh'),
    u32('2.8.0', scaler, 'Wh'),
    u32('3.8.0', scaler, 'varh'),
    u32('4.8.0', scaler, 'varh'),
  ]
}

/** Single-phase meters keep the places of the phases they lack and send null-data there. */
function tenSeconds(meter: MeterIdentity): readonly Element[] {
  const amperes = meter.model.startsWith('685') ? -3 : -2
  const single = meter.wiring === '1P'
  const phases = (rows: readonly Element[]): readonly Element[] =>
    rows.map((element, phase) => (single && phase > 0 ? NULL : element))
  return [
    LIST_ID,
    text('1-1:0.0.5*255', 'id'),
    text('1-1:96.1.1*255', 'model'),
    ...POWERS,
    ...phases(['31.7.0', '51.7.0', '71.7.0'].map(groups => u32(groups, amperes, 'A'))),
    ...phases(['32.7.0', '52.7.0', '72.7.0'].map(groups => u16(groups, 0, 'V'))),
  ]
}

const PHASES = [20, 40, 60] as const

/**
 * Danish order: energies in Wh first, the meter's number as an integer, phase powers, power factors. `amperes` is the
 * scaler of the currents; single-phase meters leave the other phases out.
 */
export function danishList(amperes: number, phases: 1 | 3): readonly Element[] {
  const each = (row: (phase: number) => Element): readonly Element[] =>
    PHASES.slice(0, phases).map(row)
  return [
    LIST_ID,
    ...energies(0),
    u32('0.0.1', 0, ''),
    ...POWERS,
    CLOCK,
    ...each(phase => u16(`${phase + 12}.7.0`, 0, 'V')),
    ...each(phase => u32(`${phase + 11}.7.0`, amperes, 'A')),
    ...each(phase => u32(`${phase + 1}.7.0`, 0, 'W')),
    ...each(phase => u16(`${phase + 13}.7.0`, -2, '')),
    u16('13.7.0', -2, ''),
    ...each(phase => u32(`${phase + 2}.7.0`, 0, 'W')),
    ...each(phase => u32(`${phase + 2}.8.0`, 0, 'Wh')),
    ...each(phase => u32(`${phase + 1}.8.0`, 0, 'Wh')),
  ]
}

/** Kamstrup 686 (1P), 684xx2 (3P3W), 684xx3 (3P4W), 685 (CT) in Norway and Sweden. */
export const kamstrup: HanProfile = {
  name: 'kamstrup',
  maker: 'kamstrup',
  listId: 'Kamstrup_V0001',
  link: { destination: [21], source: [16], control: 0x13 },
  invokeIdAndPriority: 0,
  header: 'plain',
  sunday: 7,
  grammar: 'pairs-after-list-id',
  elements: (list: ListNumber, meter: MeterIdentity) =>
    ({
      1: undefined,
      2: tenSeconds(meter),
      3: [...tenSeconds(meter), CLOCK, ...energies(1)],
    })[list],
  serial: { baudRate: 2400, dataBits: 8, parity: 'none', stopBits: 1 },
  schedule: { listMs: 10_000, mainList: 2, hourlyAtMs: 5000, hourlyClock: 'sending' },
  clock: { rule: 'utc+1', deviationMin: null, status: 0 },
  // Trigger to last byte was measured as 2.33 s, of which 0.95 s are wire time.
  latencyMs: 1380,
  signedCurrents: false,
  reactive: 'by-sign',
}

/** Kamstrup before firmware rev U1: the header's date-time carries its data tag. */
export const kamstrupOld: HanProfile = { ...kamstrup, name: 'kamstrup-old', header: 'octet-string' }

/** Danish CT meter, 65 elements, civil time, no identifiers. */
export const kamstrupDkCt: HanProfile = {
  ...kamstrup,
  name: 'kamstrup-dk-ct',
  elements: (list: ListNumber) => (list === 3 ? danishList(-3, 3) : undefined),
  schedule: { listMs: 10_000, mainList: 3, hourlyClock: 'sending' },
  clock: { rule: 'civil', deviationMin: null, status: 0 },
}
