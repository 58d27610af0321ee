/**
 * Whatever arrives: the transport is told by the bytes, the meter by the content of its telegrams, and readings carry
 * the id of the decoder that fits. Options are those of pushed lists; keys open P1 telegrams as well.
 */
import type { Decoder, DecoderDefinition } from '../src/decoder.ts'
import { createPush, dlmsPush } from './dlms-push.ts'
import { AIDON } from './no-aidon.ts'
import { KAIFA } from './no-kaifa.ts'
import { KAMSTRUP } from './no-kamstrup.ts'
import { p1 } from './p1.ts'
import type { DlmsPushOptions } from './push/dlms-options.ts'
import { RacingDecoder } from './race.ts'
import { sml } from './sml.ts'

/** Lists that their makers document for the Nordic port; they come before the profiles. */
const FAMILIES = [AIDON, KAIFA, KAMSTRUP]

/** First byte of a telegram of text, and of an SML frame. */
const TEXT = 0x2f
const SML_ESCAPE = 0x1b

function create(options: DlmsPushOptions): Decoder {
  const { keys, counters, authentication, link = 'auto' } = options
  const others = {
    ...(keys === undefined ? {} : { keys }),
    ...(authentication === undefined ? {} : { authentication }),
  }
  // A transport that is named carries lists; only bytes without any may also be a protected P1 telegram.
  if (link !== 'auto' && link !== 'none') return createPush(options, FAMILIES)
  return new RacingDecoder(
    accepted => [
      {
        decoder: createPush({ ...options, counters: accepted }, FAMILIES),
        isGuess: link === 'none',
      },
      { decoder: p1.create({ ...others, counters: accepted }), isGuess: true },
      { decoder: sml.create({}) },
    ],
    counters,
  )
}

/** Decoder of every meter that can be told by its bytes. */
export const auto: DecoderDefinition<DlmsPushOptions> = {
  ...dlmsPush,
  id: 'auto',
  title: 'Whatever arrives, recognised by its content',
  create,
  explain: (telegram, options = {}) => {
    if (telegram[0] === TEXT) return p1.explain!(telegram, options as never)
    return telegram[0] === SML_ESCAPE
      ? sml.explain!(telegram, {})
      : dlmsPush.explain!(telegram, options)
  },
}
