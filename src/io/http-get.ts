/** One HTTP request for a small body. */
import { get as getHttp } from 'node:http'
import { get as getHttps } from 'node:https'
import { AmpacityError } from '../errors.ts'

/** What bounds a request. */
export interface GetOptions {
  readonly signal: AbortSignal
  /** From the request to the last byte, ms. */
  readonly timeoutMs?: number
  /** A longer body is refused. */
  readonly mostBytes?: number
}

const TIMEOUT_MS = 10_000
const MOST_BYTES = 1_048_576

/**
 * The body of an answer with status 200.
 *
 * @throws AmpacityError HOST_UNREACHABLE with what was found
 */
export async function getBody(url: string, options: GetOptions): Promise<Uint8Array> {
  const { signal, timeoutMs = TIMEOUT_MS, mostBytes = MOST_BYTES } = options
  const get = url.startsWith('https:') ? getHttps : getHttp
  const late = AbortSignal.timeout(timeoutMs)
  try {
    return await new Promise<Uint8Array>((resolve, reject) => {
      const request = get(url, { signal: AbortSignal.any([signal, late]) }, response => {
        if (response.statusCode !== 200) {
          reject(new Error(`status ${response.statusCode}, expected 200`))
          response.destroy()
          return
        }
        const parts: Uint8Array[] = []
        let length = 0
        response.on('data', (part: Uint8Array) => {
          parts.push(part)
          length += part.length
          if (length > mostBytes)
            response.destroy(new Error(`more than ${mostBytes} bytes, expected a short answer`))
        })
        response.on('end', () => resolve(Buffer.concat(parts)))
        response.on('error', reject)
      })
      request.on('error', reject)
    })
  } catch (cause) {
    const { message, code } = cause as { message: string; code?: unknown }
    const found = late.aborted ? `no answer within ${timeoutMs / 1000} s` : message || String(code)
    throw new AmpacityError('HOST_UNREACHABLE', `${withoutQuery(url)}: ${found}`, { cause })
  }
}

/** A URL as messages show it: what stands behind the question mark may be a secret. */
export function withoutQuery(url: string): string {
  const at = url.indexOf('?')
  return at < 0 ? url : `${url.slice(0, at)}?…`
}
