/** Other people's recordings, read where they are; never copied into the project. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Folder of recordings beside the project. */
const FOLDER = fileURLToPath(new URL('../../shared/captures/', import.meta.url))

export interface Recording {
  readonly id: string
  readonly file: string
  readonly type: 'frame' | 'llc-pdu' | 'stream' | 'negative' | 'repairable'
  // biome-ignore lint/suspicious/noExplicitAny: the index is other people's data, its shape is asserted by the tests.
  readonly expected: any
  readonly chunks_ms_and_bytes?: readonly [number, number][]
}

/** Recordings of one country, or why there are none. */
export function recordings(country: string): readonly Recording[] | string {
  const index = `${FOLDER}${country}/index.json`
  if (!existsSync(index)) return `skipped: the recordings are not here (${country}/index.json)`
  const { captures, files } = JSON.parse(readFileSync(index, 'utf8'))
  return captures ?? files
}

/** Bytes of a recording. */
export function recordingBytes(country: string, { file }: Recording): Uint8Array {
  return bytesOfHex(readFileSync(`${FOLDER}${country}/${file}`, 'utf8'))
}

/** Bytes of hex text with white space and `#` comments. */
export function bytesOfHex(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text.replace(/#.*$/gm, '').replace(/\s/g, ''), 'hex'))
}
