/** What the numbers of one telegram prove about their own scale. */
import type { PushList } from './list.ts'

/** Currents and voltages of the phases. */
export const CURRENTS = ['31.7.0', '51.7.0', '71.7.0'] as const
export const VOLTAGES = ['32.7.0', '52.7.0', '72.7.0'] as const

/** Import, export and power factor of each phase, in the order of {@link CURRENTS}. */
const PHASE_POWERS = [
  ['21.7.0', '22.7.0', '33.7.0'],
  ['41.7.0', '42.7.0', '53.7.0'],
  ['61.7.0', '62.7.0', '73.7.0'],
] as const

/** Least and most that a live phase of a 110 to 240 V net shows, V. The ranges of two powers do not overlap. */
const [LEAST_V, MOST_V] = [90, 280]

/** Power of ten of the voltages by their magnitude, one of `powers`; the first of them where no phase is live. */
export function voltagePower(list: PushList, powers: readonly number[]): number {
  for (const code of VOLTAGES) {
    const raw = list.raw(code)
    for (const power of powers) {
      const volts = raw * 10 ** power
      if (volts >= LEAST_V && volts <= MOST_V) return power
    }
  }
  return powers[0]!
}

/** So many telegrams in a row prove a scale for the list, whatever flows then. */
const AGREEMENTS = 6

/** Whether the currents have this power of ten: proved by this telegram, or often enough by those before it. */
export function isCurrentPower(list: PushList, power: number, voltage: number): boolean {
  if (list.agreements >= AGREEMENTS) return true
  const isProven = provesCurrentPower(list, power, voltage)
  list.agreements = isProven ? list.agreements + 1 : 0
  return isProven
}

/**
 * Current transformer meters without a model text send milliamperes in the list in which others send hundredths. Proof
 * in one telegram: the apparent power is what milliamperes give, and on every phase with a power factor of its own
 * U * I * factor is the phase's power.
 */
function provesCurrentPower(list: PushList, power: number, voltage: number): boolean {
  let sum = 0
  let phases = 0
  for (let p = 0; p < 3; p++) {
    const va = list.raw(CURRENTS[p]!) * 10 ** power * list.raw(VOLTAGES[p]!) * 10 ** voltage
    if (Number.isNaN(va)) continue
    sum += va
    const [imported, exported, factor] = PHASE_POWERS[p]!
    const active = Math.abs(list.raw(imported) - list.raw(exported))
    const ratio = list.raw(factor) / 100
    if (Number.isNaN(active) || Number.isNaN(ratio)) continue
    // The factor is cut to hundredths; a factor of 0.00 would fit either scaler.
    if (active < va * (ratio - 0.001) || active > va * (ratio + 0.011)) return false
    if (ratio > 0) phases++
  }
  const apparent = apparentPower(list)
  return phases === 3 && sum > 200 && apparent > 0.8 * sum && apparent < 1.2 * sum
}

/** Of the whole connection from active and reactive power, VA. */
function apparentPower(list: PushList): number {
  return Math.hypot(list.raw('1.7.0') - list.raw('2.7.0'), list.raw('3.7.0') - list.raw('4.7.0'))
}

/** Powers of ten of currents and voltages. */
export interface PhasePowers {
  readonly current: number
  readonly voltage: number
}

/** Voltage of a phase whose list does not carry it, V. */
const NOMINAL_V = 230

/**
 * True if the currents are far too small for the power: the sum of U * I over the phases is never less than the
 * apparent power of the connection. More than it proves nothing, for phases may feed each other.
 */
export function contradictsPower(list: PushList, { current, voltage }: PhasePowers): boolean {
  let sum = 0
  let phases = 0
  for (let p = 0; p < 3; p++) {
    const amperes = Math.abs(list.raw(CURRENTS[p]!)) * 10 ** current
    if (Number.isNaN(amperes)) continue
    const volts = list.raw(VOLTAGES[p]!) * 10 ** voltage
    sum += amperes * (Number.isNaN(volts) ? NOMINAL_V : volts)
    phases++
  }
  const reactive = list.raw('3.7.0') - list.raw('4.7.0')
  const apparent = Number.isNaN(reactive)
    ? Math.abs(list.raw('1.7.0') - list.raw('2.7.0'))
    : apparentPower(list)
  return phases > 0 && apparent > 500 && sum < 0.3 * apparent
}

/** True if voltages are sent and no phase has one that a net has. */
export function contradictsVoltage(list: PushList, power: number): boolean {
  let isSent = false
  for (const code of VOLTAGES) {
    const volts = list.raw(code) * 10 ** power
    if (volts >= LEAST_V && volts <= MOST_V + 10) return false
    if (volts > 0) isSent = true
  }
  return isSent
}

/** True if the powers of the phases do not add up to that of the connection. */
export function contradictsPhases(list: PushList): boolean {
  let sum = 0
  for (const [imported, exported] of PHASE_POWERS) sum += list.raw(imported) - list.raw(exported)
  return Math.abs(sum - (list.raw('1.7.0') - list.raw('2.7.0'))) > 3
}
