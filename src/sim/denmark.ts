/**
 * A Danish Kamstrup Omnipower with an open customer port: push list 1 every 10 s, authenticated and encrypted (SC 30),
 * in one HDLC frame. What the grid company hands out with it are the two keys.
 */
import { concat } from './encode/bytes.ts'
import { LLC } from './encode/data-notification.ts'
import { encodeGeneralGlo, type Protection } from './encode/general-glo.ts'
import { type ElectricalState, hanValues } from './norway/electrical.ts'
import { danishList, kamstrup } from './norway/kamstrup.ts'
import type { HanProfile, HanValues, ListNumber, MeterIdentity } from './norway/telegram.ts'

/** The meter's lists; there are none for nets without neutral, which Denmark does not have. */
export const kamstrupDk: HanProfile = {
  ...kamstrup,
  name: 'kamstrup-dk',
  elements: (list: ListNumber, { wiring }: MeterIdentity) =>
    list === 3 && wiring !== '3P3W' ? danishList(-2, wiring === '1P' ? 1 : 3) : undefined,
  schedule: { listMs: 10_000, mainList: 3, hourlyClock: 'sending' },
  clock: { rule: 'civil', deviationMin: null, status: 0 },
}

/** An invented meter. */
const METER_NUMBER = 10_000_042
const TITLE = '4b414d000000002a'
const ENCRYPTION_KEY = '4dd3f8e3aa0a4d8fb1c1a5b2d0c96e17'
const AUTHENTICATION_KEY = '91c0f2e55b7a4e6d8f3a2b1c0d9e8f7a'

/** Its keys as a keys file has them. */
export const DANISH_KEYS: object = {
  keys: [
    {
      system_title: TITLE,
      encryption_key: ENCRYPTION_KEY,
      authentication_key: AUTHENTICATION_KEY,
    },
  ],
}

/** The numbers of the list: those of every meter, and what only the Danish one sends. */
export function danishValues(profile: HanProfile, state: ElectricalState): HanValues {
  const { activeW, currentsA, voltagesV, energy } = state
  const apparentVa = currentsA.map((amperes, i) => amperes * voltagesV[i]!)
  const phases = [0, 1, 2].flatMap((i): [string, number][] => [
    [`${20 * i + 33}.7.0`, powerFactor(activeW[i]!, apparentVa[i]!)],
    [`${20 * i + 21}.8.0`, Math.round(energy.activeImportWh / 3)],
    [`${20 * i + 22}.8.0`, Math.round(energy.activeExportWh / 3)],
  ])
  const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
  return {
    ...hanValues(profile, state),
    '0.0.1': METER_NUMBER,
    '13.7.0': powerFactor(sum(activeW), sum(apparentVa)),
    ...Object.fromEntries(phases),
  }
}

/** Cut to hundredths; 1 where nothing flows. */
function powerFactor(activeW: number, apparentVa: number): number {
  if (apparentVa < 1) return 1
  return Math.floor(100 * Math.min(1, Math.abs(activeW) / apparentVa)) / 100
}

/** Protects telegram after telegram, each under the next counter. */
export function danishSeal(): (pdu: Uint8Array) => Uint8Array {
  const bytes = (digits: string): Uint8Array => new Uint8Array(Buffer.from(digits, 'hex'))
  const seal: Omit<Protection, 'invocationCounter'> = {
    systemTitle: bytes(TITLE),
    encryptionKey: bytes(ENCRYPTION_KEY),
    authenticationKey: bytes(AUTHENTICATION_KEY),
  }
  let invocationCounter = 0
  return pdu => {
    invocationCounter++
    const apdu = pdu.subarray(LLC.length)
    return concat(LLC, encodeGeneralGlo(apdu, { ...seal, invocationCounter }))
  }
}
