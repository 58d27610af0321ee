/** Every byte of a telegram with its meaning, for `decode --format explain`. */
import { crc16x25 } from '../../src/bytes/crc16.ts'
import { hex } from '../../src/bytes/hex.ts'
import type { Explanation } from '../../src/decoder.ts'
import { DecodeError } from '../../src/errors.ts'
import {
  ESCAPE,
  ESCAPE_LENGTH,
  findEscape,
  isRepeated,
  START,
  undouble,
} from '../../src/link/sml-escape.ts'
import { SmlTape } from '../../src/sml/tape.ts'
import { explainMessage } from './explain-message.ts'

const MARK = 2 * ESCAPE_LENGTH

/** Explains a telegram with what stands before and behind it. Damaged bytes are explained as far as they can be. */
export function explainSml(telegram: Uint8Array): readonly Explanation[] {
  const rows: Explanation[] = []
  const add: Add = (depth, offset, end, meaning) => {
    if (end > offset) rows.push({ depth, offset, length: end - offset, meaning })
  }
  let at = 0
  while (at < telegram.length) {
    const start = findStart(telegram, at)
    add(0, at, start, rows.length > 0 ? 'no frame' : 'before the start of a frame')
    if (start === telegram.length) break
    at = explainFrame(telegram, start, add)
  }
  return rows
}

/** Adds a row; nothing for an empty span. */
export type Add = (depth: number, offset: number, end: number, meaning: string) => void

/** Index of the next start of a frame, the length of `bytes` if there is none. */
function findStart(bytes: Uint8Array, from: number): number {
  for (let at = from; ; ) {
    const found = findEscape(bytes, at, bytes.length)
    if (found < 0) return bytes.length
    let behind = found + ESCAPE_LENGTH
    while (bytes[behind] === ESCAPE) behind++
    if (isRepeated(START, bytes, behind, ESCAPE_LENGTH)) return behind - ESCAPE_LENGTH
    at = behind
  }
}

/** Index of the escape that ends the messages begun at `from`: an end, a start or damage; else the input's end. */
function findEnd(bytes: Uint8Array, from: number): number {
  for (let at = from; ; at += MARK) {
    at = findEscape(bytes, at, bytes.length)
    if (at < 0) return bytes.length
    if (!isRepeated(ESCAPE, bytes, at + ESCAPE_LENGTH, ESCAPE_LENGTH)) return at
  }
}

/** Explains the frame at `start` and returns the index behind it. */
function explainFrame(bytes: Uint8Array, start: number, add: Add): number {
  const first = start + MARK
  add(0, start, start + ESCAPE_LENGTH, 'escape')
  add(0, start + ESCAPE_LENGTH, first, 'start of a frame, SML transport version 1')
  const end = findEnd(bytes, first)
  const behind = end + MARK
  const fill = bytes[end + 5] ?? 0
  const isClosed =
    behind <= bytes.length && bytes[end + 4] === 0x1a && fill <= 3 && fill <= end - first
  const messagesEnd = isClosed ? end - fill : end
  explainMessages(bytes, first, messagesEnd, add)
  add(0, messagesEnd, end, 'fill')
  if (!isClosed) {
    const next = findStart(bytes, end)
    add(0, end, next, 'the frame has no end')
    return next
  }
  const sent = bytes[behind - 2]! | (bytes[behind - 1]! << 8)
  const computed = crc16x25(bytes, start, behind - 2)
  add(0, end, end + ESCAPE_LENGTH, 'escape')
  add(0, end + ESCAPE_LENGTH, behind - 2, `end of the frame, ${fill} fill bytes`)
  add(
    0,
    behind - 2,
    behind,
    sent === computed
      ? 'frame checksum, right'
      : `frame checksum ${hex(sent)} sent, ${hex(computed)} computed`,
  )
  return behind
}

/** Explains messages with their doubled escapes: rows are made of the octets meant and placed where they were sent. */
function explainMessages(bytes: Uint8Array, start: number, end: number, add: Add): void {
  const plain = new Uint8Array(end - start)
  const places = new Uint32Array(end - start + 1)
  const size = undouble(bytes, start, end, plain, places)
  places[size] = end
  const addPlaced: Add = (depth, offset, behind, meaning) =>
    add(depth, places[offset]!, places[behind]!, meaning)
  const tape = new SmlTape()
  let at = 0
  try {
    while (at < size) {
      const behind = tape.scan(plain, at, size, 0)
      explainMessage(tape, addPlaced)
      at = behind
    }
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error
    addPlaced(1, at, size, error.message)
  }
}
