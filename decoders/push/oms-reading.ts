/** Readings of meters that push M-Bus records under OMS: the AMIS of Netz Oberösterreich. */
import { isoLocal } from '../../src/dlms/date-time.ts'
import type { OmsOpener } from '../../src/dlms/oms.ts'
import type { Information } from '../../src/link/information.ts'
import { CATALOGUE, keyOf } from '../../src/obis.ts'
import type { FieldName, Instant, Meter, Reading } from '../../src/reading.ts'
import type { Profile } from './profile.ts'
import { type ClockZone, toUtc } from './zones.ts'

/** Registers beside those of the catalogue: the meter has one tariff, whose reactive energies it sends as such. */
const ONLY_TARIFF: Readonly<Record<string, FieldName>> = {
  '3.8.1': 'reactiveEnergyImportVarh',
  '4.8.1': 'reactiveEnergyExportVarh',
}

/** Reads the telegrams of `opener`'s meters; `profile` is the one that all of them have. */
export function omsReader(
  id: string,
  opener: OmsOpener,
  profile: Profile | undefined,
  zone: ClockZone | undefined,
): (information: Information, at: Instant) => Reading {
  return ({ bytes, start, end, integrity }, receivedAt) => {
    const { registers, identification, manufacturer, clock } = opener.open(bytes, start, end)
    const values: { [Name in FieldName]?: number | null } = {}
    for (const { obis, value } of registers) {
      const code = obis.slice(obis.indexOf(':') + 1, obis.indexOf('*'))
      const field = CATALOGUE.get(keyOf(code))?.field ?? ONLY_TARIFF[code]
      if (field !== undefined && typeof value === 'number') values[field] ??= value
    }
    const meter: Meter = {
      maker: profile?.maker ?? manufacturer,
      // The meter leaves its number out of what everybody can read.
      ...(/[^0]/.test(identification) ? { id: identification } : {}),
    }
    const utcS = clock === undefined || zone === undefined ? undefined : toUtc(zone, clock)
    return {
      decoder: id,
      ...(profile === undefined ? {} : { profile: profile.id }),
      receivedAt,
      integrity,
      meter,
      ...(clock === undefined
        ? {}
        : {
            meterTime: {
              local: isoLocal(clock),
              deviationMin: null,
              utc: utcS === undefined ? null : `${isoLocal(utcS)}Z`,
              status: null,
            },
          }),
      values,
      registers,
    }
  }
}
