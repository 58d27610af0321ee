import type { ExplainedContents, Explanation } from '../../../src/decoder.ts'

/** Collects the rows of one run of bytes, in order. */
export class Rows {
  readonly bytes: Uint8Array
  readonly all: Explanation[] = []

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  /** Says what `bytes[start..end)` mean; nothing if there are none. */
  add(
    depth: number,
    start: number,
    end: number,
    meaning: string,
    contents?: ExplainedContents,
  ): void {
    if (end <= start) return
    const row = { depth, offset: start, length: end - start, meaning }
    this.all.push(contents === undefined ? row : { ...row, contents })
  }
}
