/**
 * What a message of a Chain2 gateway is, from any of the forms in which gateways and scripts pass it on:
 *
 *     {"Chain2Data":{"Id","Ts","Meter":"M1","Type":"CF21","Payload":{…}}}     the gateway's own
 *     {"Id","Ts","Meter":"M1","Type":"CF21","Payload":{…}}                    its content
 *     {"EventPosixTimestamp","EventsCounter","InstantPower"}                  the payload alone, told by its shape
 *     {"Chain2Info":{…}}, {"Chain2State":{…}}                                 about the gateway
 *
 * Keys are compared without regard to case.
 */
import { DecodeError } from '../../src/errors.ts'
import { isObject, type JsonObject } from '../../src/json/parse.ts'

/** A compact frame (trama compatta) with its values by lower-case name. */
export interface CompactFrame {
  /** Number of the frame, 21 for CF21. */
  readonly cf: number
  /** Role of the meter: M1 exchanges with the grid, M2 and its like produce. */
  readonly meter: string
  /** When the gateway received it, as it writes it. */
  readonly gatewayTime: unknown
  readonly values: Values
}

/** Values of a payload by lower-case name. */
export type Values = ReadonlyMap<string, unknown>

/** A frame, or the name of what a gateway tells of itself. */
export type GatewayMessage = CompactFrame | 'Chain2Info' | 'Chain2State'

/** What a payload alone must have to be taken for a frame; the first that fits counts. */
const SHAPES: readonly (readonly [cf: number, ...keys: string[]])[] = [
  [22, 'switchoffcountdownseconds'],
  [20, 'contractpower', 'availablepower'],
  [1, 'currquartactenergy'],
  [51, 'instantpower', 'prodinstantpower'],
  [51, 'instantpower', 'instantprodpower'],
  [51, 'instantpower', 'gap'],
  [21, 'instantpower', 'eventscounter'],
  [5, 'dailytotalactenergyf1'],
  [10, 'monthlytotalactenergyf1'],
  [9, 'weeklyveffmin'],
  [23, 'outageduration'],
]

/**
 * The message in a JSON value.
 *
 * @throws DecodeError LIST_UNKNOWN for what is none; it names keys, never values
 */
export function readMessage(value: unknown): GatewayMessage {
  if (!isObject(value)) throw unknown(`a ${value === null ? 'null' : typeof value}`)
  const top = byLowerName(value)
  if (top.has('chain2info')) return 'Chain2Info'
  if (top.has('chain2state')) return 'Chain2State'
  const data = top.get('chain2data') ?? value
  if (!isObject(data)) throw unknown('Chain2Data without content')
  const envelope = byLowerName(data)
  const payload = envelope.get('payload')
  if (isObject(payload)) return enveloped(envelope, byLowerName(payload))
  const shape = shapeOf(envelope)
  if (shape === undefined) throw unknown(`an object with ${names(data)}`)
  return { cf: shape, meter: 'M1', gatewayTime: undefined, values: envelope }
}

function enveloped(envelope: Values, values: Values): CompactFrame {
  const type = envelope.get('type')
  const cf =
    type === undefined ? shapeOf(values) : Number(/^(?:cf)?\s*(\d{1,3})$/i.exec(String(type))?.[1])
  if (cf === undefined || Number.isNaN(cf))
    throw unknown(
      `a frame of type ${JSON.stringify(type)?.slice(0, 20)} with ${[...values.keys()]}`,
    )
  const meter = String(envelope.get('meter') ?? 'M1')
    .trim()
    .toUpperCase()
  if (!ROLE.test(meter)) throw unknown(`a frame CF${cf} of neither M1 nor M2`)
  return {
    cf,
    meter,
    gatewayTime: envelope.get('ts'),
    values,
  }
}

/** M1, M2, M2_2 … */
const ROLE = /^M[12](_\d)?$/

function shapeOf(values: Values): number | undefined {
  return SHAPES.find(([, ...keys]) => keys.every(key => values.has(key)))?.[0]
}

/** Misspelt by gateways. */
const TYPOS: readonly (readonly [RegExp, string])[] = [
  [/induttive/, 'inductive'],
  [/capactive/, 'capacitive'],
]

function byLowerName(object: JsonObject): Values {
  const values = new Map<string, unknown>()
  for (const key of Object.keys(object)) {
    const name = TYPOS.reduce((text, [typo, right]) => text.replace(typo, right), key.toLowerCase())
    if (!values.has(name)) values.set(name, object[key])
  }
  return values
}

function names(object: JsonObject): string {
  const keys = Object.keys(object)
  return keys.length === 0 ? 'no keys' : `keys ${keys.slice(0, 8).join(', ').slice(0, 100)}`
}

function unknown(found: string): DecodeError {
  return new DecodeError('LIST_UNKNOWN', 0, `expected a Chain2 frame, found ${found}`)
}
