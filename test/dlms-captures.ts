/** Other people's DLMS recordings, and the layers below the lists put together as a decoder does. */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Reader } from '../src/bytes/reader.ts'
import { readNotificationHeader, readPadding, startsApdu } from '../src/dlms/apdu.ts'
import { AxdrTape } from '../src/dlms/axdr.ts'
import { BlockJoiner } from '../src/dlms/block-transfer.ts'
import { type Opened, Opener } from '../src/dlms/cipher.ts'
import { type KeyRing, NO_KEYS, parseKeyRing } from '../src/dlms/keys.ts'
import { DecodeError } from '../src/errors.ts'
import { BareLink } from '../src/link/bare.ts'
import { HdlcLink } from '../src/link/hdlc-link.ts'
import type { Information, InformationSink, Link } from '../src/link/information.ts'
import { skipLlc } from '../src/link/llc.ts'
import { MbusLink } from '../src/link/mbus.ts'
import { WrapperLink } from '../src/link/wrapper.ts'
import { toHex } from '../src/sim/encode/bytes.ts'
import { bytesOfHex } from './captures.ts'

const FOLDER = fileURLToPath(new URL('../../shared/captures/dlms/', import.meta.url))

export interface DlmsCapture {
  readonly id: string
  readonly file: string
  readonly profile?: string
  readonly transport: 'hdlc' | 'mbus' | 'mbus-oms' | 'wrapper' | 'apdu'
  readonly keys?: { readonly [name in 'ek' | 'ak' | 'ebk' | 'dedicated' | 'system_title']?: string }
  // biome-ignore lint/suspicious/noExplicitAny: the index is other people's data, its shape is asserted by the tests.
  readonly expected: any
}

/** The recordings, or why there are none. */
export function dlmsCaptures(): readonly DlmsCapture[] | string {
  if (!existsSync(`${FOLDER}index.json`)) return 'skipped: the recordings are not here (dlms)'
  return JSON.parse(readFileSync(`${FOLDER}index.json`, 'utf8')).items
}

/** Bytes of a recording. */
export function captureBytes({ file }: DlmsCapture): Uint8Array {
  return bytesOfHex(readFileSync(`${FOLDER}${file}`, 'utf8'))
}

/** The keys that the index names, as a keys file would. */
export function ringOf({ keys }: DlmsCapture): KeyRing {
  if (keys === undefined) return NO_KEYS
  const { ek, ak, ebk, dedicated, system_title } = keys
  const parsed = parseKeyRing({
    keys: [
      {
        system_title: system_title ?? '*',
        encryption_key: ek,
        authentication_key: ak ?? null,
      },
    ],
    broadcast_key: ebk ?? null,
    dedicated_key: dedicated ?? null,
  })
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems))
  return parsed.value
}

const MAX_APDU = 8192

/** The link of a transport, handing over to `sink`. */
export function linkOf(transport: DlmsCapture['transport'], sink: InformationSink): Link {
  switch (transport) {
    case 'hdlc':
      return new HdlcLink(sink, { maxBytes: MAX_APDU, repairCrlf: false })
    case 'mbus':
    case 'mbus-oms':
      return new MbusLink(sink, MAX_APDU)
    case 'wrapper':
      return new WrapperLink(sink, MAX_APDU, startsApdu)
    case 'apdu':
      return new BareLink(sink, MAX_APDU)
  }
}

/** One telegram: what it holds in clear, or why it is none. */
export interface Found {
  readonly offset: number
  readonly length: number
  readonly code?: string
  readonly detail?: string
  readonly plain?: string
  readonly opened?: Opened
}

/** What the layers below the lists find in bytes, in chunks of `size`; the end of the input is silence. */
export function find(capture: DlmsCapture, bytes: Uint8Array, size = bytes.length): Found[] {
  return finderOf(capture, 'increasing')(bytes, size)
}

/** The same for many inputs one after the other. */
export function finderOf(
  capture: DlmsCapture,
  replay: 'increasing' | 'none',
): (bytes: Uint8Array, size?: number) => Found[] {
  let found: Found[] = []
  const opener = new Opener(ringOf(capture), { authentication: 'required', counters: {}, replay })
  const blocks = new BlockJoiner(
    {
      information: information => {
        const { offset, length } = information
        try {
          found.push({ offset, length, ...read(information, opener) })
        } catch (error) {
          if (!(error instanceof DecodeError)) throw error
          found.push({ offset, length, code: error.code, detail: error.detail })
        }
      },
      rejected: ({ code, detail }, offset, length) => found.push({ offset, length, code, detail }),
    },
    MAX_APDU,
  )
  const link = linkOf(capture.transport, blocks)
  return (bytes, size = bytes.length) => {
    found = []
    for (let at = 0; at < bytes.length; at += size) link.push(bytes.subarray(at, at + size), at)
    link.wake(Number.POSITIVE_INFINITY)
    blocks.wake(Number.POSITIVE_INFINITY)
    return found
  }
}

/** Opens one APDU and goes through all of it. */
function read(information: Information, opener: Opener): Partial<Found> {
  let { bytes, start, end } = information
  if (information.kind !== 'pdu') return { plain: toHex(bytes.subarray(start, end)) }
  start = skipLlc(bytes, start, end)
  let opened: Opened | undefined
  if (bytes[start]! >= 0xdb && bytes[start]! <= 0xdf) {
    opened = opener.open(bytes, start, end)
    bytes = opened.bytes
    start = opened.start
    end = opened.end
  }
  const reader = new Reader(bytes, start, end)
  readNotificationHeader(reader)
  new AxdrTape().scan(reader)
  readPadding(reader)
  return { plain: toHex(bytes.subarray(start, end)), ...(opened === undefined ? {} : { opened }) }
}
