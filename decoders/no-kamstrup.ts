/**
 * Kamstrup Omnipower, Norway, Sweden and the Danish order of the list (Kamstrup HAN-NVE interface description, rev 3.1).
 *
 * A structure: the list id as visible string, then pairs {logical name, value}. What a variant lacks is left out, or
 * both halves of the pair are null-data. No scalers and no units: they belong to the meter's configuration, and
 * nothing in the list names it, so {@link scaling} decides from the order of the list, the model and physics.
 *
 * | list                             | current | voltage | energy | clock        |
 * |----------------------------------|---------|---------|--------|--------------|
 * | Norway, Sweden (meter id first)  | 0.01 A  | 1 V     | 10 Wh  | UTC+1        |
 * | Denmark (1.8.0 first)            | 0.01 A  | 1 V     | 1 Wh   | Danish civil |
 * | current transformer meters (685) | 0.001 A | 1 V     |        |              |
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { TAG } from '../src/dlms/axdr.ts'
import { defineHan } from './push/definition.ts'
import type { Family, Scaling } from './push/family.ts'
import type { PushList } from './push/list.ts'
import type { HanOptions } from './push/options.ts'
import { CURRENTS, isCurrentPower, VOLTAGES, voltagePower } from './push/physics.ts'

const ENERGIES = ['1.8.0', '2.8.0', '3.8.0', '4.8.0'] as const
const POWER_FACTORS = ['13.7.0', '33.7.0', '53.7.0', '73.7.0'] as const

/** The Kamstrup grammar. */
export const KAMSTRUP: Family = {
  id: 'no-kamstrup',
  recognise: tape => tape.tag[0] === TAG.structure && tape.tag[1] === TAG.visibleString,
  read: list => {
    const { tape } = list
    list.listId = tape.text(1)
    for (let i = 2; i < tape.count; ) {
      if (tape.tag[i] === TAG.nullData) {
        i++
        continue
      }
      if (!tape.isLogicalName(i)) throw list.fault(i, 'expected a logical name of six octets')
      if (i + 1 === tape.count) throw list.fault(i, 'a logical name without its value')
      list.add(i, i + 1)
      i += 2
    }
  },
  maker: () => 'kamstrup',
  models: [
    { model: /^686/, wiring: '1P' },
    { model: /^684..2/, wiring: '3P3W', measuresL2: true },
    { model: /^684..3/, wiring: '3P4W' },
  ],
  signedCurrents: false,
  zone: list => (isDanish(list) ? undefined : 'utc+1'),
  scaling,
}

/** The Danish order begins with the energies; the Norwegian one with the meter id. */
function isDanish(list: PushList): boolean {
  return list.entries[0]?.meaning?.code === '1.8.0'
}

function scaling(list: PushList): Scaling {
  const voltage = voltagePower(list, VOLTAGE_POWERS)
  const { model } = list
  const isProven = model === undefined && isCurrentPower(list, -3, voltage)
  const current = isProven || model?.startsWith('685') ? -3 : -2
  const energy = isDanish(list) ? 0 : 1
  const isCorrected = isProven || voltage !== 0
  return SCALINGS[current + 3]![voltage + 2]![energy]![isCorrected ? 1 : 0]!
}

/** Whole volts by the description; tenths or hundredths on some firmware. */
const VOLTAGE_POWERS: readonly number[] = [0, -1, -2]

/** Every combination of scalers there is, by current (-3, -2), voltage (-2 to 0), energy (0, 1) and correction. */
const SCALINGS: readonly (readonly (readonly (readonly Scaling[])[])[])[] = [-3, -2].map(current =>
  [-2, -1, 0].map(voltage =>
    [0, 1].map(energy =>
      [false, true].map(isCorrected => ({
        scalers: Object.fromEntries([
          ...CURRENTS.map(code => [code, current]),
          ...VOLTAGES.map(code => [code, voltage]),
          ...ENERGIES.map(code => [code, energy]),
          ...POWER_FACTORS.map(code => [code, -2]),
        ]),
        notes: [
          ...(isCorrected ? (['scale_corrected'] as const) : []),
          // Nobody published in which unit a Danish meter with transformers sends its energies.
          ...(energy === 0 && current === -3 ? (['energy_scale_uncertain'] as const) : []),
        ],
      })),
    ),
  ),
)

/** Decoder of Kamstrup lists. */
export const kamstrup: DecoderDefinition<HanOptions> = defineHan(
  'Kamstrup Omnipower, Norway, Sweden, Denmark (unencrypted)',
  [KAMSTRUP],
)
