import { formatSerial, type ProfileSummary } from '../decoder.ts'
import { EXIT } from '../errors.ts'
import { type Command, choice, Printer, readArgs } from './io.ts'

/** How far a profile was tried, in words. */
const STATUS: Readonly<Record<ProfileSummary['status'], string>> = {
  captures: 'recordings of meters',
  constructed: 'made telegrams only',
  none: 'not tried',
}

function summary({ id, title, country, status }: ProfileSummary): ProfileSummary {
  return { id, title, country, status }
}

export const listDecoders: Command = {
  name: 'decoders',
  summary: 'lists the built-in decoders',
  help: `ampacity decoders    lists the built-in decoders, the line settings they try, and the profiles they know

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
    for (const { id, title, input, serial = [], profiles } of io.decoders) {
      const settings = serial.map(formatSerial)
      const known = id === 'auto' ? undefined : profiles?.map(summary)
      if (format === 'jsonl')
        printer.json({ id, title, input, serial: settings, ...(known && { profiles: known }) })
      else {
        printer.line(`${id.padEnd(14)}${title} (${[input, ...settings].join(', ')})`)
        for (const profile of known ?? [])
          printer.line(
            `  ${profile.id.padEnd(22)}${profile.country}  ${STATUS[profile.status].padEnd(24)}${profile.title}`,
          )
      }
    }
    await printer.flush()
    return EXIT.ok
  },
}
