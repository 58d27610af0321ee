/** Bytes that come again and again with the same contents in all but some places. */
export class BytePattern {
  private size = -1
  /** The bytes learned, and ones in the mask where a bit must stay; both are compared four bytes at a time. */
  private learned: Uint32Array = new Uint32Array(0)
  private mask: Uint32Array = new Uint32Array(0)
  private maskBytes: Uint8Array = new Uint8Array(0)
  /** The bytes to be compared, as words and as bytes. */
  private words: Uint32Array = new Uint32Array(0)
  private window: Uint8Array = new Uint8Array(0)

  /** Remembers `bytes[start..end)`; all of them must come again until {@link free} says otherwise. */
  learn(bytes: Uint8Array, start: number, end: number): void {
    const count = Math.ceil((end - start) / 4)
    if (count !== this.words.length) {
      this.words = new Uint32Array(count)
      this.window = new Uint8Array(this.words.buffer)
      this.learned = new Uint32Array(count)
      this.mask = new Uint32Array(count)
      this.maskBytes = new Uint8Array(this.mask.buffer)
    }
    this.size = end - start
    this.window.set(bytes.subarray(start, end))
    this.learned.set(this.words)
    this.mask.fill(0xffff_ffff)
  }

  /** Lets the bytes from place `from` to before `to`, counted from the first one learned, be anything. */
  free(from: number, to: number): void {
    for (let i = from; i < to; i++) this.maskBytes[i] = 0
  }

  /** Takes back what {@link free} said of these places. */
  fix(from: number, to: number): void {
    for (let i = from; i < to; i++) this.maskBytes[i] = 0xff
  }

  /** Fits nothing from now on. */
  forget(): void {
    this.size = -1
  }

  /** True if `bytes[start..end)` are as many as were learned and differ in free places only. */
  fits(bytes: Uint8Array, start: number, end: number): boolean {
    const { learned, mask, words } = this
    if (end - start !== this.size) return false
    this.window.set(bytes.subarray(start, end))
    for (let i = 0; i < words.length; i++)
      if (((words[i]! ^ learned[i]!) & mask[i]!) !== 0) return false
    return true
  }
}
