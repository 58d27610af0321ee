/** Input of decoders whose every push is one message: cut where the messages end, not where a file or pipe does. */
import type { DecoderDefinition } from '../decoder.ts'
import { type Chunk, paced, type Recording } from '../io/capture-file.ts'
import { jsonSpans } from '../json/spans.ts'

const BLOCK = 65_536
const BLANKS: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d])
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b])

/** The input in pieces a decoder takes, without regard to time: blocks of a stream, or messages. */
export function piecesOf(
  recording: Recording,
  { input }: Pick<DecoderDefinition, 'input'>,
): Iterable<Chunk> {
  if (input === 'message') return chunksOf(recording, { input })
  return blocks(recording.bytes)
}

function* blocks(bytes: Uint8Array): Generator<Chunk> {
  for (let at = 0; at < bytes.length; at += BLOCK)
    yield { atMs: 0, bytes: bytes.subarray(at, at + BLOCK) }
}

/**
 * The chunks of a recording. A plain file of JSON is cut into its values, each arriving with its last byte at the pace
 * of such files; any other plain file is one message.
 */
export function chunksOf(
  recording: Recording,
  { input }: Pick<DecoderDefinition, 'input'>,
): Iterable<Chunk> {
  const { bytes, form, chunks } = recording
  if (input === 'stream' || form === 'capture') return chunks
  const spans = startsJson(bytes) ? jsonSpans(bytes) : [[0, bytes.length] as const]
  const instants = Array.from(paced(bytes), ({ atMs }) => atMs)
  return spans.map(([from, to]) => ({
    atMs: instants[to - 1] ?? 0,
    bytes: bytes.subarray(from, to),
  }))
}

/** True where an object or a list begins that is no recording. */
export function startsJson(bytes: Uint8Array): boolean {
  const start = bytes.findIndex(byte => !BLANKS.has(byte))
  const head = String.fromCharCode(...bytes.subarray(start, start + 20)).replace(/\s/g, '')
  return OPENING.has(bytes[start] ?? 0) && !head.startsWith('{"capture":')
}

/** JSON values out of bytes that keep coming; what is left at the end is a message too. */
export async function* jsonMessages(
  input: AsyncIterable<Uint8Array | string>,
): AsyncGenerator<Uint8Array> {
  let held: Uint8Array = new Uint8Array(0)
  for await (const piece of input) {
    held = Buffer.concat([held, typeof piece === 'string' ? Buffer.from(piece) : piece])
    let taken = 0
    for (const [from, to, isWhole] of jsonSpans(held)) {
      if (!isWhole) break
      yield held.subarray(from, to)
      taken = to
    }
    held = held.subarray(taken)
  }
  if (held.length > 0) yield held
}
