/** Values that say who somebody is or where. */
const PERSONAL: readonly string[] = ['CustomerCode', 'POD', 'Vendor', 'Phone', 'DataPlate']

/**
 * Compact frames of Italian second-generation electricity meters (CEI TS 13-82, 13-83): numbers, names and occasions as
 * gateways in the field show them. Their layouts are sold, not public; without them nothing here is decoded. Whoever
 * holds the documents adds type, unit and target to each field and sets the status.
 */
export const CHAIN2_ELECTRIC: {
  readonly dictionary: string
  readonly version: string
  readonly status: string
  readonly about: string
  readonly frames: readonly {
    readonly templateId: number
    readonly name: string
    readonly about: string
    readonly fields: readonly { readonly name: string; readonly personal?: true }[]
  }[]
} = {
  dictionary: 'chain2-electric',
  version: 'names-1',
  status: 'unverified',
  about: 'names of fields, no layouts',
  frames: [
    frame(1, 'every quarter of an hour, meter M1', [
      'MeasurePosixTimestamp',
      'MessagePosixTimestamp',
      'TariffCode',
      'CurrQuartActEnergy',
      'PrevQuartActEnergy',
      'InstantPower',
      'QuartAveragePower',
      'TotalActEnergy',
    ]),
    frame(2, 'every quarter of an hour, meter M2', ['QuartAverageProdPower']),
    frame(5, 'once a day', [
      ...banded('DailyTotalActEnergy'),
      'DailyMaxInstantPower',
      'DailyMaxInstantPowerDateTime',
      'PrepaidCredit',
      'DayType',
    ]),
    frame(9, 'once a week', [
      'WeeklyVeffMin',
      'WeeklyVeffMinDateTime',
      'WeeklyVeffMax',
      'WeeklyVeffMaxDateTime',
    ]),
    frame(10, 'once a month', [
      ...banded('MonthlyTotalActEnergy'),
      'MonthlyMaxQuartAveragePower',
      'MonthlyMaxQuartAveragePowerDateTime',
      'ClosingCode',
    ]),
    frame(20, 'the contract or its period has changed', [
      'EventType',
      'EventPosixTimestamp',
      'EventsCounter',
      'CustomerCode',
      'POD',
      'PESSE',
      'Vendor',
      'Phone',
      'StartContract',
      'ContractPower',
      'AvailablePower',
      'FreezingDay',
      'Gap',
      'DataPlate',
      'K',
    ]),
    frame(21, 'power has crossed a multiple of the gap', [
      'EventType',
      'EventPosixTimestamp',
      'EventsCounter',
      'InstantPower',
    ]),
    frame(22, 'available power exceeded', [
      'EventType',
      'EventPosixTimestamp',
      'EventsCounter',
      'InstantPower',
      'AvailablePower',
      'SwitchOffCountdownSeconds',
    ]),
    frame(23, 'the supply was interrupted', ['EventType', 'EventsCounter', 'OutageDuration']),
    frame(41, 'production has changed, meter M2', ['ProdInstantPower']),
    frame(51, 'power has crossed a threshold', [
      'EventType',
      'EventPosixTimestamp',
      'EventsCounter',
      'InstantPower',
      'ProdInstantPower',
      'Gap',
    ]),
  ],
}

function frame(templateId: number, about: string, names: readonly string[]) {
  const fields = names.map(name => ({
    name,
    ...(PERSONAL.includes(name) ? { personal: true as const } : {}),
  }))
  return { templateId, name: `CF${templateId}`, about, fields }
}

function banded(name: string): readonly string[] {
  return [1, 2, 3, 4, 5, 6].map(band => `${name}F${band}`)
}
