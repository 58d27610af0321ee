/**
 * Meters that push text over the P1 port (IEC 62056-21 mode D style): DSMR 2.2 to 5 in the Netherlands, e-MUCS in
 * Belgium, and what Sweden, Denmark, Luxembourg, Hungary, Lithuania, Poland, Slovenia, Austria and Switzerland made of
 * them.
 *
 * What differs is in the telegrams themselves: units stand behind the numbers and codes before them, so one grammar
 * reads them all. What does not:
 *
 * | country      | deviation                                                                          |
 * |--------------|------------------------------------------------------------------------------------|
 * | Netherlands  | 2.2 and 3.0 without CRC and clock, gas on two lines; tariff 1 is the low one       |
 * | Belgium      | tariff 1 is the day; 94.32.1 tells the net; demand of the quarter hour and month   |
 * | Luxembourg   | encrypted with a published authentication key                                      |
 * | Sweden       | clock in normal time all year                                                      |
 * | Slovenia     | no CRC, clock in two lines                                                         |
 * | Poland       | lines encrypted, CRC-16/X-25; 17.0.0 without a unit                                |
 *
 * Dutch, Luxembourg, Hungarian and older Belgian meters print whole amperes. Some cut the fraction off (Iskra prints 2
 * for 676 W at 236 V), some round: a current can be up to 1 A above its field. Powers of the phases are to the watt and
 * stay fields of their own.
 */
import type { DecoderDefinition } from '../src/decoder.ts'
import { P1Decoder } from './p1/decoder.ts'
import { explainP1 } from './p1/explain.ts'
import { type P1Options, parseP1Options } from './p1/options.ts'

/** Decoder of P1 telegrams. */
export const p1: DecoderDefinition<P1Options> = {
  id: 'p1',
  title: 'P1 text: Netherlands, Belgium, Luxembourg, Sweden, Hungary and others',
  input: 'stream',
  usesKeys: true,
  serial: [
    { baudRate: 115_200, dataBits: 8, parity: 'none', stopBits: 1 },
    { baudRate: 9600, dataBits: 7, parity: 'even', stopBits: 1 },
    { baudRate: 115_200, dataBits: 7, parity: 'even', stopBits: 1 },
    { baudRate: 115_200, dataBits: 8, parity: 'even', stopBits: 1 },
  ],
  parseOptions: parseP1Options,
  create: options => new P1Decoder(options),
  explain: explainP1,
}
