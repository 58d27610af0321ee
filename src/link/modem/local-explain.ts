/** The bytes of a host line with their meaning; what a command's data mean is the modem's own. */
import { hex } from '../../bytes/hex.ts'
import type { Span } from '../../decoder.ts'
import type { ExplainRow, LinkEvent } from './dialect.ts'
import { FIRST, HEADER, type LocalFrameForm, TRAILER } from './local-frame.ts'

/** What only the modem's own document tells. */
export interface LocalMeaning {
  readonly form: LocalFrameForm
  status(bytes: Uint8Array, at: number): string
  /** Explains the data at `start..end` of a command; gives the range of the data unit, if it is an indication. */
  data(
    command: number,
    bytes: Uint8Array,
    start: number,
    end: number,
    row: ExplainRow,
  ): readonly [number, number] | undefined
}

const LONE: Readonly<Record<string, string>> = {
  ack: 'ACK: the frame was taken',
  nak: 'NAK: the frame arrived damaged',
  repeat: 'the frame before once more',
  fill: 'fill',
}

/** Explains the bytes of one event. */
export function explainLocal(
  { form, status, data }: LocalMeaning,
  bytes: Uint8Array,
  event: LinkEvent & Span,
  row: ExplainRow,
): readonly [number, number] | undefined {
  const { offset, length } = event
  const end = offset + length
  if (event.type === 'garbage') row(offset, end, event.error.message)
  else if (event.type === 'status')
    row(offset, end, `status ${hex(event.value)}: ${status(bytes, offset + 1)}`)
  else if (event.type !== 'frame' && event.type !== 'sdu') row(offset, end, LONE[event.type] ?? '')
  else {
    const { command } = event
    const repeat = bytes[offset] === FIRST.repeat ? ', repeated' : ''
    row(offset, offset + 1, `start of a frame${repeat}`)
    row(offset + 1, offset + 2, `LEN: data of ${length - HEADER - TRAILER}`)
    row(offset + 2, offset + 3, `command ${form.commands[command]!.name}`)
    const range = data(command, bytes, offset + HEADER, end - TRAILER, row)
    row(end - TRAILER, end, 'check, right')
    return range
  }
  return undefined
}
