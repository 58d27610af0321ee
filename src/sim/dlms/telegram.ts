/** From a list to the bytes on the line: notification, protection, transport. */

import { encodeBlocks } from '../encode/block-encoder.ts'
import { concat, integerBytes } from '../encode/bytes.ts'
import { encodeDateTime, type MeterClock } from '../encode/cosem-date-time.ts'
import { LLC } from '../encode/data-notification.ts'
import { encodeFrame, encodeSegments, type HdlcLink } from '../encode/hdlc-encoder.ts'
import { AUSTRIA, encodeMbusSegments, encodeSagemcomSegments } from '../encode/mbus-encoder.ts'
import { encodeWrapper } from '../encode/wrapper-encoder.ts'

/** A data-notification of any body; without a clock its date-time is left out. */
export function notification(
  invokeId: number,
  at: MeterClock | undefined,
  body: Uint8Array,
): Uint8Array {
  const time = at === undefined ? [0x00] : concat([0x0c], encodeDateTime(at))
  return concat([0x0f], integerBytes(invokeId, 4), time, body)
}

/** An APDU as it goes over the line. */
export type Transport = (apdu: Uint8Array) => Uint8Array

const LINK: HdlcLink = { destination: [0x67], source: [0x01, 0x11], control: 0x13 }

/** One HDLC frame. */
export const hdlc: Transport = apdu => encodeFrame(concat(LLC, apdu), LINK)

/** HDLC frames with the segmentation bit. */
export function segmented(largest: number): Transport {
  return apdu => concat(...encodeSegments(concat(LLC, apdu), LINK, largest))
}

/** Blocks, each in a frame of its own; the LLC header stands in the first alone. */
export function blocks(largest: number): Transport {
  return apdu => concat(...blockFrames(apdu, largest))
}

/** The frames of {@link blocks}. */
export function blockFrames(apdu: Uint8Array, largest: number): readonly Uint8Array[] {
  return encodeBlocks(apdu, largest).map((block, i) =>
    encodeFrame(i === 0 ? concat(LLC, block) : block, LINK),
  )
}

/** M-Bus frames of at most 250 bytes of user data. */
export const mbus: Transport = apdu => concat(...mbusFrames(apdu))

/** The frames of {@link mbus}. */
export function mbusFrames(apdu: Uint8Array): readonly Uint8Array[] {
  return encodeMbusSegments(apdu, AUSTRIA, 250)
}

/** The same from a Sagemcom that writes the length of its first frame modulo 256. */
export const sagemcom: Transport = apdu => concat(...encodeSagemcomSegments(apdu, AUSTRIA))

/** A message of the TCP wrapper. */
export const wrapper: Transport = apdu => encodeWrapper(apdu)

/** Nothing around it, as other software logs it. */
export const bare: Transport = apdu => apdu
