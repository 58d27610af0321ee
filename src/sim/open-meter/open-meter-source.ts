/**
 * A simulated Open Meter as a source, over real sockets: its frames go to a simulated gateway on a port of this machine,
 * from which the product's own source takes them.
 */
import { pauseUntil } from '../../io/backoff.ts'
import { chain2GateSource } from '../../io/chain2gate.ts'
import type { Clock, Sink, Source, SourceEvent } from '../../io/ports.ts'
import type { Household } from '../household.ts'
import type { SimulatedTime } from '../sim-time.ts'
import { Chain2GateServer } from './chain2gate-server.ts'
import type { OpenMeter } from './open-meter.ts'

/** What is played, and on which clocks. */
export interface OpenMeterSourceOptions {
  readonly id: string
  readonly meter: OpenMeter
  readonly household: Household
  readonly time: SimulatedTime
  readonly clock: Clock
  /** From the meter to the gateway, ms of the simulated time. */
  readonly latencyMs: number
}

const EVERY_MS = 1000

/** Plays the meter until the signal aborts. */
export function openMeterSource(options: OpenMeterSourceOptions): Source {
  const { id, clock } = options
  return {
    id,
    async run(
      sink: Sink,
      report: (event: SourceEvent) => void,
      signal: AbortSignal,
    ): Promise<void> {
      const gateway = await Chain2GateServer.start()
      const { port } = gateway
      const source = chain2GateSource({ id, host: '127.0.0.1', port, httpPort: port, clock })
      try {
        await Promise.all([source.run(sink, report, signal), live(options, gateway, signal)])
      } finally {
        await gateway.stop()
      }
    },
  }
}

/** Lets the meter measure once a second; what it says reaches the gateway a little later. */
async function live(
  { meter, household, time, clock, latencyMs }: OpenMeterSourceOptions,
  gateway: Chain2GateServer,
  signal: AbortSignal,
): Promise<void> {
  const underway: { readonly at: number; readonly push: () => void }[] = []
  for (let epochMs = time.now(); !signal.aborted; epochMs += EVERY_MS) {
    await pauseUntil(time.instantOf(epochMs), clock, signal)
    const [netW] = household.electrical(epochMs).activeW
    const flow = { importW: Math.max(0, netW), exportW: Math.max(0, -netW) }
    for (const frame of meter.step(epochMs, flow))
      underway.push({
        at: epochMs + latencyMs,
        push: () => gateway.push(frame, epochMs + latencyMs),
      })
    while (underway[0] !== undefined && underway[0].at <= epochMs) underway.shift()!.push()
  }
}
