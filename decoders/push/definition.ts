import type { DecoderDefinition } from '../../src/decoder.ts'
import { PushDecoder } from './decoder.ts'
import { explainTelegram } from './explain/telegram.ts'
import type { Family } from './family.ts'
import { wholeLink } from './links.ts'
import { type HanOptions, parseHanOptions } from './options.ts'

/**
 * Defines the decoder of one or several families at a HAN port. The id is that of the only family, else `auto`.
 * Kamstrup sends 8N1, everybody else 8E1; the line is settled by which of them gives right checksums.
 */
export function defineHan(
  title: string,
  families: readonly Family[],
): DecoderDefinition<HanOptions> {
  return {
    id: families.length === 1 ? families[0]!.id : 'auto',
    title,
    input: 'stream',
    serial: [
      { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 },
      { baudRate: 2400, dataBits: 8, parity: 'none', stopBits: 1 },
      { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
    ],
    parseOptions: parseHanOptions,
    create: options =>
      new PushDecoder({ families, makeLink: wholeLink(options.link ?? 'hdlc', options) }, options),
    explain: telegram => explainTelegram(telegram),
  }
}
