/** A frame in the words of a Chain2Gate. */
import { isoLocal } from '../../dlms/date-time.ts'
import type { OpenFrame } from './open-meter.ts'

/** Id of a gateway that belongs to nobody. */
export const GATEWAY_ID = 'c2g-0000000042'

/** The JSON text of a frame; `receivedMs`: when the gateway received it, epoch ms. */
export function chain2GateText({ cf, meter, payload }: OpenFrame, receivedMs: number): string {
  const Ts = isoLocal(Math.floor(receivedMs / 1000))
    .replaceAll('-', '/')
    .replace('T', ' ')
  return JSON.stringify({
    Chain2Data: { Id: GATEWAY_ID, Ts, Meter: meter, Type: `CF${cf}`, Payload: payload },
  })
}
