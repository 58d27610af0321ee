/** The links that carry pushed lists, with the joining of blocks where a meter may send them. */
import { startsApdu } from '../../src/dlms/apdu.ts'
import { BlockJoiner } from '../../src/dlms/block-transfer.ts'
import { BareLink } from '../../src/link/bare.ts'
import { HdlcLink } from '../../src/link/hdlc-link.ts'
import type { InformationSink, Link } from '../../src/link/information.ts'
import { MbusLink } from '../../src/link/mbus.ts'
import { WrapperLink } from '../../src/link/wrapper.ts'
import type { Instant } from '../../src/reading.ts'
import type { PushOptions } from './options.ts'

/** `none`: LLC PDUs or APDUs as other software logged them. */
export type LinkName = 'hdlc' | 'mbus' | 'wrapper' | 'none'

/** Makes a link that hands over to a sink. */
export type MakeLink = (sink: InformationSink) => Link

/** Longest APDU put together from parts; the longest real one has 752 bytes. */
const MAX_APDU = 8192

const LINKS: Readonly<Record<LinkName, (sink: InformationSink, options: PushOptions) => Link>> = {
  hdlc: (sink, { repair }) =>
    new HdlcLink(sink, { maxBytes: MAX_APDU, repairCrlf: repair === 'crlf' }),
  mbus: sink => new MbusLink(sink, MAX_APDU),
  wrapper: sink => new WrapperLink(sink, MAX_APDU, startsApdu),
  none: sink => new BareLink(sink, MAX_APDU),
}

/** A link of APDUs that come whole. */
export function wholeLink(name: LinkName, options: PushOptions): MakeLink {
  return sink => LINKS[name](sink, options)
}

/** A link of APDUs that may come in blocks. */
export function blockLink(name: LinkName, options: PushOptions): MakeLink {
  return sink => new BlockLink(sink, wholeLink(name, options))
}

class BlockLink implements Link {
  private readonly joiner: BlockJoiner
  private readonly link: Link

  constructor(sink: InformationSink, makeLink: MakeLink) {
    this.joiner = new BlockJoiner(sink, MAX_APDU)
    this.link = makeLink(this.joiner)
  }

  push(chunk: Uint8Array, at: Instant): void {
    this.link.push(chunk, at)
    this.expire(at)
  }

  wake(now: Instant): void {
    this.link.wake(now)
    this.expire(now)
  }

  /** What is still arriving may be the next block. */
  private expire(now: Instant): void {
    if (this.link.wakeAt === undefined) this.joiner.wake(now)
  }

  get wakeAt(): Instant | undefined {
    return this.link.wakeAt ?? this.joiner.wakeAt
  }

  get heldBytes(): number {
    return this.link.heldBytes + this.joiner.heldBytes
  }
}
