/** Two ends of a serial line, and how to pull the plug. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './io-fakes.ts'

/** Why the tests with a serial line are skipped; false where they run. */
export const SKIP_PTY: string | false =
  spawnSync('socat', ['-V']).error === undefined ? false : 'socat is not installed'

/** Names of both ends of a line that lasts until {@link unplug}. */
export class Pty {
  readonly meterEnd: string
  readonly agentEnd: string
  private socat: ChildProcess | undefined

  constructor(dir: string) {
    this.meterEnd = join(dir, 'meter')
    this.agentEnd = join(dir, 'agent')
  }

  async plug(): Promise<void> {
    const end = (link: string) => `pty,raw,echo=0,link=${link}`
    this.socat = spawn('socat', [end(this.meterEnd), end(this.agentEnd)], { stdio: 'ignore' })
    const up = await until(() => existsSync(this.meterEnd) && existsSync(this.agentEnd))
    if (!up) throw new Error('socat made no line')
  }

  async unplug(): Promise<void> {
    const { socat } = this
    this.socat = undefined
    if (socat === undefined || socat.exitCode !== null) return
    const gone = new Promise(resolve => socat.once('exit', resolve))
    socat.kill()
    await gone
  }
}
