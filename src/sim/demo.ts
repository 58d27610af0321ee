/** The simulated homes that `run` shows without a configuration: meter, wallbox and car on one supply. */
import type { ControlConfig } from '../control/parameters.ts'
import type { Clock, Output, Source, Timers } from '../io/ports.ts'
import { ORDINARY_CAR } from './car.ts'
import { Household } from './household.ts'
import { SimulatedMeter } from './meter.ts'
import { aidon } from './norway/aidon.ts'
import { kamstrup } from './norway/kamstrup.ts'
import type { HanProfile, MeterIdentity } from './norway/telegram.ts'
import { OpenMeter } from './open-meter/open-meter.ts'
import { openMeterSource } from './open-meter/open-meter-source.ts'
import { simulatedTime } from './sim-time.ts'
import { simulatedSource } from './source.ts'
import { ORDINARY_WALLBOX } from './wallbox.ts'
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
export const DEMOS: Readonly<Record<string, readonly (HomeName | 'italy')[]>> = {
  norway: ['kamstrup', 'aidon'],
  kamstrup: ['kamstrup'],
  aidon: ['aidon'],
  'aidon-it': ['aidon-it'],
  italy: ['italy'],
}

/** One home, put together. */
export interface RunningDemo {
  readonly title: string
  readonly config: ControlConfig
  readonly source: Source
  readonly output: Output
  /** Id of the decoder; what arrives is recognised where none is named. */
  readonly decoder?: string
  /** The home's own time, where the hour matters. */
  readonly clock?: Clock
  /** Current the car draws now, A. */
  carA(): number
  /** Power the meter lets through now, W, where it limits. */
  availableW?(): number
}

/** The simulated world begins at a full ten seconds: meters then send their list with currents at once. */
const PERIOD_MS = 10_000

/** Puts the homes of a demo together; undefined for an unknown name. */
export function startDemo(name: string, clock: Clock, timers: Timers): RunningDemo[] | undefined {
  return DEMOS[name]?.map(home =>
    home === 'italy' ? startItaly(clock) : startHome(HOMES[home], home, clock, timers),
  )
}

/** A Wednesday evening in winter, 20 s before the night of ARERA 541/2020 begins: 22:59:40 in Rome. */
const EVENING_MS = Date.UTC(2026, 0, 14, 21, 59, 40)
const LATENCY_MS = 3000

/** Contract for 3 kW, one phase, a wallbox that could take 7.4 kW. */
function startItaly(clock: Clock): RunningDemo {
  const time = simulatedTime(clock, EVENING_MS)
  const household = new Household({
    wiring: '1P',
    startMs: EVENING_MS,
    car: { ...ORDINARY_CAR, maxA: 32 },
    wallbox: { ...ORDINARY_WALLBOX, phases: 1, maxA: 32 },
  })
  const meter = new OpenMeter({ contractedW: 3000, hasNights: true, startMs: EVENING_MS })
  return {
    title: 'Open Meter behind a Chain2Gate, 3 kW, 541/2020, 22:59:40',
    decoder: 'it-chain2gate',
    config: {
      installation: { phases: 1, mainFuseA: 40, limiter: 'italy', contractedPowerW: 3000 },
      chargePoint: { phases: 1, maxA: 32 },
      meter: { reportsChanges: true, latencyS: LATENCY_MS / 1000 },
    },
    source: openMeterSource({
      id: 'chain2gate',
      meter,
      household,
      time,
      clock,
      latencyMs: LATENCY_MS,
    }),
    output: wallboxOutput({ id: 'wallbox', household, time, clock }),
    clock: { now: () => clock.now(), wall: () => time.now() },
    carA: () => household.chargePoint(time.now()).currentA[0],
    availableW: () => meter.limiter.availableW(meter.clock(time.now())),
  }
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
