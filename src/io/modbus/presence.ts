/** Whether a box is there and prepared, and waiting for it. One session lasts from one loss to the next. */
import type { BusListener } from './bus.ts'
import { ModbusGone } from './link.ts'

/** Unanswered requests in a row after which the box counts as gone. */
const SILENCES = 2

export class Presence implements BusListener {
  private session = new AbortController()
  private state: 'starting' | 'ready' | 'away' = 'starting'
  private reason: Error = new ModbusGone('not connected yet')
  private isLinked = false
  private silences = 0
  private waiting = new Set<() => void>()

  get isReady(): boolean {
    return this.state === 'ready'
  }

  /** The bus has a connection, whether or not the box answers on it. */
  get hasLink(): boolean {
    return this.isLinked
  }

  /** Why the box is not there. */
  get failure(): Error {
    return this.reason
  }

  up(): void {
    this.isLinked = true
    this.change()
  }

  down(reason: Error): void {
    this.isLinked = false
    this.lose(reason)
  }

  answered(): void {
    this.silences = 0
  }

  silent(error: Error): void {
    this.silences += 1
    if (this.silences >= SILENCES) this.lose(error)
  }

  /** A new session as soon as there is a connection; its signal aborts when the box is lost. `undefined` = stopped. */
  async begin(stop: AbortSignal): Promise<AbortSignal | undefined> {
    while (!this.isLinked && !stop.aborted) await this.changed(stop)
    if (stop.aborted) return undefined
    this.silences = 0
    this.session = new AbortController()
    this.state = 'starting'
    return this.session.signal
  }

  /** The box is prepared: commands may come. */
  ready(): void {
    this.state = 'ready'
    this.change()
  }

  lose(reason: Error): void {
    this.state = 'away'
    this.reason = reason
    this.session.abort()
    this.change()
  }

  /** Waits while a session is beginning. @throws Error why the box is not there */
  async settled(signal: AbortSignal): Promise<void> {
    while (this.state === 'starting' && !signal.aborted) await this.changed(signal)
    if (this.state !== 'ready') throw this.reason
  }

  private change(): void {
    const waiting = [...this.waiting]
    this.waiting.clear()
    for (const wake of waiting) wake()
  }

  private changed(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        this.waiting.delete(wake)
        resolve()
      }
      this.waiting.add(wake)
      if (signal.aborted) wake()
      else signal.addEventListener('abort', wake, { once: true })
    })
  }
}
