/** A meter family that speaks plain words, for tests of what stands around a decoder. */
import type { Decoder, DecoderDefinition, DecoderEvent } from '../src/decoder.ts'
import { DecodeError, type DecodeErrorCode } from '../src/errors.ts'
import type { Instant, Note, Reading } from '../src/reading.ts'

/** What a spoken telegram can say. */
export interface Spoken {
  readonly a?: readonly [number, number, number]
  readonly id?: string
  readonly integrity?: Reading['integrity']
  readonly notes?: readonly Note[]
  readonly reject?: DecodeErrorCode
  readonly availableW?: number
  readonly send?: string
  readonly bug?: boolean
}

/** Bytes of a telegram: one line of JSON. */
export function say(spoken: Spoken): Uint8Array {
  return Buffer.from(`${JSON.stringify(spoken)}\n`)
}

/** Three currents on a four-wire connection of 230 V. */
export function reading(spoken: Spoken, at: Instant): Reading {
  const [l1, l2, l3] = spoken.a ?? [1, 1, 1]
  return {
    decoder: 'spoken',
    receivedAt: at,
    integrity: spoken.integrity ?? 'checksum',
    meter: { maker: 'test', grid: 'TN', ...(spoken.id !== undefined && { id: spoken.id }) },
    values: {
      activePowerImportW: Math.round((l1 + l2 + l3) * 230),
      activePowerExportW: 0,
      currentL1A: l1,
      currentL2A: l2,
      currentL3A: l3,
      voltageL1V: 230,
      voltageL2V: 230,
      voltageL3V: 230,
    },
    registers: [],
  }
}

class SpokenDecoder implements Decoder {
  private held = ''
  private lastAt: Instant = 0
  private offset = 0

  get heldBytes(): number {
    return this.held.length
  }

  get wakeAt(): Instant | undefined {
    return this.held === '' ? undefined : this.lastAt + 400
  }

  push(chunk: Uint8Array, at: Instant): readonly DecoderEvent[] {
    this.held += Buffer.from(chunk).toString()
    this.lastAt = at
    const lines = this.held.split('\n')
    this.held = lines.pop()!
    return lines.flatMap(line => this.line(line, at))
  }

  wake(now: Instant): readonly DecoderEvent[] {
    if (this.held === '' || now < this.lastAt + 400) return []
    const length = this.held.length
    this.held = ''
    return [this.rejected('LINK_INCOMPLETE', length)]
  }

  private line(line: string, at: Instant): DecoderEvent[] {
    const spoken: Spoken = JSON.parse(line)
    const length = line.length + 1
    if (spoken.bug) throw new Error('a fault of ours')
    if (spoken.reject !== undefined) return [this.rejected(spoken.reject, length)]
    if (spoken.send !== undefined) return [{ type: 'send', bytes: Buffer.from(spoken.send) }]
    if (spoken.availableW !== undefined)
      return [
        {
          type: 'signal',
          signal: {
            availablePowerW: spoken.availableW,
            source: 'spoken',
            receivedAt: at,
            integrity: 'checksum',
          },
        },
      ]
    const offset = this.offset
    this.offset += length
    const notes = spoken.notes
    return [
      { type: 'reading', reading: reading(spoken, at), offset, length, ...(notes && { notes }) },
    ]
  }

  private rejected(code: DecodeErrorCode, length: number): DecoderEvent {
    const offset = this.offset
    this.offset += length
    return { type: 'rejected', error: new DecodeError(code, 0, 'found something'), offset, length }
  }
}

export const spoken: DecoderDefinition<undefined> = {
  id: 'spoken',
  title: 'Meters that speak',
  input: 'stream',
  parseOptions: () => ({ ok: true, value: undefined }),
  create: () => new SpokenDecoder(),
}
