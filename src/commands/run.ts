import { EXIT } from '../errors.ts'
import { type Command, readArgs } from './io.ts'

export const run: Command = {
  name: 'run',
  summary: 'the agent; without --config a simulated home',
  help: `ampacity run [--config FILE]    the agent: reads the meter, commands the wallbox, until it is stopped

  --config FILE     installation, meter, charge point and outputs (YAML or JSON)
  --set PATH=VALUE  one value of the configuration, as often as wanted: --set installation.mainFuseA=20
  --demo NAME       without a configuration: norway (default), aidon, kamstrup, aidon-it or italy

Example:  ampacity run --config /etc/ampacity/home.yaml
Exit status: 0 stopped in order, 2 wrong usage or configuration, 70 a fault of ampacity.`,

  async run(args, io) {
    const { values } = readArgs(
      args,
      {
        config: { type: 'string' },
        set: { type: 'string', multiple: true },
        demo: { type: 'string' },
      },
      { least: 0, most: 0, name: '' },
    )
    if (values.config === undefined && values.set === undefined) {
      const { runDemo } = await import('./demo.ts')
      return runDemo(values.demo ?? 'norway', io)
    }
    const { runConfigured } = await import('./configured.ts')
    await runConfigured(values.config, values.set ?? [], io)
    return EXIT.ok
  },
}
