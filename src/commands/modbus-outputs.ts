/** A wallbox on Modbus from what the configuration says of it. */
import type { ModbusOutputConfig } from '../config.ts'
import { AmpacityError } from '../errors.ts'
import { systemTimers } from '../io/clock.ts'
import { ModbusBus } from '../io/modbus/bus.ts'
import { atConnector } from '../io/modbus/connector.ts'
import { type OpenLink, serialLink, tcpLink } from '../io/modbus/link.ts'
import type { ChargerProfile } from '../io/modbus/profile.ts'
import { loadProfile } from '../io/modbus/profile-files.ts'
import { modbusOutput } from '../io/modbus-output.ts'
import type { Clock, Output } from '../io/ports.ts'
import { failsafeOf, type OutputContext } from './output-context.ts'
import { parseLine } from './sources.ts'

const DEFAULT_VALID_S = 30

/**
 * The output, on a bus that boxes at the same address share.
 *
 * @throws AmpacityError CONFIG_INVALID, PROFILE_UNKNOWN, PROFILE_INVALID, FILE_UNREADABLE
 */
export async function modbusOutputOf(
  output: ModbusOutputConfig,
  { config, clock, folder, shared }: OutputContext,
): Promise<Output> {
  const loaded = await loadProfile(output.profile, folder)
  const profile = atConnector(loaded, output.connector ?? 1)
  refuseStored(output, profile)
  const { name, open, isTcp } = wayTo(output, profile)
  const bus = (shared.get(name) as ModbusBus | undefined) ?? newBus(name, open, !isTcp, clock)
  shared.set(name, bus)
  const { manage = false, timeoutS } = output.failsafe ?? {}
  return modbusOutput({
    id: output.id,
    profile,
    bus,
    ...(output.unit !== undefined && { unit: output.unit }),
    ...(output.chargePoint !== undefined && { chargePoint: output.chargePoint }),
    failsafeA: output.failsafeA ?? failsafeOf(config),
    ...(output.stop !== undefined && { stop: output.stop }),
    ownFailSafe: { manage, timeoutS: timeoutS ?? config.control?.validForS ?? DEFAULT_VALID_S },
    clock,
  })
}

function newBus(name: string, open: OpenLink, anewAfterSilence: boolean, clock: Clock): ModbusBus {
  return new ModbusBus({
    name,
    open,
    time: { clock, timers: systemTimers(clock) },
    anewAfterSilence,
  })
}

/** How the box is reached: its own address, and what of the profile's line settings was not said otherwise. */
function wayTo(
  output: ModbusOutputConfig,
  { profile, transport }: ChargerProfile,
): { readonly name: string; readonly open: OpenLink; readonly isTcp: boolean } {
  const { host, serial } = output
  const { kinds, timeoutMs } = transport
  const invalid = (key: string, found: string, expected: string) =>
    new AmpacityError(
      'CONFIG_INVALID',
      `outputs.${output.id}.${key}: found ${found}, expected ${expected}`,
    )
  if (serial !== undefined) {
    const baud = output.baud ?? transport.serial?.baud
    const format = output.format ?? transport.serial?.format
    if (baud === undefined || format === undefined)
      throw invalid('serial', `'${serial}'`, `host: ${profile} has no serial line`)
    const settings = parseLine(format, baud)
    return { name: serial, open: serialLink(serial, settings, timeoutMs), isTcp: false }
  }
  const framing = output.framing ?? (kinds.includes('tcp') ? 'tcp' : 'rtu')
  const port = output.port ?? transport.port
  const isTcp = framing === 'tcp'
  const name = `${isTcp ? 'tcp' : 'rtu-over-tcp'}://${host}:${port}`
  return { name, open: tcpLink(host!, port, framing, timeoutMs), isTcp }
}

function refuseStored(output: ModbusOutputConfig, { limit, profile }: ChargerProfile): void {
  if (limit.storage !== 'flash' || output.allowStored === true) return
  throw new AmpacityError(
    'CONFIG_INVALID',
    `outputs.${output.id}.allowStored: found ${output.allowStored ?? 'nothing'}, expected true to accept that each change of the limit wears out the box: ${profile} keeps it in register ${limit.write.address}, which is stored; raises then wait ${limit.minWriteIntervalS} s for each other`,
  )
}
