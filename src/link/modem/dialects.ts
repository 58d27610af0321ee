/** Every dialect there is. A new one is a file of its own and a row here. */
import type { Span } from '../../decoder.ts'
import type { DialectDefinition, ExplainRow, LinkEvent } from './dialect.ts'
import { HexLines } from './hex-lines.ts'
import { explainLocal, type LocalMeaning } from './local-explain.ts'
import { LocalLink } from './local-link.ts'
import { type MmhiCheck, mmhiFrames, mmhiMeaning } from './mmhi.ts'
import { type PrefixBytes, RawLink } from './raw.ts'
import { ST7580_MEANING } from './st7580-explain.ts'

/** What a configuration can say of a dialect. */
export interface DialectOptions {
  /** Check of Meters and More frames, default sum16. */
  readonly check?: MmhiCheck
  /** Bytes of the length before each unit of a bridge, default 2; 0 = silence ends a unit. */
  readonly prefixBytes?: PrefixBytes
}

/** Id of a dialect. */
export type DialectId = 'st7580' | 'mmhi' | 'raw' | 'replay'

/** Dialects by id. */
export const DIALECTS: Readonly<Record<DialectId, (options: DialectOptions) => DialectDefinition>> =
  {
    st7580: () => local('st7580', 'ST7580 host interface', ST7580_MEANING),
    mmhi: ({ check = 'sum16' }) =>
      local('mmhi', 'Meters and More host interface', mmhiMeaning(mmhiFrames(check))),
    raw: ({ prefixBytes = 2 }) => ({
      id: 'raw',
      title: 'data units behind their length, from a bridge',
      create: () => new RawLink(prefixBytes),
      explain: explainUnit(prefixBytes),
    }),
    replay: () => ({
      id: 'replay',
      title: 'data units as lines of hex digits',
      create: () => new HexLines(),
      explain: explainLine,
    }),
  }

function local(id: string, title: string, meaning: LocalMeaning): DialectDefinition {
  return {
    id,
    title,
    create: () => new LocalLink(meaning.form),
    explain: (bytes, event, row) => explainLocal(meaning, bytes, event, row),
  }
}

function explainUnit(prefixBytes: number): DialectDefinition['explain'] {
  return (_, event: LinkEvent & Span, row: ExplainRow) => {
    const { offset, length } = event
    if (event.type !== 'sdu') return explainLine(_, event, row)
    row(offset, offset + prefixBytes, 'length of the data unit')
    return [offset + prefixBytes, offset + length]
  }
}

/** A written data unit has no place in its own bytes: it is explained beside them. */
function explainLine(_: Uint8Array, event: LinkEvent & Span, row: ExplainRow): undefined {
  const { offset, length } = event
  if (event.type !== 'sdu')
    row(offset, offset + length, event.type === 'garbage' ? event.error.message : 'fill')
}
