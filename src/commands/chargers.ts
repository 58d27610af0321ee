import { EXIT } from '../errors.ts'
import type { Capability } from '../io/capability.ts'
import { type Command, choice, Printer, readArgs } from './io.ts'

const DEAD_MAN: { readonly [Class in Capability['deadMan']]: string } = {
  device: 'the box falls to its own safe current',
  feed: 'the box stops when its feed stops',
  none: 'the last current stays for ever',
}

export const listChargers: Command = {
  name: 'chargers',
  summary: 'lists the wallboxes that are built in',
  help: `ampacity chargers [PROFILE ...]    lists the built-in profiles of Modbus wallboxes, or those named: ids, or files of
                                   one's own, which are checked

  --format FORM     table or jsonl (default table)

Dead man: what the box does when the agent dies. device = ${DEAD_MAN.device}, after the
time shown as delivered; none = ${DEAD_MAN.none}. Verified: none = nobody has reported
that it works with the real box.

Example:  ampacity chargers ./my-box.json
Exit status: 0, or 2 for a file that is no profile, with every problem in it.`,

  async run(args, io) {
    const { values, positionals } = readArgs(
      args,
      { format: { type: 'string' } },
      { least: 0, most: 100, name: 'profile files' },
    )
    const { loadProfile, shippedProfiles } = await import('../io/modbus/profile-files.ts')
    const { capabilityOf } = await import('../io/modbus/capability-of.ts')
    const printer = new Printer(io.stdout)
    const format = choice('format', values.format, ['table', 'jsonl'])
    const profiles =
      positionals.length === 0
        ? shippedProfiles()
        : await Promise.all(positionals.map(name => loadProfile(name, '.')))
    if (format === 'table') printer.line(row(HEADING))
    for (const profile of profiles) {
      const can = capabilityOf(profile)
      const { profile: id, title, transport, verified } = profile
      if (format === 'jsonl')
        printer.json({
          id,
          title,
          transport: transport.kinds,
          min_a: can.minA,
          max_a: can.maxA,
          step_a: can.stepA,
          pause: can.pause,
          phases: can.phases,
          readback: can.readback,
          ev_meter: can.evMeter,
          dead_man: can.deadMan,
          dead_man_timeout_s: can.deadManTimeoutS,
          stored: can.persistsToFlash,
          verified,
        })
      else {
        const timeout = can.deadManTimeoutS === null ? '' : ` ${can.deadManTimeoutS} s`
        const kinds = transport.kinds.join(', ')
        printer.line(
          row([id, kinds, can.deadMan + timeout, can.pause, can.phases, verified, title]),
        )
      }
    }
    await printer.flush()
    return EXIT.ok
  },
}

const HEADING = ['id', 'transport', 'dead man', 'pause', 'phases', 'verified', 'title']
const WIDTHS = [21, 23, 12, 6, 10, 9, 0]

function row(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i]!))
    .join(' ')
    .trimEnd()
}
