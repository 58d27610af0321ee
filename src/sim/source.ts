/** A simulated meter as a source: bytes at the speed of the wire, in the pieces an adapter hands over. */
import { formatSerial } from '../decoder.ts'
import type { Clock, Sink, Source, SourceEvent, Timers } from '../io/ports.ts'
import { deliveries, type SimulatedMeter } from './meter.ts'
import type { HanProfile } from './norway/telegram.ts'
import type { SimulatedTime } from './sim-time.ts'

/** What is played, and on which clocks. */
export interface SimulatedSourceOptions {
  readonly id: string
  readonly meter: SimulatedMeter
  readonly profile: HanProfile
  readonly time: SimulatedTime
  readonly clock: Clock
  readonly timers: Timers
  /** Simulated ms between two deliveries of the adapter; 0 hands over byte by byte. 16 is what USB adapters do. */
  readonly everyMs?: number
}

/** Plays the meter until the signal aborts. Every piece is stamped with the instant of its delivery. */
export function simulatedSource(options: SimulatedSourceOptions): Source {
  const { id, meter, profile, time, clock, timers, everyMs = 16 } = options
  const until = (epochMs: number, signal: AbortSignal): Promise<void> =>
    new Promise(resolve => {
      const done = (): void => {
        cancel()
        signal.removeEventListener('abort', done)
        resolve()
      }
      const cancel = timers.schedule(time.instantOf(epochMs), done)
      if (signal.aborted) done()
      else signal.addEventListener('abort', done)
    })

  return {
    id,
    async run(
      sink: Sink,
      report: (event: SourceEvent) => void,
      signal: AbortSignal,
    ): Promise<void> {
      const detail = `simulated ${profile.name} meter at ${formatSerial(profile.serial)}`
      report({ level: 'info', code: 'port_opened', detail, settings: profile.serial })
      while (!signal.aborted) {
        await until(meter.wakeAt, signal)
        if (signal.aborted) return
        for (const emission of meter.next(time.now())) {
          for (const { atMs, bytes } of deliveries(emission, everyMs)) {
            await until(atMs, signal)
            if (signal.aborted) return
            sink(bytes, clock.now())
          }
        }
      }
    },
  }
}
