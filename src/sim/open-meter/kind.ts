/** Which meters of scenarios are Open Meters. */

/** Id of the decoder that reads them. */
export const OPEN_METER_DECODER = 'it-chain2gate'

/** Whether a scenario's meter is one. */
export function isOpenMeter(model: { readonly kind: string; readonly decoder: string }): boolean {
  return model.kind === 'telegrams' && model.decoder === OPEN_METER_DECODER
}

/** Contracted power behind an available power, W. */
export function contractedW(availableW: number): number {
  return Math.round(availableW / 1.1)
}
