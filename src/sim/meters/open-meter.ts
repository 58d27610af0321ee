/** A simulated Open Meter behind a gateway: its frames as JSON, late and some of them lost, read by the real decoder. */
import type { DecoderDefinition, DecoderEvent } from '../../decoder.ts'
import { AmpacityError } from '../../errors.ts'
import { chain2GateText } from '../open-meter/chain2gate-text.ts'
import { contractedW, OPEN_METER_DECODER } from '../open-meter/kind.ts'
import { OpenMeter } from '../open-meter/open-meter.ts'
import { type Arrival, type Meter, type MeterSetting, Transit } from './meter.ts'

const UTF8 = new TextEncoder()

/** The meter with its way to the controller. `startMs`: epoch ms of the first second. */
export function openMeter(
  setting: MeterSetting,
  startMs: number,
  availableW: number,
  decoders: readonly DecoderDefinition[],
): Meter {
  const definition = decoders.find(({ id }) => id === OPEN_METER_DECODER)
  if (definition === undefined)
    throw new AmpacityError('DECODER_UNKNOWN', `no decoder '${OPEN_METER_DECODER}'`)
  const options = definition.parseOptions(undefined)
  if (!options.ok) throw new RangeError(`${definition.id} needs options`)
  const decoder = definition.create(options.value)
  const meter = new OpenMeter({ contractedW: contractedW(availableW), startMs })
  const transit = new Transit(setting)
  const texts: { readonly text: string; readonly at: number }[] = []
  return {
    step(second, truth) {
      const [a, b, c] = truth().activeW
      const watts = a + b + c
      const flow = watts >= 0 ? { importW: watts } : { importW: 0, exportW: -watts }
      const at = Math.round((second + setting.model.latencyS) * 1000)
      for (const frame of meter.step(startMs + second * 1000, flow))
        if (!transit.loses(second)) texts.push({ text: chain2GateText(frame, startMs + at), at })
      // The scenario's own limiter judges; this one only tells.
      if (meter.limiter.isOpen) meter.limiter.close()
      while (texts.length > 0 && texts[0]!.at <= second * 1000) {
        const { text, at } = texts.shift()!
        for (const event of decoder.push(UTF8.encode(text), at)) transit.send(arrivalOf(event, at))
      }
      return transit.arrived(second)
    },
  }
}

function arrivalOf(event: DecoderEvent, at: number): Arrival {
  if (event.type === 'signal') return { at, signal: event.signal }
  if (event.type !== 'reading') return { at }
  const { reading, notes } = event
  return notes === undefined ? { at, reading } : { at, reading, notes }
}
