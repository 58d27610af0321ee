/** A meter whose samples go over the wire: encoded as its maker does, delivered at line speed, decoded by the real decoder. */
import type { Decoder, DecoderDefinition } from '../../decoder.ts'
import { AmpacityError } from '../../errors.ts'
import { DANISH_KEYS, danishSeal, danishValues, kamstrupDk } from '../denmark.ts'
import { endsAtMs, type MeterOptions, SimulatedMeter } from '../meter.ts'
import { aidon } from '../norway/aidon.ts'
import type { ElectricalState } from '../norway/electrical.ts'
import { kaifa } from '../norway/kaifa.ts'
import { kamstrup } from '../norway/kamstrup.ts'
import type { HanProfile, MeterIdentity, Wiring } from '../norway/telegram.ts'
import { OPEN_METER_DECODER } from '../open-meter/kind.ts'
import { type Arrival, type Meter, type MeterSetting, Transit } from './meter.ts'

/** How the meter of a decoder is simulated. */
interface Simulated {
  readonly profile: HanProfile
  /** What the maker calls its meters; a wiring that is left out has none. */
  readonly models: { readonly [wiring in Wiring]?: string }
  /** Time on the wire before a list is complete, s; with the meter's own latency what a controller is told. */
  readonly wireS: number
  /** What the decoder must be told. */
  readonly options?: object
  /** Made anew for each meter: what it sends beside others, and how it protects it. */
  readonly special?: () => Pick<MeterOptions, 'values' | 'protect'>
}

const SIMULATED: Readonly<Record<string, Simulated>> = {
  'no-aidon': {
    profile: aidon,
    models: { '1P': '6515', '3P3W': '6525', '3P4W': '6534' },
    wireS: 1,
  },
  'no-kaifa': {
    profile: kaifa,
    models: { '1P': 'MA105H2E', '3P3W': 'MA304H3E', '3P4W': 'MA304H4' },
    wireS: 1,
  },
  'no-kamstrup': {
    profile: kamstrup,
    models: {
      '1P': '6861111BN242101040',
      '3P3W': '6841121BN243101040',
      '3P4W': '6841131BN243101040',
    },
    wireS: 1,
  },
  'dlms-push': {
    profile: kamstrupDk,
    models: { '1P': '', '3P4W': '' },
    wireS: 2,
    options: { keys: DANISH_KEYS },
    special: () => ({ values: danishValues, protect: danishSeal() }),
  },
}

/** Ids of decoders whose meters can be simulated. */
export const SIMULATED_DECODERS: readonly string[] = [...Object.keys(SIMULATED), OPEN_METER_DECODER]

/** The meter of a decoder, read by that decoder. `startMs`: epoch ms of the first second. */
export function telegramMeter(
  setting: MeterSetting,
  startMs: number,
  decoders: readonly DecoderDefinition[],
): Meter {
  const { model, wiring } = setting
  const simulated = SIMULATED[model.decoder]
  const definition = decoders.find(({ id }) => id === model.decoder)
  const name = simulated?.models[wiring]
  if (simulated === undefined || definition === undefined || name === undefined)
    throw new AmpacityError(
      'DECODER_UNKNOWN',
      simulated === undefined || definition === undefined
        ? `no simulated meter for '${model.decoder}', there are ${SIMULATED_DECODERS.join(', ')}`
        : `the simulated meter for '${model.decoder}' needs a neutral, grid TN`,
    )
  const options = definition.parseOptions(simulated.options)
  if (!options.ok) throw new RangeError(`${definition.id} needs options`)
  const decoder = definition.create(options.value)
  const meter: MeterIdentity = { id: '7359992000000042', model: name, wiring }
  const transit = new Transit(setting)
  let state: ElectricalState | undefined
  const sender = new SimulatedMeter({
    profile: simulated.profile,
    meter,
    state: () => state!,
    startMs,
    latencyMs: Math.max(0, model.latencyS - simulated.wireS) * 1000,
    ...simulated.special?.(),
  })
  const wire: { readonly bytes: Uint8Array; readonly endMs: number }[] = []
  return {
    step(second, truth) {
      if (sender.wakeAt <= startMs + second * 1000) {
        state = transit.freezes(second) ? (state ?? truth()) : truth()
        for (const emission of sender.next(startMs + second * 1000)) {
          const bytes = transit.loses(second) ? damaged(emission.bytes) : emission.bytes
          wire.push({ bytes, endMs: endsAtMs(emission) - startMs })
        }
      }
      while (wire.length > 0 && wire[0]!.endMs <= second * 1000) {
        const { bytes, endMs } = wire.shift()!
        for (const arrival of decoded(decoder, bytes, endMs)) transit.send(arrival)
      }
      return transit.arrived(second)
    },
  }
}

/** One bit of the middle byte turned: the fault that is hardest to notice. */
function damaged(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice()
  copy[copy.length >> 1]! ^= 1
  return copy
}

function decoded(decoder: Decoder, bytes: Uint8Array, at: number): readonly Arrival[] {
  return decoder.push(bytes, at).flatMap((event): Arrival[] =>
    event.type !== 'reading'
      ? []
      : [
          {
            at: event.reading.receivedAt,
            reading: event.reading,
            ...(event.notes === undefined ? {} : { notes: event.notes }),
          },
        ],
  )
}
