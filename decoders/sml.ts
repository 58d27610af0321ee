/**
 * German meters that push SML at their infrared window or wired information port (BSI TR-03109-1, annex IVb): modern
 * ones (mME) and older ones (eHZ, EDL). One telegram is three messages in one transport frame: open response,
 * GetList response, close response.
 *
 * Deviations:
 *
 * | meter                | what it does                                                            |
 * |----------------------|-------------------------------------------------------------------------|
 * | DZG DVS74            | power as signed integer, meant unsigned                                 |
 * | EMH eHZ-HW8, ED300L  | power without sign; the status word has the direction; 5-octet integers |
 * | EMH eHZ-IW8          | an entry without value                                                  |
 * | Hager eHZ361         | power under 1.7.1, no sensor time, identity in ASCII                    |
 * | Holley DTZ541        | times without their choice; on some firmware message checksums KERMIT   |
 * | Iskra MT691          | widths of numbers and fill change from telegram to telegram             |
 * | any modern one       | whole kWh and no power until the PIN is entered                         |
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { SmlDecoder } from './sml/decoder.ts'
import { explainSml } from './sml/explain.ts'
import { parseSmlOptions, type SmlOptions } from './sml/options.ts'

/** Decoder of SML telegrams. */
export const sml: DecoderDefinition<SmlOptions> = {
  id: 'sml',
  title: 'German meters at their infrared or information port (SML)',
  input: 'stream',
  serial: [{ baudRate: 9600, dataBits: 8, parity: 'none', stopBits: 1 }],
  parseOptions: parseSmlOptions,
  create: options => new SmlDecoder(options),
  explain: explainSml,
}
