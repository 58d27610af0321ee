/**
 * `limit.json`: the command as a file that another process reads. Written beside its place and
 * renamed, so that a reader finds the old command or the new one and never a part of one.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { LimitCommand } from '../control/model.ts'
import { AmpacityError } from '../errors.ts'
import { limitFilePayload } from '../payload.ts'
import { hostUptimeMs } from './clock.ts'
import type { Clock, Output } from './ports.ts'
import { safeCommand } from './safe-command.ts'

/** Where the file is, and what it says when the agent has gone. */
export interface LimitFileOptions {
  readonly id: string
  readonly path: string
  /** Written on close, A per phase; 0 = pause. */
  readonly failsafeA: number
  /** The one whose commands are written; a file holds one. */
  readonly chargePoint?: string
  readonly clock: Clock
}

/** An output that writes the newest command to a file. `apply` rejects with AmpacityError FILE_UNWRITABLE. */
export function limitFileOutput(options: LimitFileOptions): Output {
  const { id, path, failsafeA, chargePoint = '1', clock } = options
  let last: LimitCommand | undefined
  let bootId: string | undefined

  async function write(command: LimitCommand): Promise<void> {
    bootId ??= await readBootId()
    const host = { bootId, monotonicMs: hostUptimeMs() }
    await replaceFile(path, `${JSON.stringify(limitFilePayload(command, clock.wall(), host))}\n`)
  }

  return {
    id,
    async apply(command: LimitCommand): Promise<undefined> {
      if (command.chargePoint !== chargePoint) return
      last = command
      await write(command)
    },
    async close(): Promise<void> {
      if (last !== undefined) await write(safeCommand(last, failsafeA))
    },
  }
}

/**
 * Replaces a file in one step: whoever opens it finds the old content or the new one, also after a power cut.
 *
 * @throws AmpacityError FILE_UNWRITABLE
 */
export async function replaceFile(path: string, content: string): Promise<void> {
  // In the same folder, because a rename does not cross file systems.
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`)
  try {
    const file = await open(temporary, 'w', 0o644)
    try {
      await file.writeFile(content)
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    const found = cause instanceof Error ? cause.message : String(cause)
    throw new AmpacityError('FILE_UNWRITABLE', `${path}: ${found}`, { cause })
  }
}

/** Tells a reader whether `monotonic_ms` counts from the start it knows; empty where the system does not say. */
async function readBootId(): Promise<string> {
  try {
    return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
  } catch {
    // Not Linux.
    return ''
  }
}
