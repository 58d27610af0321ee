/** The links that carry pushed lists. */
import { BareLink } from '../../src/link/bare.ts'
import { HdlcLink } from '../../src/link/hdlc-link.ts'
import type { InformationSink, Link } from '../../src/link/information.ts'
import type { PushOptions } from './options.ts'

/** `none`: LLC PDUs or APDUs as other software logged them. */
export type LinkName = 'hdlc' | 'none'

/** Longest APDU put together from segments; real lists end at 581 bytes. */
const MAX_APDU = 2047

const LINKS: Readonly<Record<LinkName, (sink: InformationSink, options: PushOptions) => Link>> = {
  hdlc: (sink, { repair }) =>
    new HdlcLink(sink, { maxBytes: MAX_APDU, repairCrlf: repair === 'crlf' }),
  none: sink => new BareLink(sink, MAX_APDU),
}

/** A link that hands over to `sink`. */
export function makeLink(name: LinkName, sink: InformationSink, options: PushOptions): Link {
  return LINKS[name](sink, options)
}
