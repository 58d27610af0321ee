/** The part that every decoder of JSON messages shares: sizes, several values in one message, spans, rejections. */
import type { Decoder, DecoderEvent } from '../decoder.ts'
import { DecodeError } from '../errors.ts'
import type { AvailablePower, Instant, Note, Reading } from '../reading.ts'
import { isMarked, unmarked } from './mark.ts'
import { parseJson } from './parse.ts'
import { jsonSpans } from './spans.ts'

/** One JSON value as it arrived. */
export interface JsonMessage {
  readonly value: unknown
  readonly at: Instant
  /** Kept by somebody and handed out on request: its age is not known. */
  readonly isRetained: boolean
}

/** What a message says: a reading, a signal, both, or a word about itself. */
export interface Understood {
  readonly reading?: Reading
  readonly notes?: readonly Note[]
  readonly signal?: AvailablePower
  readonly info?: string
}

/** Longest message that is looked at, bytes; gateways send a few hundred. */
export const LONGEST_MESSAGE = 65_536

/** Each push is one message, or several JSON values one after the other. `read` throws DecodeError for what it refuses. */
export class JsonDecoder implements Decoder {
  readonly wakeAt: Instant | undefined = undefined
  readonly heldBytes = 0
  private readonly read: (message: JsonMessage) => Understood
  private received = 0

  constructor(read: (message: JsonMessage) => Understood) {
    this.read = read
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    const start = this.received
    this.received += chunk.length
    if (chunk.length > LONGEST_MESSAGE) {
      const detail = `a message of ${chunk.length} bytes, expected at most ${LONGEST_MESSAGE}`
      const error = new DecodeError('LINK_OVERFLOW', 0, detail)
      return [{ type: 'rejected', error, offset: start, length: chunk.length }]
    }
    const isRetained = isMarked(chunk)
    const text = unmarked(chunk)
    const skipped = chunk.length - text.length
    return jsonSpans(text).flatMap(([from, to], i) => {
      const offset = start + (i === 0 ? 0 : from + skipped)
      const span = { offset, length: start + to + skipped - offset }
      try {
        const value = parseJson(text.subarray(from, to))
        return eventsOf(this.read({ value, at, isRetained }), isRetained, span)
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error
        return [{ type: 'rejected', error, ...span }]
      }
    })
  }

  wake(): readonly DecoderEvent[] {
    return []
  }
}

/** A reading comes before its signal and has the span; a signal that was retained is told, its countdown is not. */
function eventsOf(
  { reading, notes = [], signal, info }: Understood,
  isRetained: boolean,
  span: { readonly offset: number; readonly length: number },
): readonly DecoderEvent[] {
  const all: readonly Note[] = isRetained ? [...notes, 'retained'] : notes
  if (reading !== undefined) {
    const told: DecoderEvent = {
      type: 'reading',
      reading,
      ...span,
      ...(all.length > 0 ? { notes: all } : {}),
    }
    const isOld = isRetained && signal?.tripInS !== undefined
    return signal === undefined || isOld ? [told] : [told, { type: 'signal', signal }]
  }
  return signal === undefined
    ? [{ type: 'info', detail: info ?? 'nothing about the meter', ...span }]
    : [{ type: 'signal', signal, ...span }]
}
