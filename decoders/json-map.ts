/** Whatever sends JSON, by a mapping of its values: boxes without a decoder of their own, over MQTT or HTTP. */
import type { DecoderDefinition } from '../src/decoder.ts'
import { JsonDecoder } from '../src/json/decoder.ts'
import { type JsonMapOptions, parseJsonMapOptions } from './json-map/options.ts'
import { readMapped } from './json-map/reading.ts'

export const jsonMap: DecoderDefinition<JsonMapOptions> = {
  id: 'json-map',
  title: 'JSON of any make, by a mapping of its values',
  input: 'message',
  parseOptions: parseJsonMapOptions,
  create: options => new JsonDecoder(message => readMapped(options, message)),
}
