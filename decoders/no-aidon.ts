/**
 * Aidon, Norway and Sweden, and the Embriq module of Landis+Gyr's E350 (Aidon HAN Interface Description 1.1 A, 3.3).
 *
 * The list is an array; each element says everything about itself:
 *
 * | element | contents                                       |
 * |---------|------------------------------------------------|
 * | 1       | logical name, six octets                       |
 * | 2       | value: text, clock, or integer                 |
 * | 3       | structure of scaler (integer) and unit (enum); absent for texts and clock |
 *
 * Deviations: Embriq pads its meter id and model with NULs and sends I2 and U2 of three-wire nets as 0; the model
 * 6525 leaves I2 out. The clock runs on UTC+1 all year whatever deviation it carries.
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { TAG } from '../src/dlms/axdr.ts'
import { UNITS } from '../src/dlms/scale.ts'
import { defineHan } from './push/definition.ts'
import type { Family } from './push/family.ts'
import type { HanOptions } from './push/options.ts'

/** The Aidon grammar. */
export const AIDON: Family = {
  id: 'no-aidon',
  recognise: tape =>
    tape.tag[0] === TAG.array && tape.tag[1] === TAG.structure && tape.isLogicalName(2),
  read: list => {
    const { tape } = list
    for (let i = 1; i < tape.count; ) {
      const items = tape.items[i]!
      if (tape.tag[i] !== TAG.structure || !tape.isLogicalName(i + 1) || items < 2 || items > 3)
        throw list.fault(i, 'expected a structure of code, value and scaler with unit')
      const value = i + 2
      if (items === 2) {
        list.add(i + 1, value)
        i = value + 1
        continue
      }
      const scale = value + 1
      if (
        tape.tag[scale] !== TAG.structure ||
        tape.items[scale] !== 2 ||
        tape.tag[scale + 1] !== TAG.integer ||
        tape.tag[scale + 2] !== TAG.enum
      )
        throw list.fault(scale, 'expected a structure of scaler and unit')
      const [scaler, unit] = [tape.value[scale + 1]!, UNITS[tape.value[scale + 2]!] ?? '']
      list.add(i + 1, value, { scaler, unit, isSent: true })
      i = scale + 3
    }
  },
  maker: list => (list.listId?.startsWith('EMBRIQ') ? 'embriq' : 'aidon'),
  models: [
    { model: /^65(10|11|15)/, wiring: '1P' },
    { model: /^65(20|25|40|60)/, wiring: '3P3W' },
    { model: /^65(30|31|34|50)/, wiring: '3P4W' },
  ],
  signedCurrents: true,
  zone: () => 'utc+1',
  repeatsHour: true,
}

/** Decoder of Aidon and Embriq lists. */
export const aidon: DecoderDefinition<HanOptions> = defineHan(
  'Aidon, Norway and Sweden; Landis+Gyr E350 with Embriq module',
  [AIDON],
)
