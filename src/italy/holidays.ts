/** National holidays of Italy, on which tariff bands treat the whole day as Sunday. */

/** Days of every year, `MM-DD`. Whether the bands follow the 4th of October, a holiday again from 2026, is not known. */
export const HOLIDAYS: readonly string[] = [
  '01-01',
  '01-06',
  '04-25',
  '05-01',
  '06-02',
  '08-15',
  '11-01',
  '12-08',
  '12-25',
  '12-26',
]

/** Days from Easter Sunday to the Monday that is one too. */
export const EASTER_MONDAY = 1
