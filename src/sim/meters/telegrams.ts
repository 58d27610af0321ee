/** A meter whose samples go over the wire: encoded as its maker does, delivered at line speed, decoded by the real decoder. */
import type { Decoder, DecoderDefinition } from '../../decoder.ts'
import { AmpacityError } from '../../errors.ts'
import { endsAtMs, SimulatedMeter } from '../meter.ts'
import type { ElectricalState } from '../norway/electrical.ts'
import { HAN_PROFILES } from '../norway/profiles.ts'
import type { MeterIdentity, Wiring } from '../norway/telegram.ts'
import { OPEN_METER_DECODER } from '../open-meter/kind.ts'
import { type Arrival, type Meter, type MeterSetting, Transit } from './meter.ts'

/** What the makers call their meters, by profile and wiring. */
const MODELS: Readonly<Record<string, Readonly<Record<Wiring, string>>>> = {
  aidon: { '1P': '6515', '3P3W': '6525', '3P4W': '6534' },
  kaifa: { '1P': 'MA105H2E', '3P3W': 'MA304H3E', '3P4W': 'MA304H4' },
  kamstrup: {
    '1P': '6861111BN242101040',
    '3P3W': '6841121BN243101040',
    '3P4W': '6841131BN243101040',
  },
}

/** Ids of decoders whose meters can be simulated. */
export const SIMULATED_DECODERS: readonly string[] = [
  ...Object.keys(MODELS).map(name => `no-${name}`),
  OPEN_METER_DECODER,
]

/** Time on the wire before a list of 10 s is complete, s; with the meter's own latency what a controller is told. */
export const WIRE_S = 1

/** The meter of a decoder, read by that decoder. `startMs`: epoch ms of the first second. */
export function telegramMeter(
  setting: MeterSetting,
  startMs: number,
  decoders: readonly DecoderDefinition[],
): Meter {
  const { model, wiring } = setting
  const profile = HAN_PROFILES.find(({ name }) => `no-${name}` === model.decoder)
  const definition = decoders.find(({ id }) => id === model.decoder)
  const models = profile === undefined ? undefined : MODELS[profile.name]
  if (profile === undefined || definition === undefined || models === undefined)
    throw new AmpacityError(
      'DECODER_UNKNOWN',
      `no simulated meter for '${model.decoder}', there are ${SIMULATED_DECODERS.join(', ')}`,
    )
  const options = definition.parseOptions(undefined)
  if (!options.ok) throw new RangeError(`${definition.id} needs options`)
  const decoder = definition.create(options.value)
  const meter: MeterIdentity = { id: '7359992000000042', model: models[wiring], wiring }
  const transit = new Transit(setting)
  let state: ElectricalState | undefined
  const simulated = new SimulatedMeter({
    profile,
    meter,
    state: () => state!,
    startMs,
    latencyMs: Math.max(0, model.latencyS - WIRE_S) * 1000,
  })
  const wire: { readonly bytes: Uint8Array; readonly endMs: number }[] = []
  return {
    step(second, truth) {
      if (simulated.wakeAt <= startMs + second * 1000) {
        state = transit.freezes(second) ? (state ?? truth()) : truth()
        for (const emission of simulated.next(startMs + second * 1000)) {
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
