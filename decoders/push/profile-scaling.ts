/** The scaling of a profile in one telegram: chosen by the numbers where it leaves a choice, doubted where they contradict it. */
import { keyOf } from '../../src/obis.ts'
import type { Note } from '../../src/reading.ts'
import type { Scaling } from './family.ts'
import type { PushList } from './list.ts'
import {
  CURRENTS,
  contradictsPhases,
  contradictsPower,
  contradictsVoltage,
  isCurrentPower,
  type PhasePowers,
  VOLTAGES,
  voltagePower,
} from './physics.ts'
import type { Guard, Profile } from './profile.ts'
import { profileScale } from './scales.ts'

/** So many telegrams in a row with currents that contradict the power prove the scale wrong for good. */
const DOUBTS = 3

/** What fails with a guard. */
const GUARDS: Readonly<
  Record<Guard, (list: PushList, powers: PhasePowers) => readonly string[] | undefined>
> = {
  voltage: (list, { voltage }) => (contradictsVoltage(list, voltage) ? ['V', 'A'] : undefined),
  'apparent-power': (list, powers) => (isDoubtful(list, powers) ? ['A'] : undefined),
  'phase-sum': list => (contradictsPhases(list) ? ['A'] : undefined),
}

function isDoubtful(list: PushList, powers: PhasePowers): boolean {
  if (list.doubts >= DOUBTS) return true
  const isDoubted = contradictsPower(list, powers)
  list.doubts = isDoubted ? list.doubts + 1 : 0
  return isDoubted
}

/** Scaling of the lists of a profile; `undefined` where every telegram is scaled the same. */
export function profileScaling(
  profile: Profile,
  variants: readonly Profile[],
): ((list: PushList) => Scaling) | undefined {
  const { autoScale, guards = [], energyScale } = profile
  if (autoScale === undefined && guards.length === 0 && energyScale === undefined) return undefined
  const usual = powersOf(profile)
  const voltages = autoScale?.voltage ?? [usual.voltage]
  const otherCurrents = autoScale?.current?.slice(1) ?? []
  const known: Known[] = []

  return list => {
    const voltage = voltagePower(list, voltages)
    const current =
      otherCurrents.find(power => isCurrentPower(list, power, voltage)) ?? usual.current
    let found = known.find(({ powers: p }) => p.voltage === voltage && p.current === current)
    if (found === undefined) {
      found = scalingsOf(profile, variants, usual, { voltage, current })
      known.push(found)
    }
    const scaling = list.hasEnergy ? found.withEnergy : found.plain
    for (const guard of guards) {
      const withheld = GUARDS[guard](list, found.powers)
      if (withheld === undefined) continue
      return { ...scaling, withheld, notes: [...scaling.notes, 'currents_implausible'] }
    }
    return scaling
  }
}

/** Scalings with one combination of powers, of lists with energies and without. */
interface Known {
  readonly powers: PhasePowers
  readonly withEnergy: Scaling
  readonly plain: Scaling
}

function scalingsOf(
  profile: Profile,
  variants: readonly Profile[],
  usual: PhasePowers,
  powers: PhasePowers,
): Known {
  const { voltage, current } = powers
  const isUsual = voltage === usual.voltage && current === usual.current
  const variant = variants.find(v => {
    const own = powersOf(v)
    return own.voltage === voltage && own.current === current
  })
  const { id, energyScale } = (isUsual ? undefined : variant) ?? profile
  const plain = {
    scalers: Object.fromEntries([
      ...CURRENTS.map(code => [code, current]),
      ...VOLTAGES.map(code => [code, voltage]),
    ]),
    notes: isUsual ? [] : (['scale_corrected'] satisfies Note[]),
    profile: id,
  }
  const doubt: readonly Note[] = energyScale === undefined ? [] : ['energy_scale_uncertain']
  return { powers, plain, withEnergy: { ...plain, notes: [...plain.notes, ...doubt] } }
}

/** Powers of ten that a profile gives currents and voltages, the usual ones where it leaves a choice. */
function powersOf({ scale = {}, autoScale }: Profile): PhasePowers {
  const scaleOf = profileScale(scale, () => false)
  return {
    current: autoScale?.current?.[0] ?? scaleOf(keyOf(CURRENTS[0]))?.scaler ?? 0,
    voltage: autoScale?.voltage?.[0] ?? scaleOf(keyOf(VOLTAGES[0]))?.scaler ?? 0,
  }
}
