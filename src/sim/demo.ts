/** The simulated homes that `run` shows without a configuration: meter, wallbox and car on one supply. */
import type { ControlConfig } from '../control/parameters.ts'
import type { Clock, Output, Source, Timers } from '../io/ports.ts'
import { Household } from './household.ts'
import { SimulatedMeter } from './meter.ts'
import { aidon } from './norway/aidon.ts'
import { kamstrup } from './norway/kamstrup.ts'
import type { HanProfile, MeterIdentity } from './norway/telegram.ts'
import { simulatedTime } from './sim-time.ts'
import { simulatedSource } from './source.ts'
import { wallboxOutput } from './wallbox-output.ts'

/** What a simulated home is made of. */
interface DemoHome {
  readonly title: string
  readonly profile: HanProfile
  readonly meter: MeterIdentity
  readonly fuseA: number
}

type HomeName = 'kamstrup' | 'aidon' | 'aidon-it'

const HOMES: Readonly<Record<HomeName, DemoHome>> = {
  kamstrup: {
    title: 'Kamstrup 6841131, every 10 s, 400 V TN',
    profile: kamstrup,
    meter: { id: '5706567000000042', model: '6841131BN243101040', wiring: '3P4W' },
    fuseA: 20,
  },
  aidon: {
    title: 'Aidon 6534, power every 2.5 s, 400 V TN',
    profile: aidon,
    meter: { id: '7359992000000042', model: '6534', wiring: '3P4W' },
    fuseA: 20,
  },
  'aidon-it': {
    title: 'Aidon 6525, line 2 not measured, 230 V IT',
    profile: aidon,
    meter: { id: '7359992000000043', model: '6525', wiring: '3P3W' },
    fuseA: 32,
  },
}

/** Demos by name; the first is shown when none is named. */
export const DEMOS: Readonly<Record<string, readonly HomeName[]>> = {
  norway: ['kamstrup', 'aidon'],
  kamstrup: ['kamstrup'],
  aidon: ['aidon'],
  'aidon-it': ['aidon-it'],
}

/** One home, put together. */
export interface RunningDemo {
  readonly title: string
  readonly config: ControlConfig
  readonly source: Source
  readonly output: Output
  /** Current the car draws now, A. */
  carA(): number
}

/** The simulated world begins at a full ten seconds: meters then send their list with currents at once. */
const PERIOD_MS = 10_000

/** Puts the homes of a demo together; undefined for an unknown name. */
export function startDemo(name: string, clock: Clock, timers: Timers): RunningDemo[] | undefined {
  return DEMOS[name]?.map(home => startHome(HOMES[home], home, clock, timers))
}

function startHome(home: DemoHome, id: string, clock: Clock, timers: Timers): RunningDemo {
  const { title, profile, meter, fuseA } = home
  const startMs = Math.floor(clock.wall() / PERIOD_MS) * PERIOD_MS
  const time = simulatedTime(clock, startMs)
  const household = new Household({ wiring: meter.wiring, startMs })
  const simulated = new SimulatedMeter({
    profile,
    meter,
    state: epochMs => household.electrical(epochMs),
    startMs,
  })
  return {
    title,
    config: {
      installation: { mainFuseA: fuseA },
      chargePoint: { maxA: 16 },
      // Shows every cut at once; by default short loads are waited out while nothing can trip.
      control: { pulseS: 0 },
    },
    source: simulatedSource({ id, meter: simulated, profile, time, clock, timers, everyMs: 0 }),
    output: wallboxOutput({ id: 'wallbox', household, time, clock }),
    carA: () => household.chargePoint(time.now()).currentA[0],
  }
}
