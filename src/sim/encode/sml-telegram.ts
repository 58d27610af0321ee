/** What a German meter pushes: open response, GetList response and close response in one frame. */
import { asciiBytes, integerBytes } from './bytes.ts'
import {
  ABSENT,
  encodeMessage,
  encodeSmlFrame,
  list,
  type MessageChecksum,
  type SmlData,
  unsigned,
} from './sml-encoder.ts'

/** One value of the list. What is left out is sent as absent. */
export interface SmlValue {
  /** `1-0:1.8.0*255`. */
  readonly obis: string
  readonly status?: SmlData
  readonly time?: SmlData
  /** DLMS unit code. */
  readonly unit?: number
  readonly scaler?: number
  readonly value: SmlData
}

/** A telegram. */
export interface SmlTelegram {
  readonly serverId: Uint8Array
  readonly listName?: Uint8Array
  readonly clientId?: Uint8Array
  /** Request file id of the open response; the transaction's number if left out. */
  readonly fileId?: Uint8Array
  readonly sensorTime?: SmlData
  readonly values: readonly SmlValue[]
  /** Of the list's message. */
  readonly checksum?: MessageChecksum
  /** Counts the messages of the meter. */
  readonly transaction: number
}

const OBIS = /^(\d+)-(\d+):(\d+)\.(\d+)\.(\d+)\*(\d+)$/

/** The six octets of a code. Throws `RangeError` for anything else. */
export function obisBytes(obis: string): Uint8Array {
  const groups = OBIS.exec(obis)?.slice(1).map(Number)
  if (groups === undefined) throw new RangeError(`not an OBIS code: ${obis}`)
  return Uint8Array.from(groups)
}

/** Octets as an element. */
export function octets(bytes: Uint8Array): SmlData {
  return { tag: 'octet-string', bytes }
}

/** Text as an element. */
export function text(ascii: string): SmlData {
  return octets(asciiBytes(ascii))
}

/** Seconds that the meter has been running, as a time. */
export function secondsIndex(seconds: number): SmlData {
  return list(unsigned(1), unsigned(seconds, 4))
}

function encodeValue({ obis, status, time, unit, scaler, value }: SmlValue): SmlData {
  return list(
    octets(obisBytes(obis)),
    status ?? ABSENT,
    time ?? ABSENT,
    unit === undefined ? ABSENT : unsigned(unit, 1),
    scaler === undefined ? ABSENT : { tag: 'integer', value: scaler, size: 1 },
    value,
    ABSENT,
  )
}

/** Contents of the GetList response. */
export function listContents(telegram: SmlTelegram): SmlData {
  const { clientId, serverId, listName, sensorTime, values } = telegram
  return list(
    clientId === undefined ? ABSENT : octets(clientId),
    octets(serverId),
    listName === undefined ? ABSENT : octets(listName),
    sensorTime ?? ABSENT,
    list(...values.map(encodeValue)),
    ABSENT,
    ABSENT,
  )
}

/** The three messages of a telegram. */
export function encodeMessages(telegram: SmlTelegram): readonly Uint8Array[] {
  const id = (message: number): Uint8Array => integerBytes(telegram.transaction + message, 4)
  const { serverId, fileId = id(0), sensorTime = ABSENT, checksum = 'x25' } = telegram
  const open = list(ABSENT, ABSENT, octets(fileId), octets(serverId), sensorTime, unsigned(1))
  return [
    encodeMessage({ transactionId: id(0), tag: 0x0101, contents: open }),
    encodeMessage({
      transactionId: id(1),
      tag: 0x0701,
      contents: listContents(telegram),
      checksum,
    }),
    encodeMessage({ transactionId: id(2), tag: 0x0201, contents: list(ABSENT) }),
  ]
}

/** The telegram as it goes over the line. */
export function encodeSmlTelegram(telegram: SmlTelegram): Uint8Array {
  return encodeSmlFrame(...encodeMessages(telegram))
}
