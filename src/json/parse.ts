/** JSON as gateways and scripts send it: strictly, and with a fallback for what Python prints of a dictionary. */
import { DecodeError } from '../errors.ts'

/** Any JSON object. */
export type JsonObject = { readonly [key: string]: unknown }

/** True for an object that is no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const UTF8 = new TextDecoder('utf-8')

/**
 * The value in a text.
 *
 * @throws DecodeError LINK_BAD_FORMAT
 */
export function parseJson(bytes: Uint8Array): unknown {
  const text = UTF8.decode(bytes)
  try {
    return JSON.parse(text)
  } catch (strict) {
    // A script that publishes `str(dict)` quotes with ' and writes None, True and False.
    if (text.includes("'")) {
      try {
        return JSON.parse(fromPython(text))
      } catch {
        // Neither: the first complaint is the one that helps.
      }
    }
    throw new DecodeError(
      'LINK_BAD_FORMAT',
      0,
      `no JSON: ${(strict as Error).message.slice(0, 80)}`,
    )
  }
}

const WORDS: Readonly<Record<string, string>> = { None: 'null', True: 'true', False: 'false' }

/** Texts in double quotes, words as JSON has them; everything else as it is. */
function fromPython(text: string): string {
  let out = ''
  for (let i = 0; i < text.length; ) {
    const char = text[i]!
    if (char === "'" || char === '"') {
      const end = endOfText(text, i)
      out += quoted(text.slice(i + 1, end))
      i = end + 1
    } else if (/[A-Za-z]/.test(char)) {
      const word = /^[A-Za-z]+/.exec(text.slice(i, i + 8))![0]
      out += WORDS[word] ?? word
      i += word.length
    } else {
      out += char
      i++
    }
  }
  return out
}

function endOfText(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === text[start]) return i
  }
  return text.length
}

function quoted(inside: string): string {
  return `"${inside.replace(/\\'/g, "'").replace(/(?<!\\)"/g, '\\"')}"`
}
