/**
 * From a data unit to the bytes that mean something: what stands around is stripped, the protection opened. Fail closed:
 * what cannot be opened is not read, and what nothing authenticates is read only if somebody said so.
 */
import type { KeyRing } from '../dlms/keys.ts'
import { DecodeError } from '../errors.ts'
import type { Sdu } from '../link/modem/dialect.ts'
import type { Layer, Trace } from './layer.ts'
import type { Counters } from './replay-guard.ts'
import type { StageOptions } from './security.ts'
import { createStage, type Stage } from './stages.ts'
import type { Strip } from './strip.ts'

/** What the way inwards consists of. */
export interface PipelineOptions {
  readonly strip: readonly Strip[]
  readonly security: readonly StageOptions[]
  readonly keys: KeyRing
  readonly counters: Counters
  readonly allowUnauthenticated: boolean
}

export class Pipeline {
  private readonly options: PipelineOptions
  private readonly stages: readonly Stage[]

  constructor(options: PipelineOptions) {
    const { security, keys, counters } = options
    this.options = options
    this.stages = security.map(stage => createStage(stage, keys, counters))
  }

  /** What a data unit holds. Throws DecodeError. */
  open(sdu: Sdu, trace?: Trace): Layer {
    const { strip, allowUnauthenticated } = this.options
    let layer: Layer = {
      bytes: sdu.bytes,
      start: 0,
      end: sdu.bytes.length,
      integrity: sdu.integrity,
      ...(trace === undefined ? {} : { trace }),
    }
    for (const step of strip) layer = step(layer)
    if (sdu.damaged && layer.integrity === 'none')
      throw new DecodeError('LINK_BAD_CHECKSUM', 0, 'the modem found the check of the frame wrong')
    for (const stage of this.stages) layer = stage.open(layer)
    if (layer.integrity !== 'authenticated' && !allowUnauthenticated)
      throw new DecodeError(
        'CIPHER_KEY_NEEDED',
        0,
        'nothing authenticates this data unit: configure security and keys, or allowUnauthenticated',
      )
    return layer
  }
}
