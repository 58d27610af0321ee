// Other packages that read meters, behind one form: bytes are pushed, a sink is told of every reading and every error.
// A result that itself says its checksum or its tag is wrong counts as an error: whoever reads it is warned.
import { EventEmitter } from 'node:events'
import { optionalPackage } from './common.mjs'

const dsmr = await optionalPackage('AMPACITY_BENCH_PARSER', '@athombv/dsmr-parser')
const obis = await optionalPackage('AMPACITY_BENCH_SML', 'smartmeter-obis')

/** Parser of @athombv/dsmr-parser by the transport of the recordings. */
const DSMR_PARSERS = {
  hdlc: 'DlmsStreamParser',
  p1: 'UnencryptedDSMRStreamParser',
  'p1-encrypted': 'EncryptedDSMRStreamParser',
}

function dsmrReader(sink, transport, { encryptionKey, authenticationKey } = {}) {
  const stream = new EventEmitter()
  const parser = new dsmr[DSMR_PARSERS[transport]]({
    stream,
    decryptionKey: encryptionKey,
    additionalAuthenticatedData: authenticationKey,
    callback: (error, result) => {
      if (error) sink.error(error.message)
      else if (result.crcValid === false) sink.error('says itself that a checksum is wrong')
      else if (result.additionalAuthenticatedDataValid === false) sink.error('says itself that the tag is wrong')
      else sink.reading(result)
    },
  })
  return { push: bytes => stream.emit('data', bytes), close: () => parser.clear() }
}

/** Powers in W by the names of our readings. */
function dsmrPowers({ electricity }) {
  const { powerReceived = {}, powerReturned = {} } = electricity
  const powers = {
    active_power_import_w: electricity.powerReceivedTotal,
    active_power_export_w: electricity.powerReturnedTotal,
  }
  for (const line of ['l1', 'l2', 'l3']) {
    powers[`active_power_import_${line}_w`] = powerReceived[line]
    powers[`active_power_export_${line}_w`] = powerReturned[line]
  }
  return powers
}

function obisReader(sink) {
  const protocol = new obis.SmlProtocol({ debug: 0, logger: () => {} }, (error, result) => {
    if (error) sink.error(error.message)
    else sink.reading(result)
  })
  return {
    // As its own transports do: the next telegram is in what the last one left over.
    push(bytes) {
      for (let rest = bytes; rest?.length > 0 && protocol.checkMessage(rest); ) rest = protocol.handleMessage(rest)
    },
    close() {},
  }
}

/** Power of the whole connection, import positive, from whichever code carries it. */
function obisPowers(result) {
  const value = code => result[`1-0:${code}*255`]?.getValue(0)?.value
  const signed = value('16.7.0') ?? value('15.7.0') ?? value('1.7.1')
  const [imported, exported] = [value('1.7.0'), value('2.7.0')]
  return { power_w: signed ?? (imported === undefined ? undefined : imported - (exported ?? 0)) }
}

/** Every other package: the transports it is for, a fresh reader, and the powers of one of its readings. */
export const PEERS = [
  {
    name: '@athombv/dsmr-parser',
    isInstalled: dsmr !== undefined,
    transports: Object.keys(DSMR_PARSERS),
    create: dsmrReader,
    powersOf: dsmrPowers,
    counts: { warmUp: 4000, rounds: 20, calls: 300 },
  },
  {
    name: 'smartmeter-obis',
    isInstalled: obis !== undefined,
    transports: ['sml'],
    create: obisReader,
    powersOf: obisPowers,
    counts: { warmUp: 2000, rounds: 20, calls: 100 },
  },
]
