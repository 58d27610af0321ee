/** `run` without a configuration: simulated homes, through the real decoder and the real control core. */
import { type ControlParameters, controlParameters } from '../control/parameters.ts'
import { type Agent, createAgent } from '../daemon.ts'
import { AmpacityError, EXIT } from '../errors.ts'
import { systemClock, systemTimers } from '../io/clock.ts'
import type { Log } from '../io/ports.ts'
import { DEMOS, type RunningDemo, startDemo } from '../sim/demo.ts'
import { type CommandIo, decoderById } from './io.ts'
import { addEvent, lineCurrents, newPanel, type Panel, renderPanel, Screen } from './live-view.ts'

/** Nothing is logged beside the view: what happened is in it. */
const SILENT: Log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** Runs the demo until the user ends it. */
export async function runDemo(name: string, io: CommandIo): Promise<number> {
  const timers = systemTimers(systemClock)
  const homes = startDemo(name, systemClock, timers)
  if (homes === undefined)
    throw new AmpacityError(
      'USAGE',
      `no demo '${name}', there are ${Object.keys(DEMOS).join(', ')}`,
    )
  const isTerminal = io.stdout.isTTY === true
  io.stdout.write(
    'Simulated homes: the meters and cars are invented, decoder and control are the real ones. Ctrl-C ends it.\n' +
      'A real meter:  ampacity run --config FILE\n\n',
  )
  const views = homes.map(home => view(home, io, isTerminal))
  const screen = new Screen(io.stdout)
  const draw = (): void => screen.draw(views.flatMap(v => v.rows()))
  const redraw = isTerminal ? setInterval(draw, 250) : undefined
  try {
    await Promise.all(views.map(v => v.agent.run(io.signal)))
  } finally {
    clearInterval(redraw)
  }
  if (isTerminal) draw()
  io.stdout.write('\nThe wallboxes have their safe current back.\n')
  return EXIT.ok
}

interface View {
  readonly agent: Agent
  rows(): string[]
}

function view(home: RunningDemo, io: CommandIo, isTerminal: boolean): View {
  const parameters: ControlParameters = controlParameters(home.config)
  const fuses = parameters.fuseMa.map(ma => ma / 1000)
  // A meter that limits tells power alone.
  const lines = home.availableW === undefined ? fuses : []
  const panel: Panel = newPanel(home.title, lines, parameters.maxMa / 1000)
  let currents: readonly (number | undefined)[] = []
  const startedAt = systemClock.now()
  /** Lines for a pipe; a terminal shows the panel. */
  const tell = (text: string): void => {
    if (isTerminal) return
    const seconds = ((systemClock.now() - startedAt) / 1000).toFixed(1).padStart(6)
    io.stdout.write(`${seconds} s  ${home.source.id.padEnd(9)} ${text}\n`)
  }
  const agent = createAgent({
    parameters,
    meters: [
      { source: home.source, definition: decoderById(io, home.decoder ?? 'auto'), options: {} },
    ],
    outputs: [home.output],
    clock: home.clock ?? systemClock,
    log: SILENT,
    onReading: reading => {
      panel.reading = reading
      panel.telegrams++
      currents = lineCurrents(currents, reading)
      const amperes = currents.map((a, i) => `L${i + 1} ${a === undefined ? '?' : a} A`)
      tell(
        `${reading.decoder}: import ${reading.values.activePowerImportW} W${
          reading.values.currentL1A === undefined ? '' : `, ${amperes.join(', ')}`
        }`,
      )
    },
    onDecision: command => {
      const isNew = panel.command?.limitA !== command.limitA || panel.command.code !== command.code
      panel.command = command
      // The decision leaves before anybody is told of the reading; people read it the other way round.
      if (isNew)
        queueMicrotask(() => tell(`limit ${command.limitA} A (${command.code}): ${command.text}`))
    },
    onEvent: event => addEvent(panel, `${event.code}: ${event.detail}`),
  })
  return {
    agent,
    rows: () => {
      panel.carA = home.carA()
      panel.availableW = home.availableW?.()
      panel.rejected = agent
        .status()
        .meters.reduce((sum, m) => sum + Object.values(m.rejected).reduce((a, b) => a + b, 0), 0)
      return renderPanel(panel, currents)
    },
  }
}
