/**
 * The invocation counters that were accepted, kept in a file so that an old telegram is known after a restart. Written
 * at most once a minute or every thousand steps, and when the agent stops; what a crash takes is at most what came since.
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { InvocationCounter } from '../decoder.ts'
import type { Instant } from '../reading.ts'
import { replaceFile } from './limit-file.ts'
import type { SourceEvent } from './ports.ts'

const NAME = 'counters.json'
const WRITE_MS = 60_000
const WRITE_STEPS = 1000

/** Counters by their id. */
export type Counters = Readonly<Record<string, number>>

/** Remembers counters; see {@link openCounters}. */
export class CounterFile {
  /** As they were when the file was read. */
  readonly initial: Counters
  private readonly path: string
  private readonly report: (event: SourceEvent) => void
  private readonly counters: { [id: string]: number }
  private writtenAt: Instant = Number.NEGATIVE_INFINITY
  private steps = 0
  private writing: Promise<void> = Promise.resolve()

  constructor(path: string, initial: Counters, report: (event: SourceEvent) => void) {
    this.path = path
    this.initial = initial
    this.counters = { ...initial }
    this.report = report
  }

  /** Takes an accepted counter. Never waits: the file follows. */
  remember({ id, value }: InvocationCounter, now: Instant): void {
    this.counters[id] = value
    this.steps++
    if (now - this.writtenAt < WRITE_MS && this.steps < WRITE_STEPS) return
    this.writtenAt = now
    this.write()
  }

  /** Writes what is not written yet. */
  async close(): Promise<void> {
    if (this.steps > 0) this.write()
    await this.writing
  }

  private write(): void {
    this.steps = 0
    const content = `${JSON.stringify({ v: 1, counters: this.counters })}\n`
    this.writing = this.writing.then(async () => {
      try {
        await replaceFile(this.path, content)
      } catch (error) {
        // Decoding goes on; until it can be written, a restart would accept telegrams of before.
        const detail = `${error instanceof Error ? error.message : error}: replayed telegrams would be accepted after a restart`
        this.report({ level: 'error', code: 'state_unwritable', detail })
      }
    })
  }
}

/** Reads the counters kept in a folder. A file that cannot be understood is told and starts anew. */
export async function openCounters(
  folder: string,
  report: (event: SourceEvent) => void,
): Promise<CounterFile> {
  const path = join(folder, NAME)
  return new CounterFile(path, await read(path, report), report)
}

async function read(path: string, report: (event: SourceEvent) => void): Promise<Counters> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
    return corrupt(path, (error as Error).message, report)
  }
  try {
    const { v, counters } = JSON.parse(text) as { v?: unknown; counters?: unknown }
    const entries = Object.entries(counters ?? [])
    const isRight =
      v === 1 &&
      entries.every(([, n]) => Number.isInteger(n) && (n as number) >= 0 && n <= 0xffff_ffff)
    return isRight
      ? Object.fromEntries(entries)
      : corrupt(path, 'found other values than counters', report)
  } catch (error) {
    return corrupt(path, (error as Error).message, report)
  }
}

function corrupt(path: string, found: string, report: (event: SourceEvent) => void): Counters {
  const detail = `${path}: ${found}; counters start anew, so that one replayed telegram could be accepted`
  report({ level: 'warn', code: 'state_corrupt', detail })
  return {}
}
