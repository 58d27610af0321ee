/** A JSON document on a web server as a source, asked for at intervals; each answer is one message. */
import { AmpacityError } from '../errors.ts'
import { pause } from './backoff.ts'
import { getBody, withoutQuery } from './http-get.ts'
import type { Clock, Sink, Source, SourceEvent } from './ports.ts'

/** What is asked for, and how often. */
export interface HttpPollOptions {
  readonly id: string
  readonly url: string
  /** From one request to the next, ms. */
  readonly everyMs: number
  readonly clock: Clock
  readonly timeoutMs?: number
}

/** A source that asks again and again; a failure is told once, until it works again. */
export function httpPollSource(options: HttpPollOptions): Source {
  const { id, url, everyMs, clock, timeoutMs = Math.max(everyMs, 2000) } = options
  return {
    id,
    async run(
      sink: Sink,
      report: (event: SourceEvent) => void,
      signal: AbortSignal,
    ): Promise<void> {
      let told: string | undefined
      let works = false
      while (!signal.aborted) {
        const begunAt = clock.now()
        try {
          const body = await getBody(url, { signal, timeoutMs })
          if (!works)
            report({ level: 'info', code: 'port_opened', detail: `${withoutQuery(url)} answers` })
          works = true
          told = undefined
          sink(body, clock.now())
        } catch (error) {
          if (!(error instanceof AmpacityError)) throw error
          if (signal.aborted) return
          const detail = `${error.code}: ${error.message}. ${error.remedy}`
          if (detail !== told) {
            const code = works ? 'port_lost' : 'port_unavailable'
            report({ level: works ? 'warn' : 'error', code, detail })
          }
          works = false
          told = detail
        }
        await pause(Math.max(0, begunAt + everyMs - clock.now()), signal)
      }
    },
  }
}
