import { formatSerial } from '../decoder.ts'
import { EXIT } from '../errors.ts'
import { type Command, choice, Printer, readArgs } from './io.ts'

export const listDecoders: Command = {
  name: 'decoders',
  summary: 'lists the built-in decoders',
  help: `ampacity decoders    lists the built-in decoders and the line settings they try

  --format FORM     table or jsonl (default table)

Example:  ampacity decoders --format jsonl | jq -r .id`,

  async run(args, io) {
    const { values } = readArgs(
      args,
      { format: { type: 'string' } },
      { least: 0, most: 0, name: '' },
    )
    const printer = new Printer(io.stdout)
    const format = choice('format', values.format, ['table', 'jsonl'])
    for (const { id, title, input, serial = [] } of io.decoders) {
      const settings = serial.map(formatSerial)
      if (format === 'jsonl') printer.json({ id, title, input, serial: settings })
      else printer.line(`${id.padEnd(14)}${title} (${[input, ...settings].join(', ')})`)
    }
    await printer.flush()
    return EXIT.ok
  },
}
