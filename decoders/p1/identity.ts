/** Who sent a telegram: makers by their FLAG ids, the type behind them, and ids that are printed as hex pairs. */

/** Makers by the three letters at the start of the identification (DLMS UA list of FLAG ids). */
const MAKERS: Readonly<Record<string, string>> = {
  ADN: 'aidon',
  AUX: 'sanxing',
  EGM: 'elgama',
  ISK: 'iskraemeco',
  KAM: 'kamstrup',
  KFM: 'kaifa',
  KMP: 'kamstrup',
  LGF: 'landisgyr',
  LGZ: 'landisgyr',
  NES: 'nes',
  SAG: 'sagemcom',
}

const LETTERS = 3

/** Lower-case word of the maker, or the letters as sent: some are those of the grid company (`FLU`, `Lux`, `EST`). */
export function makerOf(identification: string): string {
  const letters = identification.slice(0, LETTERS)
  return MAKERS[letters.toUpperCase()] ?? letters
}

/** A backslash and a digit are a mode of IEC 62056-21; some meters send the character of that code instead. */
const MODE = /^(\\\d(?=\D)|\\|:|\p{Cc})/u

/**
 * The type behind letters and baud rate, `MT382-1000` of `ISk5\2MT382-1000`; `undefined` if nothing is there. Where a
 * digit follows the mode, both are the beginning of a number (`FLU5\253769484_A`).
 */
export function modelOf(identification: string): string | undefined {
  const model = identification
    .slice(LETTERS + 1)
    .replace(MODE, '')
    .trim()
  return model === '' ? undefined : model
}

/** Shorter texts are numbers as they are: eight digits may look like four letters. */
const MIN_HEX_DIGITS = 10

/** An id from its hex pairs, `4530…` = `E0…`; as printed where the pairs are no letters and digits. */
export function idOf(printed: string): string | undefined {
  const text = isHexPairs(printed) ? decoded(printed) : printed
  const id = (/^[\w ./-]+$/.test(text) ? text : printed).trim()
  return id === '' ? undefined : id
}

function isHexPairs(text: string): boolean {
  return text.length >= MIN_HEX_DIGITS && /^([0-9a-f]{2})+$/i.test(text)
}

function decoded(digits: string): string {
  let text = ''
  for (let i = 0; i < digits.length; i += 2)
    text += String.fromCharCode(Number.parseInt(digits.slice(i, i + 2), 16))
  return text
}
